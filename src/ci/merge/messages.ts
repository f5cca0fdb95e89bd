import type { ActionPin } from '../../pins/types.ts'
import { type Diagnostic, spanAt } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import type { Conflict } from './types.ts'

/** A line of a file as it is now. */
export interface Place {
  readonly path: string
  readonly text: string
  /** From 1. */
  readonly line: number
}

/** Where the base text of a generated file lies. */
export const baseFolder = '.github/dwf/base'
export const basePath = (path: string): string => `${baseFolder}/${path}`

const where = ({ path, text, line }: Place) => spanAt(path, text, line)
const name = ({ name, version }: ActionPin): string => `${name} ${version}`

export function suspiciousPin(
  place: Place,
  pin: ActionPin,
  { expected, instead }: { readonly expected: string; readonly instead?: ActionPin },
): Diagnostic {
  const end = instead ? `: dwf writes ${name(instead)} instead` : ''
  return {
    severity: 'warning',
    code: 'suspicious-pin',
    message: `${name(pin)} is commit ${expected}, and this line names ${pin.sha} for it${end}`,
    where: where(place),
    hint: 'find out who changed the line, and what else with it',
  }
}

export function deniedPin(
  place: Place,
  pin: ActionPin,
  { reason, instead }: { readonly reason: string; readonly instead: ActionPin },
): Diagnostic {
  return {
    severity: 'warning',
    code: 'denied-pin',
    message: `${name(pin)} must not run: ${reason}; dwf writes ${name(instead)} instead`,
    where: where(place),
  }
}

export function contradictingPin(place: Place, pin: ActionPin, instead: ActionPin): Diagnostic {
  return {
    severity: 'warning',
    code: 'suspicious-pin',
    message: `${name(pin)} has two different commits in the generated files: dwf writes ${name(instead)} instead of both`,
    where: where(place),
    hint: 'find out which of the two is right, and who wrote the other',
  }
}

export function loweredPin(place: Place, pin: ActionPin, instead: ActionPin): Diagnostic {
  return {
    severity: 'warning',
    code: 'lowered-pin',
    message: `${name(pin)} is older than dwf's: dwf writes ${name(instead)} instead`,
    where: where(place),
    hint: `to hold it back, put ${pin.version} into devflow.lock`,
  }
}

export function takenPin(pin: ActionPin, path: string): Diagnostic {
  return {
    severity: 'note',
    code: 'pin-taken',
    message: `${name(pin)} in ${printable(path)} is newer than dwf's: it is used everywhere`,
  }
}

export function keptDeleted(path: string): Diagnostic {
  return {
    severity: 'note',
    code: 'kept-deleted',
    message: `${printable(path)} was removed by hand, and stays removed`,
    hint: `to have it again, remove ${printable(basePath(path))} too and run "dwf ci:generate"`,
  }
}

export function foreign(path: string): Diagnostic {
  return {
    severity: 'warning',
    code: 'own-file',
    message: `${printable(path)} is not dwf's, and is left as it is`,
    hint: 'for dwf to write its own, give the file another name or remove it',
  }
}

export function conflict(path: string, text: string, { line, mine }: Conflict): Diagnostic {
  const last = line + mine.length - 1
  const changed = mine.length > 1 ? `lines ${line} to ${last} were changed` : `line ${line} was changed`
  const what = mine.length === 0 ? `what stood before line ${line} was removed` : changed
  return {
    severity: 'error',
    code: 'merge-conflict',
    message: `${what} by hand, and dwf writes something else there now`,
    where: spanAt(path, text, Math.max(1, Math.min(line, text.split('\n').length))),
    hint: 'write there what dwf writes, run "dwf ci:generate", then put your change back',
  }
}

export function baseLost(path: string, isMissing: boolean): Diagnostic {
  const [file, base] = [printable(path), printable(basePath(path))]
  const reason = isMissing ? `${base} is missing` : `${base} is not the text that devflow.lock recorded`
  return {
    severity: 'error',
    code: 'base-lost',
    message: `${reason}: which lines of ${file} are yours cannot be told`,
    hint: `take ${base} back from git; or move ${file} away, remove ${base}, run "dwf ci:generate", and make your changes again`,
  }
}

export function notText(path: string): Diagnostic {
  return {
    severity: 'error',
    code: 'not-text',
    message: `${printable(path)} is not UTF-8, and is left as it is`,
    hint: 'save it as UTF-8, or remove it and run "dwf ci:generate"',
  }
}

export function stale(path: string, action: 'removed' | 'kept' | 'gone'): Diagnostic {
  const file = printable(path)
  if (action === 'kept') {
    return {
      severity: 'warning',
      code: 'stale-file',
      message: `dwf does not write ${file} any more; it was changed by hand, so it stays and is yours now`,
      hint: 'remove it when it is not needed',
    }
  }
  const end = action === 'gone' ? 'and it is not there: only what dwf knew of it goes' : 'and it goes'
  return { severity: 'note', code: 'stale-file', message: `dwf does not write ${file} any more, ${end}` }
}
