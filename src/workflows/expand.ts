import { isConditionError, parseCondition, variablesOf } from '../conditions/parse.ts'
import type { Condition } from '../conditions/types.ts'
import { checkEnv, templateOf } from './environment.ts'
import { type Graph, readGraph } from './graph.ts'
import { findHandlers, handlerVariables } from './handlers.ts'
import { expandMatrices, type Families, type Family } from './nodes.ts'
import { errorAt, type FileProblem, warningAt } from './problems.ts'
import type { RawWorkflow } from './raw.ts'
import { readRegisters } from './register.ts'
import { checkDuration, checkTask, limitOf, retryDelayOf } from './settings.ts'
import { findReferences } from './template/references.ts'
import { type Rewritten, rewrite } from './template/rewrite.ts'
import type { Workflow, WorkflowTask } from './types.ts'
import { resolveUses, type Use } from './variables.ts'
import { workingDir } from './working-dir.ts'

export interface Source {
  readonly name: string
  readonly file: string
  readonly text: string
  /** Of the project, absolute, without links. */
  readonly root: string
  /** Names of `--var`, where they are known. */
  readonly variables: ReadonlySet<string>
}

/** What a task of the file is made into; its nodes share it. */
interface Prepared extends Rewritten {
  readonly dir: string
  readonly condition?: Condition
}

/** A document that has its shape → the workflow and every problem of it. With an error the workflow is not to be used. */
export function expandWorkflow(
  raw: RawWorkflow,
  source: Source,
): { readonly workflow: Workflow; readonly problems: readonly FileProblem[] } {
  const problems: FileProblem[] = [...checkFile(raw, source)]
  const { families, problems: matrixProblems } = expandMatrices(raw.tasks)
  const { handlers, problems: handlerProblems } = findHandlers(raw, families)
  const graph = readGraph(families, handlers)
  const registers = readRegisters(families, source.variables)
  problems.push(...matrixProblems, ...handlerProblems, ...graph.problems, ...registers.problems)
  const isWhole = problems.every(({ severity }) => severity === 'warning')
  const prepared = new Map<string, Prepared>()
  const uses: Use[] = []
  for (const family of families.values()) {
    const isKnown = (name: string) =>
      registers.owners.has(name) ||
      source.variables.has(name) ||
      Object.hasOwn(family.cells?.[0] ?? {}, name) ||
      (handlers.has(family.base) && handlerVariables.has(name))
    const one = prepare(family, isKnown, raw.runtime ?? 'container', source.root)
    prepared.set(family.base, one.prepared)
    problems.push(...one.problems)
    uses.push(...one.uses)
  }
  const resolved = resolveUses(uses, {
    families,
    handlers,
    graph,
    owners: registers.owners,
    variables: source.variables,
    isWhole,
  })
  problems.push(...resolved.problems)
  return {
    problems,
    workflow: {
      ...header(raw, source),
      tasks: tasksOf(families, graph, handlers, registers.names, prepared),
      matrices: [...families.values()].flatMap(({ base, raw: task, nodes, cells }) =>
        cells
          ? [
              {
                base,
                nodes,
                ...(task.matrix_limit === undefined ? {} : { limit: task.matrix_limit }),
                failFast: task.fail_fast ?? true,
              },
            ]
          : [],
      ),
      wanted: resolved.wanted,
    },
  }
}

function checkFile(raw: RawWorkflow, { name }: Source): readonly FileProblem[] {
  const problems = [...checkDuration(['timeout'], raw.timeout)]
  const own = name.slice(name.lastIndexOf('/') + 1)
  if (raw.name !== undefined && raw.name !== own && raw.name !== name)
    problems.push(
      warningAt(
        ['name'],
        'value',
        'other-name',
        `the workflow calls itself "${raw.name}", and its file "${own}"`,
        `it is run by the name of its file: dwf run ${name}`,
      ),
    )
  if (Object.keys(raw.tasks).length === 0)
    problems.push(errorAt(['tasks'], 'key', 'no-tasks', 'a workflow has at least one task'))
  if (raw.triggers?.length)
    problems.push(
      warningAt(
        ['triggers', 0],
        'key',
        'triggers',
        'triggers are read and start nothing: dwf has no service that waits',
        'start it from cron, a systemd timer or a CI',
      ),
    )
  if (raw.runtime === 'host' && raw.network === 'none')
    problems.push(
      warningAt(
        ['network'],
        'value',
        'host-network',
        'nothing keeps a task on the host from the network',
        'remove runtime = "host" to have it kept',
      ),
    )
  return problems
}

function prepare(
  { base, raw }: Family,
  isKnown: (name: string) => boolean,
  runtime: 'container' | 'host',
  root: string,
): { readonly prepared: Prepared; readonly uses: readonly Use[]; readonly problems: readonly FileProblem[] } {
  const problems: FileProblem[] = [
    ...checkTask(base, raw),
    ...checkEnv(base, raw.env ?? {}, raw.secrets ?? [], isKnown),
  ]
  const uses: Use[] = []
  const use = (path: FileProblem['path'], of: string, isAsked = (_: string) => true) => {
    for (const { name, at, length } of findReferences(of)) {
      if (!isAsked(name)) continue
      const within = { at, length, of }
      if (raw.secrets?.includes(name))
        problems.push({
          ...errorAt(
            path,
            'value',
            'secret-as-variable',
            `{{.${name}}} is a secret of this task, and no variable`,
            `read it from the environment: "$${name}"`,
          ),
          within,
        })
      else uses.push({ base, variable: name, path, within })
    }
  }
  const command = ['tasks', base, 'cmd']
  const rewritten = rewrite(raw.cmd, isKnown)
  for (const { severity, code, message, hint, at, length } of rewritten.problems)
    problems.push({ ...errorAt(command, 'value', code, message, hint), severity, within: { at, length, of: raw.cmd } })
  // What stands in a comment is not asked for.
  const asked = new Set(rewritten.references.map(({ variable }) => variable))
  use(command, raw.cmd, (name) => asked.has(name))
  for (const [name, value] of Object.entries(raw.env ?? {})) use(['tasks', base, 'env', name], value)
  const dir = raw.working_dir === undefined ? undefined : workingDir(base, raw.working_dir, { root, runtime })
  problems.push(...(dir?.problems ?? []))
  const path = ['tasks', base, 'if']
  const condition = raw.if === undefined ? undefined : parseCondition(raw.if)
  if (condition && isConditionError(condition)) {
    const { message, at, length, hint } = condition
    problems.push({
      ...errorAt(path, 'value', 'wrong-condition', message, hint),
      within: { at, length, of: raw.if! },
    })
  } else if (condition) {
    for (const variable of variablesOf(condition))
      uses.push({
        base,
        variable,
        path,
        within: { at: raw.if!.indexOf(variable), length: variable.length, of: raw.if! },
      })
  }
  return {
    problems,
    uses,
    prepared: {
      ...rewritten,
      dir: dir?.dir ?? '',
      ...(condition && !isConditionError(condition) ? { condition } : {}),
    },
  }
}

function header(raw: RawWorkflow, { name, file, text }: Source): Omit<Workflow, 'tasks' | 'matrices' | 'wanted'> {
  const runtime = raw.runtime ?? 'container'
  const timeoutMs = limitOf(raw.timeout)
  return {
    name,
    file,
    text,
    description: raw.description ?? '',
    tags: raw.tags ?? [],
    runtime,
    // Nothing keeps a task on the host from the network, and nothing may say so.
    network: runtime === 'host' ? 'egress' : (raw.network ?? 'none'),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(raw.concurrency === undefined ? {} : { concurrency: raw.concurrency }),
    ...(raw.on_failure === undefined ? {} : { onFailure: raw.on_failure }),
    ...(raw.on_cancel === undefined ? {} : { onCancel: raw.on_cancel }),
    ...(raw.always === undefined ? {} : { always: raw.always }),
    triggers: raw.triggers?.length ?? 0,
  }
}

function tasksOf(
  families: Families,
  graph: Graph,
  handlers: ReadonlySet<string>,
  registers: ReadonlyMap<string, string>,
  prepared: ReadonlyMap<string, Prepared>,
): readonly WorkflowTask[] {
  const made = new Map<string, WorkflowTask>()
  for (const { base, raw, nodes, cells } of families.values()) {
    const { script, references, dir, condition } = prepared.get(base)!
    const [timeoutMs, totalMs] = [limitOf(raw.timeout), limitOf(raw.total_timeout)]
    const shared = {
      base,
      name: raw.name ?? base,
      description: raw.description ?? '',
      script,
      references,
      needs: graph.needs.get(base)!,
      dir,
      env: Object.fromEntries(Object.entries(raw.env ?? {}).map(([name, value]) => [name, templateOf(value)])),
      ...(raw.clean_env === undefined ? {} : { cleanEnv: raw.clean_env }),
      ...(condition ? { condition } : {}),
      ignoreFailure: raw.ignore_failure ?? false,
      retries: raw.retries ?? 0,
      retryDelay: retryDelayOf(raw),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(totalMs === undefined ? {} : { totalMs }),
      ...(raw.on_failure === undefined ? {} : { onFailure: raw.on_failure }),
      isHandler: handlers.has(base),
      weight: raw.weight ?? 1,
      ...(raw.concurrency === undefined ? {} : { concurrency: raw.concurrency }),
      ...(raw.network === undefined ? {} : { network: raw.network }),
      secrets: raw.secrets ?? [],
      inputs: raw.inputs ?? [],
    }
    for (const [index, id] of nodes.entries()) {
      const register = registers.get(id)
      made.set(id, {
        id,
        ...shared,
        ...(cells ? { matrix: cells[index]! } : {}),
        ...(register === undefined ? {} : { register }),
      })
    }
  }
  return graph.order.map((id) => made.get(id)!)
}
