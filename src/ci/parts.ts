import { inPartOrder, type Part, partsOf } from '../plan/parts.ts'
import type { Plan } from '../plan/types.ts'
import { byCodeUnit } from '../util/text.ts'
import type { CiPart, CiTarget } from './workflows/input.ts'

/** A plan that CI makes for a target: when nothing of the image changed, and when something did. */
export interface TargetPlans {
  readonly target: CiTarget
  readonly usual: Pick<Plan, 'tasks'>
  readonly changed: Pick<Plan, 'tasks'>
}

/**
 * The parts of all targets, each once. Pure.
 * @param variableOf the variable of dwf's environment that a secret comes from; undefined where it comes from elsewhere
 */
export function ciParts(
  plans: readonly TargetPlans[],
  needsTrust: (commands: readonly string[], kind: Part['kind']) => boolean,
  variableOf: (secret: string) => string | undefined = (name) => name,
): readonly CiPart[] {
  const parts = new Map<string, CiPart>()
  for (const { target, usual, changed } of plans) {
    const always = new Set(partsOf(usual).map(({ name }) => name))
    for (const part of partsOf(changed)) {
      const commands = changed.tasks.filter(({ id }) => part.tasks.includes(id)).map(({ command }) => command)
      const known = parts.get(part.name)
      parts.set(part.name, {
        ...part,
        tasks: both(known?.tasks, part.tasks),
        stacks: both(known?.stacks, part.stacks),
        secrets: both(
          known?.secrets,
          part.secrets.flatMap((name) => variableOf(name) ?? []),
        ),
        needsImage: part.needsImage || known?.needsImage === true,
        needsDatabase: part.needsDatabase || known?.needsDatabase === true,
        targets: [...(known?.targets ?? []), target],
        onChange: [...(known?.onChange ?? []), ...(always.has(part.name) ? [] : [target])],
        needsTrust: known?.needsTrust === true || needsTrust(commands, part.kind),
      })
    }
  }
  return [...parts.values()].sort(inPartOrder)
}

const both = (before: readonly string[] | undefined, after: readonly string[]): readonly string[] =>
  [...new Set([...(before ?? []), ...after])].sort(byCodeUnit)
