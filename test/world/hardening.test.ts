import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tasks } from './rig.ts'

const look = `
status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
echo "uid $(id -u) gid $(id -g)"
echo "caps $(status CapEff) $(status CapPrm) $(status CapBnd)"
echo "nnp $(status NoNewPrivs) seccomp $(status Seccomp)"
touch /root-is-writable 2>/dev/null && echo "root writable" || echo "root read-only"
for dir in /etc /usr /run /var/tmp /cache; do touch $dir/x 2>/dev/null && echo "$dir writable"; done
touch "$HOME/x" && echo "home $HOME writable"
touch /tmp/x && echo "tmp writable"
(exec 3<>/dev/tcp/192.0.2.1/80) 2>/dev/null && echo "network there"
ls /sys/class/net | tr '\\n' ' '
echo
parent=$PPID
while [ "$parent" -gt 1 ]; do
  echo "above $(sed -n 's/^Name:[[:space:]]*//p' /proc/$parent/status)"
  parent=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$parent/status)
done
touch .git/hooks/x 2>/dev/null && echo "hooks writable" || echo "hooks read-only"
mv .git .git2 2>/dev/null && echo "git movable" || echo "git held"
echo made > made-by-task
env | grep -c SSH_AUTH_SOCK
true
`

test('inside a task: what the second promise says', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = ["bash", "look.sh"]\n`, { 'look.sh': look })
  execFileSync('git', ['init', '--quiet'], { cwd: repo.root })
  const { code, stderr, all } = await repo.dwf(['test'], { env: { SSH_AUTH_SOCK: '/tmp/agent' } })
  assert.equal(code, 0, all)
  const said = stderr.split('\n').flatMap((line) => line.split('test:unit@project │ ')[1] ?? [])
  const text = said.join('\n')
  assert.match(text, /^uid 1001 gid 1001$/m)
  assert.match(text, /^caps 0{16} 0{16} 0{16}$/m)
  assert.match(text, /^nnp 1 seccomp 2$/m)
  assert.match(text, /^root read-only$/m)
  assert.doesNotMatch(text, /^\/.* writable$/m)
  assert.match(text, /^home \/home\/dwfuser writable$/m)
  assert.match(text, /^tmp writable$/m)
  assert.doesNotMatch(text, /network there/)
  assert.match(text, /^lo $/m)
  assert.match(text, /^above tini$/m)
  assert.match(text, /^hooks read-only$/m)
  assert.match(text, /^git held$/m)
  assert.equal(said.at(-1), '0', 'the environment of the person')
  // The person's own id, whatever it is: this test runs as dwfuser (1001) and as dwfother (1207).
  assert.equal(statSync(join(repo.root, 'made-by-task')).uid, process.getuid!())
})

test('a task cannot read or steer the shells that dwf keeps open', async (context) => {
  const probe = `
n=0
for dir in /proc/[0-9]*; do
  pid=\${dir#/proc/}
  case $(sed -n 's/^Name:[[:space:]]*//p' $dir/status) in tini|sh) ;; *) continue ;; esac
  grep -q '^look' $dir/cmdline 2>/dev/null && continue
  tr '\\0' ' ' < $dir/cmdline | grep -q '/usr/local/libexec/dwf/sh\\|/usr/bin/tini' || continue
  n=$((n + 1))
  cat $dir/environ >/dev/null 2>&1 && echo "environ of $pid readable"
  ls $dir/fd >/dev/null 2>&1 && echo "descriptors of $pid readable"
  head -c 1 $dir/mem >/dev/null 2>&1 && echo "memory of $pid readable"
  (echo forged > $dir/fd/1) 2>/dev/null && echo "output of $pid writable"
done
echo "$n shells"
tr '\\0' '\\n' < /proc/self/cmdline | grep -cE '^[0-9a-f]{32}$'
cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -cE '[0-9a-f]{32}'
true
`
  const repo = await tasks(context, `[tasks.test]\nrun = ["bash", "probe.sh"]\n`, { 'probe.sh': probe })
  const { code, stderr, all } = await repo.dwf(['test'])
  assert.equal(code, 0, all)
  const said = stderr.split('\n').flatMap((line) => line.split('test:unit@project │ ')[1] ?? [])
  assert.match(said[0]!, /^[4-9] shells$/, said.join('\n'))
  assert.deepEqual(said.slice(1), ['0', '0'])
})

test('an end marker that a task makes up is output, and its own code counts', async (context) => {
  const repo = await tasks(
    context,
    `[tasks.test]\nrun = '''printf '\\036%032d 0\\n' 0; printf '\\036%032d 0\\n' 0 >&2; exit 3'''\n`,
  )
  const { code, all } = await repo.dwf(['test'])
  assert.equal(code, 1)
  assert.match(all, /test:unit@project\s+failed \(exit 3\)/)
})

test('what a task leaves running dies with it, also in a session of its own, while another task lives', async (context) => {
  const repo = await tasks(
    context,
    `[tasks."test:a"]
run = '''setsid sh -c 'while :; do date +%s%N > orphan; sleep 0.1; done' >/dev/null 2>&1 & (sleep 300 &) ; sleep 0.5; echo left'''
[tasks."test:b"]
run = "sleep 3; cp orphan after; sleep 1; cmp orphan after && echo same; ls /proc | grep -c '^[0-9]'"
[targets]
pr = ["test:a", "test:b"]
`,
  )
  const { code, all } = await repo.dwf(['check:pr', '--verbose', '-j', '2'])
  assert.equal(code, 0, all)
  assert.match(all, /test:b@project │ same/)
})

test('a task that kills everything it can see fails, and so does the run', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "kill -9 -1; sleep 5"\n`)
  const { code, all } = await repo.dwf(['test'])
  assert.equal(code, 1, all)
  assert.match(all, /test:unit@project {2}(failed|lost)/)
})

test('processes are limited', async (context) => {
  const repo = await tasks(
    context,
    `[container]\npids = 64\n[tasks.test]\nrun = '''for i in $(seq 200); do sleep 5 & done 2>&1; wait'''\n`,
  )
  const { code, all } = await repo.dwf(['test'])
  assert.match(all, /Cannot fork|Resource temporarily unavailable/, `${code} ${all}`)
})

test('a .git that a task makes, and a lock file that it changes, fail the run', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "mkdir .git; echo x >> devflow.lock"\n`)
  const { code, all } = await repo.dwf(['test'])
  assert.equal(code, 1, all)
  assert.match(all, /a task created \.git/)
  assert.match(all, /a task changed devflow\.lock/)
})

test('a worktree: git works inside, and neither its .git file nor the common dir can be written', async (context) => {
  const repo = await tasks(
    context,
    `[tasks.test]\nrun = '''git rev-parse --show-toplevel; git log --oneline; touch "$(git rev-parse --git-common-dir)/x" || echo "common read-only"; rm .git || echo "file held"'''\n`,
  )
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.test', ...args], { cwd: repo.root })
  git('init', '--quiet')
  git('add', '-A')
  git('commit', '--quiet', '-m', 'first')
  const tree = join(repo.root, '..', 'tree with space')
  git('worktree', 'add', '--quiet', '-b', 'side', tree)
  const { code, all } = await repo.dwf(['test'], { cwd: tree })
  assert.equal(code, 0, all)
  for (const line of ['/workspace', 'first', 'common read-only', 'file held'])
    assert.match(all, new RegExp(`│ .*${line}`), all)
})

test('a task cannot put a link in the place of a cache, for the next container to follow', async (context) => {
  const repo = await tasks(
    context,
    `[tasks."test:a"]\nrun = "ls -A .cache/devflow; mv .cache .cache2 && echo moved; rm -rf .cache/devflow && echo removed; ln -s /etc .cache/devflow/x && echo linked; true"\n[cache]\nroot = ".cache/devflow"\n`,
    { 'package.json': '{"name":"x","engines":{"node":"24"},"scripts":{"test":"true"},"dependencies":{}}' },
  )
  const { code, all } = await repo.dwf(['test:a'])
  assert.equal(code, 0, all)
  assert.doesNotMatch(all, /│ (moved|removed|linked)/)
})

test('a repository whose cache folder is a link out of it is refused', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`, {
    'package.json': '{"name":"x","engines":{"node":"24"},"scripts":{"test":"true"}}',
  })
  const outside = join(repo.root, '../outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'keep'), '')
  execFileSync('ln', ['-s', outside, join(repo.root, '.cache')])
  const { code, all } = await repo.dwf(['test'])
  assert.equal(code, 4, all)
  assert.match(all, /\.cache is a link, and dwf keeps its caches there/)
})

test('a .git or a hooks path that leads to another folder of the person mounts nothing: exit 4', async (context) => {
  const cases: Readonly<Record<string, (root: string, victim: string) => void>> = {
    'a file': (root, victim) => writeFileSync(join(root, '.git'), `gitdir: ${victim}\n`),
    'a link': (root, victim) => symlinkSync(victim, join(root, '.git')),
    'a hooks path through a link': (root, victim) => {
      execFileSync('git', ['init', '--quiet'], { cwd: root })
      execFileSync('git', ['config', 'core.hooksPath', 'x/.ssh'], { cwd: root })
      symlinkSync(victim, join(root, 'x'))
    },
  }
  for (const [name, plant] of Object.entries(cases)) {
    const repo = await tasks(context, `[tasks.test]\nrun = "cat /proc/mounts"\n`)
    const victim = join(repo.root, '../victim')
    mkdirSync(join(victim, '.ssh'), { recursive: true })
    plant(repo.root, victim)
    const { code, all } = await repo.dwf(['test'])
    assert.equal(code, 4, `${name}: ${all}`)
  }
})

test('a task that changes the Dockerfile of the next run fails this one', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "echo RUN id >> Dockerfile.devflow"\n`)
  const { code, all } = await repo.dwf(['test'])
  assert.equal(code, 1, all)
  assert.match(all, /a task changed Dockerfile\.devflow/)
})

test('VOLUME in an image does not make a part of the root writable', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "touch /opt/w/x && echo writable || echo closed"\n`)
  writeFileSync(join(repo.root, 'Dockerfile.devflow'), `${repo.read('Dockerfile.devflow')}VOLUME /opt/w\n`)
  const { code, all } = await repo.dwf(['test'])
  assert.equal(code, 0, all)
  assert.match(all, /│ closed/)
})
