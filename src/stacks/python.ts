import { createHash } from 'node:crypto'
import { at, isTable, type Manifest, readManifest, stringAt, stringsAt } from '../project/manifest.ts'
import type { StackUnit, Tree } from '../project/types.ts'
import { globTest } from './node-workspaces.ts'
import { declaredPackages } from './python-packages.ts'
import { pythonRequests } from './python-requests.ts'
import { type Requirements, readRequirements } from './python-requirements.ts'
import { findPythonManager, pythonSetup } from './python-setup.ts'
import { pythonHints, pythonTasks } from './python-tasks.ts'
import type { Stack } from './types.ts'
import { bareUnit, inDir, isBelow, isBroken, optional } from './unit.ts'
import { missingOf } from './vocabulary.ts'

/** All that the files of one Python project say; what the files of this stack hand to each other. */
export interface PythonFiles {
  readonly tree: Tree
  readonly dir: string
  /** The file that makes it a unit. */
  readonly file: string
  /** pyproject.toml where there is one. */
  readonly project: Manifest | undefined
  readonly requirements: readonly Requirements[]
  /** Names of all packages that it declares, in PEP 503 form, with the group or extra that holds them. */
  readonly declared: ReadonlyMap<string, DeclaredIn>
}

export interface DeclaredIn {
  readonly kind: 'main' | 'group' | 'extra'
  readonly name: string
}

/** Python with pip, uv or Poetry: one unit for each project; what a uv workspace covers is none of its own. */
export const python: Stack = {
  name: 'python',
  detect: (tree, folders) => {
    const workspaces: { dir: string; covers: (path: string) => boolean }[] = []
    return folders.flatMap((dir) => {
      const files = readFiles(tree, dir)
      if (!files) return []
      const { project } = files
      if (project && isBroken(project))
        return [{ ...bareUnit('python', dir, files.file), diagnostics: project.problems }]
      if (
        workspaces.some(
          (one) => isBelow(dir, one.dir) && one.covers(dir.slice(one.dir === '' ? 0 : one.dir.length + 1)),
        )
      )
        return []
      const members = project && stringsAt(project, ['tool', 'uv', 'workspace', 'members'])
      if (members) {
        const tests = members.map(globTest)
        workspaces.push({ dir, covers: (path) => tests.some((test) => test(path)) })
      }
      return [unit(files)]
    })
  },
}

/** A pyproject.toml that only configures tools is no project; nor is a requirements file of a folder of documents. */
function readFiles(tree: Tree, dir: string): PythonFiles | undefined {
  const names = tree.list(dir)
  const project = names.includes('pyproject.toml') ? readManifest(tree, inDir(dir, 'pyproject.toml')) : undefined
  const script = ['setup.py', 'setup.cfg', 'Pipfile'].find((name) => tree.has(inDir(dir, name)))
  const isProject =
    project !== undefined &&
    (isBroken(project) ||
      [['project'], ['build-system'], ['dependency-groups'], ['tool', 'poetry'], ['tool', 'uv', 'workspace']].some(
        (path) => isTable(at(project, path)),
      ))
  const requirements = readRequirements(tree, dir)
  const isApplication =
    requirements.length > 0 &&
    (dir === '' || (names.some((name) => name.endsWith('.py')) && !/(?:^|\/)docs?$/.test(dir)))
  const isSetup =
    script === 'setup.py' ||
    script === 'Pipfile' ||
    (script === 'setup.cfg' && /^\[metadata\]/m.test(tree.text(inDir(dir, script)) ?? ''))
  if (!isProject && !isSetup && !isApplication) return undefined
  // Projects inside the tests of another are what these tests work on.
  if (/(?:^|\/)tests?\//.test(dir) && !names.some((name) => name === 'uv.lock' || name === 'poetry.lock'))
    return undefined
  const file = isProject ? project!.file : isSetup ? inDir(dir, script!) : requirements[0]!.file
  return {
    tree,
    dir,
    file,
    project: isProject ? project : undefined,
    requirements,
    declared: declaredPackages(project, requirements),
  }
}

/**
 * The environment lies in a cache of its own, not in `.venv`: that one holds links to the interpreter of the host, and
 * host and container would break each other's. Its `bin` comes first in PATH, so that `python` is the project's.
 */
function environment(dir: string): { readonly name: string; readonly place: string } {
  const name = `python-venv-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`
  // One folder deeper, since tools that make it anew remove it first, and the cache itself may be a mount.
  return { name, place: `/cache/${name}/venv` }
}

function unit(files: PythonFiles): StackUnit {
  const { tree, dir, project } = files
  const manager = findPythonManager(files)
  const requests = pythonRequests(files, manager)
  const tasks = pythonTasks(files, manager)
  const { name, place } = environment(dir)
  const setup = pythonSetup(files, manager, place)
  const own = project && (stringAt(project, ['project', 'name']) ?? stringAt(project, ['tool', 'poetry', 'name']))
  const isSource = tree.isDirectory(inDir(dir, 'src'))
  return {
    stack: 'python',
    dir,
    manifest: files.file,
    manager: manager.name,
    ...optional('name', own),
    toolchains: requests.toolchains,
    packages: [],
    caches: [{ name, env: { VIRTUAL_ENV: place, UV_PROJECT_ENVIRONMENT: place }, path: ['venv/bin'] }, manager.cache],
    env: {
      PYTHONDONTWRITEBYTECODE: '1',
      // Without a setup nothing puts the project on the path; with one it does no harm.
      ...(setup === undefined && isSource ? { PYTHONPATH: 'src' } : {}),
      ...manager.env,
    },
    ...optional('setup', setup),
    tasks,
    missing: missingOf(tasks, pythonHints(files)),
    diagnostics: [...(project?.problems ?? []), ...manager.diagnostics, ...requests.diagnostics],
  }
}
