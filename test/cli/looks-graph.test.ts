import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { looksRig, newRun, wholeRun } from './looks-rig.ts'

const flow = `runtime = "host"
[tasks.build]
cmd = "make"
[tasks.deploy]
cmd = "ship"
depends_on = ["build"]
on_failure = "tell"
[tasks.tell]
cmd = "mail"
type = "forensic"
`

test('a workflow by its name, and commands', (t) => {
  const { dwf } = looksRig(t, {
    'workflows/ship.toml': flow,
    'devflow.toml':
      '[runtime]\nprofile = "host"\n[tasks."test:a"]\nrun = "a"\n[tasks."test:b"]\nrun = "b"\nneeds = ["test:a"]\n',
  })
  assert.equal(dwf(['graph', 'ship']).stdout, 'ship\n\n○ build\n│\n○ deploy  on failure: tell\n◇ tell  handler\n')
  assert.equal(dwf(['graph', 'test:b']).stdout, 'test:b\n\n○ test:a@project\n│\n○ test:b@project\n')
  const { stderr, status } = dwf(['graph', 'ship', 'test'])
  assert.deepEqual(
    { stderr, status },
    { stderr: 'error: one workflow is drawn at a time\n  dwf graph ship\n', status: 2 },
  )
})

test('a run with the states of its tasks, in each format', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  await wholeRun(store, newRun('r1', root, Date.now()), { outcome: 'failed' })
  assert.equal(
    dwf(['graph', '--run', 'r1']).stdout,
    'check:pr, run r1\n\n✔ lint@node  passed\n│\n✖ test@node  failed\n',
  )
  assert.match(
    dwf(['graph', '--run', 'r1'], { NO_COLOR: '', FORCE_COLOR: '1' }).stdout,
    /\u001b\[31m✖\u001b\[39m test@node/,
  )
  const json = JSON.parse(dwf(['graph', '--run', 'r1', '--json']).stdout)
  assert.deepEqual(json, {
    schema: 'dwf.graph/1',
    title: 'check:pr, run r1',
    tasks: [
      { id: 'lint@node', kind: 'task', needs: [], state: 'passed', level: 0 },
      { id: 'test@node', kind: 'task', needs: ['lint@node'], state: 'failed', level: 1 },
    ],
  })
  const file = join(root, 'graph.html')
  assert.deepEqual(dwf(['graph', '--run', 'r1', '-f', 'html', '-o', 'graph.html', '--dry-run']), {
    status: 0,
    stdout: '',
    stderr: `would write ${file}\n`,
  })
  assert.equal(existsSync(file), false)
  assert.equal(dwf(['graph', '--run', 'r1', '-f', 'html', '-o', 'graph.html']).stderr, `wrote ${file}\n`)
  assert.match(readFileSync(file, 'utf8'), /^<!doctype html>\n[\s\S]*<\/html>\n$/)
})

test('words that cannot be read are said', (t) => {
  const { dwf, root } = looksRig(t, { 'workflows/ship.toml': flow })
  assert.equal(
    dwf(['graph', '-f', 'svg']).stderr,
    'error: --format must be ascii, mermaid, dot, html or json, not "svg"\n',
  )
  assert.equal(
    dwf(['graph', '--json', '-f', 'dot']).stderr,
    'error: --json and --format dot are two formats\n  leave one out\n',
  )
  assert.equal(
    dwf(['graph', '--run', 'r1', 'ship']).stderr,
    'error: a graph is that of a run or of names, not of both\n  leave one out\n',
  )
  const { status, stderr } = dwf(['graph', 'ship', '-o', 'no/where.dot'])
  assert.equal(status, 3)
  assert.match(
    stderr,
    new RegExp(
      `^error: the graph could not be written to ${root}/no/where.dot: ENOENT.*\\n {2}name a file in a folder that is there\\n$`,
    ),
  )
})
