import { join } from 'node:path'
import { hasJobNamed } from '../../ci/index.ts'
import type { CiConfig, Config } from '../../config/types.ts'
import type { Lock } from '../../pins/index.ts'
import { readRegular } from '../../project/files.ts'
import { filesBelow } from '../../scaffold/index.ts'
import { listing } from '../../util/text.ts'

/** `[ci]` as it is meant in a repository that may have workflows of its own. */
export interface CiBeside {
  readonly ci: CiConfig
  /** CodeQL runs already: a second time it would only cost. */
  readonly hasCodeql: boolean
  readonly notes: readonly string[]
}

const folder = '.github/workflows/'
const names = ['ci', 'nightly', 'codeql', 'release', 'publish']

/**
 * Makes room beside what people wrote: other file names where one is taken, no second release, no second CodeQL. What
 * devflow.toml says in so many words counts; names that were chosen once stay.
 */
export function beside(
  config: Pick<Config, 'ci' | 'sources'>,
  lock: Pick<Lock, 'generated'> | undefined,
  root: string,
): CiBeside {
  const generated = new Set(lock?.generated.map(({ path }) => path))
  const ownPaths = filesBelow(root, folder.slice(0, -1)).filter((path) => !generated.has(path))
  const own = ownPaths.map((path) => path.slice(folder.length).replace(/\.ya?ml$/, ''))
  const gates = ownPaths.filter((path) =>
    hasJobNamed('gate', path, readRegular(join(root, path))?.toString('utf8') ?? ''),
  )
  const isSaid = (key: string) => config.sources[`ci.${key}`] === 'file'
  const releases = own.filter((name) => name === 'release' || name === 'publish')
  const publish = isSaid('publish') ? config.ci.publish : config.ci.publish && releases.length === 0
  const hasCodeql = own.some((name) => name.startsWith('codeql'))
  const before = [...generated].flatMap((path) => /^\.github\/workflows\/(.*)ci\.yml$/.exec(path)?.[1] ?? [])[0]
  const taken = own.filter((name) => names.includes(name))
  const prefix = isSaid('prefix') ? config.ci.prefix : (before ?? (taken.length > 0 ? 'dwf-' : ''))
  const files = (list: readonly string[]) => listing(list.map((name) => `${name}.yml`))
  return {
    ci: { ...config.ci, publish, prefix },
    hasCodeql,
    notes: [
      ...(prefix !== '' && !isSaid('prefix') && taken.length > 0
        ? [
            `${files(taken)} ${taken.length === 1 ? 'is' : 'are'} yours: the names of dwf's workflows begin with ${prefix}`,
          ]
        : []),
      ...(publish !== config.ci.publish
        ? [`you have ${files(releases)}: dwf writes no release; publish = true under [ci] does`]
        : []),
      ...gates.map((path) => `${path} has a job named gate too: give it another name, or it can be taken for dwf's`),
      ...(hasCodeql && config.ci.codeScanning ? ['you have CodeQL: dwf writes no codeql.yml'] : []),
    ],
  }
}
