import type { RunKind } from '../../store/journal.ts'
import type { Globals } from '../globals.ts'
import type { Prepared, PrepareRequest } from '../prepare.ts'
import type { RunCommandOptions } from './options.ts'

/** What a run was asked for, so that it can be asked for again: kept with the run. */
export interface KeptOptions {
  readonly schema: 'dwf.options/1'
  readonly request: PrepareRequest
  /** Absolute, where `--config` named one. */
  readonly config?: string
  readonly allowRoot: boolean
  readonly jobs: number
  readonly keepGoing: boolean
  readonly offline: boolean
  readonly deadlineMs?: number
  /** One job of CI: nothing that can be gone on with by itself. */
  readonly part?: string
}

export function keptOptions(
  prepared: Prepared,
  options: Pick<RunCommandOptions, 'keepGoing' | 'offline' | 'part'> & {
    readonly jobs: number
    readonly deadlineMs?: number | undefined
  },
  globals: Pick<Globals, 'config' | 'allowRoot'>,
): KeptOptions {
  const { deadlineMs, part } = options
  return {
    schema: 'dwf.options/1',
    request: prepared.request,
    ...(globals.config === undefined ? {} : { config: globals.config }),
    allowRoot: globals.allowRoot,
    jobs: options.jobs,
    keepGoing: options.keepGoing === true,
    offline: options.offline === true,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(part === undefined ? {} : { part }),
  }
}

export function kindOf({ plan }: Prepared): RunKind {
  if (plan.workflow) return 'workflow'
  if (plan.requested.some((word) => word.startsWith('check'))) return 'check'
  return plan.requested.length > 0 && plan.requested.every((word) => word.startsWith('scan')) ? 'scan' : 'task'
}
