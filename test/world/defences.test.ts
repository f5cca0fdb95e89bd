import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tasks } from './rig.ts'

/**
 * What a task sees with each defence taken away: proof that the tests of the second promise would notice. A shim
 * named podman in front of the real one drops or changes one argument; dwf itself is as it is.
 */
const defences: Readonly<
  Record<string, { readonly change: string; readonly look: string; readonly kept: string; readonly lost: RegExp }>
> = {
  'capabilities dropped': {
    change: '--cap-drop=*) continue',
    look: "sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status",
    kept: '0000000000000000',
    lost: /^(?!0{16}$)[0-9a-f]{16}$/,
  },
  'no new privileges': {
    change: '--security-opt=no-new-privileges) continue',
    look: "sed -n 's/^NoNewPrivs:[[:space:]]*//p' /proc/self/status",
    kept: '1',
    lost: /^0$/,
  },
  'read-only root': {
    change: '--read-only) continue',
    look: 'touch /opt/x 2>&1 | grep -o "Read-only file system" || grep -c "^overlay / overlay rw" /proc/mounts',
    kept: 'Read-only file system',
    lost: /^1$/,
  },
  'no network': { change: '--network=none) continue', look: 'ls /sys/class/net | wc -l', kept: '1', lost: /^[2-9]$/ },
  'UID 1001': {
    change: '--user=1001:1001) set -- "$@" --user=0:0; continue',
    look: 'id -u',
    kept: '1001',
    lost: /^0$/,
  },
  'limit of processes': {
    change: '--ulimit=nproc=*) continue',
    look: "sed -n 's/^Max processes *\\([0-9a-z]*\\).*/\\1/p' /proc/self/limits",
    kept: '2048',
    lost: /^(?!2048$)/,
  },
  'git read-only': {
    change: '*/.git:ro) set -- "$@" "${argument%:ro}:rw"; continue',
    look: 'touch .git/hooks/x 2>/dev/null && echo writable || echo read-only',
    kept: 'read-only',
    lost: /^writable$/,
  },
  'execute-only shells': {
    change: '/usr/local/libexec/dwf/sh) set -- "$@" /bin/sh; continue',
    // The processes above the task, up to the shell that dwf keeps open: their ids depend on the moment.
    look: `p=$PPID; r=closed; while [ "$p" -gt 0 ]; do cat /proc/$p/environ >/dev/null 2>&1 && r=readable; p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status); done; echo $r`,
    kept: 'closed',
    lost: /^readable$/,
  },
}

for (const [name, { change, look, kept, lost }] of Object.entries(defences)) {
  test(`without "${name}" a task sees the difference`, async (context) => {
    const repo = await tasks(context, `[tasks.test]\nrun = '''echo "seen:$(${look})"'''\n`)
    execFileSync('git', ['init', '--quiet'], { cwd: repo.root })
    const seen = async (path: string) => {
      const { code, all } = await repo.dwf(['test'], { env: { PATH: path } })
      assert.equal(code, 0, all)
      return /│ seen:(.*)/.exec(all)?.[1] ?? assert.fail(all)
    }
    const whole = await seen(repo.env.PATH!)
    assert.equal(whole, kept)
    const bin = join(repo.root, '../bin')
    mkdirSync(bin)
    writeFileSync(
      join(bin, 'podman'),
      `#!/bin/bash\n# A shim: the real podman with one argument less.\nall=("$@"); set --\nfor argument in "\${all[@]}"; do\n  if [ "\${all[0]}" = run ]; then case $argument in ${change} ;; esac; fi\n  set -- "$@" "$argument"\ndone\nexec /usr/bin/podman "$@"\n`,
    )
    chmodSync(join(bin, 'podman'), 0o755)
    const without = await seen(`${bin}:${repo.env.PATH}`)
    assert.match(without, lost)
    assert.notEqual(without, whole)
  })
}
