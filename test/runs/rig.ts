import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export const project = join(import.meta.dirname, '../..')
const failpoints = join(import.meta.dirname, '../crash/failpoints.ts')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A repository with workflow files, trusted, and a state of its own. */
export class RunRig {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-runs-')))
  readonly root = join(this.folder, 'repo')
  readonly state = join(this.folder, 'state')
  readonly env: NodeJS.ProcessEnv

  constructor(workflows: Readonly<Record<string, string>>) {
    mkdirSync(join(this.root, 'workflows'), { recursive: true })
    for (const [name, text] of Object.entries(workflows))
      writeFileSync(join(this.root, 'workflows', `${name}.toml`), text)
    writeFileSync(join(this.root, 'devflow.toml'), '[project]\nname = "crash"\n')
    this.env = {
      PATH: process.env.PATH!,
      HOME: join(this.folder, 'home'),
      XDG_STATE_HOME: this.state,
      XDG_CONFIG_HOME: join(this.folder, 'config'),
      XDG_CACHE_HOME: join(this.folder, 'cache'),
      NO_COLOR: '1',
    }
    mkdirSync(this.env.HOME!, { recursive: true })
  }

  /** @param failpoint where it is killed: `before rename setup.json#1` */
  start(words: readonly string[], more: { failpoint?: string; noteTo?: string; env?: NodeJS.ProcessEnv } = {}) {
    const { failpoint, noteTo } = more
    return spawn(
      process.execPath,
      [...(failpoint || noteTo ? ['--import', failpoints] : []), join(project, 'bin/dwf.js'), ...words],
      {
        cwd: this.root,
        env: {
          ...this.env,
          ...more.env,
          ...(failpoint ? { DWF_FAILPOINT: failpoint } : {}),
          ...(noteTo ? { DWF_FAILPOINTS_TO: noteTo } : {}),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
  }

  async run(words: readonly string[], more: Parameters<RunRig['start']>[1] = {}): Promise<Ended> {
    const child = this.start(words, more)
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text
      })
    // What dwf leaves running may hold the pipes open: its own end is what counts.
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once('exit', (...end) => resolve(end))
    })
    child.stdout.destroy()
    child.stderr.destroy()
    return { code, signal, ...said }
  }

  async trust(): Promise<void> {
    const { code, stderr } = await this.run(['trust', '--ci'], { env: { CI: '1' } })
    if (code !== 0) throw new Error(stderr)
  }

  /** What tasks wrote down when they ran, a line each. */
  get ran(): readonly string[] {
    const file = join(this.root, 'ran')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  }

  database<T>(use: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(join(this.state, 'dwf/dwf.db'))
    try {
      return use(database)
    } finally {
      database.close()
    }
  }

  /** Whether there is a store with its tables: one that was killed before has a file without them. */
  get hasDatabase(): boolean {
    if (!existsSync(join(this.state, 'dwf/dwf.db'))) return false
    return this.database(
      (database) => database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'runs'").get() !== undefined,
    )
  }

  /** Begins again with nothing kept. */
  reset(): void {
    rmSync(this.state, { recursive: true, force: true })
    rmSync(join(this.root, 'ran'), { force: true })
  }

  done(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
