import { imageModel } from '../../src/image/index.ts'
import type { ImageModel } from '../../src/image/types.ts'
import { shippedLock } from '../../src/pins/index.ts'
import { recipeOf, request } from '../pins/recipes.ts'

/** The image of a repository that asks for these tools: `node`, `node@24`. */
export function modelOf(
  tools: readonly string[],
  more: { title?: string; source?: string; packages?: readonly string[]; toolchains?: 'official' | 'debian' } = {},
): ImageModel {
  const requests = tools.map((tool) => request(...(tool.split('@') as [string, string?])))
  const { lock, resolution } = shippedLock({
    requests,
    recipeOf,
    toolchains: more.toolchains ?? 'official',
    version: '0.1.0',
  })
  const errors = resolution.diagnostics.filter((one) => one.severity === 'error')
  if (errors.length > 0) throw new Error(errors.map((one) => one.message).join('; '))
  return imageModel({
    title: more.title ?? 'shop',
    ...(more.source === undefined ? {} : { source: more.source }),
    resolution,
    units: [{ packages: more.packages ?? [] }],
    config: { container: { packages: [] } },
    epoch: lock.epoch,
  })
}

/** Tools as repositories ask for them: each stack, and mixes. */
export const mixes: readonly (readonly string[])[] = [
  [],
  ['node'],
  ['node', 'pnpm'],
  ['node@22', 'yarn'],
  ['node', 'yarn-berry'],
  ['node', 'bun'],
  ['python'],
  ['python', 'uv'],
  ['python@3.12', 'poetry'],
  ['rust'],
  ['go'],
  ['java', 'maven'],
  ['java@21', 'gradle'],
  ['rust', 'node', 'pnpm'],
  ['just', 'make'],
  ['node', 'python', 'rust', 'go', 'java', 'maven', 'gradle', 'pnpm', 'poetry', 'uv', 'just', 'make'],
]
