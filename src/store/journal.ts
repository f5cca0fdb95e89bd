import { existsSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Plan } from '../plan/types.ts'
import type { Journal, Outcome, RecordedEvent, RunResult } from '../run/types.ts'
import { failure, unreachable } from '../util/diagnostics.ts'
import { type About, aboutHash } from './about.ts'
import { append, type Head, headOf } from './append.ts'
import { heartbeatMs, takeLease } from './leases.ts'
import type { WriteQueue } from './queue.ts'

export type RunKind = 'check' | 'task' | 'scan' | 'workflow'
export type RunState = 'running' | 'passed' | 'failed' | 'cancelled' | 'timed-out' | 'interrupted'
/** `interrupted`: its dwf went away under it. */
export type TaskState = 'waiting' | 'running' | 'interrupted' | Outcome

/** What is known of a run before its first task. */
export interface NewRun {
  readonly id: string
  readonly kind: RunKind
  /** What was asked for: `check:pr`, `deploy`. */
  readonly title: string
  readonly project: string
  /** Absolute. */
  readonly root: string
  readonly workflow?: string
  readonly tags: readonly string[]
  readonly plan: Plan
  /** All that the same run needs to be asked for again. */
  readonly options: object
  /** Fingerprint of the image; empty without one. */
  readonly image: string
  readonly dwf: string
  readonly at: number
}

export interface OpenJournal extends Journal {
  /** Tells which engine the run's containers are in, for whoever has to remove them. */
  usesEngine(name: string): void
  close(): void
}

/** The state that a run ended in. */
export function stateOf({ ok, ended }: RunResult): RunState {
  if (ended === 'cancelled') return 'cancelled'
  if (ended === 'deadline') return 'timed-out'
  return ok ? 'passed' : 'failed'
}

/** Rows of a new run; its lease is this process's. */
export function insertRun(database: DatabaseSync, run: NewRun): number {
  database
    .prepare(
      `INSERT INTO runs (id, kind, title, project, root, workflow, tags, plan_hash, plan, options, image, dwf, state,
                         sessions, started_at, ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', 1, ?, 0)`,
    )
    .run(
      run.id,
      run.kind,
      run.title,
      run.project,
      run.root,
      run.workflow ?? null,
      JSON.stringify(run.tags),
      run.plan.hash,
      JSON.stringify(run.plan),
      JSON.stringify(run.options),
      run.image,
      run.dwf,
      run.at,
    )
  insertTasks(database, run.id, run.plan)
  return takeLease(database, run.id, run.at)
}

/** A row for each task of a plan that has none yet. */
export function insertTasks(database: DatabaseSync, run: string, plan: Plan): void {
  const insert = database.prepare(
    `INSERT INTO tasks (run, id, position, state, hash, attempts, ms) VALUES (?, ?, ?, 'waiting', ?, 0, 0)
     ON CONFLICT (run, id) DO UPDATE SET position = excluded.position, hash = excluded.hash`,
  )
  for (const [position, task] of plan.tasks.entries()) insert.run(run, task.id, position, task.hash)
}

/** The journal of a run whose lease this process has. */
export function openJournal(
  database: DatabaseSync,
  queue: WriteQueue,
  run: {
    readonly id: string
    readonly token: () => number
    readonly session: () => number
    /** Makes the run this process's; done with its first event, or not at all. */
    readonly begin: () => void
  },
): OpenJournal {
  /** On the disk. */
  let head: Head | undefined
  /** The same, with what waits for a commit. */
  let next: Head | undefined
  let hasBegun = false
  let onLost: (error: Error) => void = () => {}
  const rows = new Rows(database, run.id, run.session)
  const ownToken = run.token
  const lease = database.prepare('SELECT token FROM leases WHERE run = ?')
  const lock = database.prepare('SELECT token FROM locks WHERE name = ? AND run = ?')
  const beat = database.prepare('UPDATE leases SET heartbeat = ? WHERE run = ? AND token = ?')
  const beating = setInterval(() => {
    try {
      const { changes } = beat.run(Date.now(), run.id, ownToken())
      if (changes === 0 && ownToken() > 0) onLost(lost(run.id))
    } catch {
      // A database that is busy or full: the next event says so where it matters.
    }
  }, heartbeatMs)
  beating.unref()
  const about = database.prepare(
    'SELECT kind, title, project, root, workflow, tags, plan_hash, options, image, dwf FROM runs WHERE id = ?',
  )
  // What begins a session binds what the run is about to the chain.
  const complete = (event: RecordedEvent): RecordedEvent =>
    event.type === 'run-started' || event.type === 'run-resumed'
      ? { ...event, about: aboutHash(about.get(run.id) as unknown as About) }
      : event
  const guard = (event: RecordedEvent) => {
    if ((lease.get(run.id) as { token: number } | undefined)?.token !== ownToken()) throw lost(run.id)
    if (event.type !== 'task-ended' || !event.lock) return
    const { name, token } = event.lock
    if ((lock.get(name, run.id) as { token: number } | undefined)?.token !== token)
      throw failure(
        'refused',
        'lock-lost',
        `${event.task} held the lock ${name} with token ${token}, which is somebody else's now`,
        'what it did counts as not done; look at what it left before dwf resume',
      )
  }
  return {
    async record(event, options) {
      let own: Head | undefined
      await queue
        .add(() => {
          if (event.type === 'run-ended' && !existsSync(queue.file)) throw gone(queue.file)
          const before = next
          try {
            if (!hasBegun) run.begin()
            guard(event)
            next = append(database, next ?? headOf(database, run.id), complete(event))
            rows.apply(event)
            own = next
            hasBegun = true
          } catch (error) {
            next = before
            throw error
          }
        }, options)
        .catch((error) => {
          // It was written, and then the commit of its turn failed.
          if (own) {
            next = head
            hasBegun = head !== undefined
          }
          throw error
        })
      head = own
    },
    head: () => (head ?? headOf(database, run.id)).hash,
    onLost: (listener) => {
      onLost = listener
    },
    usesEngine: (name) => {
      // It goes with the next event: the run may not be there yet.
      queue
        .add(() => void database.prepare('UPDATE runs SET engine = ? WHERE id = ?').run(name, run.id), { isIdle: true })
        .catch(() => {})
    },
    close: () => clearInterval(beating),
  }
}

const gone = (file: string) =>
  failure(
    'machine-cannot',
    'store-gone',
    `the store of runs was removed while the run went on: ${file}`,
    'how its tasks ended is above; nothing of it is kept',
  )

const lost = (run: string) =>
  failure('refused', 'lease-lost', `run ${run} is another dwf's now`, 'dwf status shows which one has it')

/** What events say of runs, tasks, attempts and outputs, as rows that can be asked for. */
class Rows {
  readonly #database: DatabaseSync
  readonly #run: string
  readonly #session: () => number
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, run: string, session: () => number) {
    this.#database = database
    this.#run = run
    this.#session = session
  }

  apply(event: RecordedEvent): void {
    switch (event.type) {
      case 'run-started':
      case 'run-interrupted':
      case 'run-resumed':
      case 'lock-taken':
        break
      case 'task-started':
        this.#do(
          `UPDATE tasks SET state = 'running', attempts = ?3, session = ?4,
             started_at = CASE WHEN ?3 = 1 OR started_at IS NULL THEN ?5 ELSE started_at END, ended_at = NULL, code = NULL,
             reason = NULL WHERE run = ?1 AND id = ?2`,
          this.#run,
          event.task,
          event.attempt,
          this.#session(),
          event.at,
        )
        this.#do(
          `INSERT INTO attempts (run, task, session, number, state, started_at) VALUES (?, ?, ?, ?, 'running', ?)`,
          this.#run,
          event.task,
          this.#session(),
          event.attempt,
          event.at,
        )
        break
      case 'task-retried':
        this.#attemptEnded(event.task, event.attempt, event.outcome, event.code, event.at)
        break
      case 'task-ended':
        this.#taskEnded(event)
        break
      case 'run-ended':
        this.#do(
          'UPDATE runs SET state = ?, ended_at = ?, ms = ms + ? WHERE id = ?',
          stateOf(event.result),
          event.at,
          event.result.ms,
          this.#run,
        )
        this.#do('DELETE FROM locks WHERE run = ?', this.#run)
        this.#do('DELETE FROM leases WHERE run = ?', this.#run)
        break
      default:
        unreachable(event)
    }
  }

  #taskEnded({ task, at, result }: RecordedEvent & { type: 'task-ended' }): void {
    this.#do(
      `UPDATE tasks SET state = ?, attempts = ?, code = ?, reason = ?, gate = ?, inputs = ?, ended_at = ?, ms = ?, session = ?
       WHERE run = ? AND id = ?`,
      result.outcome,
      result.attempts,
      result.code ?? null,
      result.reason ?? null,
      result.gate ?? null,
      result.inputs ?? null,
      at,
      result.ms,
      this.#session(),
      this.#run,
      task,
    )
    if (result.attempts > 0) this.#attemptEnded(task, result.attempts, result.outcome, result.code, at)
    for (const [name, value] of Object.entries(result.outputs ?? {}))
      this.#do(
        'INSERT OR REPLACE INTO outputs (run, task, name, value) VALUES (?, ?, ?, ?)',
        this.#run,
        task,
        name,
        value,
      )
  }

  #attemptEnded(task: string, number: number, outcome: Outcome, code: number | undefined, at: number): void {
    this.#do(
      'UPDATE attempts SET state = ?, code = ?, ended_at = ? WHERE run = ? AND task = ? AND session = ? AND number = ?',
      outcome,
      code ?? null,
      at,
      this.#run,
      task,
      this.#session(),
      number,
    )
  }

  #do(sql: string, ...values: (string | number | null)[]): void {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    statement.run(...values)
  }
}
