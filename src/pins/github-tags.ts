import { type Diagnostic, Failure } from '../util/diagnostics.ts'
import { gitTags } from './git-tags.ts'
import { githubReleases } from './github-releases.ts'
import type { RemoteTags } from './types.ts'

export interface GithubTagsOptions {
  /** For git: PATH, proxies and certificates are taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** For the dates. */
  readonly token?: string
  /** Told when dates are missing; the tags come all the same. */
  readonly warn: (diagnostic: Diagnostic) => void
  /** Other places, for tests. */
  readonly base?: string
  readonly protocol?: string
  readonly api?: string
  readonly timeoutMs?: number
}

/** The tags of actions by git from github.com, with the dates of their releases from its API. */
export function githubTags(options: GithubTagsOptions): RemoteTags {
  const { env, token, warn, timeoutMs = 60_000 } = options
  const { base = 'https://github.com', protocol = 'https', api = 'https://api.github.com' } = options
  return {
    tags: async (repository, signal) => {
      const common = { env, timeoutMs, ...(signal ? { signal } : {}) }
      const listed = await gitTags(repository, { ...common, base, protocol })
      const releases = await githubReleases(repository, { ...common, base: api, ...(token ? { token } : {}) }).catch(
        (error) => {
          if (!(error instanceof Failure)) throw error
          for (const diagnostic of error.diagnostics) warn({ ...diagnostic, severity: 'warning' })
          return undefined
        },
      )
      return listed.map((tag) => ({ ...tag, ...releases?.get(tag.name) }))
    },
  }
}
