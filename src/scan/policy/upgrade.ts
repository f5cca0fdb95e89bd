import compare from 'semver/functions/compare.js'
import parse from 'semver/functions/parse.js'
import { byCodeUnit } from '../../util/text.ts'

/** Their versions look like semantic ones and are ordered otherwise: `2.36-9+deb12u1` is older than `2.36-9+deb12u2`. */
const otherOrders = new Set(['alpm', 'apk', 'deb', 'rpm'])

/**
 * The lowest version that cures all of the findings, each of which is cured by one of the versions in its list; all the
 * versions where they cannot be ordered. Empty when none is cured.
 */
export function upgradeOf(installed: string | undefined, lists: readonly (readonly string[])[], type = ''): string {
  const all = [...new Set(lists.flat())]
  const now = semantic(installed ?? '0')
  const ordered = all.flatMap((text) => {
    const version = semantic(text)
    return version ? [{ text, version }] : []
  })
  if (otherOrders.has(type) || now === undefined || ordered.length < all.length) return all.sort(byCodeUnit).join(', ')
  // What is not newer did not cure what is installed: it is the fix of another line of releases.
  const open = lists
    .map((list) => list.map((text) => semantic(text)!).filter((version) => compare(version, now) > 0))
    .filter((versions) => versions.length > 0)
  const curing = ordered
    .filter(({ version }) => compare(version, now) > 0)
    .sort((a, b) => compare(a.version, b.version) || byCodeUnit(a.text, b.text))
    .find(({ version }) => open.every((fixes) => isCured(version, fixes)))
  return curing?.text ?? all.sort(byCodeUnit).join(', ')
}

type Version = NonNullable<ReturnType<typeof parse>>

/** `2.31` and `v1.2.3` are versions too. */
function semantic(text: string): Version | undefined {
  const [, core, rest = ''] = /^v?(\d+(?:\.\d+){0,2})([-+].*)?$/.exec(text.slice(0, 200)) ?? []
  return core === undefined
    ? undefined
    : (parse(`${[...core.split('.'), 0, 0].slice(0, 3).join('.')}${rest}`) ?? undefined)
}

/**
 * A list such as `2.5.3, 3.1.0` has a fix for each line of releases: 3.0.9 is newer than 2.5.3 and not cured. At or
 * above the highest it is; else its own line must have a fix, told by the major version, or the minor where lists do.
 */
function isCured(version: Version, fixes: readonly Version[]): boolean {
  if (fixes.every((fix) => compare(version, fix) >= 0)) return true
  const same = fixes.filter((fix) => fix.major === version.major)
  const line = same.length > 1 ? same.filter((fix) => fix.minor === version.minor) : same
  return line.length > 0 && line.every((fix) => compare(version, fix) >= 0)
}
