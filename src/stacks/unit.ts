import type { Manifest } from '../project/manifest.ts'
import type { StackName, StackUnit, ToolchainRequest } from '../project/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'

/** `dir/name`, or `name` in the root. */
export function inDir(dir: string, name: string): string {
  return dir === '' ? name : `${dir}/${name}`
}

/** The folders above one, nearest first, the root last; none for the root. */
export function above(dir: string): readonly string[] {
  const parts = dir === '' ? [] : dir.split('/')
  return parts.map((_, index) => parts.slice(0, parts.length - 1 - index).join('/'))
}

/** True when `dir` lies below `folder`; everything but the root lies below the root. */
export function isBelow(dir: string, folder: string): boolean {
  return folder === '' ? dir !== '' : dir.startsWith(`${folder}/`)
}

/** A unit that offers nothing yet: what a stack starts from, and all there is where the manifest cannot be read. */
export function bareUnit(stack: StackName, dir: string, manifest: string): StackUnit {
  return { stack, dir, manifest, ...nothing }
}

const nothing = { toolchains: [], packages: [], caches: [], env: {}, tasks: [], missing: [], diagnostics: [] }

/** True when a manifest could not be read at all, so that nothing can be told from it. */
export function isBroken(manifest: Manifest): boolean {
  return manifest.problems.some((one) => one.severity === 'error' && one.code !== 'manifest-type')
}

/** Requests and what is to be said about them, gathered tool by tool. */
export interface Requests {
  readonly toolchains: readonly ToolchainRequest[]
  readonly diagnostics: readonly Diagnostic[]
}

export function joinRequests(all: readonly Requests[]): Requests {
  return {
    toolchains: all.flatMap((one) => one.toolchains),
    diagnostics: all.flatMap((one) => one.diagnostics),
  }
}

/** The property when it has a value: for types whose optional properties may not be undefined. */
export function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T }
}
