import { existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Finished, run } from '../util/process.ts'
import { type Finding, fault, ok, space, type Who } from './finding.ts'
import { podmanEgress } from './podman.ts'

/** The engines that are here, and whether a container starts. */
export async function examineEngines(who: Who, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const podman = await examinePodman(who, env)
  const docker = await examineDocker(env)
  const none = podman.length === 0 && docker?.state !== 'ok'
  const missing: readonly Finding[] =
    podman.length > 0
      ? []
      : [
          {
            check: 'podman',
            state: none ? 'fault' : 'warning',
            says: 'not installed',
            fix: 'apt-get install podman runc slirp4netns uidmap (as root)',
            commands: [['apt-get', 'install', '-y', 'podman', 'runc', 'slirp4netns', 'uidmap']],
          },
        ]
  return [...podman, ...missing, ...(docker ? [docker] : [])]
}

interface PodmanInfo {
  readonly host: {
    readonly ociRuntime?: { readonly name?: string }
    readonly cgroupVersion?: string
    readonly cgroupControllers?: readonly string[]
    readonly slirp4netns?: { readonly executable?: string }
    readonly pasta?: { readonly executable?: string }
  }
  readonly store: { readonly graphDriverName: string; readonly graphRoot: string }
}

async function examinePodman(who: Who, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const call = (args: readonly string[]): Promise<Finished> => run(['podman', ...args], { timeoutMs: 60_000, env })
  const version = await call(['--version']).catch(() => undefined)
  if (!version) return []
  const answer = await call(['info', '--format=json'])
  if (answer.code !== 0) return [fault('podman', answer.stderr, who, 'podman does not work')]
  const isRoot = who.uid === 0
  const stale = isRoot ? undefined : await oldView(call, who, env)
  if (stale) return [stale]
  const info: PodmanInfo = JSON.parse(answer.stdout)
  const { host, store } = info
  const findings = [ok('podman', `${version.stdout.trim()}, ${host.ociRuntime?.name}, ${store.graphDriverName}`)]
  if (store.graphDriverName === 'vfs')
    findings.push({
      check: 'image store',
      state: 'warning',
      says: 'the driver is vfs: slow, and each layer is a whole copy',
      fix: 'set driver = "overlay" in ~/.config/containers/storage.conf, then podman system reset',
    })
  else if (existsSync(store.graphRoot)) findings.push(space('image store', store.graphRoot, 1024, store.graphRoot))
  const handed = delegation(host)
  if (handed) findings.push(handed)
  return [...findings, ...(isRoot ? [] : await startContainers(call, info, who))]
}

/**
 * Podman works in the namespaces of its pause process. What was mounted or made since that one began is not seen there.
 * @returns a fault when a file is another one in there than out here
 */
async function oldView(
  call: (args: readonly string[]) => Promise<Finished>,
  who: Who,
  env: NodeJS.ProcessEnv,
): Promise<Finding | undefined> {
  const paths = ['/dev/net/tun', '/usr/bin', env.XDG_RUNTIME_DIR, env.HOME].filter(
    (path) => path !== undefined && existsSync(path),
  ) as readonly string[]
  const inside = await call(['unshare', 'stat', '--format=%d:%i', ...paths])
  if (inside.code !== 0 && !/^\d+:\d+$/m.test(inside.stdout) && !/cannot stat/.test(inside.stderr))
    return fault('podman', inside.stderr, who, 'podman cannot make a user namespace')
  const seen = inside.stdout.trim().split('\n')
  const other = paths.find((path, index) => {
    const { dev, ino } = statSync(path)
    return seen[index] !== `${dev}:${ino}`
  })
  if (other === undefined) return undefined
  return {
    check: 'podman',
    state: 'fault',
    says: `an old pause process keeps an old view of the machine: in there ${other} is another file, or none`,
    fix: 'podman system migrate (it stops running containers); if that fails, end the process whose number is in $XDG_RUNTIME_DIR/libpod/tmp/pause.pid',
    commands: [['podman', 'system', 'migrate']],
  }
}

/** With cgroup v2 systemd hands controllers down to an account, and by default not all. */
function delegation(host: PodmanInfo['host']): Finding | undefined {
  if (host.cgroupVersion !== 'v2') return undefined
  const missing = ['memory', 'pids', 'cpu'].filter((name) => !host.cgroupControllers?.includes(name))
  if (missing.length === 0) return ok('limits', 'memory, processors and processes are limited by cgroups')
  return {
    check: 'limits',
    state: 'warning',
    says: `this account has no cgroup controller for ${missing.join(', ')}: these limits are not enforced`,
    fix: 'Delegate=cpu memory pids in /etc/systemd/system/user@.service.d/delegate.conf (as root), then log in again',
  }
}

/** Starts what a task gets: a container without network, then one with it; of programs of this machine, so that no image is needed. */
async function startContainers(
  call: (args: readonly string[]) => Promise<Finished>,
  { host }: PodmanInfo,
  who: Who,
): Promise<readonly Finding[]> {
  if (!existsSync('/usr/bin/true')) return []
  const root = mkdtempSync(join(tmpdir(), 'dwf-doctor-'))
  try {
    for (const name of ['proc', 'dev', 'sys', 'etc', 'run', 'tmp', 'usr', 'var/tmp'])
      mkdirSync(join(root, name), { recursive: true })
    for (const name of ['bin', 'lib', 'lib64'])
      if (lstatSync(`/${name}`, { throwIfNoEntry: false })?.isSymbolicLink())
        symlinkSync(readlinkSync(`/${name}`), join(root, name))
    const start = (network: string) =>
      call([
        ...['run', '--rm', '--log-driver=none', '--userns=keep-id:uid=1001,gid=1001', '--user=1001:1001'],
        ...['--cap-drop=all', '--security-opt=no-new-privileges', '--security-opt=label=disable'],
        ...['--read-only', '--read-only-tmpfs=false', '--http-proxy=false', network],
        ...['--volume=/usr:/usr:ro', '--rootfs', root, '/usr/bin/true'],
      ])
    const plain = await start('--network=none')
    if (plain.code !== 0) return [fault('container', plain.stderr, who, 'a container cannot be started')]
    const network = await start(podmanEgress(host))
    return [
      ok('container', 'one was started, without network'),
      network.code === 0
        ? ok('container with network', 'one was started')
        : fault('container with network', network.stderr, who, 'a container with network cannot be started'),
    ]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function examineDocker(env: NodeJS.ProcessEnv): Promise<Finding | undefined> {
  const info = await run(['docker', 'info', '--format={{json .SecurityOptions}}'], { timeoutMs: 20_000, env }).catch(
    () => undefined,
  )
  if (info?.code !== 0 || !info.stdout.startsWith('[')) return undefined
  return info.stdout.includes('name=rootless')
    ? ok('docker', 'rootless daemon')
    : { check: 'docker', state: 'warning', says: 'a daemon that runs as root answers; dwf never picks it by itself' }
}
