import { type Diagnostic, Failure, failure } from '../util/diagnostics.ts'
import { fetchReason, proxyHint } from '../util/proxies.ts'
import { printable } from '../util/text.ts'
import type { StatusTarget } from './status-target.ts'

export type StatusState = 'pending' | 'success' | 'failure' | 'error'

export interface CommitStatuses {
  /** Sets the final state of each; comes back with what GitHub did not take. */
  readonly end: (state: Exclude<StatusState, 'pending'>, description: string) => Promise<readonly Diagnostic[]>
}

export interface StatusOptions {
  readonly env: NodeJS.ProcessEnv
  readonly timeoutMs?: number
  /** Before the second and third try, ms. */
  readonly pauses?: readonly number[]
}

/**
 * Sets a status for each context to pending, so that what follows cannot end unseen.
 * @throws Failure('machine-cannot') when GitHub does not take one; those that it took are in error then
 */
export async function beginStatuses(
  contexts: readonly string[],
  target: StatusTarget,
  description: string,
  options: StatusOptions,
): Promise<CommitStatuses> {
  const taken: string[] = []
  const end: CommitStatuses['end'] = async (state, text) =>
    (await Promise.all(taken.map((context) => set(target, { context, state, description: text }, options)))).flatMap(
      (problem) => (problem ? [problem] : []),
    )
  for (const context of contexts) {
    const problem = await set(target, { context, state: 'pending', description }, options)
    if (problem) {
      const more = await end('error', 'it could not begin')
      throw new Failure('machine-cannot', [problem, ...more])
    }
    taken.push(context)
  }
  return { end }
}

interface Status {
  readonly context: string
  readonly state: StatusState
  readonly description: string
}

/** GitHub refuses a longer description. */
const descriptionLimit = 140

/** Undefined when GitHub took it. What passes by itself, such as a server that restarts, is tried again. */
async function set(target: StatusTarget, status: Status, options: StatusOptions): Promise<Diagnostic | undefined> {
  const pauses = options.pauses ?? [1_000, 3_000]
  for (let attempt = 0; ; attempt++) {
    const answer = await post(target, status, options.timeoutMs ?? 10_000).catch((error: unknown) => fetchReason(error))
    if (typeof answer === 'object' && answer.status === 201) return undefined
    const isPassing = typeof answer === 'string' || answer.status >= 500 || answer.status === 429
    if (isPassing && attempt < pauses.length) {
      await new Promise((resolve) => setTimeout(resolve, pauses[attempt]))
      continue
    }
    return refusal(target, status, answer, options.env)
  }
}

interface Answer {
  readonly status: number
  readonly says: string
}

/** A repository that was renamed answers with its new address; one on another host gets no token. */
async function post(target: StatusTarget, status: Status, timeoutMs: number): Promise<Answer> {
  const { api, repository, sha, token, page } = target
  const signal = AbortSignal.timeout(timeoutMs)
  let url = new URL(`${api}/repos/${repository}/statuses/${sha}`)
  for (let redirects = 0; ; redirects++) {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'dwf',
        'x-github-api-version': '2022-11-28',
      },
      body: JSON.stringify({
        context: status.context,
        state: status.state,
        description: cut(printable(status.description)),
        ...(page === undefined ? {} : { target_url: page }),
      }),
    })
    const to = [301, 302, 307, 308].includes(response.status) ? response.headers.get('location') : null
    const next = to === null ? null : URL.parse(to, url.href)
    if (next && next.origin === url.origin && redirects < 3) {
      await response.body?.cancel()
      url = next
      continue
    }
    if (next) return { status: response.status, says: `it leads to ${next.host}` }
    return { status: response.status, says: messageOf(await response.text()) }
  }
}

const cut = (text: string): string =>
  text.length <= descriptionLimit ? text : `${text.slice(0, descriptionLimit - 1).toWellFormed()}…`

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body)
    return typeof message === 'string' ? printable(message).slice(0, 200) : ''
  } catch {
    return ''
  }
}

function refusal(
  { api, repository, sha, token }: StatusTarget,
  { context, state }: Status,
  answer: Answer | string,
  env: NodeJS.ProcessEnv,
): Diagnostic {
  const why =
    typeof answer === 'string' ? answer : `HTTP ${answer.status}${answer.says === '' ? '' : `, ${answer.says}`}`
  const hint = typeof answer === 'string' ? proxyHint(env) : hintOf(answer, context)
  const { diagnostics } = failure(
    'machine-cannot',
    'no-status',
    // Whatever an error or a server says, the token is not in it.
    `${new URL(api).host} did not take the commit status "${context}" (${state}) for ${repository} at ${sha.slice(0, 12)}: ${why}`.replaceAll(
      token,
      '••••••••',
    ),
    hint,
  )
  return diagnostics[0]!
}

function hintOf({ status, says }: Answer, context: string): string | undefined {
  if (status === 401) return 'GITHUB_TOKEN is not valid there'
  if (/rate limit/i.test(says)) return 'GitHub takes no more for now: run it again later'
  if (status === 403 || status === 404)
    return `the token lacks "statuses: write": give the job that permission, or leave out --report ${context}; the token of a pull request from a fork never has it`
  return undefined
}
