import { realpathSync } from 'node:fs'
import { isAbsolute, join, posix, relative } from 'node:path'
import { isInside } from '../util/paths.ts'
import { errorAt, type FileProblem, warningAt } from './problems.ts'

/** Where the kernel shows its insides: a task that works there changes the machine. */
const kernel = /^\/(?:proc|sys|dev)(?:\/|$)/

/**
 * Where a task works.
 * @param root of the project, absolute, without links
 * @returns `dir` from the root (`''` is the root), or absolute
 */
export function workingDir(
  task: string,
  value: string,
  { root, runtime }: { readonly root: string; readonly runtime: 'container' | 'host' },
): { readonly dir: string; readonly problems: readonly FileProblem[] } {
  const path = ['tasks', task, 'working_dir']
  const refuse = (code: string, message: string, hint?: string) => ({
    dir: '',
    problems: [errorAt(path, 'value', code, message, hint)],
  })
  if (value.includes('{{'))
    return refuse('not-a-template', 'working_dir has no variables', 'change the folder in cmd: cd "{{.name}}" && …')
  const target = isAbsolute(value) ? posix.normalize(value) : join(root, value)
  const real = realpath(target)
  if (kernel.test(target) || kernel.test(real))
    return refuse('kernel-folder', `a task cannot work in ${kernel.test(target) ? target : real}`)
  const problems: FileProblem[] = []
  if (value !== '' && !isAbsolute(value) && !value.startsWith('.'))
    problems.push(
      warningAt(
        path,
        'value',
        'plain-folder',
        `"${value}" is taken from the root of the project`,
        `write ./${value}: other tools take it from where they were started`,
      ),
    )
  const isIn = isInside(root, target)
  if (isIn && isInside(root, real))
    return { dir: relative(root, target), problems: isAbsolute(value) ? [absolute()] : problems }
  if (runtime === 'host') return { dir: isIn ? relative(root, target) : target, problems }
  if (isAbsolute(value) && !isIn) return { dir: target, problems: [absolute()] }
  return refuse(
    'outside',
    isIn ? `"${value}" is a link that leads out of the project` : `"${value}" is outside of the project`,
    'a container sees the project only',
  )

  function absolute(): FileProblem {
    return warningAt(
      path,
      'value',
      'absolute-folder',
      `${value} is another folder, or none, on other machines and in containers`,
      'write it from the root of the project',
    )
  }
}

/** What is there of a path, its links followed: the rest may be made by a task. */
function realpath(target: string): string {
  for (let folder = target, rest = ''; ; ) {
    try {
      return join(realpathSync(folder), rest)
    } catch {
      if (folder === '/') return target
      rest = join(posix.basename(folder), rest)
      folder = posix.dirname(folder)
    }
  }
}
