import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openStore, type Store } from '../../src/store/store.ts'
import { type MadeRun, makeRun } from '../store/made-runs.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')

/** A repository, a state folder with runs, and dwf. */
export async function place(t: TestContext, made: readonly Partial<MadeRun>[]) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-audit-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'repo')
  const state = join(folder, 'state/dwf')
  mkdirSync(root)
  mkdirSync(join(folder, 'state'))
  const runs = join(state, 'runs')
  const use = async (action: (store: Store) => unknown) => {
    const store = await openStore(state)
    try {
      await action(store)
    } finally {
      store.close()
    }
  }
  if (made.length > 0)
    await use(async (store) => {
      for (const one of made) await makeRun(store, runs, { id: '20260101000000-aaaaaa', root, ...one })
    })
  const run = (args: readonly string[], stateHome = join(folder, 'state')) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, XDG_STATE_HOME: stateHome, NO_COLOR: '1' },
    })
    return { status, stdout, stderr }
  }
  return { folder, root, runs, use, run }
}
