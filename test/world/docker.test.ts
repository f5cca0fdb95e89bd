import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { holderWord, thisProcess } from '../../src/util/lock.ts'
import { pinToRegistry } from './registry-pins.ts'
import { type Repository, tasks, world } from './rig.ts'

/** One Docker of the test world: what is promised is the same, how it is kept is not. */
interface Docker {
  readonly name: 'rootless' | 'rootful'
  readonly socket: string
  /** What the task's uid is inside. */
  readonly uid: number
  readonly setup: string
}

const engines: readonly Docker[] = [
  {
    name: 'rootless',
    socket: join(process.env.XDG_RUNTIME_DIR ?? '/nonexistent', 'docker.sock'),
    uid: 0,
    setup: 'scripts/world setup --docker',
  },
  {
    name: 'rootful',
    socket: join(world, 'docker-rootful.sock'),
    uid: process.getuid!(),
    setup: 'scripts/world setup --docker-rootful',
  },
]

const client = join(world, 'docker-config')

function environment({ socket }: Pick<Docker, 'socket'>): NodeJS.ProcessEnv {
  return { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: client, CI: '1' }
}

function docker(engine: Docker, ...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', env: { ...process.env, ...environment(engine) } })
}

function whyNot(engine: Docker): string | false {
  const { status, error } = spawnSync('docker', ['version'], { env: { ...process.env, ...environment(engine) } })
  if (status === 0) return false
  return `${error ? 'no docker client is here' : `no ${engine.name} Docker answers at ${engine.socket}`}: ${engine.setup}`
}

/**
 * A repository whose tasks run in Docker, with a person's approval. Its lock names the base as the registry of the test
 * world has it: the daemon here is 20.10, which cannot put a local image in the place of a pinned one.
 */
async function dockerTasks(
  context: TestContext,
  engine: Docker,
  toml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Repository> {
  const repo = await tasks(context, toml.replace(/^(\[container\]\n)?/, '[container]\nengine = "docker"\n'), files)
  pinToRegistry(repo)
  const env = environment(engine)
  const trusted = await repo.dwf(['trust', '--ci'], { env })
  assert.equal(trusted.code, 0, trusted.all)
  return { ...repo, dwf: (args, options = {}) => repo.dwf(args, { ...options, env: { ...env, ...options.env } }) }
}

const said = ({ stderr }: { readonly stderr: string }) =>
  stderr.split('\n').flatMap((line) => line.split(/test:[a-z]+@project │ /)[1] ?? [])

const look = `
status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
echo "uid $(id -u)"
echo "caps $(status CapEff) $(status CapPrm) $(status CapBnd)"
echo "nnp $(status NoNewPrivs) seccomp $(status Seccomp)"
touch /root-is-writable 2>/dev/null && echo "root writable"
for dir in /etc /usr /run /var/tmp /cache; do touch $dir/x 2>/dev/null && echo "$dir writable"; done
touch "$HOME/x" && echo "home $HOME $(stat -c '%a %u' "$HOME")"
cp /bin/true /tmp/true && /tmp/true && echo "tmp exec"
(exec 3<>/dev/tcp/192.0.2.1/80) 2>/dev/null && echo "network there"
echo "interfaces $(ls /sys/class/net | tr '\\n' ' ')"
touch .git/hooks/x 2>/dev/null && echo "hooks writable"
mv .git .git2 2>/dev/null && echo "git movable"
cat /usr/local/libexec/dwf/sh >/dev/null 2>&1 && echo "shell readable"
chmod u+r /usr/local/libexec/dwf/sh 2>/dev/null && echo "shell mine"
n=0
for dir in /proc/[0-9]*; do
  case $(sed -n 's/^Name:[[:space:]]*//p' $dir/status) in tini|sh) ;; *) continue ;; esac
  tr '\\0' ' ' < $dir/cmdline | grep -q '/usr/local/libexec/dwf/sh\\|/usr/bin/tini' || continue
  n=$((n + 1))
  cat $dir/environ >/dev/null 2>&1 && echo "environ readable"
  readlink $dir/fd/1 >/dev/null 2>&1 && echo "descriptors readable"
  (echo forged > $dir/fd/1) 2>/dev/null && echo "output writable"
  head -c 1 $dir/mem >/dev/null 2>&1 && echo "memory readable"
done
[ $n -ge 4 ] && echo "shells closed"
echo made > made-by-task
env | grep -c 'SSH_AUTH_SOCK\\|_PROXY'
`

for (const engine of engines) {
  describe(`${engine.name} Docker`, { skip: whyNot(engine) }, () => {
    /** Containers of dwf that are there now. */
    const containers = () => docker(engine, 'ps', '--all', '--quiet', '--filter=label=dev.dwf.run').trim()
    const gone = async () => {
      for (let tries = 0; tries < 75 && containers(); tries++) await sleep(200)
      assert.equal(containers(), '')
    }
    const on = (context: TestContext, toml: string, files?: Readonly<Record<string, string>>) =>
      dockerTasks(context, engine, toml, files)

    before(() => {
      // So that the first test builds the image, whatever an earlier run left.
      const left = containers().split('\n').filter(Boolean)
      if (left.length > 0) docker(engine, 'rm', '--force', ...left)
      const old = docker(engine, 'images', '--quiet', '--filter=label=dev.dwf.image').split('\n').filter(Boolean)
      if (old.length > 0) docker(engine, 'rmi', '--force', ...new Set(old))
    })

    test('the image is built by BuildKit, has its labels, and is there the second time', async (context) => {
      const repo = await on(context, `[tasks.test]\nrun = "true"\n`)
      const built = await repo.dwf(['image', 'build', '--json'])
      assert.equal(built.code, 0, built.all)
      assert.doesNotMatch(built.stderr, /^#\d/m)
      const { image, fingerprint, built: wasBuilt } = JSON.parse(built.stdout)
      assert.equal(wasBuilt, true)
      const again = await repo.dwf(['image', 'build', '--json'])
      assert.equal(JSON.parse(again.stdout).built, false, again.all)
      const listed = JSON.parse((await repo.dwf(['image', 'ls', '--json'])).stdout)
      assert.deepEqual(
        listed.images.map((one: Record<string, unknown>) => [one.tags, one.fingerprint]),
        [[[image], fingerprint]],
      )
      assert.ok(listed.images[0].size > 1e6)
    })

    test('inside a task: what the second promise says', async (context) => {
      const repo = await on(context, `[tasks.test]\nrun = ["bash", "look.sh"]\n`, { 'look.sh': look })
      execFileSync('git', ['init', '--quiet'], { cwd: repo.root })
      const result = await repo.dwf(['test'], {
        env: { SSH_AUTH_SOCK: '/tmp/agent', HTTPS_PROXY: 'http://proxy.example:1' },
      })
      assert.equal(result.code, 1, 'grep counts nothing, so it ends with 1')
      assert.deepEqual(said(result), [
        `uid ${engine.uid}`,
        `caps ${[0, 0, 0].map(() => '0'.repeat(16)).join(' ')}`,
        'nnp 1 seccomp 2',
        `home /home/dwfuser 700 ${engine.uid}`,
        'tmp exec',
        'interfaces lo ',
        'shells closed',
        '0',
      ])
      assert.equal(statSync(join(repo.root, 'made-by-task')).uid, process.getuid!())
      assert.match(
        result.stdout,
        engine.name === 'rootless'
          ? /not enforced here: UID 1001: with rootless Docker uid 0 inside is the person outside/
          : /not enforced here: rootless: the daemon runs as root, tasks with your own ids/,
      )
      assert.equal(containers(), '')
    })

    test('egress reaches out, and not the loopback of this machine', async (context) => {
      const port = process.env.DWF_WORLD_PORT ?? '5055'
      const repo = await on(
        context,
        `[tasks.test]
network = "egress"
run = ["bash", "-c", "ls /sys/class/net | grep -v lo; for host in 127.0.0.1 10.0.2.2; do (exec 3<>/dev/tcp/$host/${port}) 2>/dev/null && echo loopback; done; head -c 27 /etc/dwf/ca-certificates.crt; echo; echo $NODE_EXTRA_CA_CERTS $HTTPS_PROXY; ! [ -w /etc/dwf/ca-certificates.crt ]"]
`,
      )
      const trusted = await repo.dwf(['trust', '--ci'])
      assert.equal(trusted.code, 0, trusted.all)
      const result = await repo.dwf(['test'], { env: { HTTPS_PROXY: 'http://user:hidden@proxy.example:1' } })
      assert.equal(result.code, 0, result.all)
      assert.deepEqual(said(result), [
        'eth0',
        '-----BEGIN CERTIFICATE-----',
        '/etc/dwf/ca-certificates.crt http://user:hidden@proxy.example:1',
      ])
    })

    test('tasks that run together have a shell each, and a forged end marker is output', async (context) => {
      const repo = await on(
        context,
        `[tasks."test:a"]
run = "touch a; for i in $(seq 100); do [ -e b ] && exit 0; sleep 0.1; done; exit 1"
[tasks."test:b"]
run = "touch b; for i in $(seq 100); do [ -e a ] && exit 0; sleep 0.1; done; exit 1"
[tasks."test:c"]
run = '''printf '\\036%032d 0\\n' 0; printf '\\036%032d 0\\n' 0 >&2; exit 3'''
[targets]
pr = ["test:a", "test:b", "test:c"]
`,
      )
      const { code, stdout, all } = await repo.dwf(['check:pr', '-j', '2', '--keep-going'])
      assert.equal(code, 1, all)
      assert.match(stdout, /✔ test:a@project +passed/)
      assert.match(stdout, /✔ test:b@project +passed/)
      assert.match(stdout, /✖ test:c@project +failed \(exit 3\)/)
    })

    test('what a task leaves running dies with it; a time-out ends its whole subtree', async (context) => {
      const repo = await on(
        context,
        `[tasks."test:a"]
run = '''setsid sh -c 'while :; do date +%s%N > orphan; sleep 0.1; done' >/dev/null 2>&1 & sleep 0.5'''
[tasks."test:b"]
needs = ["test:a"]
timeout = "1s"
run = '''cp orphan after; sleep 0.5; cmp orphan after && echo same; trap '' TERM; while :; do sleep 1; done'''
`,
      )
      const result = await repo.dwf(['test:b', '--verbose'])
      assert.equal(result.code, 1, result.all)
      assert.match(result.all, /test:b@project │ same/)
      assert.match(result.stdout, /test:b@project +timed out/)
    })

    test('when dwf is killed with -9, its container ends by itself', async (context) => {
      const repo = await on(context, `[tasks.test]\nrun = "echo started; sleep 120"\n`)
      const { signal } = await repo.dwf(['test'], {
        when: { says: /│ started/, act: (child) => child.kill('SIGKILL') },
      })
      assert.equal(signal, 'SIGKILL')
      await gone()
    })

    test('Ctrl-C lets the task tidy up, ends with 130 and leaves no container', async (context) => {
      const repo = await on(
        context,
        `[tasks.test]\nrun = "echo started; trap 'echo tidied; exit' TERM; sleep 60 & wait"\n`,
      )
      const { code, all } = await repo.dwf(['test'], {
        when: { says: /│ started/, act: (child) => child.kill('SIGINT') },
      })
      assert.equal(code, 130, all)
      assert.match(all, /tidied/)
      assert.equal(containers(), '')
    })

    test('a container whose dwf is no more is reaped by the next run', async (context) => {
      const repo = await on(context, `[tasks.test]\nrun = "sleep 2"\n`)
      assert.equal((await repo.dwf(['test'])).code, 0)
      const image = JSON.parse((await repo.dwf(['image', 'ls', '--json'])).stdout).images[0].tags[0]
      const dead = holderWord({ ...thisProcess(), pid: spawnSync('true').pid })
      // Lists of Docker join labels with commas: one that has some must not hide another.
      const labels = ['--label=dev.dwf.run=x', `--label=dev.dwf.owner=${dead}`, '--label=note=a,dev.dwf.owner=1']
      docker(engine, 'run', '--detach', '--network=none', ...labels, image, 'sleep', '300')
      assert.notEqual(containers(), '')
      assert.equal((await repo.dwf(['test'])).code, 0)
      await gone()
    })

    if (engine.name === 'rootful') {
      test('limits are enforced', async (context) => {
        const repo = await on(
          context,
          `[container]
memory = "64m"
pids = 64
cpus = 0.5
[tasks.test]
run = ["bash", "limits.sh"]
`,
          {
            'limits.sh': `cd /sys/fs/cgroup
read_first() { for file; do [ ! -e $file ] || { cat $file; return; }; done; }
echo "memory $(read_first memory/memory.limit_in_bytes memory.max)"
echo "pids $(read_first pids/pids.max pids.max)"
echo "cpus $(read_first cpu/cpu.cfs_quota_us cpu,cpuacct/cpu.cfs_quota_us cpu.max)"
for i in $(seq 100); do sleep 5 & done 2>&1 | grep -o 'Resource temporarily unavailable' | head -1
tail -c 200000000 /dev/zero >/tmp/big 2>/dev/null; echo "ended $?"
`,
          },
        )
        const result = await repo.dwf(['test'])
        const text = said(result).join('\n')
        assert.match(text, /^memory 67108864$/m, result.all)
        assert.match(text, /^pids 64$/m)
        assert.match(text, /^cpus 50000( 100000)?$/m)
        assert.match(text, /^Resource temporarily unavailable$/m)
        assert.doesNotMatch(text, /^ended 0$/m)
        assert.doesNotMatch(result.stdout, /limits of/)
      })

      test('auto never picks a daemon that runs as root', async (context) => {
        const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
        const { code, all } = await repo.dwf(['test'], {
          env: { ...environment(engine), PATH: withoutPodman(repo) },
        })
        assert.equal(code, 3, all)
        assert.match(all, /the only engine here is a Docker daemon that runs as root, and auto never picks one/)
      })
    } else {
      test('processes are limited by ulimit', async (context) => {
        const repo = await on(
          context,
          `[container]\npids = 200\n[tasks.test]\nrun = '''for i in $(seq 400); do sleep 5 & done 2>&1; wait'''\n`,
        )
        const { all } = await repo.dwf(['test'])
        assert.match(all, /Cannot fork|Resource temporarily unavailable/)
      })

      test('auto picks a rootless Docker where there is no podman', async (context) => {
        const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
        pinToRegistry(repo)
        const { code, stdout, all } = await repo.dwf(['test'], {
          env: { ...environment(engine), PATH: withoutPodman(repo) },
        })
        assert.equal(code, 0, all)
        assert.match(stdout, /^docker .*, rootless;/m)
      })

      test('a stand-in for a pinned image is refused, since this daemon cannot have one', async (context) => {
        const repo = await tasks(context, `[container]\nengine = "docker"\n[tasks.test]\nrun = "true"\n`)
        const env = environment(engine)
        await repo.dwf(['trust', '--ci'], { env })
        const { code, all } = await repo.dwf(['test'], { env })
        const { Version: version } = JSON.parse(docker(engine, 'version', '--format={{json .Server}}'))
        if (Number.parseInt(version, 10) >= 23) return context.skip(`Docker ${version} can have one`)
        assert.equal(code, 3, all)
        assert.match(
          all,
          /cannot build with localhost\/\S+ in place of \S+: it has no named build contexts\n {2}use podman/,
        )
      })

      test('without buildx: refused, with the way out', async (context) => {
        const repo = await on(context, `[container]\npackages = ["less"]\n[tasks.test]\nrun = "true"\n`)
        const { code, all } = await repo.dwf(['image', 'build'], { env: { DOCKER_CONFIG: join(repo.root, 'none') } })
        const answer = docker(engine, 'version', '--format={{.Client.Version}}')
        if (Number.parseInt(answer, 10) < 23) return context.skip(`the client ${answer} has BuildKit built in`)
        assert.equal(code, 3, all)
        assert.match(all, /docker has no buildx here.*: the Dockerfile has cache mounts\n {2}install it/)
      })

      test('a client before 23 builds without buildx', async (context) => {
        const old = '/usr/bin/docker'
        const version = spawnSync(old, ['--version'], { encoding: 'utf8' }).stdout ?? ''
        if (!/version (1\d|20)\./.test(version)) return context.skip(`${old} is no such client: ${version.trim()}`)
        const repo = await on(context, `[project]\nname = "old-client"\n[tasks.test]\nrun = "true"\n`)
        const bin = join(repo.root, '../bin')
        execFileSync('mkdir', [bin])
        symlinkSync(old, join(bin, 'docker'))
        const { code, all } = await repo.dwf(['test'], {
          env: { DOCKER_CONFIG: join(repo.root, 'none'), PATH: `${bin}:${repo.env.PATH}` },
        })
        assert.equal(code, 0, all)
      })

      test('engine = "docker" needs trust', async (context) => {
        const repo = await tasks(context, `[container]\nengine = "docker"\n[tasks.test]\nrun = "true"\n`)
        const { code, all } = await repo.dwf(['test'], { env: environment(engine) })
        assert.equal(code, 4, all)
        assert.match(all, /not trusted: this repository asks to use a Docker daemon, also one that runs as root/)
      })
    }
  })
}

/** A PATH with everything but podman. */
function withoutPodman(repo: Repository): string {
  const bin = join(repo.root, '../path')
  execFileSync('mkdir', [bin])
  for (const folder of (repo.env.PATH ?? '').split(':').filter(existsSync))
    execFileSync('sh', [
      '-c',
      `for f in "$1"/*; do [ "\${f##*/}" = podman ] || [ -e "$2/\${f##*/}" ] || ln -s "$f" "$2/"; done`,
      'sh',
      folder,
      bin,
    ])
  return bin
}
