import { usualLayers } from '../config/commands.ts'
import type { Project } from '../project/types.ts'

export interface DefaultTargets {
  readonly pr: readonly string[]
  readonly main: readonly string[]
  readonly nightly: readonly string[]
}

const beforeMerge = ['fmt:check', 'lint:static', 'build:debug', 'test:unit']
const afterMerge = ['build:release', 'test:integration', 'package:artifact']

const gates = usualLayers.map((layer) => `scan:${layer}`)

/**
 * The targets of a repository that has none: only commands that at least one of its parts really offers, and the gates.
 * An empty repository has the gates alone.
 */
export function defaultTargets(project: Pick<Project, 'units'>): DefaultTargets {
  const offered = new Set(project.units.flatMap((unit) => unit.tasks.map((task) => task.command)))
  const those = (commands: readonly string[]): readonly string[] => commands.filter((command) => offered.has(command))
  return {
    pr: [...those(beforeMerge), ...gates],
    main: ['check:pr', ...those(afterMerge)],
    nightly: ['scan:all'],
  }
}
