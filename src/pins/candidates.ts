import satisfies from 'semver/functions/satisfies.js'
import type { ToolchainRequest } from '../project/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'
import { newest } from './order.ts'
import type { ImagePin, PackagePin, ResolvedToolchain } from './types.ts'

/** Pins to choose from; the lock's alone in everyday work, the shipped ones behind them at init and update. */
export interface PinSource {
  readonly images: readonly ImagePin[]
  readonly packages: readonly PackagePin[]
}

/** What resolving one tool gives: a toolchain, or the reason why there is none; with notes. */
export interface Outcome {
  readonly toolchain?: ResolvedToolchain
  readonly diagnostics: readonly Diagnostic[]
}

/** The newest fitting pin of the first source that has one. */
export function pick(
  tool: string,
  requests: readonly ToolchainRequest[],
  sources: readonly PinSource[],
): ImagePin | undefined {
  for (const source of sources) {
    const pin = newest(source.images.filter((one) => one.tool === tool && isFor(one.version, requests)))
    if (pin) return pin
  }
  return undefined
}

/** True when a version satisfies every request; a range that is none satisfies nothing. */
export function isFor(version: string, requests: readonly ToolchainRequest[]): boolean {
  return requests.every((request) => satisfies(version, request.range))
}
