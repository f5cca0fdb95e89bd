/** A package URL taken apart, with everything decoded and what the specification calls case-insensitive in small letters. */
export interface Purl {
  readonly type: string
  /** Parts joined with `/`; empty when there is none. */
  readonly namespace: string
  readonly name: string
  readonly version?: string
  readonly qualifiers: ReadonlyMap<string, string>
  readonly subpath: string
}

/** Types whose names the specification calls case-insensitive. */
const smallNames = new Set(['bitbucket', 'composer', 'github', 'hex', 'oci', 'pypi'])

/** Undefined for what is no package URL. */
export function parsePurl(text: string): Purl | undefined {
  const scheme = /^pkg:\/*/i.exec(text)
  if (!scheme) return undefined
  try {
    const [beforeSubpath, subpath = ''] = splitLast(text.slice(scheme[0].length), '#')
    const [path, query = ''] = splitLast(beforeSubpath, '?')
    const slash = path.indexOf('/')
    const type = path.slice(0, slash).toLowerCase()
    const rest = path.slice(slash + 1)
    // `@` at the start of a part is that of an npm scope, which some write without encoding it.
    const at = [...rest.matchAll(/(?<=[^/])@/g)].at(-1)?.index ?? rest.length
    const parts = decodedParts(rest.slice(0, at))
    const name = parts.pop()
    const version = decodeURIComponent(rest.slice(at + 1))
    if (slash < 0 || name === undefined || !/^[a-z][a-z0-9.+-]*$/.test(type)) return undefined
    return {
      type,
      namespace: parts.join('/').toLowerCase(),
      name: nameOf(type, name),
      ...(version === '' ? {} : { version }),
      qualifiers: qualifiersOf(query),
      subpath: decodedParts(subpath).join('/'),
    }
  } catch {
    // A damaged percent-encoding.
    return undefined
  }
}

/** `npm` of `pkg:npm/lodash@4.17.20`; empty for what is no package URL. */
export function purlType(text: string | undefined): string {
  return (text === undefined ? undefined : /^pkg:\/*([a-z][a-z0-9.+-]*)\//i.exec(text)?.[1]?.toLowerCase()) ?? ''
}

function splitLast(text: string, separator: string): readonly [string, string?] {
  const at = text.lastIndexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decodedParts(text: string): string[] {
  return text
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent)
}

function nameOf(type: string, name: string): string {
  if (!smallNames.has(type)) return name
  return type === 'pypi' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name.toLowerCase()
}

function qualifiersOf(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, Math.max(0, at)).toLowerCase(), decodeURIComponent(pair.slice(at + 1))] as const
  })
  return new Map(pairs.filter(([key, value]) => key !== '' && value !== ''))
}

/**
 * Whether a package URL that somebody wrote down means the package with the other: same type, namespace, name and
 * subpath; the version and the qualifiers where it names some. One that cannot be read means nothing.
 */
export function purlMatches(wanted: string, found: string | undefined): boolean {
  const a = parsePurl(wanted)
  const b = found === undefined ? undefined : parsePurl(found)
  return (
    a !== undefined &&
    b !== undefined &&
    a.type === b.type &&
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.subpath === b.subpath &&
    (a.version === undefined || a.version === b.version) &&
    [...a.qualifiers].every(([key, value]) => b.qualifiers.get(key) === value)
  )
}
