import type { GeneratedPin } from '../../pins/types.ts'
import { sha256Of } from '../../util/files.ts'
import { normalised } from './text.ts'

/** A base text as it lies in the repository. */
export interface BaseText {
  /** Undefined when there is none that is text. */
  readonly text: string | undefined
  /** Whether it is what devflow.lock recorded. */
  readonly isWhole: boolean
}

/** Git may have given the file other ends of lines than dwf: that is the same text. */
export function baseText(bytes: Buffer | undefined, recorded: GeneratedPin | undefined): BaseText {
  const read = bytes && decoded(bytes)
  const text = read === undefined ? undefined : normalised(read)
  return { text, isWhole: text !== undefined && recorded !== undefined && hashOf(text) === recorded.sha256 }
}

/** What devflow.lock records of a base text, hex. */
export function hashOf(text: string): string {
  return sha256Of(text)
}

/** Undefined for what is not UTF-8; a byte order mark stays. */
export function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
