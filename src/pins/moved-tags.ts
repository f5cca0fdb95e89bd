import type { Diagnostic } from '../util/diagnostics.ts'
import { listing, printable } from '../util/text.ts'
import { isExact } from './action-names.ts'
import type { ChooseOptions } from './choose-action.ts'
import { placeOf } from './places.ts'

interface Moved {
  readonly diagnostics: readonly Diagnostic[]
  /** True when a tag names another commit than before: its repository may be in other hands. */
  readonly isSuspect: boolean
}

/**
 * Compares what the lock, this version of dwf and the repository of an action say of the same exact tags. Moving tags
 * such as `v4` are left out: they are there to be moved.
 */
export function movedTags(options: Pick<ChooseOptions, 'data' | 'name' | 'current' | 'tags'>): Moved {
  const { data, name, current, tags } = options
  const known = data.tags(name)
  const others = (tags ?? []).flatMap((tag) => {
    const isMoved = isExact(tag.name) && (known.get(tag.name) ?? tag.sha) !== tag.sha
    return isMoved && tag.name !== current?.version ? [tag.name] : []
  })
  const own = current ? ownTag({ ...options, current }) : undefined
  const diagnostics: readonly Diagnostic[] = [
    ...(own ? [own] : []),
    ...(others.length > 0
      ? [moved(`in the repository of ${name}, ${shortList(others)} no longer name the commits that dwf knows`)]
      : []),
  ]
  return { diagnostics, isSuspect: diagnostics.some(({ code }) => code === 'tag-moved') }
}

function ownTag({
  data,
  name,
  current,
  tags,
}: Parameters<typeof movedTags>[0] & { current: NonNullable<ChooseOptions['current']> }): Diagnostic | undefined {
  const { version, sha } = current
  const where = placeOf(current, 'sha')
  const at = where ? { where } : {}
  const tag = tags?.find((one) => one.name === version)
  if (tag?.object === sha && tag.sha !== sha)
    return {
      severity: 'warning',
      code: 'tag-object',
      message: `${name} ${version} is pinned to the tag itself, not to its commit`,
      hint: `write ${tag.sha}`,
      ...at,
    }
  if (tag && tag.sha !== sha)
    return { ...moved(`${name} ${version} names the commit ${tag.sha} in its repository now`), ...at }
  const known = data.tags(name).get(version)
  if (known !== undefined && known !== sha)
    return { ...moved(`${name} ${version} is the commit ${known} as dwf knows it`), ...at }
  if (tags && !tag)
    return {
      severity: 'warning',
      code: 'tag-gone',
      message: `the repository of ${name} has no tag ${printable(version)} any more`,
      hint: 'its owner took it back: find out why',
      ...at,
    }
  return undefined
}

const moved = (message: string): Diagnostic => ({
  severity: 'warning',
  code: 'tag-moved',
  message,
  hint: 'actions are hijacked in this way: find out why before you take anything of it',
})

const shortList = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more tags` : listing(names)
