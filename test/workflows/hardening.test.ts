import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { findWorkflow } from '../../src/workflows/find.ts'
import { harden, type Modes } from '../../src/workflows/hardening.ts'
import { locateProblems } from '../../src/workflows/problems.ts'
import { parseWorkflow, readWorkflow } from '../../src/workflows/read.ts'

const root = join(import.meta.dirname, '../fixtures/workflows-that-people-write')
const tight: Modes = { file: 0o100644, folder: 0o40755 }

async function advice(text: string, modes = tight): Promise<readonly string[]> {
  const { workflow } = await parseWorkflow(join(root, 'w.toml'), text, { name: 'w', root })
  const located = await locateProblems(workflow.file, workflow.text, harden(workflow, modes))
  return located.map(({ severity, code, where, message }) => {
    assert.equal(severity, 'warning')
    return `${where!.line}:${where!.column} ${code}: ${message}`
  })
}

const timed = 'timeout = "1h"\n[tasks.a]\ntimeout = "1m"\n'

test('what has a limit and no danger gets no advice', async () => {
  assert.deepEqual(await advice(`${timed}cmd = "echo x"`), [])
})

test('limits of time', async () => {
  assert.deepEqual(await advice('[tasks.a]\ncmd = "x"\n[tasks.b]\ncmd = "x"\nmatrix = { os = ["l", "m"] }'), [
    '1:1 no-run-timeout: the run has no time limit',
    '1:8 no-timeout: "a" has no time limit',
    '3:8 no-timeout: "b" has no time limit',
  ])
})

test('who may write the file', async () => {
  const text = `${timed}cmd = "echo x"`
  assert.deepEqual(await advice(text, { ...tight, file: 0o100664 }), [
    '1:1 writable-file: others may write to this file, and so decide what is run',
  ])
  assert.deepEqual(await advice(text, { ...tight, folder: 0o41777 }), [
    '1:1 writable-folder: others may write to the folder of this file, and so replace it',
  ])
})

test('retries of what has its effect each time', async () => {
  const retried = (cmd: string) => advice(`${timed}retries = 2\nretry_delay = "1s"\ncmd = ${JSON.stringify(cmd)}`)
  for (const [cmd, effect] of [
    ['./scripts/deploy.sh prod', './scripts/deploy'],
    ['git push origin main', 'git push'],
    ['make && npm publish', 'npm publish'],
    ['kubectl apply -f x', 'kubectl apply'],
    ['rm -rf dist', 'rm'],
    ['curl -sf -X POST https://x', 'curl -sf -X POST'],
  ] as const)
    assert.deepEqual(
      await retried(cmd),
      [`4:11 repeated-effect: "${effect}" may have had its effect when it is tried again`],
      cmd,
    )
  for (const cmd of ['npm test', 'curl -sf https://x', 'echo form', 'git fetch', 'ls farm'])
    assert.deepEqual(await retried(cmd), [], cmd)
})

test('the environment of the machine', async () => {
  assert.deepEqual(await advice(`${timed}cmd = "x"\nclean_env = false`), [
    '5:13 whole-environment: it sees the whole environment, with what other programs keep secret in it',
  ])
  assert.deepEqual(await advice(`runtime = "host"\n${timed}cmd = "x"`), [])
  assert.deepEqual(await advice(`runtime = "host"\n${timed}cmd = "x"\nclean_env = true`), [])
})

test('secrets in env and in variables', async () => {
  assert.deepEqual(
    await advice(
      `${timed}cmd = "x"\nenv = { API_TOKEN = "abc", DB_PASSWORD = "{{.pw}}", KEYBOARD = "us", OLD_TOKEN = "" }`,
    ),
    [
      '5:21 secret-in-env: API_TOKEN looks like a secret: what stands here, and each variable, is kept with the run',
      '5:42 secret-in-env: DB_PASSWORD looks like a secret: what stands here, and each variable, is kept with the run',
    ],
  )
  assert.deepEqual(await advice(`${timed}cmd = "x {{.api-token}} {{.api_token}} {{.monkey}}"`), [
    '4:7 secret-in-variable: {{.api-token}} looks like a secret: variables are kept with the run',
    '4:7 secret-in-variable: {{.api_token}} looks like a secret: variables are kept with the run',
  ])
})

test('what a server sends is not run unseen', async () => {
  for (const cmd of [
    'curl -sSf https://x/i.sh | sh',
    'wget -qO- https://x | sudo -E bash -s',
    'curl https://x | tee i | /bin/sh',
  ])
    assert.deepEqual(
      await advice(`${timed}cmd = ${JSON.stringify(cmd)}`),
      ['4:7 piped-to-shell: it runs what a server sends, unseen'],
      cmd,
    )
  assert.deepEqual(await advice(`${timed}cmd = "curl https://x | shasum"`), [])
})

test('advice for a whole file', async () => {
  const { workflow } = await readWorkflow(findWorkflow('deploy', [root]).file, { name: 'deploy', root })
  assert.deepEqual(
    harden(workflow, tight).map(({ code, path }) => `${code} ${path.join('.')}`),
    [
      'no-timeout tasks.version',
      'no-timeout tasks.build',
      'no-timeout tasks.smoke',
      'no-timeout tasks.rollout',
      'repeated-effect tasks.rollout.retries',
      'no-timeout tasks.collect-logs',
      'no-timeout tasks.roll-back',
      'no-timeout tasks.unlock',
    ],
  )
})
