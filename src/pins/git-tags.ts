import { failure } from '../util/diagnostics.ts'
import { type Finished, run } from '../util/process.ts'
import { proxyVariables } from '../util/proxies.ts'
import { shapes } from './lock-shape.ts'
import type { RemoteTag } from './types.ts'

export interface GitTagsOptions {
  /** Without `/` at the end. */
  readonly base: string
  /** The one transport that is allowed: `https`. */
  readonly protocol: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** What a person may set for the connection, beside proxies: whom to believe. */
const trusted = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'] as const

/**
 * The tags of a repository and their commits, by `git ls-remote`. Git reads no configuration for it, neither the
 * repository's nor the person's: no alias of an address, no helper for passwords and no program of a transport can be
 * named there. It works outside of every repository and asks nobody for a password.
 * @param repository `owner/name`
 * @throws Failure('machine-cannot') when git is missing or the repository does not answer
 */
export async function gitTags(repository: string, options: GitTagsOptions): Promise<readonly RemoteTag[]> {
  if (!shapes.actionName.is(repository))
    throw failure('wrong-input', 'action-name', `${JSON.stringify(repository)} is not owner/name`)
  const argv = ['git', '--no-pager', '-c', 'credential.helper=', 'ls-remote', '--tags', '--quiet', '--']
  const { env, timeoutMs, signal } = options
  const pass = ['PATH', ...proxyVariables, ...trusted].map((name) => [name, env[name]] as const)
  const done = await run([...argv, `${options.base}/${repository}`], {
    cwd: '/',
    env: {
      ...Object.fromEntries(pass.filter(([, value]) => value !== undefined)),
      LC_ALL: 'C',
      HOME: '/nonexistent',
      GIT_DIR: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ALLOW_PROTOCOL: options.protocol,
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
    },
    timeoutMs,
    ...(signal ? { signal } : {}),
  }).catch((error) => {
    throw failure('machine-cannot', 'no-git', `git cannot be run: ${(error as Error).message}`, 'install git')
  })
  if (done.code !== 0) throw notListed(repository, done, timeoutMs)
  return readTags(done.stdout)
}

function notListed(repository: string, { stderr, timedOut }: Finished, timeoutMs: number) {
  const said = timedOut ? `no answer within ${timeoutMs / 1000} s` : (stderr.trim().split('\n').at(-1) ?? '')
  return failure('machine-cannot', 'no-tags', `git cannot list the tags of ${repository}: ${said}`)
}

/** `COMMIT\trefs/tags/v1`, and for an annotated tag a second line `COMMIT\trefs/tags/v1^{}`, which has the commit. */
export function readTags(text: string): readonly RemoteTag[] {
  const tags = new Map<string, { sha: string; object?: string }>()
  for (const line of text.split('\n')) {
    const [, sha, name, peeled] = /^([0-9a-f]{40})\trefs\/tags\/([!-~]+?)(\^\{\})?$/.exec(line) ?? []
    if (sha === undefined || name === undefined) continue
    const before = tags.get(name)
    tags.set(name, peeled && before ? { sha, object: before.sha } : { sha })
  }
  return [...tags].map(([name, tag]) => ({ name, ...tag }))
}
