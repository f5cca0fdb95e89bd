import type { ToolchainRequest } from '../project/types.ts'
import type { ToolchainRecipe } from '../stacks/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'
import { byCodeUnit } from '../util/text.ts'
import { isFor, type Outcome, type PinSource, pick } from './candidates.ts'
import { newest } from './order.ts'
import { resolvePackage } from './resolve-package.ts'
import { asList, conflict, noPin, note, problem } from './resolve-words.ts'
import { shippedPins } from './shipped.ts'
import type { Lock, RecipeOf, Resolution, ResolvedToolchain } from './types.ts'

export interface ResolveOptions {
  /** Of all units; several may ask for one tool. */
  readonly requests: readonly ToolchainRequest[]
  readonly recipeOf: RecipeOf
  readonly toolchains: 'official' | 'debian'
  /** Undefined before there is one: then the shipped pins alone. */
  readonly lock?: Lock
  /** Init and update: the shipped pins stand in where the lock has none that fits. */
  readonly complete?: boolean
}

/**
 * One version for each tool that is asked for, and for what these need: the newest pin that satisfies every request.
 * Pure. A request that cannot be met is a located error among the diagnostics, never another version.
 */
export function resolveToolchains(options: ResolveOptions): Resolution {
  const sources: readonly PinSource[] = [
    options.lock ?? shippedPins,
    ...(options.lock && options.complete ? [shippedPins] : []),
  ]
  const diagnostics: Diagnostic[] = []
  const done = new Map<string, ResolvedToolchain | undefined>()
  const visit = (tool: string): void => {
    if (done.has(tool)) return
    done.set(tool, undefined)
    const requests = options.requests.filter((request) => request.tool === tool)
    const recipe = options.recipeOf(tool)
    if (recipe === undefined) {
      diagnostics.push(
        problem('unknown-tool', `dwf does not know how to bring ${JSON.stringify(tool)} into an image`, requests[0]),
      )
      return
    }
    for (const other of [...(recipe.needs ?? [])].sort(byCodeUnit)) visit(other)
    const outcome = resolveOne(recipe, requests, sources, options)
    diagnostics.push(...outcome.diagnostics)
    // Set again, so that what it needs stands before it in the map.
    done.delete(tool)
    done.set(tool, outcome.toolchain)
  }
  for (const tool of [...new Set(options.requests.map((request) => request.tool))].sort(byCodeUnit)) visit(tool)
  const base = sources.map((source) => newest(source.images.filter((pin) => pin.tool === 'base'))).find((pin) => pin)
  if (!base)
    diagnostics.push(problem('no-base', 'devflow.lock has no pin of the base image', undefined, 'run "dwf pin update"'))
  return { ...(base ? { base } : {}), toolchains: [...done.values()].filter((one) => one !== undefined), diagnostics }
}

function resolveOne(
  recipe: ToolchainRecipe,
  requests: readonly ToolchainRequest[],
  sources: readonly PinSource[],
  options: ResolveOptions,
): Outcome {
  const clash = conflict(recipe.tool, requests)
  if (clash) return { diagnostics: [clash] }
  const isDebianWanted = options.toolchains === 'debian'
  if (isDebianWanted && recipe.debian) return fromDebian(recipe, requests, sources, options)
  if (recipe.npm !== undefined || recipe.pypi !== undefined) return resolvePackage(recipe, requests, sources)
  if (isDebianWanted) {
    const hint = 'set toolchains = "official" in [container] of devflow.toml'
    return { diagnostics: [problem('not-in-debian', `Debian 13 has no package of ${recipe.tool}`, requests[0], hint)] }
  }
  const isPinned = [...sources, shippedPins].some((source) => source.images.some((pin) => pin.tool === recipe.tool))
  if (recipe.image === undefined || (!isPinned && recipe.debian)) return fromDebian(recipe, requests, sources, options)
  const pin = pick(recipe.tool, requests, sources)
  if (pin)
    return {
      toolchain: { tool: recipe.tool, from: 'image', version: pin.version, recipe, requests, pin },
      diagnostics: [],
    }
  return { diagnostics: [noPin(recipe, requests, sources)] }
}

function fromDebian(
  recipe: ToolchainRecipe,
  requests: readonly ToolchainRequest[],
  sources: readonly PinSource[],
  options: ResolveOptions,
): Outcome {
  const { tool, debian } = recipe
  if (!debian) return { diagnostics: [noPin(recipe, requests, sources)] }
  if (!isFor(debian.version, requests)) {
    const official = options.toolchains === 'debian' && pick(tool, requests, [...sources, shippedPins])
    const ways = [
      ...(official
        ? [`set toolchains = "official" in [container] of devflow.toml, which brings ${official.version}`]
        : []),
      `ask for a version that ${debian.version} satisfies`,
    ]
    const message = `Debian 13 has ${tool} ${debian.version}, which is not ${asList(requests)}`
    return { diagnostics: [problem('debian-version', message, requests[0], ways.join('; or '))] }
  }
  const reason =
    recipe.image === undefined || options.toolchains === 'debian'
      ? ''
      : ', since no digest of an official image is known'
  return {
    toolchain: { tool, from: 'debian', version: debian.version, recipe, requests },
    diagnostics: [
      note(
        'from-debian',
        `${tool} is Debian's package ${debian.packages.join(' ')} (${debian.version})${reason}`,
        requests[0],
      ),
    ],
  }
}
