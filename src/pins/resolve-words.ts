import satisfies from 'semver/functions/satisfies.js'
import intersects from 'semver/ranges/intersects.js'
import validRange from 'semver/ranges/valid.js'
import type { ToolchainRequest } from '../project/types.ts'
import type { ToolchainRecipe } from '../stacks/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'
import { listing, printable } from '../util/text.ts'
import type { PinSource } from './candidates.ts'
import { compareVersions } from './order.ts'
import { shippedPins } from './shipped.ts'

export function problem(code: string, message: string, request?: ToolchainRequest, hint?: string): Diagnostic {
  const where = request?.where
  return { severity: 'error', code, message, ...(where ? { where } : {}), ...(hint ? { hint } : {}) }
}

export function note(code: string, message: string, request?: ToolchainRequest): Diagnostic {
  return { ...problem(code, message, request), severity: 'note' }
}

/** What is asked for, in the repository's own words, with the files where they stand. */
export function asList(requests: readonly ToolchainRequest[]): string {
  const words = requests.filter((request) => request.range !== '*').map(asked)
  return words.length === 0 ? 'any version' : listing([...new Set(words)])
}

function asked(request: ToolchainRequest): string {
  const file = request.where ? ` (${printable(request.where.file)}:${request.where.line})` : ''
  return `${printable(request.asked || request.range)}${file}`
}

/** Requests that no version at all can meet: a range that is none, or two that exclude each other. */
export function conflict(tool: string, requests: readonly ToolchainRequest[]): Diagnostic | undefined {
  const odd = requests.find((request) => validRange(request.range) === null)
  if (odd) {
    const hint = 'write a version such as 24, 24.x or >=22'
    return problem('bad-range', `${JSON.stringify(printable(odd.range))} is no range of versions of ${tool}`, odd, hint)
  }
  for (const [index, one] of requests.entries()) {
    const other = requests.slice(0, index).find((earlier) => !intersects(earlier.range, one.range))
    if (other) {
      const message = `no version of ${tool} is both ${asked(other)} and ${asked(one)}`
      return problem('toolchain-conflict', message, one, 'one image serves all units: make the two agree')
    }
  }
  return undefined
}

/** No pin fits: what is asked for, what is pinned, and every way out that there really is. */
export function noPin(
  recipe: ToolchainRecipe,
  requests: readonly ToolchainRequest[],
  sources: readonly PinSource[],
): Diagnostic {
  const { tool } = recipe
  const versions = (list: readonly PinSource[]): readonly string[] => {
    const all = list.flatMap((source) => [...source.images, ...source.packages]).filter((pin) => pin.tool === tool)
    return [...new Set(all.map((pin) => pin.version))].sort(compareVersions)
  }
  const fits = (version: string): boolean => requests.every((request) => satisfies(version, request.range))
  const pinned = versions(sources)
  const shipped = versions([shippedPins]).filter(fits)
  const key = requests[0]?.where
    ? `the version in ${printable(requests[0].where.file)}`
    : 'the version that is asked for'
  const list = recipe.npm !== undefined || recipe.pypi !== undefined ? 'packages' : 'images'
  const ways = [
    ...(shipped.length > 0 ? [`take ${shipped.at(-1)} with "dwf pin update"`] : []),
    ...(pinned.length > 0 ? [`change ${key} to one that is pinned: ${listing(pinned, 'or')}`] : []),
    `add a pin of it to "${list}" in devflow.lock, with a digest that you have checked`,
    ...(recipe.debian && fits(recipe.debian.version)
      ? [`set toolchains = "debian" in [container] of devflow.toml, which brings ${recipe.debian.version}`]
      : []),
  ]
  const has = pinned.length > 0 ? `pinned is ${listing(pinned)}` : 'none is pinned'
  return problem('no-pin', `no pin of ${tool} is ${asList(requests)}: ${has}`, requests[0], ways.join('; or '))
}
