import gt from 'semver/functions/gt.js'
import { byCodeUnit } from '../util/text.ts'
import { isFor } from './candidates.ts'
import { compareVersions, newest, sortLock } from './order.ts'
import { type ResolveOptions, resolveToolchains } from './resolve.ts'
import { shippedPins } from './shipped.ts'
import type { ActionPin, ImagePin, Lock, PackagePin, Resolution, ToolPin } from './types.ts'

export type LockOptions = Pick<ResolveOptions, 'requests' | 'recipeOf' | 'toolchains'> & {
  /** Of dwf, written into the lock. */
  readonly version: string
}

/** A pin that an update moved; `from` is absent for one that is new. */
export interface PinChange {
  readonly tool: string
  readonly from?: string
  readonly to: string
}

export type UpdateOptions = LockOptions & {
  /** YYYY-MM-DD */
  readonly today: string
  /** What `refreshActions` gave; the lock's own where it was not asked. */
  readonly actions?: readonly ActionPin[]
  /** Only these tools move, and neither the epoch nor dwf's own version; everything where it is undefined. */
  readonly only?: readonly string[]
}

/**
 * The first lock of a repository: of the shipped pins those that it uses. Actions and generated files are the generator's. Its epoch is the day of these pins, not of
 * today: two inits with the same dwf give the same bytes.
 */
export function shippedLock(options: LockOptions): { readonly lock: Lock; readonly resolution: Resolution } {
  const resolution = resolveToolchains(options)
  const lock: Lock = {
    schema: 'dwf.lock/1',
    dwf: options.version,
    epoch: shippedPins.date,
    images: usedImages(resolution),
    packages: usedPackages(resolution),
    tools: shippedPins.tools,
    actions: [],
    generated: [],
  }
  return { lock: sortLock(lock), resolution }
}

/**
 * Moves the epoch to today (never back) and each pin that the repository uses to the newest known one that still
 * satisfies every request. Pins of tools that nobody asks for stay as they are: a person put them there. So do the bundle
 * and what is noted of generated files.
 */
export function updateLock(
  lock: Lock,
  options: UpdateOptions,
): { readonly lock: Lock; readonly changes: readonly PinChange[]; readonly resolution: Resolution } {
  const known: Lock = {
    ...lock,
    images: freshest(lock.images, shippedPins.images, options),
    packages: freshest(lock.packages, shippedPins.packages, options),
  }
  const resolution = resolveToolchains({ ...options, lock: known, complete: true })
  const tools = ['base', ...resolution.toolchains.map((one) => one.tool)]
  const used = new Set(tools.filter((tool) => options.only?.includes(tool) ?? true))
  const images = merge(lock.images, usedImages(resolution), used)
  const packages = merge(lock.packages, usedPackages(resolution), used)
  const next: Lock = {
    ...lock,
    dwf: options.only ? lock.dwf : options.version,
    epoch: options.only ? lock.epoch : [options.today, lock.epoch].sort().at(-1)!,
    images,
    packages,
    tools: allTightened(lock.tools),
    actions: options.actions ?? lock.actions,
  }
  const changes = [...changesOf(lock.images, images), ...changesOf(lock.packages, packages)]
  return { lock: sortLock(next), changes: changes.sort((a, b) => byCodeUnit(a.tool, b.tool)), resolution }
}

function usedImages(resolution: Resolution): readonly ImagePin[] {
  const pins = resolution.toolchains.flatMap((one) => (one.from === 'image' ? [one.pin] : []))
  return resolution.base ? [resolution.base, ...pins] : pins
}

function usedPackages(resolution: Resolution): readonly PackagePin[] {
  return resolution.toolchains.flatMap((one) => (one.from === 'package' ? [one.pin] : []))
}

/** For each tool the newest fitting pin of both lists; of equal versions the lock's own, which somebody reviewed. */
function freshest<T extends ImagePin | PackagePin>(
  own: readonly T[],
  shipped: readonly T[],
  options: LockOptions,
): readonly T[] {
  return [...new Set([...own, ...shipped].map((pin) => pin.tool))].flatMap((tool) => {
    const requests = options.requests.filter((request) => request.tool === tool)
    const all = [...own, ...shipped].filter(
      (pin) => pin.tool === tool && isFor(pin.version, tool === 'base' ? [] : requests),
    )
    return newest(all) ?? []
  })
}

/** Pins that are used take the place of all others of their tool; pins of unused tools stay. */
function merge<T extends ImagePin | PackagePin>(
  own: readonly T[],
  next: readonly T[],
  used: ReadonlySet<string>,
): readonly T[] {
  return [...own.filter((pin) => !used.has(pin.tool)), ...next.filter((pin) => used.has(pin.tool))]
}

function changesOf<T extends ImagePin | PackagePin>(before: readonly T[], after: readonly T[]): PinChange[] {
  return after.flatMap((pin) => {
    const olds = before.filter((one) => one.tool === pin.tool)
    if (olds.some((one) => one.version === pin.version)) return []
    const from = newest(olds)?.version
    return [{ tool: pin.tool, ...(from === undefined ? {} : { from }), to: pin.version }]
  })
}

/** An update never allows what was denied, nor an older version than before. */
function allTightened(own: readonly ToolPin[]): readonly ToolPin[] {
  const names = new Set([...own, ...shippedPins.tools].map((tool) => tool.name))
  return [...names].map((name) => {
    const [first, second] = [...own, ...shippedPins.tools].filter((tool) => tool.name === name)
    return second ? tightened(first!, second) : first!
  })
}

/** The stricter of two pins of a tool; what only the first names, checksums and an image, stays. */
export function tightened(own: ToolPin, other: ToolPin): ToolPin {
  return {
    ...own,
    minimum: gt(other.minimum, own.minimum) ? other.minimum : own.minimum,
    denied: [...new Set([...own.denied, ...other.denied])].sort(compareVersions),
  }
}
