import { existsSync, rmSync } from 'node:fs'
import { join, posix } from 'node:path'
import { baselineFile, type Command } from '../config/commands.ts'
import { loadConfig } from '../config/load.ts'
import type { Config, ScanConfig } from '../config/types.ts'
import { targetsOf } from '../plan/expand.ts'
import { exportCommit } from '../project/git-tree.ts'
import type { StackUnit } from '../project/types.ts'
import { failure } from '../util/diagnostics.ts'
import { type Policy, readLock, type Workspace } from './workspace.ts'

const always = ['devflow.toml', 'devflow.lock', baselineFile]

/**
 * Writes what a commit says of policy into a folder: devflow.toml, devflow.lock, the baseline, and the files that
 * devflow.toml names. Undefined, and no folder, where the commit has no devflow.toml.
 * @param to absolute; nothing is there yet
 * @throws Failure('wrong-input') for a commit that is none, a devflow.toml that is wrong, and rules that lie everywhere
 */
export async function exportPolicy(
  root: string,
  commit: string,
  to: string,
  env: NodeJS.ProcessEnv,
): Promise<Policy | undefined> {
  await exportCommit(root, commit, to, env, { only: always, isStrict: true })
  const policy = await readPolicy(to)
  if (!policy) {
    rmSync(to, { recursive: true, force: true })
    return undefined
  }
  const paths = new Set(policyFilesOf(policy.config.scan))
  // The rules of the base could not be told from what they judge.
  if (paths.has('.'))
    throw failure(
      'wrong-input',
      'rules-everywhere',
      'a scanner of devflow.toml has the whole repository as its rules: a change could take them away',
      'put the rules into a folder of their own, and name that as rules',
    )
  const more = [...paths].filter((path) => !always.includes(path))
  if (more.length > 0) await exportCommit(root, commit, to, env, { only: more, isStrict: true })
  return policy
}

/** What accepts findings, and what scanners go by: paths from the root, in the order in which they are named. */
export function policyFilesOf({ vex, honor, code }: ScanConfig): readonly string[] {
  const named = [...vex, ...honor.files, ...honor.semgrep, ...code.flatMap(({ rules }) => rules ?? [])]
  return [...new Set(named.map((path) => posix.normalize(path).replace(/\/$/, '')))]
}

/** A folder that `exportPolicy` wrote. @throws Failure('wrong-input') for a devflow.toml or a lock that is wrong */
export async function readPolicy(folder: string): Promise<Policy | undefined> {
  const file = join(folder, 'devflow.toml')
  if (!existsSync(file)) return undefined
  const { config } = await loadConfig({ cwd: folder, file })
  const lock = readLock(folder)
  return { root: folder, config, ...(lock ? { lock } : {}) }
}

/**
 * The repository as a change makes it, under the policy of the base that the change would be merged into: its gates, and
 * at least its targets. What a change adds to a target counts at once, what it takes away does not.
 */
export function underPolicy(workspace: Workspace, policy: Policy): Workspace {
  const { config, project } = workspace
  return {
    ...workspace,
    config: { ...config, scan: policy.config.scan, targets: targetsUnder(config, policy.config, project.units) },
    policy,
  }
}

function targetsUnder(change: Config, base: Config, units: readonly StackUnit[]): Config['targets'] {
  const [own, required] = [targetsOf(change, units), targetsOf(base, units)]
  const names = new Set([...Object.keys(required), ...Object.keys(own)])
  return Object.fromEntries([...names].map((name) => [name, union(required[name] ?? [], own[name] ?? [])]))
}

function union(first: readonly Command[], second: readonly Command[]): readonly Command[] {
  const known = new Set(first.map(({ text }) => text))
  return [...first, ...second.filter(({ text }) => !known.has(text))]
}
