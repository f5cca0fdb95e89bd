import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyChain } from '../../src/store/chain.ts'
import { isLong, sampled } from '../seed.ts'
import { type Repository, tasks } from './rig.ts'

const failpoints = join(import.meta.dirname, '../crash/failpoints.ts')

async function withWorkflow(context: TestContext, toml: string): Promise<Repository> {
  const repo = await tasks(context, '[project]\nname = "shop"\n', { 'workflows/w.toml': toml })
  // The image is built once, so that the tests are about runs.
  assert.equal((await repo.dwf(['image', 'build'])).code, 0)
  return repo
}

const stateOf = (repo: Repository) => join(repo.root, '../state/dwf')
const runsOf = (repo: Repository) =>
  existsSync(join(stateOf(repo), 'runs')) ? readdirSync(join(stateOf(repo), 'runs')) : []

function containers(repo: Repository): readonly string[] {
  const all = execFileSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' }).split('\n')
  return all.filter((name) => runsOf(repo).some((run) => name.includes(run)))
}

async function gone(repo: Repository): Promise<void> {
  for (let left = 50; left > 0 && containers(repo).length > 0; left--) await sleep(200)
  assert.deepEqual(containers(repo), [])
}

function ask(repo: Repository, sql: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(join(stateOf(repo), 'dwf.db'))
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

const states = (repo: Repository) =>
  existsSync(join(stateOf(repo), 'dwf.db')) && ask(repo, "SELECT 1 FROM sqlite_schema WHERE name = 'runs'").length > 0
    ? Object.fromEntries(ask(repo, 'SELECT id, state FROM tasks ORDER BY position').map(({ id, state }) => [id, state]))
    : {}
const ran = (repo: Repository) => (repo.has('ran') ? repo.read('ran').split('\n').filter(Boolean) : [])

const workflow = `
always = "tidy"
[tasks.a]
cmd = '''echo a >> ran; printf 'k=one\\n' > "$DWF_OUTPUT"; echo '$(touch x) it"s'; exec 2>/dev/null; sleep 0.2'''
register = "v"
[tasks.b]
depends_on = ["a"]
cmd = '''printf '%s\\n' "b:{{.v}}:{{.a.k}}:$WF_TASK_ID" >> ran; sleep 0.2'''
[tasks.c]
depends_on = ["b"]
cmd = "echo c >> ran"
[tasks.tidy]
type = "forensic"
cmd = "echo tidy >> ran"
`

test('a workflow runs in containers: values, outputs and handlers are as on the host', async (context) => {
  const repo = await withWorkflow(context, workflow)
  const { code, all } = await repo.dwf(['run', 'w'])
  assert.equal(code, 0, all)
  assert.deepEqual(ran(repo), ['a', 'b:$(touch x) it"s:one:b', 'c', 'tidy'])
  assert.ok(!repo.has('x'))
  assert.deepEqual(states(repo), { a: 'passed', b: 'passed', c: 'passed', tidy: 'passed' })
  assert.equal(readFileSync(join(stateOf(repo), 'runs', runsOf(repo)[0]!, 'logs/a.log'), 'utf8'), '$(touch x) it"s\n')
  await gone(repo)
})

test('a link in the place of the output leads nowhere', async (context) => {
  const repo = await withWorkflow(context, `[tasks.a]\ncmd = 'ln -s /workspace/secret "$DWF_OUTPUT"'\n`)
  repo.write({ secret: 'k=stolen\n' })
  const { code, stdout } = await repo.dwf(['run', 'w'])
  assert.equal(code, 1)
  assert.match(stdout, /what it wrote to \$DWF_OUTPUT: cannot be read: it is a link/)
})

test('Ctrl-C: the cleanup runs in the container too, and none is left', async (context) => {
  const repo = await withWorkflow(
    context,
    `on_cancel = "c"\n[tasks.a]\ncmd = "echo started; sleep 60"\n[tasks.c]\ntype = "forensic"\ncmd = "echo cleaned >> ran"\n`,
  )
  const { code, all } = await repo.dwf(['run', 'w'], {
    when: { says: /│ started/, act: (child) => child.kill('SIGINT') },
  })
  assert.equal(code, 130, all)
  assert.deepEqual(ran(repo), ['cleaned'])
  assert.deepEqual(states(repo), { a: 'cancelled', c: 'passed' })
  await gone(repo)
})

test('killed before and after writes, with a real engine: resume goes on, and no container is left', async (context) => {
  const repo = await withWorkflow(context, workflow)
  const list = join(repo.root, '../writes')
  const env = { NODE_OPTIONS: `--import ${failpoints}` }
  const first = await repo.dwf(['run', 'w'], { env: { ...env, DWF_FAILPOINTS_TO: list } })
  assert.equal(first.code, 0, first.all)
  const names = readFileSync(list, 'utf8').split('\n').filter(Boolean)
  assert.ok(names.length > 20, names.join('\n'))
  const points = sampled(
    names.flatMap((name) => [`before ${name}`, `after ${name}`]),
    isLong ? 10 : 3,
  )
  for (const failpoint of points) {
    rmSync(join(stateOf(repo), 'dwf.db'), { force: true })
    for (const more of ['-wal', '-shm']) rmSync(join(stateOf(repo), `dwf.db${more}`), { force: true })
    rmSync(join(repo.root, 'ran'), { force: true })
    const killed = await repo.dwf(['run', 'w'], { env: { ...env, DWF_FAILPOINT: failpoint } })
    if (killed.signal !== 'SIGKILL') {
      assert.equal(killed.code, 0, `${failpoint}\n${killed.all}`)
      continue
    }
    const done = Object.entries(states(repo)).flatMap(([id, state]) =>
      state === 'passed' && id !== 'tidy' ? [id] : [],
    )
    const count = (id: string) => ran(repo).filter((line) => line.split(':')[0] === id).length
    const before = new Map(done.map((id) => [id, count(id)]))
    const isWhole = Object.keys(states(repo)).length > 0 && ask(repo, 'SELECT state FROM runs')[0]?.state === 'passed'
    const words = isWhole ? ['runs'] : Object.keys(states(repo)).length > 0 ? ['resume'] : ['run', 'w']
    const resumed = await repo.dwf(words)
    const said = `${failpoint}\n${killed.all}\n${resumed.all}`
    assert.equal(resumed.code, 0, said)
    assert.deepEqual(states(repo), { a: 'passed', b: 'passed', c: 'passed', tidy: 'passed' }, said)
    for (const [id, times] of before) assert.equal(count(id), times, `${id} was done and ran again: ${said}`)
    assert.equal(ask(repo, 'PRAGMA integrity_check')[0]!.integrity_check, 'ok')
    assert.equal(verifyChain(ask(repo, 'SELECT * FROM events ORDER BY sequence') as never).ok, true)
    await gone(repo)
  }
})

const processes = (pattern: string) =>
  spawnSync('pgrep', ['-u', String(process.getuid!()), '-f', pattern], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
    .filter(Boolean)

for (const [what, kill] of [
  ['its monitor', (run: string) => processes(`conmon.*dwf-${run}`)],
  [
    'its first process',
    (run: string) => {
      const name = execFileSync('podman', ['ps', '--format', '{{.Names}}'], { encoding: 'utf8' })
        .split('\n')
        .find((one) => one.includes(run))
      return [execFileSync('podman', ['inspect', '--format', '{{.State.Pid}}', name!], { encoding: 'utf8' }).trim()]
    },
  ],
] as const) {
  test(`a container of which ${what} is killed with -9 is a lost task, and resume goes on`, async (context) => {
    const repo = await withWorkflow(
      context,
      `[tasks.a]\ncmd = "echo a >> ran"\n[tasks.b]\ndepends_on = ["a"]\ncmd = "echo b >> ran; echo started; test -e go || sleep 60"\n`,
    )
    const lost = await repo.dwf(['run', 'w', '--deadline', '90s'], {
      when: {
        says: /│ started/,
        act: () => {
          const pids = kill(runsOf(repo)[0]!)
          assert.ok(pids.length > 0)
          for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
        },
      },
    })
    assert.equal(lost.code, 1, lost.all)
    assert.match(lost.stdout, /✖ b +lost/)
    repo.write({ go: '' })
    const resumed = await repo.dwf(['resume'])
    assert.equal(resumed.code, 0, resumed.all)
    assert.deepEqual(ran(repo), ['a', 'b', 'b'])
    await gone(repo)
  })
}
