import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { failure } from '../util/diagnostics.ts'
import { writeAtomic } from '../util/files.ts'
import { configFolder, isInside, privateFolder } from '../util/paths.ts'
import { hashOfRequests, sameRequest, type TrustAsk, type TrustRequest } from './requests.ts'

export interface Approval {
  readonly hash: string
  readonly requests: readonly TrustRequest[]
  /** ISO 8601. */
  readonly at: string
  readonly by: 'person' | 'ci'
}

interface TrustFile {
  readonly schema: 'dwf.trust/1'
  /** By the absolute path of the root, links resolved. */
  readonly projects: Readonly<Record<string, Approval>>
}

/** Where approvals are kept: never in a repository, whatever the environment says. */
export function trustFile(root: string, env: NodeJS.ProcessEnv = process.env): string {
  const file = join(configFolder(env), 'trust.json')
  if (isInside(root, file)) {
    throw failure(
      'refused',
      'trust-in-repository',
      `the folder for approvals lies in the repository: ${file}`,
      'set XDG_CONFIG_HOME to a folder outside of it',
    )
  }
  return file
}

function readAll(file: string): TrustFile {
  const stat = lstatSync(file, { throwIfNoEntry: false })
  if (!stat) return { schema: 'dwf.trust/1', projects: {} }
  if (!stat.isFile() || (process.getuid && stat.uid !== process.getuid()) || (stat.mode & 0o022) !== 0) {
    throw failure(
      'refused',
      'trust-file-open',
      `${file} could have been written by somebody else`,
      `look at it, then: chmod 600 ${file}`,
    )
  }
  try {
    const value = JSON.parse(readFileSync(file, 'utf8'))
    if (value.schema === 'dwf.trust/1' && typeof value.projects === 'object' && value.projects) return value
  } catch {
    // Said below: a damaged file approves nothing and is not overwritten.
  }
  throw failure('refused', 'trust-file-damaged', `${file} is not a list of approvals`, 'move it away and approve again')
}

/** What was approved for this root, whether or not it still fits. */
export function approvalOf(root: string, env: NodeJS.ProcessEnv = process.env): Approval | undefined {
  const { projects } = readAll(trustFile(root, env))
  return Object.hasOwn(projects, root) ? projects[root] : undefined
}

/** Equal for requests that `sameRequest` finds the same. */
const keyOf = ({ kind, says }: TrustRequest): string => `${kind} ${says}`

/**
 * Of what is asked what was not approved: other words, or another command behind them, are another request. An
 * approval that does not fit its own hash approves nothing.
 */
export function unapproved(
  root: string,
  requests: readonly TrustRequest[],
  env: NodeJS.ProcessEnv = process.env,
): readonly TrustRequest[] {
  if (requests.length === 0) return []
  const approval = approvalOf(root, env)
  if (!approval || hashOfRequests(approval.requests) !== approval.hash) return requests
  const approved = new Set(approval.requests.map(keyOf))
  return requests.filter((request) => !approved.has(keyOf(request)))
}

export function approve(
  root: string,
  ask: TrustAsk,
  by: Approval['by'],
  now: Date,
  env: NodeJS.ProcessEnv = process.env,
): void {
  const file = trustFile(root, env)
  const all = readAll(file)
  save(
    file,
    {
      ...all,
      projects: { ...all.projects, [root]: { hash: ask.hash, requests: ask.requests, at: now.toISOString(), by } },
    },
    env,
  )
}

/** @returns false when there was nothing to revoke */
export function revoke(root: string, env: NodeJS.ProcessEnv = process.env): boolean {
  const file = trustFile(root, env)
  const { [root]: found, ...projects } = readAll(file).projects
  if (found) save(file, { schema: 'dwf.trust/1', projects }, env)
  return found !== undefined
}

function save(file: string, value: TrustFile, env: NodeJS.ProcessEnv): void {
  privateFolder(configFolder(env))
  writeAtomic(file, `${JSON.stringify(value, undefined, 2)}\n`, 0o600)
}

/** What is asked now and was not approved, and what was approved and is no longer asked. */
export function trustDiff(
  ask: TrustAsk,
  approval: Approval | undefined,
): { readonly added: readonly TrustRequest[]; readonly gone: readonly TrustRequest[] } {
  const before = approval?.requests ?? []
  const lacks = (list: readonly TrustRequest[]) => (request: TrustRequest) =>
    !list.some((one) => sameRequest(one, request))
  return { added: ask.requests.filter(lacks(before)), gone: before.filter(lacks(ask.requests)) }
}
