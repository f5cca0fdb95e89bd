import type { Config } from '../config/types.ts'
import type { ImagePin, Resolution, ResolvedToolchain } from '../pins/types.ts'
import type { StackUnit } from '../project/types.ts'
import { failure } from '../util/diagnostics.ts'
import { byCodeUnit } from '../util/text.ts'
import { packageLines } from './package-lines.ts'
import type { ImageModel } from './types.ts'

export interface ImageModelInput {
  /** Name of the project. */
  readonly title: string
  readonly source?: string
  /** From resolveToolchains, without errors. */
  readonly resolution: Resolution
  readonly units: readonly Pick<StackUnit, 'packages'>[]
  readonly config: { readonly container: Pick<Config['container'], 'packages'> }
  /** The lock's. */
  readonly epoch: string
}

/**
 * The image of a repository out of its resolved toolchains. Pure; the same input gives the same order everywhere.
 * @throws Failure('wrong-input') when two tools want one variable to be two things, or there is no base pin
 */
export function imageModel(input: ImageModelInput): ImageModel {
  const { resolution, units, config } = input
  const base: ImagePin | undefined = resolution.base
  if (!base)
    throw failure('wrong-input', 'no-base', 'devflow.lock has no pin of the base image', 'run "dwf pin update"')
  const parts = resolution.toolchains.map(partOf)
  return {
    title: input.title,
    ...(input.source === undefined ? {} : { source: input.source }),
    base,
    epoch: input.epoch,
    packages: sortedUnion([...parts, ...units, config.container]),
    stages: parts.flatMap((part) => part.stage ?? []),
    links: parts.flatMap((part) => part.links),
    env: joinEnv(parts),
    path: [...new Set(parts.flatMap((part) => part.path))],
    run: parts.flatMap((part) => part.run),
    smoke: resolution.toolchains.map(({ tool, version, recipe }) => ({
      tool,
      argv: recipe.smoke.map((word) => fill(word, version)),
    })),
    contents: resolution.toolchains.map(({ tool, version, from }) => ({ tool, version, from })),
  }
}

interface Part {
  readonly tool: string
  readonly stage?: ImageModel['stages'][number]
  readonly packages: readonly string[]
  readonly links: ImageModel['links']
  readonly env: Readonly<Record<string, string>>
  readonly path: readonly string[]
  readonly run: readonly string[]
}

function partOf(toolchain: ResolvedToolchain): Part {
  const { tool, recipe, version } = toolchain
  const all = (list: readonly string[] = []): readonly string[] => list.map((text) => fill(text, version))
  const none = { tool, packages: [], links: [], env: {}, path: [], run: [] }
  switch (toolchain.from) {
    case 'debian':
      return {
        ...none,
        packages: recipe.debian?.packages ?? [],
        env: fillEnv(recipe.debian?.env, version),
        run: all(recipe.debian?.run),
      }
    case 'package':
      return {
        ...none,
        packages: all(recipe.packages),
        env: fillEnv(recipe.env, version),
        path: all(recipe.path),
        run: [...packageLines(toolchain.pin), ...all(recipe.run)],
      }
    case 'image': {
      const copy = all(recipe.copy)
      return {
        ...none,
        stage: { tool, pin: toolchain.pin, copy, tighten: recipe.tighten ? copy : [] },
        packages: all(recipe.packages),
        links: (recipe.links ?? []).map(([link, target]) => [fill(link, version), fill(target, version)]),
        env: fillEnv(recipe.env, version),
        path: all(recipe.path),
        run: all(recipe.run),
      }
    }
  }
}

function fill(text: string, version: string): string {
  const [major = '', minor = ''] = version.split(/[.+-]/)
  return text.replaceAll('{version}', version).replaceAll('{minor}', `${major}.${minor}`).replaceAll('{major}', major)
}

function fillEnv(env: Readonly<Record<string, string>> = {}, version: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value, version)]))
}

function sortedUnion(parts: readonly { readonly packages: readonly string[] }[]): readonly string[] {
  return [...new Set(parts.flatMap((part) => part.packages))].sort(byCodeUnit)
}

function joinEnv(parts: readonly Part[]): Readonly<Record<string, string>> {
  const result = new Map<string, { value: string; tool: string }>()
  for (const { tool, env } of parts) {
    for (const [name, value] of Object.entries(env)) {
      const other = result.get(name)
      if (other && other.value !== value) {
        throw failure(
          'wrong-input',
          'env-conflict',
          `${other.tool} wants ${name}=${other.value} in the image, ${tool} wants ${value}`,
        )
      }
      result.set(name, { value, tool })
    }
  }
  const sorted = [...result].sort(([a], [b]) => byCodeUnit(a, b))
  return Object.fromEntries(sorted.map(([name, { value }]) => [name, value]))
}
