import { at, isTable } from '../project/manifest.ts'
import type { OfferedTask } from '../project/types.ts'
import type { DeclaredIn, PythonFiles } from './python.ts'
import type { PythonManager } from './python-setup.ts'
import { inDir } from './unit.ts'
import type { UsualCommand } from './vocabulary.ts'

/** Tools that offer a command when the project declares them; the first of a command wins. */
const tools: readonly { readonly tool: string; readonly commands: Readonly<Record<string, readonly string[]>> }[] = [
  { tool: 'ruff', commands: { 'lint:static': ['ruff', 'check', '.'] } },
  { tool: 'flake8', commands: { 'lint:static': ['flake8'] } },
  { tool: 'pylint', commands: { 'lint:static': ['pylint', '--recursive=y', '.'] } },
  { tool: 'mypy', commands: { 'lint:static': ['mypy', '.'], 'lint:types': ['mypy', '.'] } },
  { tool: 'pyright', commands: { 'lint:types': ['pyright'] } },
  { tool: 'black', commands: { 'fmt:check': ['black', '--check', '.'], 'fmt:fix': ['black', '.'] } },
  { tool: 'ruff', commands: { 'fmt:check': ['ruff', 'format', '--check', '.'], 'fmt:fix': ['ruff', 'format', '.'] } },
]

/** The groups and extras that must be installed for the tools that tasks call. */
export function usedPlaces(files: PythonFiles, manager: PythonManager): readonly DeclaredIn[] {
  const called = new Set(pythonTasks(files, manager).map((task) => task.argv[2]))
  return [...called].flatMap((tool) => (tool === undefined ? [] : (files.declared.get(tool) ?? [])))
}

/** Each runs as a module, so that no script with the interpreter's path in its first line is needed. */
const run = (...words: readonly string[]): readonly string[] => ['python', '-m', ...words]

export function pythonTasks(files: PythonFiles, manager: PythonManager): readonly OfferedTask[] {
  const { declared, project } = files
  const tasks = new Map<string, readonly string[]>()
  // A type checker with a table in pyproject.toml is the one that the project uses, where several are declared.
  const checker = ['mypy', 'pyright'].find(
    (tool) => declared.has(tool) && project && at(project, ['tool', tool]) !== undefined,
  )
  for (const { tool, commands } of tools) {
    if (!declared.has(tool)) continue
    for (const [command, words] of Object.entries(commands)) {
      if (command === 'lint:types' && checker !== undefined && tool !== checker) continue
      if (!tasks.has(command)) tasks.set(command, run(...withOwnFiles(files, words)))
    }
  }
  // mypy is the linter only where there is no other; then it is not offered twice.
  if (tasks.get('lint:types')?.join(' ') === tasks.get('lint:static')?.join(' ')) tasks.delete('lint:types')
  for (const [command, words] of testTasks(files, declared.has('pytest'))) tasks.set(command, words)
  const build = buildTask(files, manager, declared.has('build'))
  if (build) tasks.set('build:release', build).set('package:artifact', build)
  return [...tasks].map(([command, argv]) => ({ command, argv }))
}

/** mypy that is told its files by its configuration takes none from the command line. */
function withOwnFiles({ project, tree, dir }: PythonFiles, words: readonly string[]): readonly string[] {
  const isTold =
    (project && ['files', 'packages', 'modules'].some((key) => at(project, ['tool', 'mypy', key]) !== undefined)) ||
    ['mypy.ini', '.mypy.ini', 'setup.cfg'].some((name) =>
      /^(?:files|packages|modules)\s*=/m.test(tree.text(inDir(dir, name)) ?? ''),
    )
  return words[0] === 'mypy' && isTold ? ['mypy'] : words
}

function testTasks(files: PythonFiles, hasPytest: boolean): readonly (readonly [string, readonly string[]])[] {
  const { tree, dir } = files
  const place = ['tests', 'test'].find((name) => tree.isDirectory(inDir(dir, name)))
  if (!hasPytest) {
    const isTest = (name: string): boolean => /^test.*\.py$/.test(name)
    const found = place !== undefined && tree.list(inDir(dir, place)).some(isTest)
    if (found) {
      // The folder of the tests comes first in the path when it is no package.
      const isPackage = tree.has(inDir(dir, `${place}/__init__.py`))
      return [['test:unit', run('unittest', 'discover', '-s', place, ...(isPackage ? ['-t', '.'] : []))]]
    }
    return tree.list(dir).some(isTest) ? [['test:unit', run('unittest', 'discover')]] : []
  }
  if (place === undefined) return [['test:unit', run('pytest')]]
  const sub = (name: string): boolean => tree.isDirectory(inDir(dir, `${place}/${name}`))
  const integration = ['integration', 'integration_tests'].find(sub)
  const unit = sub('unit')
    ? run('pytest', `${place}/unit`)
    : run('pytest', ...(integration ? [`--ignore=${place}/${integration}`] : []))
  return [
    ['test:unit', unit],
    ...(integration ? [['test:integration', run('pytest', `${place}/${integration}`)] as const] : []),
  ]
}

/** uv and Poetry as the image has them: the project's environment may hold another version of them. */
export function imageTool(line: string): readonly string[] {
  return ['sh', '-c', `export PATH="\${PATH#"$VIRTUAL_ENV/bin:"}"; exec ${line}`]
}

function buildTask(files: PythonFiles, manager: PythonManager, hasBuild: boolean): readonly string[] | undefined {
  const hasBackend = files.project !== undefined && isTable(at(files.project, ['build-system']))
  if (manager.name === 'uv' && hasBackend) return imageTool('uv build --offline')
  if (manager.name === 'poetry' && hasBackend) return imageTool('poetry build')
  // It installs what builds the project into an environment of its own: from what the setup fetched, as there is no network.
  const line = 'PIP_NO_INDEX=1 PIP_FIND_LINKS="$PIP_CACHE_DIR/downloads" exec python -m build'
  return hasBuild ? ['sh', '-c', line] : undefined
}

export function pythonHints(files: PythonFiles): Readonly<Partial<Record<UsualCommand, string>>> {
  const add = (what: string): string => `add ${what} to the development dependencies`
  const tests = files.tree.isDirectory(inDir(files.dir, 'tests')) ? inDir(files.dir, 'tests') : 'tests'
  return {
    'fmt:check': add('ruff or black'),
    'fmt:fix': add('ruff or black'),
    'lint:static': add('ruff, flake8 or pylint'),
    'build:release': add('build'),
    'test:unit': `${add('pytest')}, or put unittest files named test*.py in ${tests}/`,
    'test:integration': `put the tests that need more than the code in ${tests}/integration/`,
    'package:artifact': add('build'),
  }
}
