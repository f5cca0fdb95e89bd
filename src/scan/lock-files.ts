import { posix } from 'node:path'

/** What Trivy 0.76 reads as the packages of a project, for the stacks that dwf knows. */
interface LockFile {
  readonly name: RegExp
  /** Whether the text names a package at all: for an empty one Trivy's report has no entry. */
  readonly holdsPackages: (text: string) => boolean
}

/*
 * Files may be of 64 MiB and of any text. `^` of these patterns also stands behind \r, \u2028 and \u2029: what follows it
 * must not run over line ends, or it runs from each of them to the end of the file.
 */
const tables = /^\[\[package\]\]/m
const pinned = /^[ \t]*[A-Za-z0-9][^#\r\n\u2028\u2029=<>!~]*==[ \t]*[^\s*]/m
const requires = /^[ \t]*require\b/m

const lockFiles: readonly LockFile[] = [
  { name: /^(package-lock|npm-shrinkwrap)\.json$/, holdsPackages: npmHolds },
  // Entries, but neither the header of newer Yarns nor the workspace itself.
  { name: /^yarn\.lock$/, holdsPackages: (text) => /^(?!#|__metadata:)(?!.*@workspace:)\S.*:\s*$/m.test(text) },
  { name: /^pnpm-lock\.yaml$/, holdsPackages: (text) => /^packages:\s*$/m.test(text) },
  { name: /^bun\.lock$/, holdsPackages: (text) => /"packages"\s*:\s*\{\s*"/.test(text) },
  { name: /^Cargo\.lock$/, holdsPackages: (text) => tables.test(text) },
  { name: /^(poetry|uv)\.lock$/, holdsPackages: (text) => tables.test(text) },
  { name: /^Pipfile\.lock$/, holdsPackages: (text) => someIn(text, ['default']) },
  { name: /^requirements[^/]*\.txt$/, holdsPackages: (text) => pinned.test(text) },
  { name: /^go\.mod$/, holdsPackages: (text) => requires.test(text) },
  { name: /^gradle\.lockfile$/, holdsPackages: (text) => /^[^#\s=:]+:[^\s=:]+:[^\s=:]+=/m.test(text) },
]

/** The rule for a file name that Trivy reads packages from; undefined for any other. */
export function lockFileRule(path: string): LockFile | undefined {
  const name = posix.basename(path)
  return lockFiles.find((rule) => rule.name.test(name))
}

/** A manifest: names dependencies, but not which versions are installed. */
interface Manifest {
  readonly name: RegExp
  readonly hasDependencies: (text: string) => boolean
  /** Trivy's types of the lock files that say it instead; in the same folder or above. */
  readonly lockedBy: readonly string[]
}

const manifests: readonly Manifest[] = [
  {
    name: /^package\.json$/,
    hasDependencies: (text) => someIn(text, ['dependencies', 'devDependencies', 'optionalDependencies']),
    lockedBy: ['npm', 'yarn', 'pnpm', 'bun'],
  },
  {
    name: /^pyproject\.toml$/,
    hasDependencies: (text) =>
      /^[ \t]*dependencies[ \t]*=[ \t]*\[\s*["']/m.test(text) ||
      /^\[(dependency-groups|tool\.poetry\.(.+\.)?dependencies)\][ \t\r]*\n\s*(?!python\b|\[)\S/m.test(text),
    lockedBy: ['poetry', 'uv', 'pip', 'pipenv', 'pylock'],
  },
  {
    name: /^Pipfile$/,
    hasDependencies: (text) => /^\[(dev-)?packages\][ \t\r]*\n\s*(?!\[)\S/m.test(text),
    lockedBy: ['pipenv'],
  },
  {
    name: /^requirements[^/]*\.txt$/,
    hasDependencies: (text) => /^[ \t]*[A-Za-z0-9]/m.test(text),
    lockedBy: ['pip', 'poetry', 'uv', 'pipenv', 'pylock'],
  },
  {
    name: /^Cargo\.toml$/,
    hasDependencies: (text) => countLines(text, isDependencyTable) > 0,
    lockedBy: ['cargo'],
  },
  { name: /^go\.mod$/, hasDependencies: (text) => requires.test(text), lockedBy: ['gomod'] },
  { name: /^pom\.xml$/, hasDependencies: (text) => /<dependency>/.test(text), lockedBy: ['pom'] },
  {
    name: /^build\.gradle(\.kts)?$/,
    hasDependencies: (text) =>
      /\b(api|implementation|compileOnly|runtimeOnly|classpath|kapt|ksp)\b\s*[("']/i.test(text),
    lockedBy: ['gradle'],
  },
]

export function manifestRule(path: string): Manifest | undefined {
  const name = posix.basename(path)
  return manifests.find((rule) => rule.name.test(name))
}

/** Lines of a requirements file that name no exact version: Trivy passes over them. */
export function unpinnedRequirements(text: string): number {
  return countLines(text, (line) => /^\s*[A-Za-z0-9]/.test(line) && !/^[^#;]*===?\s*[^\s*]/.test(line))
}

/** `[dependencies]`, `[target.'cfg(unix)'.dev-dependencies.NAME]` */
function isDependencyTable(line: string): boolean {
  return line.startsWith('[') && /dependencies($|[.\]])/.test(line.slice(1, line.lastIndexOf(']')))
}

/** Without a list of all lines: a file of line ends alone has millions. */
function countLines(text: string, test: (line: string) => boolean): number {
  let found = 0
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at)
    const end = next < 0 ? text.length : next
    if (end > at && test(text.slice(at, end))) found++
    at = end + 1
  }
  return found
}

function npmHolds(text: string): boolean {
  const lock = parse(text)
  if (!lock) return true
  const packages = lock.packages
  if (typeof packages === 'object' && packages)
    return Object.entries(packages).some(
      ([path, entry]) => path.includes('node_modules/') && (entry as { link?: unknown } | null)?.link !== true,
    )
  return someIn(text, ['dependencies'])
}

function someIn(text: string, keys: readonly string[]): boolean {
  const value = parse(text)
  // What cannot be read is taken to hold something, so that the report has to account for it.
  return (
    !value || keys.some((key) => typeof value[key] === 'object' && value[key] && Object.keys(value[key]).length > 0)
  )
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value ? value : undefined
  } catch {
    return undefined
  }
}
