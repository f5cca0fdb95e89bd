import { lstatSync, readdirSync, type Stats, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '../../engine/doctor.ts'
import { databaseName } from '../../store/open.ts'
import { shellQuote } from '../../util/text.ts'
import { formatSize } from '../../util/units.ts'

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0')

/**
 * Whether anybody else could read or write what dwf keeps. To be asked before the store is opened, which closes the store
 * and its folder to others.
 */
export function examineModes(state: string): readonly Finding[] {
  const paths = [state, ...['', '-wal', '-shm'].map((end) => join(state, `${databaseName}${end}`)), join(state, 'runs')]
  const all = [...paths, ...namesIn(join(state, 'runs')).map((name) => join(state, 'runs', name))]
  const findings = all.flatMap((path): Finding[] => {
    const stat = statOf(path)
    if (!stat) return []
    const wanted = stat.isDirectory() ? '0700' : '0600'
    if (process.getuid && stat.uid !== process.getuid())
      return [bad('permissions', `${path} belongs to somebody else (uid ${stat.uid})`, 'look at it, and move it away')]
    if ((stat.mode & 0o077) === 0) return []
    return [
      bad(
        'permissions',
        `${path} was open to others (mode ${octal(stat.mode)})`,
        `chmod ${wanted} ${shellQuote(path)}; what is in it may have been read`,
      ),
    ]
  })
  return findings.length > 0 ? findings : [good('permissions', 'only this account can enter the state folder')]
}

export interface DiskUse {
  readonly databaseBytes: number
  /** Of what is written and not in the database file yet. */
  readonly walBytes: number
  /** Of logs and reports of runs. */
  readonly logBytes: number
  /** Bytes that are free for this account where the state folder is. */
  readonly freeBytes: number
}

export function diskUse(state: string): DiskUse {
  const { bavail, bsize } = statfsSync(state)
  return {
    databaseBytes: statOf(join(state, databaseName))?.size ?? 0,
    walBytes: statOf(join(state, `${databaseName}-wal`))?.size ?? 0,
    logBytes: bytesIn(join(state, 'runs')),
    freeBytes: bavail * bsize,
  }
}

/** Less is too little for a run, bytes. */
const leastFree = 1024 ** 3
/** A log of writes that is longer is not cut any more: somebody holds the database open, bytes. */
const mostWal = 256 * 1024 ** 2

export function judgeDisk(state: string, { walBytes, logBytes, freeBytes }: DiskUse): readonly Finding[] {
  return [
    freeBytes < leastFree
      ? bad(
          'disk',
          `${formatSize(freeBytes)} are free where ${state} is`,
          'free some: dwf prune:runs --dry-run says what goes',
        )
      : good('disk', `${formatSize(freeBytes)} free, ${formatSize(logBytes)} of logs`),
    ...(walBytes > mostWal
      ? [
          bad(
            'store',
            `its write-ahead log has ${formatSize(walBytes)}: something keeps the store open and lets it grow`,
            `end what holds it: fuser ${shellQuote(join(state, databaseName))}`,
          ),
        ]
      : []),
  ]
}

export const good = (check: string, says: string): Finding => ({ check, state: 'ok', says })
export const bad = (check: string, says: string, fix: string): Finding => ({ check, state: 'fault', says, fix })

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** What can be read of it; links are not followed. */
function bytesIn(folder: string): number {
  let total = 0
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    const stat = statOf(path)
    if (stat) total += stat.isDirectory() ? bytesIn(path) : stat.size
  }
  return total
}
