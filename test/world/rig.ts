import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { useSubstitute } from '../../src/image/index.ts'
import { shippedPins } from '../../src/pins/index.ts'

/** Made by scripts/world, which also started this test as an unprivileged account. */
export const world = process.env.DWF_WORLD ?? '/var/tmp/dwf-world'
const project = join(import.meta.dirname, '../..')

if (process.getuid?.() === 0)
  throw new Error('the tests of the world run as an unprivileged account: scripts/test, or scripts/world run')
if (!existsSync(join(world, 'bin/trivy')))
  throw new Error(`there is no test world at ${world}: scripts/world setup; scripts/tools`)

// Its dates must be of today: a database older than two days judges nothing. Another account only reads it.
if (statSync(world).uid === process.getuid?.()) {
  const { status, stderr } = spawnSync('bash', [join(project, 'scripts/test-database'), join(world, 'trivy-cache')], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`scripts/test-database: ${stderr}`)
}

/** Pinned image by tool → the stand-in that has its layout. */
const standIns: Readonly<Record<string, string>> = {
  base: 'debian:13-slim',
  node: 'node:24-trixie-slim',
  python: 'python:3.13-slim-trixie',
  rust: 'rust:1.98.1-slim-trixie',
  go: 'golang:1.26.8-trixie',
}

fetchStandIn('debian:13-slim')

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Both, for messages of assertions. */
  readonly all: string
  readonly ms: number
}

export interface Repository {
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  write(files: Readonly<Record<string, string>>): void
  read(path: string): string
  has(path: string): boolean
  /** Runs the built dwf in the repository. */
  dwf(args: readonly string[], options?: DwfOptions): Promise<Finished>
}

export interface DwfOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Called with the child as soon as its output has what is waited for. */
  readonly when?: { readonly says: RegExp; readonly act: (child: ReturnType<typeof spawn>) => void }
}

/** A repository of its own, with state, configuration and approvals of its own, that goes when the test ends. */
export function repository(
  context: TestContext,
  files: Readonly<Record<string, string>> = {},
  name = 'repo',
): Repository {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-world-'))
  context.after(() => {
    // Go makes the folders of its module cache read-only.
    spawnSync('chmod', ['-R', 'u+rwX', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const root = join(folder, name)
  mkdirSync(root)
  const config = join(folder, 'config')
  mkdirSync(config)
  // Podman reads its own configuration from the same place; only dwf's is the test's own.
  if (existsSync(join(homedir(), '.config/containers')))
    symlinkSync(join(homedir(), '.config/containers'), join(config, 'containers'))
  const env = {
    ...process.env,
    PATH: `${join(world, 'bin')}:${process.env.PATH}`,
    XDG_CONFIG_HOME: config,
    XDG_STATE_HOME: join(folder, 'state'),
    DWF_TRIVY_CACHE: join(world, 'trivy-cache'),
    CI: '',
    GITHUB_ACTIONS: '',
    NO_COLOR: '1',
  }
  for (const pin of shippedPins.images) {
    const standIn = standIns[pin.tool]
    if (standIn)
      useSubstitute(join(folder, 'state/dwf'), {
        ref: pin.ref,
        image: `localhost/dwf-stand-in/${standIn}`,
        how: 'test',
        created: '2026-01-01T00:00:00Z',
      })
  }
  const repo: Repository = {
    root,
    env,
    write(more) {
      for (const [path, text] of Object.entries(more)) {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), text)
      }
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    has: (path) => existsSync(join(root, path)),
    dwf: (args, options = {}) => runDwf(args, options.cwd ?? root, { ...env, ...options.env }, options.when),
  }
  repo.write(files)
  return repo
}

/** Accounts other than the first have the stand-ins in the registry on loopback only. */
function fetchStandIn(name: string): void {
  if (spawnSync('podman', ['image', 'exists', `localhost/dwf-stand-in/${name}`]).status === 0) return
  for (const args of [
    ['pull', '--quiet', `docker.io/library/${name}`],
    ['tag', `docker.io/library/${name}`, `localhost/dwf-stand-in/${name}`],
  ]) {
    const { status, stderr } = spawnSync('podman', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`podman ${args.join(' ')}: ${stderr}`)
  }
}

/** A copy of test/fixtures/samples/NAME. */
export function sample(context: TestContext, name: string): Repository {
  const repo = repository(context, {}, name)
  cpSync(join(project, 'test/fixtures/samples', name), repo.root, { recursive: true })
  return repo
}

/** The smallest repository with tasks: no stack, only a base image, tasks given as `[tasks]`. */
export async function tasks(
  context: TestContext,
  toml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Repository> {
  const repo = repository(context, { 'devflow.toml': toml, ...files })
  const { code, all } = await repo.dwf(['init'])
  if (code !== 0) throw new Error(`dwf init: ${all}`)
  return repo
}

function runDwf(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  when: DwfOptions['when'],
): Promise<Finished> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(project, 'bin/dwf.js'), ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const out: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
    let waited = ''
    let done = false
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        out[stream].push(chunk)
        if (!when || done) return
        waited += chunk.toString('utf8')
        if (!when.says.test(waited)) return
        done = true
        when.act(child)
      })
    }
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const [stdout, stderr] = [Buffer.concat(out.stdout).toString('utf8'), Buffer.concat(out.stderr).toString('utf8')]
      resolve({ code, signal, stdout, stderr, all: `${stderr}${stdout}`, ms: performance.now() - began })
    })
  })
}
