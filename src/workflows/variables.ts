import { didYouMean } from '../util/text.ts'
import type { Graph } from './graph.ts'
import { ancestry } from './graph.ts'
import { handlerVariables } from './handlers.ts'
import type { Families, Family } from './nodes.ts'
import { errorAt, type FileProblem, warningAt } from './problems.ts'

/** One place that asks for a variable. */
export interface Use {
  readonly base: string
  readonly variable: string
  readonly path: FileProblem['path']
  readonly within?: NonNullable<FileProblem['within']>
}

export interface Scope {
  readonly families: Families
  readonly handlers: ReadonlySet<string>
  readonly graph: Graph
  /** Variable → the node that registers it. */
  readonly owners: ReadonlyMap<string, string>
  /** Of `--var`, where they are known. */
  readonly variables: ReadonlySet<string>
  /** The graph has no circle and no unknown names, so that who is before whom can be told. */
  readonly isWhole: boolean
}

/** Where a value comes from. */
type Source =
  | { readonly kind: 'fixed' }
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'wanted' }
  | { readonly kind: 'wrong'; readonly message: string; readonly hint?: string }

/** Near names are looked for as long as somebody may read them: each costs a look at every variable. */
const suggestionLimit = 20

/** Every use is answered by a value that is there when it is asked for; what only `--var` can set is `wanted`. */
export function resolveUses(
  uses: readonly Use[],
  scope: Scope,
): { readonly wanted: Readonly<Record<string, readonly string[]>>; readonly problems: readonly FileProblem[] } {
  const isBefore = ancestry(scope.graph)
  const wanted = new Map<string, Set<string>>()
  const problems: FileProblem[] = []
  const near = new Map<string, string | undefined>()
  const common = [...scope.owners.keys(), ...scope.variables]
  const meant = (variable: string, family: Family): string | undefined => {
    if (variable.length < 4 || scope.variables.has(variable)) return undefined
    if (!near.has(variable) && near.size < suggestionLimit) near.set(variable, didYouMean(variable, common))
    return near.get(variable) ?? didYouMean(variable, ownNames(family, scope))
  }
  for (const { base, variable, path, within } of uses) {
    const push = (problem: FileProblem) => problems.push(within ? { ...problem, within } : problem)
    const family = scope.families.get(base)!
    const source = sourceOf(variable, family, scope)
    const written = `{{.${variable}}}`
    if (source.kind === 'wrong')
      push(errorAt(path, 'value', 'wrong-variable', `${written}: ${source.message}`, source.hint))
    else if (source.kind === 'wanted') {
      const nodes = wanted.get(variable) ?? new Set()
      for (const [index, node] of family.nodes.entries())
        if (!Object.hasOwn(family.cells?.[index] ?? {}, variable)) nodes.add(node)
      wanted.set(variable, nodes)
      const other = meant(variable, family)
      if (other !== undefined)
        push(
          warningAt(
            path,
            'value',
            'unknown-variable',
            `${written}: no task sets it`,
            `did you mean {{.${other}}}? If not, give it with --var`,
          ),
        )
    } else if (source.kind === 'node' && scope.isWhole && !isBefore(source.node, base))
      push(notBefore(written, source.node, base, path, scope))
  }
  return { wanted: Object.fromEntries([...wanted].map(([name, nodes]) => [name, [...nodes]])), problems }
}

function notBefore(written: string, node: string, base: string, path: FileProblem['path'], scope: Scope): FileProblem {
  if (scope.handlers.has(base))
    return warningAt(
      path,
      'value',
      'maybe-unset',
      `${written}: ${node} may not have run when this handler does`,
      'a handler always has {{.failed_task}}, {{.failed_dag}} and {{.error_message}}',
    )
  const owner = scope.graph.baseOf.get(node)!
  if (owner === base) return errorAt(path, 'value', 'not-before', `${written}: ${node} sets it itself, at its end`)
  const message = `${written}: ${node} sets it, and may not have run yet`
  return scope.handlers.has(owner)
    ? errorAt(
        path,
        'value',
        'not-before',
        `${written}: the handler ${node} sets it, which runs after all others if at all`,
      )
    : errorAt(path, 'value', 'not-before', message, `add it to depends_on = ["${node}"] of ${base}`)
}

function sourceOf(variable: string, family: Family, scope: Scope): Source {
  const { cells } = family
  if (cells?.length && cells.every((cell) => Object.hasOwn(cell, variable))) return { kind: 'fixed' }
  const node = scope.owners.get(variable)
  if (node !== undefined) return { kind: 'node', node }
  if (handlerVariables.has(variable)) {
    if (scope.handlers.has(family.base) || scope.variables.has(variable)) return { kind: 'fixed' }
    return { kind: 'wrong', message: 'only handlers are told this', hint: 'a task is one with type = "forensic"' }
  }
  return scoped(variable, scope) ?? { kind: 'wanted' }
}

/** `build.os`, `build[arch=amd64,os=linux].os`: a value of the matrix, or something that the task gives. */
function scoped(variable: string, { families }: Scope): Source | undefined {
  const bracket = variable.indexOf('].')
  const dot = bracket >= 0 ? bracket + 1 : variable.indexOf('.')
  if (dot < 0) return undefined
  const [id, key] = [variable.slice(0, dot), variable.slice(dot + 1)]
  const family = families.get(id.replace(/\[.*$/s, ''))
  if (!family) return undefined
  const index = family.nodes.indexOf(id)
  if (index < 0 && id !== family.base) {
    const near = didYouMean(id, family.nodes)
    return {
      kind: 'wrong',
      message: `there is no node ${id}`,
      ...(near ? { hint: `did you mean {{.${near}.${key}}}?` } : {}),
    }
  }
  const asked = (family.cells ?? []).filter((_, at) => index < 0 || at === index)
  const values = new Set(asked.map((cell) => (Object.hasOwn(cell, key) ? cell[key] : undefined)))
  if (values.size === 1 && !values.has(undefined)) return { kind: 'fixed' }
  if (index >= 0) return { kind: 'node', node: id }
  if (family.nodes.length === 1) return { kind: 'node', node: family.nodes[0]! }
  return {
    kind: 'wrong',
    message: `${id} has ${family.nodes.length} nodes, which have no common value of ${key}`,
    hint: `name the node: {{.${family.nodes[0]}.${key}}}`,
  }
}

/** What this task alone can ask for. */
function ownNames(family: Family, { handlers }: Scope): readonly string[] {
  return [...Object.keys(family.cells?.[0] ?? {}), ...(handlers.has(family.base) ? handlerVariables : [])]
}
