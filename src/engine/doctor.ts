import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { run } from '../util/process.ts'
import { explain, type Fault, withoutNoise } from './faults.ts'

/** What one look at the machine found. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'fault'
  readonly says: string
  readonly fix?: string
  /** Commands that mend it; those of root need root. */
  readonly commands?: readonly (readonly string[])[]
}

const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says })

/** Looks at everything that rootless containers need, from the ground up; changes nothing. */
export async function examine(env: NodeJS.ProcessEnv = process.env): Promise<readonly Finding[]> {
  const { username: user, uid } = userInfo()
  const findings: Finding[] = []
  if (uid === 0)
    findings.push({
      check: 'account',
      state: 'warning',
      says: 'this is root: dwf runs containers as a person only',
      fix: 'runuser -u NAME -- dwf doctor',
    })
  else findings.push(ok('account', `${user} (uid ${uid})`), subordinate(user, uid), idMapper())
  findings.push(namespaces(), runtimeDir(user, uid, env), tun())
  findings.push(...(await podman(user, uid)), ...(await docker()))
  findings.push(cgroups())
  return findings
}

function fault(check: string, text: string, who: { user: string; uid: number }, otherwise: string): Finding {
  const known = explain(text, who)
  const said = withoutNoise(text).split('\n').slice(-3).join('\n')
  return { check, state: 'fault', says: `${known?.means ?? otherwise}${said ? `\n${said}` : ''}`, ...more(known) }
}

const more = (known: Fault | undefined) => ({
  ...(known ? { fix: known.fix } : {}),
  ...(known?.commands ? { commands: known.commands } : {}),
})

function subordinate(user: string, uid: number): Finding {
  const has = (file: string) =>
    existsSync(file) &&
    readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${user}:`) || line.startsWith(`${uid}:`))
  if (has('/etc/subuid') && has('/etc/subgid')) return ok('subordinate ids', '/etc/subuid and /etc/subgid have a range')
  return fault('subordinate ids', `no subuid ranges found for user "${user}"`, { user, uid }, '')
}

function idMapper(): Finding {
  const file = ['/usr/bin/newuidmap', '/bin/newuidmap', '/usr/local/bin/newuidmap'].find(existsSync)
  if (!file) return fault('newuidmap', 'exec: "newuidmap": executable file not found', { user: '', uid: 0 }, '')
  // File capabilities serve as well; they cannot be read without a program, so their lack is only a warning.
  if ((statSync(file).mode & 0o4000) === 0)
    return {
      check: 'newuidmap',
      state: 'warning',
      says: `${file} is not setuid (file capabilities would do too)`,
      fix: `chmod u+s ${file} (as root), if podman complains`,
    }
  return ok('newuidmap', file)
}

function namespaces(): Finding {
  const number = readNumber('/proc/sys/user/max_user_namespaces')
  if (number === 0)
    return fault(
      'user namespaces',
      'user namespaces are not enabled in /proc/sys/user/max_user_namespaces',
      { user: '', uid: 0 },
      '',
    )
  if (readNumber('/proc/sys/kernel/unprivileged_userns_clone') === 0)
    return {
      check: 'user namespaces',
      state: 'fault',
      says: 'kernel.unprivileged_userns_clone is 0',
      fix: 'sysctl kernel.unprivileged_userns_clone=1 (as root)',
      commands: [['sysctl', '-w', 'kernel.unprivileged_userns_clone=1']],
    }
  if (readNumber('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1)
    return {
      check: 'user namespaces',
      state: 'warning',
      says: 'AppArmor restricts user namespaces; podman needs its profile',
      fix: 'sysctl kernel.apparmor_restrict_unprivileged_userns=0 (as root), if podman complains',
    }
  return ok('user namespaces', number === undefined ? 'no limit is known' : `up to ${number}`)
}

function readNumber(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function runtimeDir(user: string, uid: number, env: NodeJS.ProcessEnv): Finding {
  const dir = env.XDG_RUNTIME_DIR
  if (!dir)
    return {
      check: 'XDG_RUNTIME_DIR',
      state: 'warning',
      says: 'not set: podman uses a folder in /tmp, and one choice must serve all calls',
      fix: `export XDG_RUNTIME_DIR=/run/user/${uid}`,
    }
  const stat = statSync(dir, { throwIfNoEntry: false })
  if (!stat) return fault('XDG_RUNTIME_DIR', 'the path in $XDG_RUNTIME_DIR must be writable', { user, uid }, '')
  if (stat.uid !== uid)
    return fault(
      'XDG_RUNTIME_DIR',
      `XDG_RUNTIME_DIR directory "${dir}" is not owned by the current user`,
      { user, uid },
      '',
    )
  return ok('XDG_RUNTIME_DIR', dir)
}

function tun(): Finding {
  const file = '/dev/net/tun'
  try {
    accessSync(file, constants.R_OK | constants.W_OK)
    return ok('network device', file)
  } catch (error) {
    const text =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? '/dev/net/tun: No such file or directory'
        : 'open("/dev/net/tun"): Permission denied'
    return { ...fault('network device', text, { user: '', uid: 0 }, ''), state: 'warning' }
  }
}

async function podman(user: string, uid: number): Promise<readonly Finding[]> {
  const version = await run(['podman', '--version'], { timeoutMs: 20_000 }).catch(() => undefined)
  if (!version)
    return [
      {
        check: 'podman',
        state: 'warning',
        says: 'not installed',
        fix: 'apt-get install podman runc slirp4netns uidmap (as root)',
        commands: [['apt-get', 'install', '-y', 'podman', 'runc', 'slirp4netns', 'uidmap']],
      },
    ]
  const info = await run(['podman', 'info', '--format=json'], { timeoutMs: 60_000 })
  if (info.code !== 0) return [fault('podman', info.stderr, { user, uid }, 'podman does not work')]
  const unshare = uid === 0 ? undefined : await run(['podman', 'unshare', 'true'], { timeoutMs: 30_000 })
  if (unshare && unshare.code !== 0)
    return [fault('podman', unshare.stderr, { user, uid }, 'podman cannot make a user namespace')]
  const { host, store } = JSON.parse(info.stdout)
  const findings = [ok('podman', `${version.stdout.trim()}, ${host.ociRuntime.name}, ${store.graphDriverName}`)]
  if (store.graphDriverName === 'vfs')
    findings.push({
      check: 'image store',
      state: 'warning',
      says: 'the driver is vfs: slow, and each layer is a whole copy',
      fix: `set driver = "overlay" in ${join('~', '.config/containers/storage.conf')}, then podman system reset`,
    })
  return findings
}

async function docker(): Promise<readonly Finding[]> {
  const info = await run(['docker', 'info', '--format={{json .SecurityOptions}}'], { timeoutMs: 20_000 }).catch(
    () => undefined,
  )
  if (info?.code !== 0) return []
  return [
    info.stdout.includes('name=rootless')
      ? ok('docker', 'rootless daemon')
      : { check: 'docker', state: 'warning', says: 'a daemon that runs as root answers; dwf never picks it by itself' },
  ]
}

function cgroups(): Finding {
  const v2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
  if (v2) return ok('cgroups', 'version 2: limits of memory, processors and processes are enforced')
  return {
    check: 'cgroups',
    state: 'warning',
    says: 'version 1: rootless engines cannot enforce memory and processor limits; processes are limited by ulimit',
  }
}
