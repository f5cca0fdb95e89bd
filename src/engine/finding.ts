import { statfsSync } from 'node:fs'
import { explain, withoutNoise } from './faults.ts'

/** What one look at the machine found. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'fault'
  readonly says: string
  readonly fix?: string
  /** Commands that mend it; what is not podman's own needs root. */
  readonly commands?: readonly (readonly string[])[]
}

export interface Who {
  readonly user: string
  readonly uid: number
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says })

/** A fault with the engine's own message: what it means and how to mend it, where dwf knows it. */
export function fault(check: string, text: string, who: Who, otherwise = 'it does not work'): Finding {
  const known = explain(text, who)
  const said = withoutNoise(text).split('\n').slice(-3).join('\n')
  return {
    check,
    state: 'fault',
    says: `${known?.means ?? otherwise}${said ? `\n${said}` : ''}`,
    ...(known ? { fix: known.fix } : {}),
    ...(known?.commands ? { commands: known.commands } : {}),
  }
}

/** Whether the file system of a folder has room; `least` in MiB. */
export function space(check: string, folder: string, least: number, says: string): Finding {
  const { bavail, bsize } = statfsSync(folder)
  const free = Math.floor((bavail * bsize) / 1024 ** 2)
  if (free >= least) return ok(check, says)
  return {
    check,
    state: 'fault',
    says: `${folder} has ${free} MB left: no space left on device is near`,
    fix: 'free space: podman system prune, dwf image rm; df -h shows where',
  }
}
