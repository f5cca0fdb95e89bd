import type { Plan, PlannedTask, TaskId } from '../plan/types.ts'
import type { TaskResult } from './types.ts'

/** Why a variable has no value. */
export interface NoValue {
  readonly missing: string
  readonly because: string
}

/**
 * The variables of a run: what `--var` gave, the cells of matrices, and what tasks gave to those after them. A value of a
 * task is known as `TASK.NAME`, and a registered one by its name alone.
 */
export class Values {
  readonly #plan: Plan
  readonly #values = new Map<string, string>()
  readonly #results = new Map<TaskId, TaskResult>()

  constructor(plan: Plan) {
    this.#plan = plan
    for (const [name, value] of Object.entries(plan.workflow?.variables ?? {})) this.#values.set(name, value)
    for (const { id, workflow } of plan.tasks) {
      for (const [key, value] of Object.entries(workflow?.matrix?.values ?? {})) this.#values.set(`${id}.${key}`, value)
    }
    for (const { base, nodes } of plan.workflow?.matrices ?? []) this.#shareCells(base, nodes)
  }

  /** What a task gave is there for those after it. A name that `--var` set before is the task's from now on. */
  ended(task: PlannedTask, result: TaskResult): void {
    this.#results.set(task.id, result)
    const base = task.workflow?.matrix?.base
    for (const [name, value] of Object.entries(result.outputs ?? {})) {
      this.#values.set(`${task.id}.${name}`, value)
      // Of a matrix with one cell, as of a task without one.
      if (base && this.#plan.workflow?.matrices.find((one) => one.base === base)?.nodes.length === 1)
        this.#values.set(`${base}.${name}`, value)
      if (name === task.workflow?.register) this.#values.set(name, value)
    }
  }

  /** @param more variables of this moment, such as those of a handler */
  get(task: PlannedTask, name: string, more: Readonly<Record<string, string>> = {}): string | undefined {
    const cell = task.workflow?.matrix?.values
    if (cell && Object.hasOwn(cell, name)) return cell[name]
    return Object.hasOwn(more, name) ? more[name] : this.#values.get(name)
  }

  /** What a task reads of them, for its environment. */
  environment(
    task: PlannedTask,
    more: Readonly<Record<string, string>> = {},
  ): { readonly env: Readonly<Record<string, string>> } | NoValue {
    const env: Record<string, string> = {}
    const { references = [], templates = {} } = task.workflow ?? {}
    for (const { variable, env: name } of references) {
      const value = this.get(task, variable, more)
      if (value === undefined) return this.#missing(variable)
      env[name] = value
    }
    for (const [name, parts] of Object.entries(templates)) {
      let text = ''
      for (const part of parts) {
        const value = 'text' in part ? part.text : this.get(task, part.variable, more)
        if (value === undefined) return this.#missing((part as { variable: string }).variable)
        text += value
      }
      env[name] = text
    }
    return { env }
  }

  #missing(name: string): NoValue {
    const source = this.#plan.tasks.find(({ id, workflow }) => workflow?.register === name || name.startsWith(`${id}.`))
    const result = source && this.#results.get(source.id)
    return {
      missing: name,
      because: !source
        ? 'nothing has set it'
        : result
          ? `${source.id}, which sets it, ${result.outcome === 'passed' ? 'did not give it' : `was ${result.outcome}`}`
          : `${source.id}, which sets it, has not run`,
    }
  }

  /** `build.os` where every cell of `build` has the same one. */
  #shareCells(base: string, nodes: readonly TaskId[]): void {
    const cells = this.#plan.tasks
      .filter(({ id }) => nodes.includes(id))
      .map(({ workflow }) => workflow!.matrix!.values)
    for (const [key, value] of Object.entries(cells[0] ?? {}))
      if (cells.every((cell) => cell[key] === value)) this.#values.set(`${base}.${key}`, value)
  }
}
