import type { RecipeOf } from '../../src/pins/types.ts'
import type { ToolchainRequest } from '../../src/project/types.ts'
import { toolchains } from '../../src/stacks/toolchains.ts'
import { spanAt } from '../../src/util/diagnostics.ts'

export const recipeOf: RecipeOf = (tool) => (Object.hasOwn(toolchains, tool) ? toolchains[tool] : undefined)

/** A request as a stack makes it out of one line of a file. */
export function request(tool: string, range = '*', file = `.${tool}-version`): ToolchainRequest {
  if (range === '*') return { tool, range, asked: '' }
  return { tool, range, asked: range, where: spanAt(file, `${range}\n`, 1, 1, range.length) }
}
