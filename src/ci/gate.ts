/** What the first job of a workflow passes on: the plan that the other jobs share in. */
export interface CiStart {
  readonly schema: 'dwf.ci/1'
  /** Version of dwf. */
  readonly dwf: string
  /** Of `[targets]`. */
  readonly target: string
  /** What the plan was asked for. */
  readonly commands: readonly string[]
  /** Hash of the plan. */
  readonly plan: string
  readonly tasks: readonly { readonly id: string; readonly hash: string; readonly part: string }[]
  /** What the change would loosen, in sentences; none of it counts yet. */
  readonly loosened: readonly string[]
}

/** What one job says that it ran: an output of it, as JSON. */
export interface PartReport {
  readonly schema: 'dwf.part/1'
  readonly plan: string
  readonly part: string
  /** Hashes of the tasks that passed. */
  readonly passed: readonly string[]
}

/** `needs` of GitHub Actions: how each job ended, with its outputs. */
export type Needs = Readonly<
  Record<string, { readonly result: string; readonly outputs?: Readonly<Record<string, string>> }>
>

/**
 * Whether the jobs together ran the whole plan, and everything passed. Pure.
 * @returns one sentence for each thing that is missing; none is a pass
 */
export function missingFrom(start: CiStart, needs: Needs): readonly string[] {
  const problems: string[] = []
  const passed = new Map<string, ReadonlySet<string>>()
  for (const [job, { result, outputs }] of Object.entries(needs)) {
    // One that is skipped is missed below, where the plan has something that only it runs.
    if (result !== 'success' && result !== 'skipped') problems.push(`job ${job}: ${result}`)
    if (result !== 'success') continue
    const report = readReport(outputs?.report)
    if (report === 'unreadable') problems.push(`job ${job} does not say what it ran`)
    else if (report && report.plan !== start.plan)
      problems.push(`job ${job} ran another plan: ${report.plan.slice(0, 12)}, not ${start.plan.slice(0, 12)}`)
    else if (report) passed.set(job, new Set(report.passed))
  }
  // A job speaks for its own part alone: what runs the code of a change cannot say that a gate passed.
  for (const { id, hash, part } of start.tasks)
    if (!passed.get(part)?.has(hash))
      problems.push(
        Object.hasOwn(needs, part)
          ? `${id} did not pass in job ${part}`
          : `${id} ran in no job: "dwf ci:generate" writes the job ${part}`,
      )
  if (start.tasks.length === 0) problems.push('the plan has no task')
  return problems
}

function readReport(text: string | undefined): PartReport | 'unreadable' | undefined {
  if (text === undefined || text === '') return undefined
  const report = parse(text) as Partial<PartReport> | undefined
  const isWhole = report?.schema === 'dwf.part/1' && typeof report.plan === 'string' && areTexts(report.passed)
  return isWhole ? (report as PartReport) : 'unreadable'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @throws SyntaxError for text that is not what the first job wrote */
export function readStart(text: string): CiStart {
  const start = JSON.parse(text) as Partial<CiStart> | null
  const isTask = (task: unknown) =>
    ['id', 'hash', 'part'].every((key) => typeof (task as Record<string, unknown> | null)?.[key] === 'string')
  if (
    start?.schema !== 'dwf.ci/1' ||
    typeof start.plan !== 'string' ||
    !Array.isArray(start.tasks) ||
    !start.tasks.every(isTask) ||
    !areTexts(start.commands) ||
    !areTexts(start.loosened)
  )
    throw new SyntaxError('it is not what "dwf ci:start" writes')
  return start as CiStart
}

const areTexts = (list: unknown): boolean => Array.isArray(list) && list.every((one) => typeof one === 'string')

/** @throws SyntaxError for text that is not `toJSON(needs)` */
export function readNeeds(text: string): Needs {
  const needs = JSON.parse(text) as Needs | null
  const isJob = (job: unknown) => typeof (job as { result?: unknown } | null)?.result === 'string'
  if (typeof needs !== 'object' || needs === null || Array.isArray(needs) || !Object.values(needs).every(isJob))
    throw new SyntaxError('it is not toJSON(needs)')
  return needs
}
