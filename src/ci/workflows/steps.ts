import { shippedPins } from '../../pins/index.ts'
import type { ActionStep, Script, ScriptStep, Step, Value } from '../model/index.ts'
import { expression, plain } from '../model/index.ts'
import { type HostSet, hostsOf } from './hosts.ts'
import type { CiInput } from './input.ts'
import * as scripts from './scripts.ts'

/** A file of a job that is no part of the checkout. */
export const temp = (path: string): Value => expression`format('{0}/${plain(path)}', runner.temp)`

/** A hash that the job made which passed the file on. */
const hashOutput = (job: string): Value => expression`needs.${plain(job)}.outputs.sha256`

export function action(
  input: Pick<CiInput, 'pin'>,
  name: string,
  title: string,
  more: Omit<ActionStep, 'name' | 'uses'> & { readonly folder?: string } = {},
): ActionStep {
  const { sha, version, name: spelled } = input.pin(name)
  const { folder, ...rest } = more
  return { name: title, uses: { name: spelled, ...(folder ? { folder } : {}), sha, version }, ...rest }
}

export const run = (title: string, text: Script, more: Omit<ScriptStep, 'name' | 'run'> = {}): ScriptStep => ({
  name: title,
  run: text,
  ...more,
})

/**
 * First in each job: what the runner may reach, and a record of what it did. It does not work in container jobs. Its agent
 * takes the hosts apart at blanks, and at nothing else (config.go of step-security/agent, seen November 2026).
 */
export function harden(input: CiInput, sets: readonly HostSet[], stacks?: readonly string[]): Step {
  const { egress, hosts } = input.ci
  return action(input, 'step-security/harden-runner', 'Guard the runner', {
    with:
      egress === 'audit'
        ? { 'egress-policy': 'audit' }
        : {
            'egress-policy': 'block',
            'allowed-endpoints': { words: hostsOf(['github', ...sets], stacks ?? [], stacks ? hosts : []) },
          },
  })
}

export const checkout = (input: CiInput, depth: 'commit' | 'history' = 'commit'): Step =>
  action(input, 'actions/checkout', 'Check out', {
    with: { 'persist-credentials': false, ...(depth === 'history' ? { 'fetch-depth': 0 } : {}) },
  })

/** dwf runs on it: the version that dwf's own pins name. */
const nodeVersion = shippedPins.images.find(
  ({ tool, version }) => tool === 'node' && version.startsWith('24.'),
)!.version

/** No cache: what a pull request writes there, another run would read. */
export const setUpNode = (input: CiInput): Step =>
  action(input, 'actions/setup-node', 'Set up Node', {
    with: { 'node-version': nodeVersion, 'package-manager-cache': false },
  })

export const upload = (
  input: CiInput,
  name: string,
  path: string,
  days = 1,
  more: Partial<ActionStep> = {},
): ActionStep =>
  action(input, 'actions/upload-artifact', `Pass on: ${name}`, {
    ...more,
    // A job that is run again has the one of its last attempt before it; whoever takes one holds it against its hash.
    with: { name, path: temp(path), 'retention-days': days, 'if-no-files-found': 'error', overwrite: true },
  })

export const download = (input: CiInput, name: string): Step =>
  action(input, 'actions/download-artifact', `Take: ${name}`, {
    with: { name, path: expression`runner.temp` },
  })

/** dwf as the first job took it from the base, held against the hash that came another way than the file. */
export const dwf = (input: CiInput, first: string): readonly Step[] => [
  setUpNode(input),
  download(input, 'dwf'),
  run('Open dwf', scripts.openDwf, { env: { SHA256: hashOutput(first) } }),
]

export const image = (input: CiInput): readonly Step[] => [
  download(input, 'image'),
  run('Load the image', scripts.loadImage, { env: { SHA256: hashOutput('image') } }),
]

export const cacheOfTrivy: Readonly<Record<string, Value>> = { DWF_TRIVY_CACHE: temp('database') }

export const database = (input: CiInput): readonly Step[] => [
  download(input, 'database'),
  run('Open the database', scripts.openDatabase, {
    env: { SHA256: hashOutput('database'), ...cacheOfTrivy },
  }),
]

export const token: Value = expression`github.token`
