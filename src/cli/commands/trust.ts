import { loadConfig } from '../../config/load.ts'
import { placeOf } from '../../config/locate.ts'
import type { Config } from '../../config/types.ts'
import { hashOfRequests, type TrustAsk, type TrustRequest, trustAsk } from '../../trust/requests.ts'
import { approvalOf, approve, revoke, trustDiff, unapproved } from '../../trust/store.ts'
import { workflowRequests } from '../../trust/workflows.ts'
import { type Diagnostic, Failure, failure } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import type { Workflow } from '../../workflows/types.ts'
import { judgeOf } from '../gates.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { allWorkflows, isOnHost } from '../workflow-files.ts'
import { readLock, type Workspace } from '../workspace.ts'

export interface TrustOptions {
  readonly ci?: boolean
  readonly diff?: boolean
  /** What `ci:start` wrote: with `--ci`, the base asks, and not the change. */
  readonly from?: string
}

/** `dwf trust [show|approve|revoke]`: what a repository asks for, and a person's answer to it. */
export async function trust(
  action: string | undefined,
  options: TrustOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const { config } = await loadConfig({ cwd: globals.cwd, ...(globals.config ? { file: globals.config } : {}) })
  if (options.from !== undefined && !options.ci)
    throw failure('wrong-input', 'usage', '--from goes with --ci', 'dwf trust --ci --from FOLDER')
  if (options.ci) return approveInCi(config, await askedInCi(config, options.from, globals, output), output)
  const ask = await askOf(config, output)
  switch (action ?? 'show') {
    case 'show':
      return show(config, ask, options.diff === true, globals, output)
    case 'approve':
      return approveByPerson(config, ask, globals, output)
    case 'revoke':
      output.result(revoke(config.root) ? 'revoked' : 'nothing was approved here')
      return 0
    default:
      throw failure(
        'wrong-input',
        'usage',
        `unknown action "${action}"`,
        'dwf trust [show|approve|revoke] [--diff] [--ci]',
      )
  }
}

/** All that the repository asks for: its configuration and its workflow files. */
async function askOf(config: Config, output: Output): Promise<TrustAsk> {
  const ask = trustAsk(config, judgeOf(readLock(config.root)))
  const { workflows, problems } = await allWorkflows(config)
  output.diagnostics(problems)
  const requests = [
    ...ask.requests,
    ...workflows.flatMap((workflow) => workflowRequests(config, workflow, isOnHost(config, workflow))),
  ]
  return { requests, hash: hashOfRequests(requests) }
}

function show(config: Config, ask: TrustAsk, diff: boolean, globals: Globals, output: Output): number {
  const approval = approvalOf(config.root)
  const trusted = unapproved(config.root, ask.requests).length === 0
  const { added, gone } = trustDiff(ask, approval)
  if (globals.json) {
    output.json({
      schema: 'dwf.trust/1',
      trusted,
      hash: ask.hash,
      requests: ask.requests,
      added,
      gone,
      ...(approval ? { approved: approval.at } : {}),
    })
    return 0
  }
  if (ask.requests.length === 0) output.result('this repository asks for nothing that needs trust')
  else if (diff) {
    for (const request of added) output.result(output.style('green', `+ ${line(request)}`))
    for (const request of gone) output.result(output.style('red', `- ${line(request)}`))
    if (added.length + gone.length === 0) output.result('the same as was approved')
  } else {
    output.result('This repository asks to')
    for (const request of ask.requests) output.result(`  ${line(request)}`)
    output.result(
      trusted
        ? `approved ${approval!.at}${approval!.by === 'ci' ? ' by dwf trust --ci' : ''}`
        : 'not approved: dwf trust approve',
    )
  }
  return 0
}

const line = (request: TrustRequest) => `${printable(request.says)} (${request.kind})`

async function approveByPerson(config: Config, ask: TrustAsk, globals: Globals, output: Output): Promise<number> {
  if (unapproved(config.root, ask.requests).length === 0) {
    output.result(ask.requests.length === 0 ? 'nothing to approve' : 'approved already')
    return 0
  }
  if (!globals.input) {
    throw failure(
      'refused',
      'no-terminal',
      'an approval needs a person at a terminal; --yes never approves',
      'run dwf trust approve in a terminal; in CI a step of its own: dwf trust --ci',
    )
  }
  for (const request of ask.requests) output.talk(`  ${line(request)}`)
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({
    message: `Allow ${config.root} to do this?`,
    initialValue: false,
    output: process.stderr,
  })
  if (isCancel(answer) || !answer) throw failure('refused', 'not-approved', 'not approved', 'nothing was changed')
  // What is approved is what was shown, even if devflow.toml has changed since.
  approve(config.root, ask, 'person', new Date())
  output.result('approved')
  return 0
}

/** Of the base, where a change is judged: what the change asks for on top of it was reviewed by nobody. */
async function askedInCi(
  config: Config,
  from: string | undefined,
  globals: Globals,
  output: Output,
): Promise<TrustAsk> {
  if (from === undefined) return askOf(config, output)
  const { policyFrom, readFrom } = await import('../ci/from.ts')
  const policy = await policyFrom(readFrom(from, globals).folder)
  return trustAsk(policy ? { ...policy.config, root: config.root } : config, judgeOf(policy?.lock))
}

function approveInCi(config: Config, ask: TrustAsk, output: Output): number {
  if (!process.env.CI)
    throw failure('refused', 'not-in-ci', '--ci approves only where CI is set', 'dwf trust approve, in a terminal')
  approve(config.root, ask, 'ci', new Date())
  output.result(
    `approved for this runner: ${ask.requests.length === 0 ? 'nothing was asked' : ask.requests.map(line).join('; ')}`,
  )
  return 0
}

/**
 * Stops a command that would do what nobody approved.
 * @param commands those that are to run: what only another task asks for need not be approved for them
 * @returns what was approved and is used now
 */
export async function requireTrust(
  { config, lock, policy }: Pick<Workspace, 'config' | 'lock' | 'policy'>,
  commands?: readonly string[],
  workflow?: Workflow,
): Promise<readonly TrustRequest[]> {
  // Under the policy of a base its lock says who judges: that is what has to be approved.
  const own = trustAsk(config, judgeOf(policy ? policy.lock : lock)).requests.filter(({ kind, task }) =>
    kind === 'scanner-image'
      ? commands === undefined || commands.some((command) => command.startsWith('scan:'))
      : task === undefined || (commands?.includes(task) ?? false),
  )
  const ofWorkflow = workflow ? workflowRequests(config, workflow, isOnHost(config, workflow)) : []
  const needed = [...own, ...ofWorkflow]
  const missing = unapproved(config.root, needed)
  if (missing.length === 0) return needed
  throw new Failure(
    'refused',
    await Promise.all(
      missing.map(async (request): Promise<Diagnostic> => {
        const where = await placeOf(workflow && ofWorkflow.includes(request) ? workflow : config, request.path)
        return {
          severity: 'error',
          code: 'not-trusted',
          message: `not trusted: this repository asks to ${request.says}`,
          hint: policy
            ? 'the base does not ask for it: merge the request first, without a target that uses it'
            : 'dwf trust shows all of it; dwf trust approve allows it',
          ...(where ? { where } : {}),
        }
      }),
    ),
  )
}
