import type { TestContext } from 'node:test'
import type { StackName, StackUnit } from '../../src/project/types.ts'
import { detectProject } from '../../src/stacks/detect.ts'
import { repository } from '../project/rig.ts'

type Files = Readonly<Record<string, string | Buffer>>

export { repository }

/** The units of a repository with these files. */
export function units(t: TestContext, files: Files, stacks?: readonly StackName[]): readonly StackUnit[] {
  return detectProject(repository(t, files), stacks ? { stacks } : {}).units
}

/** The only unit of a repository. */
export function unit(t: TestContext, files: Files, stacks?: readonly StackName[]): StackUnit {
  const found = units(t, files, stacks)
  if (found.length !== 1)
    throw new Error(`found ${found.map(({ stack, dir }) => `${stack}:${dir}`).join(' ') || 'none'}`)
  return found[0]!
}

/** The commands of a unit, each with its words in one line. */
export function commands(one: StackUnit): Readonly<Record<string, string>> {
  return Object.fromEntries(one.tasks.map(({ command, argv }) => [command, argv.join(' ')]))
}

/** `tool range`, and where it says so. */
export function asked(one: StackUnit): readonly string[] {
  return one.toolchains.map(
    ({ tool, range, where }) =>
      `${tool} ${range}${where ? ` ${where.file}:${where.line}:${where.column}-${where.endColumn}` : ''}`,
  )
}

/** `severity code place: message`. */
export function said(one: StackUnit): readonly string[] {
  return one.diagnostics.map(
    ({ severity, code, where, message }) =>
      `${severity} ${code}${where ? ` ${where.file}:${where.line}:${where.column}` : ''}: ${message}`,
  )
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
