import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashFile, writeAtomic } from '../../util/files.ts'
import { privateFolder, stateFolder } from '../../util/paths.ts'
import { embeddedVersion } from './embedded-version.ts'

/** A program file that was read before: reading 200 MB again takes longer than a scan that has nothing to do. */
export interface KnownProgram {
  readonly sha256: string
  /** Written in the file by Trivy's own build. */
  readonly embedded?: string
  /** What it answered, where it has been asked. */
  readonly version?: string
}

interface Entry extends KnownProgram {
  readonly stat: string
}

/** Of the file's inode; its change time cannot be set back by whoever may write the file. */
function statOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true })
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

const fileOf = (env: NodeJS.ProcessEnv) => join(stateFolder(env), 'scanners.json')

/** What is known of the program at `path` (absolute, no link); read anew when the file is another one than last time. */
export async function knownProgram(path: string, env: NodeJS.ProcessEnv): Promise<KnownProgram> {
  const stat = statOf(path)
  const before = read(env)[path]
  if (before?.stat === stat) return before
  const embedded = await embeddedVersion(path)
  const sha256 = hashFile(path) ?? ''
  const known = { sha256, ...(embedded === undefined ? {} : { embedded }) }
  // It was changed while it was read: good for this time, not for the next.
  if (statOf(path) === stat) write(env, path, { ...known, stat })
  return known
}

/** Notes what the program answered. */
export function rememberVersion(path: string, env: NodeJS.ProcessEnv, known: KnownProgram, version: string): void {
  const before = read(env)[path]
  if (before?.sha256 === known.sha256 && before.version === undefined) write(env, path, { ...before, version })
}

function read(env: NodeJS.ProcessEnv): Readonly<Record<string, Entry>> {
  try {
    const value = JSON.parse(readFileSync(fileOf(env), 'utf8'))
    return value?.schema === 'dwf.scanners/1' && isPrograms(value.programs) ? value.programs : {}
  } catch {
    return {}
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A file that is damaged is one that is not there. */
const isPrograms = (value: unknown): value is Readonly<Record<string, Entry>> =>
  isRecord(value) &&
  Object.values(value).every(
    (entry) =>
      isRecord(entry) &&
      [entry.stat, entry.sha256].every((text) => typeof text === 'string') &&
      [entry.embedded, entry.version].every((text) => text === undefined || typeof text === 'string'),
  )

function write(env: NodeJS.ProcessEnv, path: string, entry: Entry): void {
  const programs = { ...read(env), [path]: entry }
  try {
    privateFolder(stateFolder(env))
    writeAtomic(fileOf(env), JSON.stringify({ schema: 'dwf.scanners/1', programs }), 0o600)
  } catch {
    // A full disk or a state folder of somebody else: it is read again next time.
  }
}
