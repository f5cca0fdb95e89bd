import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseLock } from '../../src/pins/index.ts'
import { pushDatabase } from './registry.ts'
import { type Repository, world } from './rig.ts'

const actions = join(import.meta.dirname, '../fixtures/actions')

/** The actions that have a stand-in; checkout is act's own, which copies the work tree. */
const standIns: Readonly<Record<string, string>> = {
  'step-security/harden-runner': 'harden-runner',
  'actions/setup-node': 'setup-node',
  'actions/upload-artifact': 'upload-artifact',
  'actions/download-artifact': 'download-artifact',
  'github/codeql-action': 'codeql-action',
}

export interface Ran {
  readonly code: number | null
  readonly log: string
  /** Result by job: `success`, `failure`; absent for one that did not run. */
  readonly jobs: Readonly<Record<string, string>>
  /** Names of the artifacts, and what was uploaded to code scanning as `uploaded`. */
  readonly artifacts: readonly string[]
  /** What an artifact has in it. */
  readonly artifact: (name: string, file: string) => string
}

const git = (root: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-C', root, ...args], {
    encoding: 'utf8',
  })

/** Everything that is in the work tree becomes the first commit of main. */
export function commitMain(repo: Repository): void {
  git(repo.root, 'init', '--quiet', '--initial-branch=main')
  git(repo.root, 'remote', 'add', 'origin', 'https://github.com/test/repo.git')
  git(repo.root, 'add', '--all', '--force')
  git(repo.root, 'commit', '--quiet', '--message=main')
}

/** A change as GitHub has it for a pull request: HEAD is the test merge of a branch into main. */
export function pullRequest(repo: Repository, change: () => void): { readonly event: object } {
  git(repo.root, 'switch', '--quiet', '--create', 'change')
  change()
  git(repo.root, 'add', '--all')
  git(repo.root, 'commit', '--quiet', '--allow-empty', '--message=change')
  const head = git(repo.root, 'rev-parse', 'HEAD').trim()
  git(repo.root, 'switch', '--quiet', '--detach', 'main')
  git(repo.root, 'merge', '--quiet', '--no-ff', '--message=merge', 'change')
  return {
    event: {
      pull_request: { head: { sha: head, repo: { full_name: 'test/repo' } } },
      repository: { full_name: 'test/repo' },
    },
  }
}

/** Runs a workflow of a repository with act, steps on this machine as this account, and stand-ins for remote actions. */
export async function runWorkflow(
  context: TestContext,
  repo: Repository,
  options: {
    readonly event: string
    readonly file?: string
    readonly payload?: object
    readonly env?: Readonly<Record<string, string>>
  },
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-act-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const store = join(folder, 'artifacts')
  for (const name of ['artifacts', 'cache', 'tmp']) mkdirSync(join(folder, name))
  const event = join(folder, 'event.json')
  writeFileSync(event, JSON.stringify(options.payload ?? {}))
  const lock = parseLock(repo.read('devflow.lock'), 'devflow.lock')
  const args = [
    options.event,
    '--workflows',
    `.github/workflows/${options.file ?? 'ci.yml'}`,
    '--platform',
    'ubuntu-24.04=-self-hosted',
    '--no-cache-server',
    '--eventpath',
    event,
    '--env',
    `STAND_IN_ARTIFACTS=${store}`,
    ...Object.entries({
      CI: 'true',
      DWF_TRIVY_DB: await pushDatabase(join(world, 'trivy-cache/db')),
      XDG_STATE_HOME: repo.env.XDG_STATE_HOME!,
      XDG_CONFIG_HOME: repo.env.XDG_CONFIG_HOME!,
      ...options.env,
    }).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...lock.actions.flatMap(({ name, sha }) =>
      standIns[name] ? ['--local-repository', `${name}@${sha}=${join(actions, standIns[name])}`] : [],
    ),
  ]
  const child = spawn('act', args, {
    cwd: repo.root,
    env: { ...repo.env, XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: join(folder, 'tmp') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      log += chunk
    })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const jobs: Record<string, string> = {}
  for (const [, job, result] of log.matchAll(/^\[[^/\]]*\/([^\]]+?)\s*\].*🏁\s+Job (succeeded|failed)/gm))
    jobs[job!] = result === 'succeeded' ? 'success' : 'failure'
  return {
    code,
    log,
    jobs,
    artifacts: readdirSync(store),
    artifact: (name, file) => readFileSync(join(store, name, file), 'utf8'),
  }
}
