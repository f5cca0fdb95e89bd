import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { run } from '../util/process.ts'
import { examineEngines } from './doctor-engines.ts'
import { type Finding, fault, ok, space, type Who } from './finding.ts'

export type { Finding } from './finding.ts'

/** Looks at everything that rootless containers need, from the ground up; changes nothing. */
export async function examine(env: NodeJS.ProcessEnv = process.env): Promise<readonly Finding[]> {
  const { username: user, uid } = userInfo()
  const who = { user, uid }
  const hasPodman = onPath('podman', env) !== undefined
  const findings: Finding[] = []
  if (uid === 0) {
    findings.push({
      check: 'account',
      state: 'warning',
      says: 'this is root: dwf runs containers as a person only',
      fix: 'runuser -u NAME -- dwf doctor',
    })
  } else {
    findings.push(ok('account', `${user} (uid ${uid})`))
    if (hasPodman) findings.push(await subordinate(who), idMapper(env, who))
  }
  if (uid !== 0) findings.push(namespaces(who), ...runtimeDir(who, env), ...(hasPodman ? [tun(who)] : []))
  findings.push(cgroups())
  return [...findings, ...(await examineEngines(who, env))]
}

/** Also from the directory service, where the machine has one: getsubids asks it. */
async function subordinate(who: Who): Promise<Finding> {
  const has = async (file: string, flags: readonly string[]) => {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    if (lines.some((line) => line.startsWith(`${who.user}:`) || line.startsWith(`${who.uid}:`))) return true
    const asked = await run(['getsubids', ...flags, who.user], { timeoutMs: 10_000 }).catch(() => undefined)
    return asked?.code === 0 && /:\s*\S+\s+\d+\s+\d+/.test(asked.stdout)
  }
  if ((await has('/etc/subuid', [])) && (await has('/etc/subgid', ['-g'])))
    return ok('subordinate ids', 'the account has a range of uids and gids')
  return fault('subordinate ids', `no subuid ranges found for user "${who.user}" in /etc/subuid and /etc/subgid`, who)
}

function onPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? '').split(':').filter(Boolean)
  return folders.map((folder) => join(folder, program)).find(existsSync)
}

function idMapper(env: NodeJS.ProcessEnv, who: Who): Finding {
  const files = ['newuidmap', 'newgidmap'].map((name) => onPath(name, env))
  if (files.includes(undefined)) return fault('newuidmap', 'exec: "newuidmap": executable file not found in $PATH', who)
  // File capabilities serve as well; they cannot be read without a program, so their lack is only a warning.
  const plain = files.filter((file) => (statSync(file!).mode & 0o4000) === 0)
  if (plain.length === 0) return ok('newuidmap', files[0]!)
  return {
    check: 'newuidmap',
    state: 'warning',
    says: `not setuid: ${plain.join(', ')} (file capabilities would do too)`,
    fix: `chmod u+s ${plain.join(' ')} (as root), if podman complains`,
  }
}

function namespaces(who: Who): Finding {
  const number = readNumber('/proc/sys/user/max_user_namespaces')
  if (number === 0)
    return fault('user namespaces', 'user namespaces are not enabled in /proc/sys/user/max_user_namespaces', who)
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

function runtimeDir(who: Who, env: NodeJS.ProcessEnv): readonly Finding[] {
  const check = 'XDG_RUNTIME_DIR'
  const dir = env.XDG_RUNTIME_DIR
  if (!dir)
    return [
      {
        check,
        state: 'warning',
        says: 'not set: podman uses a folder in /tmp, and one choice must serve all calls',
        fix: `export XDG_RUNTIME_DIR=/run/user/${who.uid}`,
      },
    ]
  const stat = statSync(dir, { throwIfNoEntry: false })
  if (!stat?.isDirectory())
    return [fault(check, `the path in $XDG_RUNTIME_DIR must be writable by the user: ${dir} is not there`, who)]
  if (stat.uid !== who.uid)
    return [fault(check, `XDG_RUNTIME_DIR directory "${dir}" is not owned by the current user`, who)]
  if (!canAccess(dir, constants.W_OK))
    return [fault(check, `the path in $XDG_RUNTIME_DIR must be writable by the user: ${dir}`, who)]
  return [space(check, dir, 8, dir)]
}

function canAccess(file: string, mode: number): boolean {
  try {
    accessSync(file, mode)
    return true
  } catch {
    return false
  }
}

function tun(who: Who): Finding {
  const file = '/dev/net/tun'
  if (canAccess(file, constants.R_OK | constants.W_OK)) return ok('network device', file)
  const why = existsSync(file) ? 'Permission denied' : 'No such file or directory'
  return fault('network device', `open("${file}"): ${why}`, who)
}

function cgroups(): Finding {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return ok('cgroups', 'version 2')
  return {
    check: 'cgroups',
    state: 'warning',
    says: 'version 1: rootless engines cannot enforce memory and processor limits; processes are limited by ulimit',
  }
}
