import { globTest } from '../../util/glob.ts'
import type { CiInput } from './input.ts'

/** What decides what is checked and how: a change of it deserves a second person. */
const always = ['/.github/', '/devflow.*', '/Dockerfile.devflow', '/docker-bake.hcl']

/** With the files that accept findings, and the rules of scanners. */
const guarded = ({ policyFiles }: Pick<CiInput, 'policyFiles'>): readonly string[] => [
  ...always,
  // A blank ends a pattern of CODEOWNERS, and # begins a comment.
  ...policyFiles.map((path) => `/${path.replace(/[\s#*?[\]\\!]/g, '?')}`),
]

/** The lines of CODEOWNERS; as comments where devflow.toml names nobody, since a wrong name owns nothing. */
export function codeownersLines(input: Pick<CiInput, 'ci' | 'policyFiles'>): readonly string[] {
  const { owners } = input.ci
  if (owners.length > 0) return guarded(input).map((path) => `${path} ${owners.join(' ')}`)
  return [
    '# Who must review what decides the checks: name them as owners under [ci] in devflow.toml.',
    ...guarded(input).map((path) => `# ${path} @OWNER`),
  ]
}

/** Of what should be guarded, what a CODEOWNERS leaves to nobody: its last line that matches decides. */
export function unguarded(input: Pick<CiInput, 'policyFiles'>, codeowners: string): readonly string[] {
  const lines = codeowners.split(/\r?\n/).flatMap((line) => {
    const [pattern, ...owners] = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/)
    return pattern ? [{ covers: coverOf(pattern), isOwned: owners.length > 0 }] : []
  })
  return guarded(input).filter((path) => {
    const example = path.slice(1).replace(/\/$/, '/x').replaceAll('*', 'toml')
    return lines.findLast(({ covers }) => covers(example))?.isOwned !== true
  })
}

/** As gitignore has it: without a slash at any depth, a folder with all that is in it. */
function coverOf(pattern: string): (path: string) => boolean {
  const plain = pattern.replace(/^\//, '').replace(/\/$/, '')
  const place = /\/./.test(pattern) || pattern.startsWith('/') ? plain : `**/${plain}`
  const [itself, below] = [globTest(place), globTest(`${place}/**`)]
  return (path) => itself(path) || below(path)
}

/**
 * The page of a repository has this button where its owner switched private reporting on, which only public repositories
 * have: docs/ci.md says so.
 */
export const securityPolicy = `# Security

Please report a vulnerability in private, with **Security → Report a vulnerability** on the page of this repository,
and not in a public issue. Say what you did, what happened and what should have happened.
`
