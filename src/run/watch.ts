import { lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../util/diagnostics.ts'
import { hashFile } from '../util/files.ts'

export interface Watched {
  /** Contents that no task may change, from the root. */
  readonly files: readonly string[]
  /** Paths that no task may bring into being, such as a `.git` where there is none. */
  readonly absent: readonly string[]
}

/** State of what no task may change; taken before the first task and compared after the last. */
export type Snapshot = ReadonlyMap<string, string>

export function snapshot(root: string, watched: Watched): Snapshot {
  return new Map([...watched.files, ...watched.absent].map((path) => [path, stateOf(join(root, path))]))
}

function stateOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return 'absent'
  if (stat.isSymbolicLink()) return `link ${readlinkSync(path)}`
  if (!stat.isFile()) return 'other'
  return hashFile(path) ?? 'unreadable'
}

/** What changed between two snapshots, as errors that fail the run. */
export function changes(before: Snapshot, after: Snapshot): readonly Diagnostic[] {
  return [...before]
    .filter(([path, state]) => after.get(path) !== state)
    .map(([path, state]) => ({
      severity: 'error' as const,
      code: 'watched-file-changed',
      message: `a task ${state === 'absent' ? 'created' : after.get(path) === 'absent' ? 'removed' : 'changed'} ${path}`,
      hint: 'tasks must leave configuration, lock files and git alone; see git diff',
    }))
}
