import { isUtf8 } from 'node:buffer'
import { relative, resolve, sep } from 'node:path'
import { filesBelow } from '../../scaffold/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { isInside } from '../../util/paths.ts'
import type { Globals } from '../globals.ts'
import { linkAbove, readOwn } from './read-own.ts'

export interface WorkflowText {
  /** From the root of the repository. */
  readonly path: string
  readonly bytes: Buffer
  readonly text: string
}

/** The workflows that are named, or all of the repository. @throws Failure('wrong-input') for one that cannot be read */
export function workflowFiles(
  root: string,
  names: readonly string[],
  globals: Pick<Globals, 'cwd'>,
): readonly WorkflowText[] {
  const paths =
    names.length > 0
      ? names.map((name) => {
          const whole = resolve(globals.cwd, name)
          if (!isInside(root, whole))
            throw failure('wrong-input', 'outside-repository', `${name} is not in ${root}`, 'see -C DIR')
          return relative(root, whole).replaceAll(sep, '/')
        })
      : filesBelow(root, '.github/workflows').filter((path) => /^[^/]+\/[^/]+\/[^/]+\.ya?ml$/.test(path))
  return [...new Set(paths)].map((path) => {
    const bytes = linkAbove(root, path) === undefined ? readOwn(root, path) : undefined
    if (!bytes)
      throw failure(
        'wrong-input',
        'unreadable',
        `${path} cannot be read`,
        'name a file of at most 4 MiB, no link and behind none',
      )
    if (!isUtf8(bytes)) throw failure('wrong-input', 'not-text', `${path} is not UTF-8`, 'save it as UTF-8')
    return { path, bytes, text: bytes.toString('utf8') }
  })
}
