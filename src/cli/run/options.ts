import { availableParallelism } from 'node:os'
import { failure } from '../../util/diagnostics.ts'
import { parseDuration } from '../../util/units.ts'
import type { Globals } from '../globals.ts'
import { readReports } from '../scan-document.ts'
import { statusTarget } from '../status-target.ts'

export interface RunCommandOptions {
  readonly rest: readonly string[]
  readonly jobs?: string
  readonly keepGoing?: boolean
  readonly offline?: boolean
  readonly deadline?: string
  /** `FORMAT=FILE` or the context of a commit status, each. */
  readonly report?: readonly string[]
  /** devflow.lock may name another version of dwf than this one. */
  readonly anyVersion?: boolean
  /** `NAME=VALUE`, each: variables of a workflow. */
  readonly var?: readonly string[]
  /** The run is a part of a plan, whose gates may be in another. */
  readonly part?: string
}

/** @throws Failure('wrong-input') for what cannot be read or had */
export function readOptions(options: RunCommandOptions, globals: Globals, { isWorkflow = false } = {}) {
  const { files, contexts } = readReports(options.report, globals.cwd)
  const isReported = contexts.length > 0 && !globals.dryRun
  return {
    reports: files,
    statuses: isReported ? { contexts, target: statusTarget(process.env) } : undefined,
    // A workflow was written for one task after the other, in its order, unless somebody says how many.
    jobs: options.jobs === undefined && isWorkflow ? 1 : readJobs(options.jobs),
    deadlineMs: readDeadline(options.deadline),
  }
}

/** Options that were read: what they ask for can be had. */
export type WantedRun = ReturnType<typeof readOptions>

export function readJobs(text: string | undefined): number {
  if (text === undefined) return Math.min(4, availableParallelism())
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw failure('wrong-input', 'usage', `--jobs must be a whole number from 1 to 999, not ${JSON.stringify(text)}`)
  return Number(text)
}

function readDeadline(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms === undefined)
    throw failure('wrong-input', 'usage', `--deadline must be a duration such as 30m, not ${JSON.stringify(text)}`)
  return ms
}

/** `NAME=VALUE` words, cut at the first `=`. */
export function readVariables(words: readonly string[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (words ?? []).map((word): [string, string] => {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_.-]*)=([^\0]*)$/s.exec(word) ?? []
      if (name === undefined)
        throw failure(
          'wrong-input',
          'usage',
          `--var must be NAME=VALUE, not ${JSON.stringify(word)}`,
          '--var region=eu',
        )
      return [name, value!]
    }),
  )
}
