import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** One import statement or call, as found in a file of src/. */
export interface Import {
  readonly file: string
  readonly room: string
  readonly from: string
  readonly isType: boolean
}

/** What a row of the table allows. */
export interface Allowed {
  readonly values: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  readonly packages: ReadonlySet<string>
  readonly node: ReadonlySet<string>
}

const statement = /^(?:import|export)\s+(?:(type)\s+)?(?:([^'"();]*?)\s+from\s+)?['"]([^'"]+)['"]/gm
const call = /\b(?:import|require|getBuiltinModule)\(\s*['"`]([^'"`]+)['"`]/g

/** Every .ts file below a folder, its path from there → its text. */
export function readSources(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
}

/** src/cli.ts is the door to the room cli. */
export const roomOf = (path: string): string => path.split('/')[0]!.replace(/\.ts$/, '')

export function importsOf(file: string, text: string): readonly Import[] {
  const room = roomOf(file)
  const statements = [...text.matchAll(statement)].map(([, type, names, from]) => ({
    file,
    room,
    from: from!,
    isType: type !== undefined || onlyTypes(names),
  }))
  const calls = [...text.matchAll(call)].map(([, from]) => ({
    file,
    room,
    from: from!,
    isType: isTypeQuery(text, from!),
  }))
  return [...statements, ...calls]
}

/** `{ type A, type B }` */
const onlyTypes = (names: string | undefined): boolean =>
  names !== undefined &&
  /^\{[^}]*\}$/.test(names) &&
  names
    .slice(1, -1)
    .split(',')
    .every((name) => /^\s*(type\s|$)/.test(name))

/** `typeof import('x')` or `import('x').Name` in a type: followed by a member, not awaited. */
const isTypeQuery = (text: string, from: string): boolean => text.includes(`typeof import('${from}')`)

/** `undefined` for an import inside of its room or of a file that is no room. */
export function otherRoom({ file, room, from }: Import): string | undefined {
  if (!from.startsWith('.')) return undefined
  const target = posix.normalize(posix.join(posix.dirname(file), from))
  if (target.startsWith('..')) return target.replace(/^(\.\.\/)+/, '')
  return roomOf(target) === room ? undefined : roomOf(target)
}

/** `@scope/name/deep/file.js` → `@scope/name`. */
export const packageOf = (from: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(from)![0]

/** The table of a Markdown page: rows of the one whose first heading is "room". */
export function readTable(page: string): ReadonlyMap<string, Allowed> {
  const rows = page.split('\n').flatMap((line) => {
    const cells = /^\|(.*)\|$/
      .exec(line)?.[1]
      ?.split('|')
      .map((cell) => cell.trim())
    return cells?.length === 5 && cells[0] !== 'room' && !/^-+$/.test(cells[0]!) ? [cells] : []
  })
  const set = (cell: string) => new Set(cell.split(/[\s,]+/).filter((word) => word !== '' && word !== '–'))
  return new Map(
    rows.map(([room, values, types, packages, node]) => [
      room!,
      { values: set(values!), types: set(types!), packages: set(packages!), node: set(node!) },
    ]),
  )
}

/** What the table does not allow, one sentence each. */
export function forbiddenImports(imports: readonly Import[], table: ReadonlyMap<string, Allowed>): readonly string[] {
  return imports.flatMap((one) => {
    const allowed = table.get(one.room)
    if (!allowed) return [`${one.file}: the room ${one.room} is not in the table`]
    const complain = (what: string) => [
      `${one.file} imports ${one.isType ? 'types of ' : ''}${what} (${one.from}), which ${one.room} may not`,
    ]
    if (one.from.startsWith('node:')) return allowed.node.has(one.from.slice(5)) ? [] : complain(one.from)
    if (!one.from.startsWith('.')) return allowed.packages.has(packageOf(one.from)) ? [] : complain('the package')
    const room = otherRoom(one)
    if (room === undefined || allowed.values.has(room) || (one.isType && allowed.types.has(room))) return []
    return complain(room)
  })
}

/** Rows that allow more than is used. */
export function unusedRows(imports: readonly Import[], table: ReadonlyMap<string, Allowed>): readonly string[] {
  return [...table].flatMap(([room, allowed]) => {
    const own = imports.filter((one) => one.room === room)
    const used = (cell: ReadonlySet<string>, has: (one: Import, word: string) => boolean) =>
      [...cell].filter((word) => !own.some((one) => has(one, word)))
    return [
      ...used(allowed.values, (one, word) => !one.isType && otherRoom(one) === word),
      ...used(allowed.types, (one, word) => one.isType && otherRoom(one) === word),
      ...used(allowed.packages, (one, word) => !/^(\.|node:)/.test(one.from) && packageOf(one.from) === word),
      ...used(allowed.node, (one, word) => one.from === `node:${word}`),
    ].map((word) => `${room} does not import ${word}: take it out of the table`)
  })
}

/** Rules about words that no import shows: which rooms may say them. Comments are not looked at. */
const words: readonly {
  readonly word: RegExp
  readonly only?: readonly string[]
  readonly not?: readonly string[]
  readonly why: string
}[] = [
  { word: /\bconsole\s*[.[]/, only: ['cli'], why: 'only cli speaks' },
  {
    word: /\bprocess\s*\.\s*(stdout|stderr|exitCode|exit|argv)\b/,
    only: ['cli'],
    why: 'only cli speaks and ends the process',
  },
  {
    word: /\bprocess\s*\.\s*env\b/,
    not: ['plan', 'stacks', 'project', 'config', 'pins'],
    why: 'a plan is the same in every environment',
  },
  {
    word: /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|randomBytes|randomUUID|hostname\(|homedir\()/,
    not: ['plan', 'stacks', 'config'],
    why: 'a plan has no clock, no chance and no machine',
  },
  { word: /\[\s*['"](podman|docker|buildah)['"]/, only: ['engine'], why: 'only engine starts an engine' },
]

export function forbiddenWords(sources: ReadonlyMap<string, string>): readonly string[] {
  return [...sources].flatMap(([file, text]) => {
    const code = text
      .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
      .replace(/^\s*\/\/.*$/gm, '')
    const room = roomOf(file)
    return words.flatMap(({ word, only, not, why }) => {
      if (only ? only.includes(room) : !not!.includes(room)) return []
      const found = word.exec(code)
      return found ? [`${file}:${code.slice(0, found.index).split('\n').length} says ${found[0]}: ${why}`] : []
    })
  })
}
