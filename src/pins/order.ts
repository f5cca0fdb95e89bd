import compareBuild from 'semver/functions/compare-build.js'
import { byCodeUnit } from '../util/text.ts'
import type { ImagePin, Lock, PackagePin } from './types.ts'

/** Older before newer; build metadata counts, since `21.0.12+8` and `13.7.0+20260918` name rebuilds with it. */
export const compareVersions: (a: string, b: string) => number = compareBuild

/** The pin with the highest version; of equal ones the first. */
export function newest<T extends { readonly version: string }>(pins: readonly T[]): T | undefined {
  return pins.reduce<T | undefined>(
    (best, pin) => (best === undefined || compareVersions(pin.version, best.version) > 0 ? pin : best),
    undefined,
  )
}

/** The same lock in the one order in which it is written: the base first, then by tool and version; actions by name. */
export function sortLock(lock: Lock): Lock {
  const byPin = (a: ImagePin | PackagePin, b: ImagePin | PackagePin): number =>
    Number(b.tool === 'base') - Number(a.tool === 'base') ||
    byCodeUnit(a.tool, b.tool) ||
    compareVersions(a.version, b.version) ||
    byCodeUnit(a.version, b.version) ||
    byCodeUnit('ref' in a ? a.ref : a.name, 'ref' in b ? b.ref : b.name)
  return {
    ...lock,
    images: [...lock.images].sort(byPin),
    packages: [...lock.packages].sort(byPin),
    tools: [...lock.tools]
      .sort((a, b) => byCodeUnit(a.name, b.name))
      .map((tool) => ({ ...tool, denied: [...tool.denied].sort(compareVersions) })),
    actions: [...lock.actions].sort(
      (a, b) => byCodeUnit(a.name.toLowerCase(), b.name.toLowerCase()) || byCodeUnit(a.name, b.name),
    ),
    generated: [...lock.generated].sort((a, b) => byCodeUnit(a.path, b.path)),
  }
}
