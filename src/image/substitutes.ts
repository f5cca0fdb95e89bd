import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImagePin } from '../pins/types.ts'
import { failure } from '../util/diagnostics.ts'
import { writeAtomic } from '../util/files.ts'
import { privateFolder } from '../util/paths.ts'
import { byCodeUnit, printable } from '../util/text.ts'
import type { ImageModel } from './types.ts'

/** A local image that takes the place of a pinned one, since a person said so on this machine. */
export interface Substitute {
  /** With tag, without digest: what the pin's `ref` says. */
  readonly ref: string
  /** Local image. */
  readonly image: string
  /** Where it came from, in words: "Debian packages of 2026-11-22 from http://deb.debian.org/debian". */
  readonly how: string
  /** ISO 8601 */
  readonly created: string
}

/** A substitute with the pinned reference whose place it takes: what bindings and summaries show. */
export interface AppliedSubstitute extends Substitute {
  /** `ref@digest`, as it stands in the Dockerfile. */
  readonly pinned: string
}

const fileName = 'substitutes.json'

/**
 * What this machine has in place of pinned images. A file that cannot be read is an error, never nothing: without it a
 * build would pull what a person had replaced.
 */
export function readSubstitutes(stateFolder: string): readonly Substitute[] {
  const file = join(stateFolder, fileName)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw failure('machine-cannot', 'substitutes-unreadable', `cannot read ${file}: ${(error as Error).message}`)
  }
  const entries = parse(text)
  if (!entries) {
    throw failure(
      'machine-cannot',
      'substitutes-unreadable',
      `${file} is damaged`,
      'remove it, then run "dwf image base" again',
    )
  }
  return entries
}

function parse(text: string): readonly Substitute[] | undefined {
  try {
    const value = JSON.parse(text) as { schema?: unknown; substitutes?: Record<string, Record<string, unknown>> }
    if (value?.schema !== 'dwf.substitutes/1' || typeof value.substitutes !== 'object' || value.substitutes === null)
      return undefined
    const entries = Object.entries(value.substitutes).map(([ref, { image, how, created }]) => ({
      ref,
      image,
      how,
      created,
    }))
    return entries.every((entry) => Object.values(entry).every((one) => typeof one === 'string'))
      ? (entries as Substitute[])
      : undefined
  } catch {
    return undefined
  }
}

function write(stateFolder: string, substitutes: readonly Substitute[]): void {
  const sorted = [...substitutes].sort((a, b) => byCodeUnit(a.ref, b.ref))
  const entries = Object.fromEntries(sorted.map(({ ref, image, how, created }) => [ref, { image, how, created }]))
  writeAtomic(
    join(privateFolder(stateFolder), fileName),
    `${JSON.stringify({ schema: 'dwf.substitutes/1', substitutes: entries }, null, 2)}\n`,
    0o600,
  )
}

/** Records a local image in place of every pin of a reference; of an older record for it nothing stays. */
export function useSubstitute(stateFolder: string, substitute: Substitute): void {
  if (substitute.ref.includes('@') || !/^[^\s/]+\/.+:[^/]+$/.test(substitute.ref)) {
    const message = `${JSON.stringify(printable(substitute.ref))} is no image with registry and tag`
    throw failure('wrong-input', 'bad-reference', message, 'write it as devflow.lock does, without the digest')
  }
  const others = readSubstitutes(stateFolder).filter((one) => one.ref !== substitute.ref)
  write(stateFolder, [...others, substitute])
}

/** Takes a substitute back; false when there was none. */
export function dropSubstitute(stateFolder: string, ref: string): boolean {
  const all = readSubstitutes(stateFolder)
  const rest = all.filter((one) => one.ref !== ref)
  if (rest.length < all.length) write(stateFolder, rest)
  return rest.length < all.length
}

/** Of the substitutes of this machine those that enter the build of an image. */
export function substitutesFor(model: ImageModel, substitutes: readonly Substitute[]): readonly AppliedSubstitute[] {
  const pins: readonly ImagePin[] = [model.base, ...model.stages.map((stage) => stage.pin)]
  return pins.flatMap((pin) => {
    const found = substitutes.find((one) => one.ref === pin.ref)
    return found ? [{ ...found, pinned: `${pin.ref}@${pin.digest}` }] : []
  })
}
