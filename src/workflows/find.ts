import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { failure } from '../util/diagnostics.ts'
import { isInside } from '../util/paths.ts'
import { byCodeUnit, didYouMean, printable } from '../util/text.ts'

export interface FoundWorkflow {
  /** As it is asked for: `deploy`, `team/deploy`. */
  readonly name: string
  /** Absolute, its links followed. */
  readonly file: string
  /** The folder of workflows that it was found in. */
  readonly folder: string
}

const depthLimit = 8
const countLimit = 10_000

/**
 * The file of a workflow, by its name. The first folder that has it wins.
 * @param folders absolute paths; one that does not exist has no workflows; the first one is that of the project
 * @throws Failure('wrong-input') when the name leads out of the folders, or nothing has it
 */
export function findWorkflow(name: string, folders: readonly string[]): FoundWorkflow {
  const bare = name.replace(/\.toml$/, '')
  checkName(bare, name)
  for (const [index, folder] of folders.entries()) {
    if (index === 0) checkOwn(folder)
    const file = resolve(folder, `${bare}.toml`, name)
    if (file !== undefined) return { name: bare, file, folder }
  }
  const names = listWorkflows(folders).map((one) => one.name)
  const near = didYouMean(bare, names)
  const shown = names.slice(0, 10).join(', ')
  throw failure(
    'wrong-input',
    'unknown-workflow',
    `there is no workflow "${printable(bare)}"`,
    near !== undefined
      ? `did you mean "${printable(near)}"?`
      : names.length > 0
        ? `there are: ${printable(shown)}${names.length > 10 ? ', …' : ''}`
        : `put ${bare}.toml into ${folders[0] ?? 'the folder workflows'}`,
  )
}

/** The project's own folder is in the project; the others a person chose, and may be links. */
function checkOwn(folder: string): void {
  let real: string
  let project: string
  try {
    real = realpathSync(folder)
    project = realpathSync(dirname(folder))
  } catch {
    return
  }
  if (!isInside(project, real))
    throw failure(
      'wrong-input',
      'foreign-workflow',
      `${folder} is a link that leads out of ${dirname(folder)}`,
      'make it a folder; to use workflows of other places, name their folder in WF_PATHS_WORKFLOWS',
    )
}

/** The name is part of a path: it stays below the folder, on every system. */
function checkName(bare: string, asked: string): void {
  const isWrong =
    /[\0-\x1f\x7f\\]/.test(bare) ||
    bare.length > 500 ||
    bare.split('/').some((part) => part === '' || part === '.' || part === '..')
  if (isWrong)
    throw failure(
      'wrong-input',
      'bad-workflow-name',
      `${JSON.stringify(asked)} cannot be the name of a workflow`,
      'a workflow is named by its file below the folder workflows: deploy, or team/deploy',
    )
}

/** The real path of a file below a folder; undefined when there is none. */
function resolve(folder: string, path: string, asked: string): string | undefined {
  let real: string
  let base: string
  try {
    base = realpathSync(folder)
    real = realpathSync(join(base, path))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw failure('wrong-input', 'unreadable', `cannot read ${join(folder, path)}: ${message}`)
  }
  const refuse = (what: string) =>
    failure('wrong-input', 'foreign-workflow', `the workflow "${asked}" ${what}`, 'put the file itself into the folder')
  if (!isInside(base, real)) throw refuse(`is a link that leads out of ${folder}`)
  if (!statSync(real).isFile()) throw refuse('is not a regular file')
  return real
}

/**
 * Every workflow by its name, sorted; of two with one name the one that would be run. A link is listed as it is called:
 * whether it may be read is for `findWorkflow` to say. Folders that are links are not looked into.
 */
export function listWorkflows(folders: readonly string[]): readonly FoundWorkflow[] {
  const found = new Map<string, FoundWorkflow>()
  for (const folder of folders)
    for (const name of namesIn(folder))
      if (!found.has(name)) found.set(name, { name, file: join(folder, `${name}.toml`), folder })
  return [...found.values()].sort((a, b) => byCodeUnit(a.name, b.name))
}

function namesIn(folder: string): readonly string[] {
  const names: string[] = []
  const walk = (path: string, depth: number): void => {
    let entries: readonly { name: string; isDirectory(): boolean }[]
    try {
      entries = readdirSync(join(folder, path), { withFileTypes: true })
    } catch {
      return
    }
    for (const entry of entries) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`
      if (names.length >= countLimit || /[\0-\x1f\x7f\\]/.test(entry.name)) continue
      if (entry.isDirectory()) {
        if (depth < depthLimit && !entry.name.startsWith('.')) walk(inner, depth + 1)
      } else if (/.\.toml$/.test(entry.name)) names.push(inner.slice(0, -'.toml'.length))
    }
  }
  walk('', 0)
  return names
}
