/** How a task of the model behaves. Times are steps of a clock that only the test moves. */
export interface ModelTask {
  readonly id: string
  readonly needs: readonly string[]
  readonly weight: number
  readonly retries: number
  /** So many attempts fail before one passes. */
  readonly failures: number
  /** Of one attempt. */
  readonly takes: number
  readonly ignoreFailure: boolean
  readonly condition?: 'always' | 'failure' | 'success' | 'cancelled'
}

export interface ModelRun {
  readonly tasks: readonly ModelTask[]
  readonly jobs: number
  readonly keepGoing: boolean
  /** The clock at which somebody presses Ctrl-C. */
  readonly cancelAt?: number
  /** Done before. */
  readonly kept: readonly string[]
}

export interface ModelResult {
  /** Attempts in the order in which they begin: `id#number`. */
  readonly started: readonly string[]
  readonly outcomes: Readonly<Record<string, string>>
  readonly attempts: Readonly<Record<string, number>>
}

interface Running {
  readonly task: ModelTask
  readonly attempt: number
  readonly endsAt: number
  readonly order: number
  /** It was told to end, and will before the clock moves. */
  readonly isEnding?: boolean
}

/**
 * What a run does, in the plainest way: looks at every task again after everything that happens. Written from the words
 * of docs/workflows.md, and of no use but to disagree with the real one.
 */
export function modelOf({ tasks, jobs, keepGoing, cancelAt, kept }: ModelRun): ModelResult {
  const outcomes: Record<string, string> = {}
  const attempts: Record<string, number> = {}
  const started: string[] = []
  let running: Running[] = []
  let clock = 0
  let order = 0
  let stopped = false
  let cancelled = false
  const good = (id: string) => ['passed', 'ignored', 'skipped'].includes(outcomes[id]!)
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const failedBefore = (id: string): boolean =>
    byId.get(id)!.needs.some((need) => outcomes[need] === 'failed' || failedBefore(need))
  const begin = (task: ModelTask, attempt: number) => {
    attempts[task.id] = attempt
    started.push(`${task.id}#${attempt}`)
    running.push({ task, attempt, endsAt: clock + task.takes, order: order++ })
  }
  /** It would run now: success() does not. */
  const survives = ({ condition }: ModelTask) => condition !== undefined && condition !== 'success'
  const decide = (task: ModelTask): string => {
    const { condition } = task
    const bad = task.needs.find((need) => !good(need))
    if (condition === undefined || condition === 'success') {
      if (bad || stopped || cancelled) return 'not-run'
      return condition === 'success' && failedBefore(task.id) ? 'skipped' : 'run'
    }
    const answer = {
      always: true,
      failure: failedBefore(task.id),
      cancelled,
    }[condition]
    return answer ? 'run' : 'skipped'
  }
  for (const id of kept) outcomes[id] = 'passed'
  for (;;) {
    for (let again = true; again; ) {
      again = false
      for (const task of tasks) {
        if (outcomes[task.id] !== undefined || running.some((one) => one.task.id === task.id)) continue
        if (!task.needs.every((need) => outcomes[need] !== undefined)) continue
        const decision = decide(task)
        if (decision !== 'run') {
          outcomes[task.id] = decision
          attempts[task.id] = 0
          again = true
          break
        }
        const load = running.reduce((sum, one) => sum + Math.min(one.task.weight, jobs), 0)
        if (load > 0 && load + Math.min(task.weight, jobs) > jobs) break
        begin(task, 1)
        again = true
        break
      }
    }
    if (running.length === 0) break
    const ending = running.filter(({ isEnding }) => isEnding)
    if (ending.length > 0) {
      // Ends that coincide share a commit, and count together.
      running = running.filter(({ isEnding }) => !isEnding)
      for (const { task } of ending) outcomes[task.id] = 'cancelled'
      continue
    }
    const next = running.reduce((a, b) => (b.endsAt < a.endsAt || (b.endsAt === a.endsAt && b.order < a.order) ? b : a))
    if (cancelAt !== undefined && !cancelled && cancelAt <= next.endsAt) {
      clock = cancelAt
      cancelled = true
      stopAll()
      continue
    }
    clock = next.endsAt
    running = running.filter((one) => one !== next)
    const { task, attempt } = next
    if (attempt > task.failures) outcomes[task.id] = 'passed'
    else if (attempt <= task.retries) begin(task, attempt + 1)
    else if (task.ignoreFailure) outcomes[task.id] = 'ignored'
    else {
      outcomes[task.id] = 'failed'
      if (!keepGoing) {
        stopped = true
        stopAll()
      }
    }
  }
  return { started, outcomes, attempts }

  /** What asks how others ended goes on: it is what cleans up. */
  function stopAll(): void {
    running = running.map((one) => (survives(one.task) ? one : { ...one, isEnding: true }))
  }
}
