import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { readToml } from '../config/read-toml.ts'
import { type Diagnostic, Failure, failure } from '../util/diagnostics.ts'
import { expandWorkflow } from './expand.ts'
import { type FileProblem, locateProblems } from './problems.ts'
import type { RawWorkflow } from './raw.ts'
import { checkShape } from './shape.ts'
import type { Workflow } from './types.ts'

/** Bytes. */
const sizeLimit = 4 * 1024 * 1024

export interface ReadOptions {
  /** As it is asked for: `team/deploy`. */
  readonly name: string
  /** Of the project, absolute. */
  readonly root: string
  /** A key that dwf does not know is an error, not only where it is nearly a known one. */
  readonly strict?: boolean
  /** Names of `--var`: a task must not set one of them. */
  readonly vars?: readonly string[]
}

export interface ReadWorkflow {
  readonly workflow: Workflow
  /** Warnings, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * A workflow file, checked as a whole and expanded.
 * @param file absolute path, as `findWorkflow` gives it
 * @throws Failure('wrong-input') with every problem, located
 */
export async function readWorkflow(file: string, options: ReadOptions): Promise<ReadWorkflow> {
  return parseWorkflow(file, readText(file), options)
}

/** The same, of a text that was read. */
export async function parseWorkflow(file: string, content: string, options: ReadOptions): Promise<ReadWorkflow> {
  // A line end of Windows would be part of the last word of each line that sh reads.
  const text = content.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')
  const raw = (await readToml(file, text)) as RawWorkflow
  const shape = checkShape(raw, { strict: options.strict ?? false })
  const refuse = async (problems: readonly FileProblem[]) => {
    throw new Failure('wrong-input', await locateProblems(file, text, problems))
  }
  if (hasError(shape)) await refuse(shape)
  const { workflow, problems } = expandWorkflow(raw, {
    name: options.name,
    file,
    text,
    root: realpathSync(options.root),
    variables: new Set(options.vars),
  })
  const all = [...shape, ...problems]
  if (hasError(all)) await refuse(all)
  return { workflow, diagnostics: await locateProblems(file, text, all) }
}

const hasError = (problems: readonly FileProblem[]): boolean => problems.some(({ severity }) => severity === 'error')

/** Opening does not block where somebody put a pipe, and does not follow a link that was put there since it was found. */
function readText(file: string): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new Error('it is not a regular file')
    if (stat.size > sizeLimit) throw new Error('it is larger than 4 MiB')
    const bytes = Buffer.alloc(stat.size)
    let length = 0
    for (let count = -1; count !== 0 && length < bytes.length; length += count)
      count = readSync(descriptor, bytes, length, bytes.length - length, null)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw failure('wrong-input', 'unreadable', `cannot read ${file}: ${reasons[code ?? ''] ?? message}`)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ELOOP: 'it is a link',
  EACCES: 'you may not read it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8',
}
