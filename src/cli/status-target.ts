import { readFileSync } from 'node:fs'
import { failure } from '../util/diagnostics.ts'
import { isWorkflowLog } from './render/workflow-log.ts'

/** The commit that statuses are of, and what it takes to set them. */
export interface StatusTarget {
  /** Of the API of GitHub, without `/` at the end. */
  readonly api: string
  /** `owner/name` */
  readonly repository: string
  readonly sha: string
  /** Sent in a header, and written nowhere. */
  readonly token: string
  /** The page of the run of Actions. */
  readonly page?: string
}

const commit = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/

/** @throws Failure('wrong-input') that names all that is missing for `--report CONTEXT` */
export function statusTarget(env: NodeJS.ProcessEnv): StatusTarget {
  const {
    GITHUB_TOKEN: token = '',
    GITHUB_REPOSITORY: repository = '',
    GITHUB_API_URL: api = 'https://api.github.com',
    GITHUB_SERVER_URL: server = 'https://github.com',
    GITHUB_RUN_ID: run = '',
  } = env
  const sha = commitOf(env)
  const wrong = [
    ...(isWorkflowLog(env) ? [] : ['this is no job of GitHub Actions']),
    ...(token === '' ? ['GITHUB_TOKEN is not set'] : []),
    // What cannot be in a header would be shown in the error about it.
    ...(/^[\x21-\x7e]*$/.test(token) ? [] : ['GITHUB_TOKEN has characters that no token has']),
    ...(/^[\w.-]+\/[\w.-]+$/.test(repository) ? [] : ['GITHUB_REPOSITORY is not set to OWNER/NAME']),
    ...(isApi(api) ? [] : ['GITHUB_API_URL is no https address']),
    ...(typeof sha === 'string' ? [] : [sha.wrong]),
  ]
  if (wrong.length > 0 || typeof sha !== 'string')
    throw failure(
      'wrong-input',
      'no-status-target',
      `--report CONTEXT sets a commit status, and cannot here: ${wrong.join('; ')}`,
      'in a job of GitHub Actions: permissions "statuses: write", and env "GITHUB_TOKEN: ${{ github.token }}" for the step',
    )
  return {
    api: api.replace(/\/+$/, ''),
    repository,
    sha,
    token,
    ...(/^\d+$/.test(run) && isApi(server) ? { page: `${server}/${repository}/actions/runs/${run}` } : {}),
  }
}

/** A token goes over no wire unencrypted. */
function isApi(text: string): boolean {
  const url = URL.parse(text)
  if (url?.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))
}

/**
 * The commit: GITHUB_HEAD_SHA where a workflow sets it, for a pull request its head, else GITHUB_SHA. That of a pull
 * request is a merge that only Actions knows: nobody would see a status of it.
 */
function commitOf(env: NodeJS.ProcessEnv): string | { readonly wrong: string } {
  const { GITHUB_HEAD_SHA: own, GITHUB_SHA: sha = '', GITHUB_EVENT_NAME: event = '', GITHUB_EVENT_PATH: path } = env
  if (own) return commit.test(own) ? own : { wrong: 'GITHUB_HEAD_SHA is no commit' }
  const head = headOf(path)
  if (head !== undefined) return head
  if (event.startsWith('pull_request'))
    return { wrong: 'the event file does not say which commit the pull request is of' }
  return commit.test(sha) ? sha : { wrong: 'GITHUB_SHA is no commit' }
}

function headOf(path: string | undefined): string | undefined {
  if (!path) return undefined
  try {
    const sha = JSON.parse(readFileSync(path, 'utf8'))?.pull_request?.head?.sha
    return typeof sha === 'string' && commit.test(sha) ? sha : undefined
  } catch {
    return undefined
  }
}
