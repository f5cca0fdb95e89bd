import prerelease from 'semver/functions/prerelease.js'
import valid from 'semver/functions/valid.js'

/** The key of an action: `owner/name` in small letters, whatever folder stands behind it. */
export const keyOf = (name: string): string => name.split('/').slice(0, 2).join('/').toLowerCase()

export const isSha = (ref: string): boolean => /^[0-9a-f]{40}$/i.test(ref)

/** `v4.2.2` or `4.2.2`: a tag that its owner does not mean to move, and no prerelease. */
export function isExact(tag: string): boolean {
  return /^v?\d+\.\d+\.\d+$/.test(tag) && valid(tag) !== null && prerelease(tag) === null
}

/** The versions that a tag such as `v4`, `v4.2` or `v4.2.2` stands for, from the first to before the end; undefined for other words. */
export function rangeOf(tag: string): { readonly from: string; readonly end: string } | undefined {
  const [, major, minor, patch] = /^v?(\d{1,9})(?:\.(\d{1,9})(?:\.(\d{1,9}))?)?$/.exec(tag) ?? []
  if (major === undefined) return undefined
  if (minor === undefined) return { from: `${major}.0.0`, end: `${Number(major) + 1}.0.0` }
  if (patch === undefined) return { from: `${major}.${minor}.0`, end: `${major}.${Number(minor) + 1}.0` }
  return { from: `${major}.${minor}.${patch}`, end: `${major}.${minor}.${Number(patch) + 1}` }
}
