import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { examine, type Finding } from '../../src/engine/doctor.ts'

/** Programs that only say what the real ones say, in a PATH of their own: for what cannot be provoked everywhere. */
function machine(context: TestContext, fakes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-doctor-test-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const bin = join(folder, 'fake-programs')
  mkdirSync(bin)
  for (const [name, script] of Object.entries(fakes)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  for (const name of ['sh', 'cat', 'stat']) symlinkSync(`/bin/${name}`, join(bin, name))
  const run = join(folder, 'run')
  mkdirSync(run, { mode: 0o700 })
  return { PATH: bin, XDG_RUNTIME_DIR: run, HOME: folder }
}

const of = (findings: readonly Finding[], check: string) => findings.find((finding) => finding.check === check)

const info = JSON.stringify({
  host: { ociRuntime: { name: 'runc' }, cgroupVersion: 'v2', cgroupControllers: ['memory', 'pids'] },
  store: { graphDriverName: 'vfs', graphRoot: '/nonexistent' },
})

/** A podman that works, but for what `run` does. */
const podman = (run: string) => `case $1 in
--version) echo "podman version 4.3.1" ;;
info) cat <<'END'
${info}
END
;;
unshare) shift; exec "$@" ;;
run) ${run} ;;
esac`

test('no engine at all is a fault', async (context) => {
  assert.deepEqual(of(await examine(machine(context, {})), 'podman'), {
    check: 'podman',
    state: 'fault',
    says: 'not installed',
    fix: 'apt-get install podman runc slirp4netns uidmap (as root)',
    commands: [['apt-get', 'install', '-y', 'podman', 'runc', 'slirp4netns', 'uidmap']],
  })
})

test('a rootless docker serves where podman is not; a daemon of root does not', async (context) => {
  const rootless = await examine(
    machine(context, { docker: `echo '["name=seccomp,profile=default","name=rootless"]'` }),
  )
  assert.equal(of(rootless, 'podman')?.state, 'warning')
  assert.deepEqual(of(rootless, 'docker'), { check: 'docker', state: 'ok', says: 'rootless daemon' })
  const rootful = await examine(machine(context, { docker: `echo '["name=seccomp,profile=default"]'` }))
  assert.equal(of(rootful, 'podman')?.state, 'fault')
  assert.equal(of(rootful, 'docker')?.state, 'warning')
})

test('what podman says when it cannot work is explained', async (context) => {
  const says = 'Error: open /etc/containers/policy.json: no such file or directory'
  const findings = await examine(
    machine(context, {
      podman: `[ "$1" = --version ] && { echo "podman version 4.3.1"; exit; }; echo '${says}' >&2; exit 125`,
    }),
  )
  assert.deepEqual(of(findings, 'podman'), {
    check: 'podman',
    state: 'fault',
    says: `Podman has no signature policy\n${says}`,
    fix: 'apt-get install golang-github-containers-common (as root)',
    commands: [['apt-get', 'install', '-y', 'golang-github-containers-common']],
  })
})

const asPerson = { skip: process.getuid?.() === 0 ? 'root needs none of it, and starts no container' : false }

test('a container that cannot be started is explained', asPerson, async (context) => {
  const says =
    'Error: OCI runtime error: crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2'
  const findings = await examine(machine(context, { podman: podman(`echo '${says}' >&2; exit 126`) }))
  assert.deepEqual(of(findings, 'container'), {
    check: 'container',
    state: 'fault',
    says: `crun does not work with this machine's cgroups (v1 and v2 mixed)\n${says}`,
    fix: 'install runc and set runtime = "runc" under [engine] in ~/.config/containers/containers.conf',
  })
})

test('the network is looked at by itself', asPerson, async (context) => {
  const says = 'Error: could not find slirp4netns, the network namespace cannot be configured'
  const findings = await examine(
    machine(context, { podman: podman(`case "$*" in *slirp4netns*) echo '${says}' >&2; exit 127 ;; esac`) }),
  )
  assert.equal(of(findings, 'container')?.state, 'ok')
  assert.deepEqual(of(findings, 'container with network')?.commands, [['apt-get', 'install', '-y', 'slirp4netns']])
})

test('warnings: a slow store, limits that systemd does not hand down', async (context) => {
  const findings = await examine(machine(context, { podman: podman('true') }))
  assert.equal(of(findings, 'image store')?.state, 'warning')
  assert.deepEqual(of(findings, 'limits'), {
    check: 'limits',
    state: 'warning',
    says: 'this account has no cgroup controller for cpu: these limits are not enforced',
    fix: 'Delegate=cpu memory pids in /etc/systemd/system/user@.service.d/delegate.conf (as root), then log in again',
  })
})

test('XDG_RUNTIME_DIR: not set, not there, of somebody else', asPerson, async (context) => {
  const env = machine(context, {})
  const look = async (dir: string | undefined) => {
    const { XDG_RUNTIME_DIR: _, ...rest } = env
    return of(await examine(dir === undefined ? rest : { ...rest, XDG_RUNTIME_DIR: dir }), 'XDG_RUNTIME_DIR')
  }
  assert.equal((await look(env.XDG_RUNTIME_DIR))?.state, 'ok')
  assert.equal((await look(undefined))?.state, 'warning')
  assert.match(
    (await look('/nonexistent'))!.says,
    /^XDG_RUNTIME_DIR is missing or not writable\n.*\/nonexistent is not there$/,
  )
  assert.match((await look('/'))!.says, /^XDG_RUNTIME_DIR belongs to somebody else\nXDG_RUNTIME_DIR directory "\/"/)
})
