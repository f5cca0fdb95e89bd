import type { GeneratedPin, Lock } from '../../pins/types.ts'
import type { FileWrite } from '../../scaffold/write-files.ts'
import { byCodeUnit } from '../../util/text.ts'
import type { GeneratedFile } from '../types.ts'
import { type BaseText, baseText, decoded, hashOf } from './base.ts'
import { agree, has } from './judge.ts'
import { mergeFile } from './merge-file.ts'
import { basePath, notText, takenPin } from './messages.ts'
import { staleFiles } from './stale.ts'
import { withPins } from './three-way.ts'
import type { Generation, Merged, Outcome, PinRules, Preference } from './types.ts'

export interface GenerationInput {
  /** Every file that dwf writes now. */
  readonly files: readonly GeneratedFile[]
  readonly lock: Pick<Lock, 'generated'>
  /** What lies at a path from the root; undefined for nothing. */
  readonly read: (path: string) => Buffer | undefined
  /** Every file below .github/dwf/base, from the root. */
  readonly bases: readonly string[]
  readonly pins?: PinRules
  /** For files with conflicts, or without a base. */
  readonly prefer?: (path: string) => Preference | undefined
}

/** A file as it was found, and what dwf would write. */
interface Found {
  readonly file: GeneratedFile
  readonly bytes: Buffer | undefined
  readonly text: string | undefined
  readonly recorded: GeneratedPin | undefined
  readonly base: BaseText
  readonly baseBytes: Buffer | undefined
}

/**
 * What ci:generate would write and ci:check would complain about. Pure: it reads by `read` alone, each path once. The
 * same input with what it wrote gives no writes.
 */
export function planGeneration(input: GenerationInput): Generation {
  const found = input.files.map((file) => find(file, input))
  const { merged, pins, notes } = mergeAll(found, input)
  const stale = staleFiles(input)
  const outcomes: readonly Outcome[] = [
    ...merged.map((one, index) => ({ ...one, before: found[index]!.text })),
    ...stale.outcomes,
  ]
  const generated = merged.flatMap((one, index) => recordOf(one, found[index]!))
  return {
    outcomes,
    writes: [...merged.flatMap((one, index) => writesOf(one, found[index]!)), ...stale.writes],
    generated: generated.toSorted((a, b) => byCodeUnit(a.path, b.path)),
    pins,
    diagnostics: [...notes, ...outcomes.flatMap((one) => one.diagnostics)],
  }
}

function find(file: GeneratedFile, { lock, read }: GenerationInput): Found {
  const recorded = lock.generated.find(({ path }) => path === file.path)
  const bytes = read(file.path)
  const baseBytes = read(basePath(file.path))
  const text = bytes && decoded(bytes)
  const base = baseText(baseBytes, recorded)
  // A generation that was ended halfway has written the base text, and devflow.lock not yet.
  const isWhole = base.isWhole || base.text === file.content
  return { file, bytes, text, recorded, base: { ...base, isWhole }, baseBytes }
}

/** Twice: a pin that is newer in one file is the pin of all. */
function mergeAll(found: readonly Found[], input: GenerationInput) {
  const first = found.map((one) => mergeOne(one, input, { pins: [], contradicting: [] }))
  const candidates = first.flatMap((one) => ('pins' in one ? one.pins.map((pin) => ({ pin, path: one.path })) : []))
  const agreed = agree(candidates.map(({ pin }) => pin))
  if (candidates.length === 0) return { merged: first, pins: [], notes: [] }
  const notes = agreed.pins.map((pin) => takenPin(pin, candidates.find((one) => has([one.pin], pin))!.path))
  return { merged: found.map((one) => mergeOne(one, input, agreed)), pins: agreed.pins, notes }
}

function mergeOne(
  { file, bytes, text, recorded, base }: Found,
  { pins: rules, prefer }: GenerationInput,
  agreed: ReturnType<typeof agree>,
): Merged {
  const { path } = file
  if (bytes && text === undefined) return { kind: 'not-text', path, diagnostics: [notText(path)] }
  return mergeFile({
    path,
    isRecorded: recorded !== undefined,
    base: base.text,
    baseIsWhole: base.isWhole,
    current: text,
    next: withPins(file.content, agreed.pins),
    pins: { ...rules, contradicting: agreed.contradicting },
    prefer: prefer?.(path),
  })
}

function writesOf(merged: Merged, { bytes, base, baseBytes }: Found): readonly FileWrite[] {
  if (!('text' in merged)) return []
  const { path, text, nextBase } = merged
  return [
    ...(merged.kind === 'unchanged' ? [] : [{ path, content: text, expected: bytes }]),
    ...(base.text === nextBase ? [] : [{ path: basePath(path), content: nextBase, expected: baseBytes }]),
  ]
}

/** What is not written keeps its record: the next merge needs it. */
function recordOf(merged: Merged, { recorded }: Found): readonly GeneratedPin[] {
  if ('nextBase' in merged) return [{ path: merged.path, sha256: hashOf(merged.nextBase) }]
  return recorded ? [recorded] : []
}
