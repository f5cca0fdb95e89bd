import { at, isTable, stringAt } from '../project/manifest.ts'
import { pep440Range } from './pep440.ts'
import type { PythonFiles } from './python.ts'
import type { PythonManager } from './python-setup.ts'
import { joinRequests, type Requests } from './unit.ts'
import { type Mention, prefixRange, request, toolVersions, versionFiles } from './versions.ts'

/** Python, and uv or Poetry where the project uses one. */
export function pythonRequests(files: PythonFiles, manager: PythonManager): Requests {
  const { tree, dir } = files
  const poetry = at(files.project ?? nothing, ['tool', 'poetry', 'dependencies', 'python'])
  const poetryPath = ['tool', 'poetry', 'dependencies', 'python', ...(isTable(poetry) ? ['version'] : [])]
  const interpreter = request('python', [
    ...versionFiles(tree, dir, ['.python-version'], pythonVersion),
    ...runtimeFile(files),
    ...toolVersions(tree, dir, 'python', pythonVersion),
    mention(files, ['project', 'requires-python']),
    mention(files, poetryPath),
  ])
  if (manager.name === 'pip') return interpreter
  const versions = [
    ...toolVersions(tree, dir, manager.name),
    mention(files, ['tool', manager.name, manager.name === 'uv' ? 'required-version' : 'requires-poetry']),
  ]
  return joinRequests([interpreter, request(manager.name, versions)])
}

const nothing = { file: '', text: '', value: {}, span: () => undefined, problems: [] }

/** pyenv's file may say `3.12`, `3.12.1`, `cpython-3.12` or another implementation, which is not in an image. */
function pythonVersion(text: string): string | undefined {
  return prefixRange(text.replace(/^(?:cpython-|python-?)/, ''))
}

/** Heroku's runtime.txt: `python-3.12.1`. */
function runtimeFile({ tree, dir }: PythonFiles): readonly Mention[] {
  return versionFiles(tree, dir, ['runtime.txt'], pythonVersion).filter((one) => one.asked.startsWith('python-'))
}

function mention(files: PythonFiles, path: readonly string[]): Mention | undefined {
  const asked = files.project && stringAt(files.project, path)
  return asked === undefined ? undefined : { asked, range: pep440Range(asked), where: files.project?.span(path) }
}
