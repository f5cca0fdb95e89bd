import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pinToRegistry } from './registry-pins.ts'
import { type Repository, repository, tasks } from './rig.ts'

interface Machine {
  readonly env: NodeJS.ProcessEnv
  readonly store: string
  /** Runs a command in Podman's own namespaces, where it may mount. */
  inside(...argv: readonly string[]): void
}

/** Podman with a store, a runtime folder and a pause process of its own: what is broken in it is whole outside. */
function machine(context: TestContext): Machine {
  // Short, since names of sockets are.
  const folder = mkdtempSync(join(tmpdir(), 'dwfd-'))
  const run = join(folder, 'run')
  const store = join(folder, 'store')
  mkdirSync(run, { mode: 0o700 })
  mkdirSync(store)
  const config = join(folder, 'config')
  const own = join(homedir(), '.config/containers')
  if (existsSync(own)) cpSync(own, join(config, 'containers'), { recursive: true })
  else mkdirSync(join(config, 'containers'), { recursive: true })
  writeFileSync(
    join(config, 'containers/storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${store}"\nrunroot = "${run}/containers"\n`,
  )
  const env = { XDG_RUNTIME_DIR: run, XDG_CONFIG_HOME: config }
  const podman = (args: readonly string[]) =>
    spawnSync('podman', args, { env: { ...process.env, ...env }, encoding: 'utf8' })
  context.after(() => {
    endPause(run)
    // A new pause process, with the machine as it is, removes what belongs to subordinate ids.
    podman(['unshare', 'rm', '-rf', store])
    endPause(run)
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    env,
    store,
    inside(...argv) {
      const { status, stderr } = podman(['unshare', ...argv])
      assert.equal(status, 0, stderr)
    },
  }
}

function endPause(run: string): void {
  const file = join(run, 'libpod/tmp/pause.pid')
  if (existsSync(file)) spawnSync('kill', ['-9', readFileSync(file, 'utf8').trim()])
}

interface Finding {
  readonly check: string
  readonly state: string
  readonly says: string
  readonly fix?: string
  readonly commands?: readonly (readonly string[])[]
}

async function doctor(repo: Repository, env: NodeJS.ProcessEnv, code: 0 | 3): Promise<(check: string) => Finding> {
  const result = await repo.dwf(['doctor', '--json'], { env })
  assert.equal(result.code, code, result.all)
  const { schema, ok, findings } = JSON.parse(result.stdout)
  assert.deepEqual([schema, ok], ['dwf.doctor/1', code === 0])
  return (check) =>
    findings.find((finding: Finding) => finding.check === check) ?? assert.fail(`${check}: ${result.all}`)
}

/** A PATH with everything but some programs. */
function without(repo: Repository, ...names: readonly string[]): string {
  const bin = join(repo.root, '../path')
  mkdirSync(bin)
  const link = `out=$1; shift; for f in "$@"; do [ -e "$out/\${f##*/}" ] || ln -s "$f" "$out/"; done`
  for (const folder of (repo.env.PATH ?? '').split(':').filter(existsSync))
    execFileSync('sh', ['-c', `cd "$2" && set -- "$1" "$2"/* && ${link}`, 'sh', bin, folder])
  for (const name of names) rmSync(join(bin, name), { force: true })
  return bin
}

test('a machine that works: each look in a line, exit 0', async (context) => {
  const repo = repository(context)
  const { env, store } = machine(context)
  const { code, stdout, stderr } = await repo.dwf(['doctor'], { env })
  assert.equal(code, 0, stderr)
  const me = `${process.env.USER} (uid ${process.getuid!()})`
  const cgroups = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? '✔ cgroups: version 2'
    : '! cgroups: version 1: rootless engines cannot enforce memory and processor limits; processes are limited by ulimit'
  const lines = stdout.split('\n').filter((line) => !/^. (docker|limits|vulnerability database|trivy): /.test(line))
  assert.deepEqual(
    lines.map((line) => line.replace(/up to \d+|podman version [\d.]+, \w+/, '…')),
    [
      `✔ account: ${me}`,
      '✔ subordinate ids: the account has a range of uids and gids',
      '✔ newuidmap: /usr/bin/newuidmap',
      '✔ user namespaces: …',
      `✔ XDG_RUNTIME_DIR: ${env.XDG_RUNTIME_DIR}`,
      '✔ network device: /dev/net/tun',
      cgroups,
      '✔ podman: …, overlay',
      `✔ image store: ${store}`,
      '✔ container: one was started, without network',
      '✔ container with network: one was started',
      '',
    ],
  )
  assert.equal(stderr, '')
})

test('newuidmap is not there', async (context) => {
  const repo = repository(context)
  const { env } = machine(context)
  const found = await doctor(repo, { ...env, PATH: without(repo, 'newuidmap') }, 3)
  assert.deepEqual(found('newuidmap'), {
    check: 'newuidmap',
    state: 'fault',
    says: 'newuidmap is not installed\nexec: "newuidmap": executable file not found in $PATH',
    fix: 'apt-get install uidmap (as root)',
    commands: [['apt-get', 'install', '-y', 'uidmap']],
  })
  // Podman itself says the same.
  assert.match(found('podman').says, /^newuidmap is not installed\n[\s\S]*executable file not found in \$PATH/)
})

test('podman is not there: for doctor, and for a run', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
  const { env } = machine(context)
  const path = { ...env, PATH: without(repo, 'podman'), DOCKER_HOST: 'unix:///nonexistent' }
  const found = await doctor(repo, path, 3)
  assert.deepEqual([found('podman').state, found('podman').says], ['fault', 'not installed'])
  const { code, stderr } = await repo.dwf(['test'], { env: path })
  assert.equal(code, 3, stderr)
  assert.match(
    stderr,
    /^error: no container engine is here: neither podman nor a rootless docker answers\n {2}apt-get install podman uidmap slirp4netns \(as root\), or set \[container\] engine; dwf doctor looks for more$/m,
  )
})

test('XDG_RUNTIME_DIR is not there, or of somebody else', async (context) => {
  const repo = repository(context)
  const missing = await doctor(repo, { XDG_RUNTIME_DIR: '/run/user/4294' }, 3)
  assert.match(missing('XDG_RUNTIME_DIR').says, /^XDG_RUNTIME_DIR is missing or not writable\n/)
  const { user, uid } = { user: process.env.USER, uid: process.getuid!() }
  assert.equal(missing('XDG_RUNTIME_DIR').fix, `install -d -m700 -o ${user} /run/user/${uid} (as root)`)
  const foreign = await doctor(repo, { XDG_RUNTIME_DIR: '/run' }, 3)
  for (const check of ['XDG_RUNTIME_DIR', 'podman'])
    assert.match(
      foreign(check).says,
      /^XDG_RUNTIME_DIR belongs to somebody else\n[\s\S]*XDG_RUNTIME_DIR directory \\?"\/run\\?"/,
    )
})

test('/dev/net/tun is hidden, or closed', async (context) => {
  const repo = repository(context)
  const id = String(process.getuid!())
  /** dwf in mount namespaces of its own, as the same person and without capabilities. */
  const look = (mount: string) => {
    const script = `${mount} && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"`
    const argv = ['--user', '--mount', `--map-user=${id}`, `--map-group=${id}`, '--keep-caps', 'sh', '-c', script, 'sh']
    const dwf = [process.execPath, join(import.meta.dirname, '../../bin/dwf.js'), 'doctor', '--json']
    return spawnSync('unshare', [...argv, ...dwf], { cwd: repo.root, env: repo.env, encoding: 'utf8' })
  }
  if (look('true').status === 1) return context.skip('unshare of util-linux 2.38 or newer is needed')
  const finding = (mount: string) => {
    const { stdout, stderr, status } = look(mount)
    assert.equal(status, 3, stderr)
    return JSON.parse(stdout).findings.find(({ check }: Finding) => check === 'network device')
  }
  assert.deepEqual(finding('mount -t tmpfs none /dev/net'), {
    check: 'network device',
    state: 'fault',
    says: 'there is no /dev/net/tun, which rootless networks need\nopen("/dev/net/tun"): No such file or directory',
    fix: 'mkdir -p /dev/net; mknod -m 666 /dev/net/tun c 10 200 (as root)',
    commands: [
      ['mkdir', '-p', '/dev/net'],
      ['mknod', '-m', '666', '/dev/net/tun', 'c', '10', '200'],
    ],
  })
  const closed = finding('mount -t tmpfs none /dev/net && touch /dev/net/tun && chmod 0 /dev/net/tun')
  assert.equal(closed.fix, 'chmod 666 /dev/net/tun (as root)')
})

test('the image store is on a read-only file system: for doctor, and for a run', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
  const { env, store, inside } = machine(context)
  inside('true')
  // Podman itself falls over when it cannot release its lock at the end.
  assert.throws(
    () => inside('sh', '-c', 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"', 'sh', store),
    /read-only/,
  )
  const found = await doctor(repo, env, 3)
  assert.match(found('podman').says, /^the image store lies on a read-only file system\n/)
  const { code, stderr } = await repo.dwf(['test'], { env })
  assert.equal(code, 3, stderr)
  assert.match(
    stderr,
    /^error: podman does not work: the image store lies on a read-only file system\n {2} +Error: [\s\S]*\n {2}set graphroot in ~\/\.config\/containers\/storage\.conf to a writable folder$/m,
  )
})

test('the disk is full while an image is built', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
  pinToRegistry(repo)
  const { env, store, inside } = machine(context)
  inside('mount', '-t', 'tmpfs', '-o', 'size=40m', 'none', store)
  const { code, stderr } = await repo.dwf(['test'], { env })
  assert.equal(code, 3, stderr)
  assert.match(
    stderr,
    /error: the image could not be built: the disk or XDG_RUNTIME_DIR is full\n[\s\S]*no space left on device/,
  )
  assert.match(stderr, /\n {2}free space: podman system prune, dwf image rm; df -h shows where$/m)
})

test('no registry answers', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
  pinToRegistry(repo)
  const { env } = machine(context)
  const conf = join(repo.root, '../registries.conf')
  writeFileSync(conf, `[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:9"\ninsecure = true\n`)
  const { code, stderr } = await repo.dwf(['test'], { env: { ...env, CONTAINERS_REGISTRIES_CONF: conf } })
  assert.equal(code, 3, stderr)
  assert.match(
    stderr,
    /error: the image could not be built: the image registry cannot be reached, or does not have the image\n/,
  )
  assert.match(
    stderr,
    /\n {2}check the network; without a registry: "dwf image base" makes the base image from Debian packages$/m,
  )
  assert.equal(stderr.match(/pinging container registry/g)?.length, 1, 'said once, without the tries')
})

test('a command of the Dockerfile fails: its own words, exit 1', async (context) => {
  const repo = await tasks(context, `[container]\npackages = ["no-such-package"]\n[tasks.test]\nrun = "true"\n`)
  const { code, stderr } = await repo.dwf(['test'])
  assert.equal(code, 1, stderr)
  assert.match(
    stderr,
    /error: a command of Dockerfile\.devflow failed\n[\s\S]*E: Unable to locate package no-such-package/,
  )
})

test('an old pause process: found, shown, mended only after a yes', async (context) => {
  const repo = repository(context)
  const { env, inside } = machine(context)
  inside('mount', '-t', 'tmpfs', 'none', '/dev/net')
  const found = await doctor(repo, env, 3)
  assert.deepEqual(found('podman'), {
    check: 'podman',
    state: 'fault',
    says: 'an old pause process keeps an old view of the machine: in there /dev/net/tun is another file, or none',
    fix: 'podman system migrate (it stops running containers); if that fails, end the process whose number is in $XDG_RUNTIME_DIR/libpod/tmp/pause.pid',
    commands: [['podman', 'system', 'migrate']],
  })
  const shown = 'These would mend what dwf can mend:\n  podman system migrate\n'
  const dry = await repo.dwf(['doctor', '--fix', '--dry-run'], { env })
  assert.deepEqual([dry.code, dry.stderr], [3, shown])
  const silent = await repo.dwf(['doctor', '--fix', '--no-input'], { env })
  assert.equal(silent.code, 4)
  assert.ok(silent.stderr.startsWith(`${shown}error: changing the machine needs a yes\n`), silent.stderr)
  const fixed = await repo.dwf(['doctor', '--fix', '--yes'], { env })
  assert.equal(fixed.code, 0, fixed.all)
  assert.ok(fixed.stderr.startsWith(shown), fixed.stderr)
  assert.match(fixed.stdout, /^✔ container with network: one was started$/m)
})

test('what needs root is only shown to a person', async (context) => {
  const repo = repository(context)
  const { env } = machine(context)
  const { code, stderr } = await repo.dwf(['doctor', '--fix', '--yes'], {
    env: { ...env, PATH: without(repo, 'newuidmap') },
  })
  assert.equal(code, 3)
  assert.match(stderr, /^These need root:\n {2}apt-get install -y uidmap\n/)
  assert.doesNotMatch(stderr, /would mend/)
})
