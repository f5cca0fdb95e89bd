import { parseJson } from '../util/text.ts'
import type { EventRow } from './chain.ts'

/** What the events say of a task; of one that waits only that it does. */
export interface SaidTask {
  readonly state: string
  readonly attempts: number
  readonly code?: number
  readonly reason?: string
  readonly gate?: string
  readonly inputs?: string
  readonly ms?: number
  readonly endedAt?: number
  /** The session in which it was begun or ended. */
  readonly session?: number
}

export interface SaidAttempt {
  readonly state: string
  readonly code?: number
  readonly startedAt: number
  /** Undefined also where only the command that found its dwf gone knows when. */
  readonly endedAt?: number
}

/** What a stream of events says that the rows have to say. */
export interface Said {
  readonly state: string
  readonly sessions: number
  readonly ms: number
  readonly endedAt?: number
  /** Hash of what the run is about, as its last session has it. */
  readonly about?: string
  readonly tasks: ReadonlyMap<string, SaidTask>
  /** By task, session and number as JSON. */
  readonly attempts: ReadonlyMap<string, SaidAttempt>
  /** By task and name as JSON. */
  readonly outputs: ReadonlyMap<string, string>
  /** The first event that cannot be read. */
  readonly unreadable?: number
}

export const keyOf = (...parts: readonly (string | number)[]): string => JSON.stringify(parts)

/** Goes through events as the store does when it writes them. They may be anybody's: nothing in them is believed. */
export function replay(events: Iterable<EventRow>): Said {
  const said = new Replay()
  for (const event of events) said.apply(event)
  return said
}

type Fields = Readonly<Record<string, unknown>>

class Replay implements Said {
  state = 'running'
  sessions = 1
  ms = 0
  endedAt?: number
  about?: string
  readonly tasks = new Map<string, SaidTask>()
  readonly attempts = new Map<string, SaidAttempt>()
  readonly outputs = new Map<string, string>()
  unreadable?: number

  apply(event: EventRow): void {
    const data = fieldsOf(event.data)
    if (!data) {
      this.unreadable ??= event.sequence
      return
    }
    const { task, at } = event
    switch (event.type) {
      case 'run-started':
        this.about = text(data.about) ?? ''
        for (const id of texts(data.tasks)) this.tasks.set(id, waiting)
        break
      case 'run-resumed':
        this.#resumed(data)
        break
      case 'run-interrupted':
        this.state = 'interrupted'
        delete this.endedAt
        for (const all of [this.tasks, this.attempts] as Map<string, { state: string }>[])
          for (const [key, one] of all) if (one.state === 'running') all.set(key, { ...one, state: 'interrupted' })
        break
      case 'task-started':
        if (task === null) break
        this.tasks.set(task, { state: 'running', attempts: number(data.attempt) ?? 0, session: this.sessions })
        this.attempts.set(keyOf(task, this.sessions, number(data.attempt) ?? 0), { state: 'running', startedAt: at })
        break
      case 'task-retried':
        if (task !== null) this.#attemptEnded(task, data, data.attempt, at)
        break
      case 'task-ended':
        if (task !== null) this.#taskEnded(task, fieldsIn(data.result), at)
        break
      case 'run-ended': {
        const result = fieldsIn(data.result)
        this.state = runState(result)
        this.ms += number(result.ms) ?? 0
        this.endedAt = at
      }
    }
  }

  #resumed(data: Fields): void {
    this.about = text(data.about) ?? ''
    const planned = texts(data.tasks)
    const kept = new Set(texts(data.kept))
    this.sessions = number(data.session) ?? this.sessions + 1
    this.state = 'running'
    delete this.endedAt
    const before = new Map(this.tasks)
    this.tasks.clear()
    for (const id of planned) this.tasks.set(id, (kept.has(id) ? before.get(id) : undefined) ?? waiting)
    for (const key of [...this.outputs.keys()]) if (!kept.has(JSON.parse(key)[0])) this.outputs.delete(key)
  }

  #taskEnded(task: string, result: Fields, at: number): void {
    const [code, reason, gate, inputs] = [
      number(result.code),
      text(result.reason),
      text(result.gate),
      text(result.inputs),
    ]
    this.tasks.set(task, {
      state: text(result.outcome) ?? '',
      attempts: number(result.attempts) ?? 0,
      ...(code === undefined ? {} : { code }),
      ...(reason === undefined ? {} : { reason }),
      ...(gate === undefined ? {} : { gate }),
      ...(inputs === undefined ? {} : { inputs }),
      ms: number(result.ms) ?? 0,
      endedAt: at,
      session: this.sessions,
    })
    this.#attemptEnded(task, result, result.attempts, at)
    for (const [name, value] of Object.entries(fieldsIn(result.outputs)))
      if (typeof value === 'string') this.outputs.set(keyOf(task, name), value)
  }

  #attemptEnded(task: string, { outcome, code }: Fields, attempt: unknown, at: number): void {
    const key = keyOf(task, this.sessions, number(attempt) ?? 0)
    const begun = this.attempts.get(key)
    if (!begun) return
    const exit = number(code)
    this.attempts.set(key, {
      state: text(outcome) ?? '',
      ...(exit === undefined ? {} : { code: exit }),
      startedAt: begun.startedAt,
      endedAt: at,
    })
  }
}

const waiting: SaidTask = { state: 'waiting', attempts: 0 }

/** As the store decides it from a result. */
function runState({ ok, ended }: Fields): string {
  if (ended === 'cancelled') return 'cancelled'
  if (ended === 'deadline') return 'timed-out'
  return ok === true ? 'passed' : 'failed'
}

function fieldsOf(json: string): Fields | undefined {
  const value = parseJson(json)
  return isFields(value) ? value : undefined
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const fieldsIn = (value: unknown): Fields => (isFields(value) ? value : {})
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
