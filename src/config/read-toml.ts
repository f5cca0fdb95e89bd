import toml from '@iarna/toml'
import { Failure, failure } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { syntaxError } from './locate.ts'

/**
 * What every object of JavaScript has: the parser (@iarna/toml 3.0.0) takes `[constructor]` for a table that is there,
 * and writes into the constructor of all objects. It knows `__proto__`.
 */
const inherited = new Set(Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__'))
/** A cheap look for such a name, also one that is written with escapes. */
const suspicious = new RegExp(`${[...inherited].join('|')}|\\\\(?:u00|U000000)[2-7]`)

/** The document of a TOML text. Throws Failure('wrong-input') with the place where it is none. */
export async function readToml(label: string, text: string): Promise<unknown> {
  const content = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  try {
    if (suspicious.test(content)) await refuseInherited(label, content)
    return toml.parse(content)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('wrong-input', await syntaxError(label, text, error as Error & { line?: number; col?: number }))
  }
}

async function refuseInherited(label: string, text: string): Promise<void> {
  const { TomlPlaces } = await import('../util/toml-places.ts')
  const where = (await TomlPlaces.read(label, text)).keyNamed(inherited)
  if (!where) return
  const written = printable(where.text.slice(where.column - 1, where.endColumn - 1))
  throw failure('wrong-input', 'reserved-key', `"${written}" cannot be a key`, 'choose another name', where)
}
