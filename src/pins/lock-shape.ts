import valid from 'semver/functions/valid.js'

/** What a field of devflow.lock has to look like; `expected` completes "must be …". */
export interface Shape {
  readonly expected: string
  readonly is: (text: string) => boolean
}

const matching = (expected: string, pattern: RegExp): Shape => ({ expected, is: (text) => pattern.test(text) })

/** Pins become words of the Dockerfile and arguments of package managers: their shapes leave no room for more than one. */
export const shapes = {
  tool: matching('a name of small letters, digits and dashes', /^[a-z][a-z0-9-]{0,63}$/),
  ref: matching(
    'an image with its registry and tag, such as docker.io/library/node:24-trixie-slim',
    /^(?=[^/]*[.:]|localhost\/)[a-z0-9][a-z0-9.-]*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/,
  ),
  digest: matching('sha256: and 64 hexadecimal digits', /^sha256:[0-9a-f]{64}$/),
  checksum: matching(
    'a platform and a hash, such as linux/amd64:sha256:…',
    /^(linux|darwin)\/(amd64|arm64):sha256:[0-9a-f]{64}$/,
  ),
  pinnedImage: matching(
    'an image with its tag and digest, such as docker.io/aquasec/trivy:0.76.0@sha256:…',
    /^(?=[^/]*[.:]|localhost\/)[a-z0-9][a-z0-9.-]*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}@sha256:[0-9a-f]{64}$/,
  ),
  version: {
    expected: 'a version such as 24.21.0',
    is: (text) => text.length <= 128 && valid(text) !== null && /^\d/.test(text),
  },
  npmName: matching('a name of the npm registry', /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/),
  pypiName: matching('a name of PyPI', /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/),
  registry: matching('"npm" or "pypi"', /^(npm|pypi)$/),
  integrity: {
    expected: 'a hash as npm writes it, such as sha512- and base64',
    is: (text) => integrityParts(text) !== undefined,
  },
  source: matching('one line of text', /^[^\u0000-\u001f\u007f]{1,500}$/),
  day: { expected: 'a day as YYYY-MM-DD', is: isDay },
  actionName: matching(
    'an action as owner/name, without a folder',
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
  ),
  actionVersion: {
    expected: 'an exact tag such as v7.0.1',
    is: (text) => text.length <= 128 && /^v?\d[0-9A-Za-z.-]*$/.test(text) && valid(text) !== null,
  },
  sha: matching('a commit of 40 hexadecimal digits', /^[0-9a-f]{40}$/),
  sha256: matching('64 hexadecimal digits', /^[0-9a-f]{64}$/),
  bundlePath: matching('a path under .github/dwf/', /^\.github\/dwf(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){1,8}$/),
  generatedPath: { expected: 'a path from the root of the repository to a file in it', is: isPathInside },
  schema: matching('"dwf.lock/1"', /^dwf\.lock\/1$/),
} as const satisfies Record<string, Shape>

/** Whatever git calls a path: relative, `/` between its parts, never into `.git`. */
function isPathInside(text: string): boolean {
  return (
    text.length <= 1024 &&
    /^[^\u0000-\u001f\u007f\\]+$/.test(text) &&
    text.split('/').every((part) => !['', '.', '..', '.git'].includes(part.toLowerCase()))
  )
}

/** True for a day that the calendar has. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

const hashBytes: Readonly<Record<string, number>> = { sha224: 28, sha256: 32, sha384: 48, sha512: 64 }

/** `sha512-<base64>` → its algorithm and digest in hexadecimal; undefined when it is none or one too weak to rely on. */
export function integrityParts(text: string): { readonly algorithm: string; readonly hex: string } | undefined {
  const [, algorithm, base64] = /^(sha\d{3})-([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  if (algorithm === undefined || base64 === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  const isWhole = bytes.length === hashBytes[algorithm] && bytes.toString('base64') === base64
  return isWhole ? { algorithm, hex: bytes.toString('hex') } : undefined
}

/** The hash behind the `+` of a packageManager field (`sha512.<hex>`) as npm writes it; undefined when it is no such hash. */
export function integrityOf(asked: string): string | undefined {
  const [, algorithm, hex] = /^\+?(sha\d{3})[.-]([0-9a-fA-F]+)$/.exec(asked) ?? []
  if (algorithm === undefined || hex === undefined) return integrityParts(asked) ? asked : undefined
  const text = `${algorithm}-${Buffer.from(hex, 'hex').toString('base64')}`
  return integrityParts(text) ? text : undefined
}

/** True for `owner/name`. */
export const isActionName = (text: string): boolean => shapes.actionName.is(text)
