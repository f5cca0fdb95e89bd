import type { KnownActions } from '../../src/pins/types.ts'

/** Commits that can be told from one another: forty digits that begin with two of one's own. */
export const sha = (start: string): string => start.padEnd(40, '0123456789abcdef')

const versions: readonly (readonly [name: string, tags: readonly string[], sha: string])[] = [
  ['actions/checkout', ['v4', 'v4.2', 'v4.2.2'], sha('a1')],
  ['actions/checkout', ['v4.1.0'], sha('a2')],
  ['actions/cache', ['v4', 'v4.3.0'], sha('ac')],
  ['actions/setup-go', ['v6', 'v6.0.0'], sha('a6')],
  ['actions/setup-node', ['v4', 'v4.4.0'], sha('a3')],
  ['actions/upload-artifact', ['v4', 'v4.6.2'], sha('a4')],
  ['actions/attest-build-provenance', ['v3', 'v3.0.0'], sha('a5')],
  ['actions/deploy-pages', ['v4', 'v4.0.5'], sha('a7')],
  ['actions/upload-pages-artifact', ['v4', 'v4.0.0'], sha('a8')],
  ['docker/login-action', ['v3', 'v3.6.0'], sha('d1')],
  ['docker/build-push-action', ['v6', 'v6.18.0'], sha('d2')],
  ['github/codeql-action', ['v3', 'v3.30.0'], sha('c1')],
  ['softprops/action-gh-release', ['v2', 'v2.3.3'], sha('e1')],
  ['step-security/harden-runner', ['v2', 'v2.13.1'], sha('f1')],
  ['slsa-framework/slsa-github-generator', ['v2.1.0'], sha('f2')],
  ['octo/release-flow', ['v1', 'v1.5.0'], sha('f3')],
]

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
const rowOf = (name: string, tag: string) => versions.find((row) => same(row[0], name) && row[1].includes(tag))

/** Stands in for what dwf knows of actions: a few, and one that was hijacked. */
export const known: KnownActions = {
  pin: () => {
    throw new Error('nobody asks for a pin here')
  },
  commitOf: (name, tag) => rowOf(name, tag)?.[2],
  versionOf: (name, commit) => versions.find((row) => same(row[0], name) && same(row[2], commit))?.[1].at(-1),
  exact: (name, tag) => {
    const row = rowOf(name, tag)
    return row && { name: row[0], version: row[1].at(-1)!, sha: row[2] }
  },
  denied: (name, ref) =>
    same(name, 'octo/hijacked') && (ref === 'v1' || ref === sha('bad')) ? 'its tags were moved in March' : undefined,
}

export const pin = (name: string, tag: string, folder = ''): string => {
  const exact = known.exact(name, tag)!
  return `${name}${folder}@${exact.sha} # ${exact.version}`
}
