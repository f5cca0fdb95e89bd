import { at, isTable, stringAt, stringsAt } from '../project/manifest.ts'
import type { Argv, CacheUse, Setup } from '../project/types.ts'
import { type Diagnostic, spanAt } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import type { PythonFiles } from './python.ts'
import { usedPlaces } from './python-tasks.ts'
import { inDir, optional } from './unit.ts'

export interface PythonManager {
  readonly name: 'pip' | 'uv' | 'poetry'
  readonly lockFile?: string
  readonly cache: CacheUse
  readonly env: Readonly<Record<string, string>>
  readonly diagnostics: readonly Diagnostic[]
}

const caches = {
  pip: { name: 'pip', env: { PIP_CACHE_DIR: '/cache/pip' } },
  uv: { name: 'uv', env: { UV_CACHE_DIR: '/cache/uv' } },
  poetry: { name: 'poetry', env: { POETRY_CACHE_DIR: '/cache/poetry' } },
}

const environments = {
  pip: { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' },
  // The interpreter is the image's; a cache on another file system cannot be linked from.
  uv: { UV_PYTHON_DOWNLOADS: 'never', UV_LINK_MODE: 'copy' },
  poetry: { POETRY_NO_INTERACTION: '1' },
}

/** uv and Poetry by their lock file, else by their table in pyproject.toml, else pip. */
export function findPythonManager(files: PythonFiles): PythonManager {
  const { tree, dir, project } = files
  const has = (name: string): boolean => tree.has(inDir(dir, name))
  const backend = (project && stringAt(project, ['build-system', 'build-backend'])) ?? ''
  const isPoetry =
    isTable(project && at(project, ['tool', 'poetry'])) &&
    (backend.startsWith('poetry') || !isTable(project && at(project, ['project'])))
  const name = has('uv.lock')
    ? 'uv'
    : has('poetry.lock')
      ? 'poetry'
      : isPoetry
        ? 'poetry'
        : isTable(project && at(project, ['tool', 'uv'])) && files.requirements.length === 0
          ? 'uv'
          : 'pip'
  const lock = name === 'pip' ? undefined : inDir(dir, `${name}.lock`)
  return {
    name,
    ...optional('lockFile', lock !== undefined && tree.has(lock) ? lock : undefined),
    cache: caches[name],
    env: environments[name],
    diagnostics: foreignLocks(files, name),
  }
}

function foreignLocks({ tree, dir, file }: PythonFiles, manager: string): readonly Diagnostic[] {
  const other = ['Pipfile.lock', 'pdm.lock', 'pixi.lock', ...(manager === 'uv' ? ['poetry.lock'] : [])].find((name) =>
    tree.has(inDir(dir, name)),
  )
  if (other === undefined) return []
  return [
    {
      severity: 'warning',
      code: 'manager-disagreement',
      message: `${printable(inDir(dir, other))} is not used: ${printable(file)} is taken as a project of ${manager}`,
      hint:
        other === 'poetry.lock'
          ? 'remove the lock file that is not used'
          : 'export the lock file to requirements.txt, or use uv or Poetry',
    },
  ]
}

/** Undefined when there is nothing to install. */
export function pythonSetup(files: PythonFiles, manager: PythonManager, place: string): Setup | undefined {
  const { project, requirements, dir } = files
  const isNothing = files.declared.size === 0 || [...files.declared.keys()].every((name) => name === 'python')
  if (isNothing && manager.lockFile === undefined) return undefined
  const lockFiles = [
    ...(manager.lockFile === undefined ? [] : [manager.lockFile]),
    ...(manager.name === 'pip' ? requirements.map((one) => one.file) : []),
    ...(project ? [project.file] : []),
    ...['setup.py', 'setup.cfg'].map((name) => inDir(dir, name)).filter((file) => files.tree.has(file)),
  ]
  const ways = { pip: pipWay, uv: uvWay, poetry: poetryWay }[manager.name](files, manager)
  const missing = missingLock(files, manager)
  return { lockFiles, ...ways, split: true, outputs: [`${place}/pyvenv.cfg`], ...optional('missingLock', missing) }
}

type Way = Pick<Setup, 'fetch' | 'install' | 'online' | 'note'>

const wheelsOnly = 'packages are fetched as wheels; one that has none needs [setup] scripts = "online"'
/** A project may depend on uv or Poetry itself, in another version: its environment must not stand in for the image's. */
const own = `export PATH="\${PATH#"$VIRTUAL_ENV/bin:"}"`
const venv = `(${own}; python -m venv --clear "$VIRTUAL_ENV")`

/**
 * Downloading a source distribution runs its setup.py, so only wheels are fetched, into a folder of the environment's
 * cache. `$@` holds what the repository wrote: never part of the line of the shell.
 */
function pipWay(files: PythonFiles): Way {
  const { requirements, dir } = files
  const lists = requirements.flatMap((one) => ['-r', one.file.slice(dir === '' ? 0 : dir.length + 1)])
  const isInstalled = hasBackend(files) && !requirements.some((one) => one.hasProject)
  const build = hasBackend(files) ? buildRequires(files) : []
  const wheels = '"$PIP_CACHE_DIR/downloads"'
  const project = 'python -m pip install --no-index --find-links '
  return {
    fetch: sh(`python -m pip download --only-binary=:all: -d ${wheels} "$@"`, [...lists, ...build]),
    install: sh(
      `${venv} && ${project}${wheels} "$@"${isInstalled ? ` && ${project}${wheels} --no-deps -e .` : ''}`,
      lists,
    ),
    online: sh(
      `${venv} && python -m pip install "$@"${isInstalled ? ' && python -m pip install --no-deps -e .' : ''}`,
      lists,
    ),
    note: requirements.some((one) => one.hasProject)
      ? `${wheelsOnly}; "-e ." runs the project's own build while it fetches`
      : wheelsOnly,
  }
}

function uvWay(files: PythonFiles, manager: PythonManager): Way {
  const chosen = usedPlaces(files, manager).flatMap((place) =>
    place.kind === 'main' || (place.kind === 'group' && place.name === 'dev') || !isPlain(place.name)
      ? []
      : [`--${place.kind}=${place.name}`],
  )
  const extra = [...new Set(chosen)]
  const build = buildRequires(files)
  // The second line puts what builds the project itself into uv's cache, where the install without network finds it.
  const prime =
    build.length === 0 ? '' : ' && uv pip install --quiet --only-binary :all: --target "$(mktemp -d)" -- "$@"'
  return {
    fetch: sh([`${own}; uv sync --frozen --no-build --no-install-workspace`, ...extra].join(' ') + prime, build),
    install: sh([`${own}; exec uv sync --frozen --offline`, ...extra].join(' '), []),
    online: sh([`${own}; exec uv sync --frozen`, ...extra].join(' '), []),
    note: wheelsOnly,
  }
}

function poetryWay(files: PythonFiles, manager: PythonManager): Way {
  const { project } = files
  const optionalGroups = usedPlaces(files, manager).flatMap((place) => {
    if (!isPlain(place.name)) return []
    if (place.kind === 'extra') return [`--extras=${place.name}`]
    const isOptional = project && at(project, ['tool', 'poetry', 'group', place.name, 'optional']) === true
    return place.kind === 'group' && isOptional ? [`--with=${place.name}`] : []
  })
  const extra = [...new Set(optionalGroups)].map((one) => ` ${one}`).join('')
  const isPackage = !project || at(project, ['tool', 'poetry', 'package-mode']) !== false
  return {
    fetch: ['sh', '-c', `${own}; ${venv} && POETRY_INSTALLER_ONLY_BINARY=:all: poetry install --no-root${extra}`],
    ...(isPackage ? { install: ['sh', '-c', `${own}; exec poetry install --only-root`] } : {}),
    online: ['sh', '-c', `${own}; ${venv} && poetry install${extra}`],
    note: wheelsOnly,
  }
}

const isPlain = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)

/** The line is dwf's own; what comes from the repository is handed to it as arguments. */
function sh(line: string, words: readonly string[]): Argv {
  return words.length === 0 ? ['sh', '-c', line.replace(/ (?:-- )?"\$@"/, '')] : ['sh', '-c', line, 'sh', ...words]
}

function hasBackend(files: PythonFiles): boolean {
  return (
    (files.project !== undefined && isTable(at(files.project, ['build-system']))) ||
    files.tree.has(inDir(files.dir, 'setup.py'))
  )
}

/** What builds the project: only names with versions, since a word that begins with `-` would be an option. */
function buildRequires({ project }: PythonFiles): readonly string[] {
  const listed =
    project && isTable(at(project, ['build-system'])) ? stringsAt(project, ['build-system', 'requires']) : undefined
  return (listed ?? ['setuptools', 'wheel']).filter((one) => /^[A-Za-z0-9][^\0\n]*$/.test(one))
}

function missingLock(files: PythonFiles, manager: PythonManager): Diagnostic | undefined {
  const { project, requirements } = files
  if (manager.lockFile !== undefined) return undefined
  const loose = requirements.find((one) => one.loose !== undefined)
  if (manager.name === 'pip' && requirements.length > 0 && !loose) return undefined
  const from = project ? 'pyproject.toml' : 'setup.py'
  const where =
    loose?.loose ??
    project?.span(['project', 'dependencies']) ??
    project?.span(['project']) ??
    (project && spanAt(project.file, project.text, 1))
  const hints = {
    pip: loose
      ? 'write the exact versions: "pip freeze", or pip-compile from a requirements.in; or use "uv lock"'
      : `run "uv lock", or "pip-compile -o requirements.txt ${from}", and commit the result`,
    uv: 'run "uv lock" and commit uv.lock',
    poetry: 'run "poetry lock" and commit poetry.lock',
  }
  return {
    severity: 'error',
    code: 'missing-lock',
    message: loose
      ? `${printable(loose.file)} leaves versions open`
      : `${printable(files.file)} has dependencies but no lock file says which versions`,
    ...optional('where', where),
    hint: hints[manager.name],
  }
}
