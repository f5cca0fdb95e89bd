import type { GeneratedPin, Lock } from '../../pins/types.ts'
import type { FileWrite } from '../../scaffold/write-files.ts'
import { byCodeUnit } from '../../util/text.ts'
import type { GeneratedFile } from '../types.ts'
import { baseText, decoded } from './base.ts'
import { baseFolder, basePath, stale } from './messages.ts'
import { differInPinsOnly } from './three-way.ts'
import type { Outcome, Stale } from './types.ts'

interface Input {
  readonly files: readonly GeneratedFile[]
  readonly lock: Pick<Lock, 'generated'>
  readonly read: (path: string) => Buffer | undefined
  readonly bases: readonly string[]
}

/** Files that dwf does not write any more. */
export function staleFiles({ files, lock, read, bases }: Input): {
  readonly outcomes: readonly Outcome[]
  readonly writes: readonly FileWrite[]
} {
  const isWritten = (path: string): boolean => files.some((file) => file.path === path)
  const recorded = lock.generated.filter(({ path }) => !isWritten(path)).sort((a, b) => byCodeUnit(a.path, b.path))
  const found = recorded.map((record) => one(record, read))
  const orphans = bases.filter((path) => {
    const file = path.slice(baseFolder.length + 1)
    return !isWritten(file) && !recorded.some((record) => record.path === file)
  })
  return {
    outcomes: found.map(({ outcome }) => outcome),
    writes: [
      ...found.flatMap(({ writes }) => writes),
      // dwf's own notes on files that nobody knows of: nothing of a person's is in them.
      ...orphans.map((path): FileWrite => ({ path, content: undefined, expected: read(path) })),
    ],
  }
}

/**
 * Only a file that is dwf's text by its own base goes: an entry of devflow.lock alone, which anybody can write, must
 * not remove anything.
 */
function one(
  record: GeneratedPin,
  read: Input['read'],
): { readonly outcome: Outcome; readonly writes: readonly FileWrite[] } {
  const { path } = record
  const [bytes, baseBytes] = [read(path), read(basePath(path))]
  const text = bytes && decoded(bytes)
  const base = baseText(baseBytes, record)
  const isOurs = text !== undefined && base.isWhole && differInPinsOnly(text, base.text!)
  const action: Stale['action'] = bytes === undefined ? 'gone' : isOurs ? 'removed' : 'kept'
  return {
    outcome: { kind: 'stale', path, action, before: text, diagnostics: [stale(path, action)] },
    writes: [
      ...(action === 'removed' ? [{ path, content: undefined, expected: bytes }] : []),
      ...(baseBytes ? [{ path: basePath(path), content: undefined, expected: baseBytes }] : []),
    ],
  }
}
