import { Failure, failure } from '../util/diagnostics.ts'
import { fetchReason, proxyHint } from '../util/proxies.ts'

export interface ReleasesOptions {
  /** Without `/` at the end. */
  readonly base: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Sent in a header, and written nowhere. */
  readonly token?: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** What GitHub says of the release of a tag. */
export interface Release {
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  readonly isPrerelease: boolean
}

/**
 * The hundred newest releases of a repository, by tag.
 * @param repository `owner/name`
 * @throws Failure('machine-cannot') when GitHub cannot be reached or does not tell
 */
export async function githubReleases(
  repository: string,
  options: ReleasesOptions,
): Promise<ReadonlyMap<string, Release>> {
  const { base, token, timeoutMs, signal } = options
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(`${base}/repos/${repository}/releases?per_page=100`, {
      headers: {
        accept: 'application/vnd.github+json',
        'user-agent': 'dwf',
        'x-github-api-version': '2022-11-28',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    })
    if (!response.ok) throw untold(repository, `HTTP ${response.status}`, hintFor(response, token))
    return readReleases(await response.json())
  } catch (error) {
    if (error instanceof Failure) throw error
    throw untold(repository, fetchReason(error), proxyHint(options.env))
  }
}

function untold(repository: string, why: string, hint?: string): Failure {
  return failure('machine-cannot', 'no-releases', `GitHub does not tell the releases of ${repository}: ${why}`, hint)
}

function hintFor({ status, headers }: Response, token: string | undefined): string | undefined {
  if (status === 401) return 'GITHUB_TOKEN is not valid for api.github.com'
  const isLimited = status === 429 || headers.get('x-ratelimit-remaining') === '0'
  return isLimited && !token ? 'a GITHUB_TOKEN raises the limit' : undefined
}

function readReleases(body: unknown): ReadonlyMap<string, Release> {
  const list: readonly unknown[] = Array.isArray(body) ? body : []
  return new Map(
    list.flatMap((one) => {
      const { tag_name, published_at, prerelease } = (one ?? {}) as Readonly<Record<string, unknown>>
      const publishedAt = typeof published_at === 'string' ? Date.parse(published_at) : Number.NaN
      if (typeof tag_name !== 'string' || Number.isNaN(publishedAt)) return []
      return [[tag_name, { publishedAt, isPrerelease: prerelease === true }] as const]
    }),
  )
}
