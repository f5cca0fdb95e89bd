import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { longCase } from '../seed.ts'
import { RunRig } from './rig.ts'

async function rigWith(t: TestContext, workflows: Readonly<Record<string, string>>, config?: string): Promise<RunRig> {
  const rig = new RunRig(workflows)
  t.after(() => rig.done())
  if (config !== undefined) writeFileSync(join(rig.root, 'devflow.toml'), config)
  await rig.trust()
  return rig
}

const has = (rig: RunRig, name: string) => existsSync(join(rig.root, name))

async function until(what: () => boolean): Promise<void> {
  for (let left = 600; !what(); left--) {
    if (left === 0) throw new Error('it never came')
    await sleep(50)
  }
}

const ended = (child: ChildProcess) =>
  new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })

/** Processes with a word in their command line, but for those of the test. */
const processesOf = (word: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(word)
      } catch {
        return false
      }
    })

const rowsOf = (rig: RunRig, sql: string) =>
  rig.database((database) =>
    database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row })),
  )
const states = (rig: RunRig) =>
  Object.fromEntries(rowsOf(rig, 'SELECT id, state FROM tasks ORDER BY position').map(({ id, state }) => [id, state]))
const host = 'runtime = "host"\n'

test('killed in the middle of a task: the next command says so, ends what was left, and resume goes on', async (t) => {
  const rig = await rigWith(t, {
    w: `${host}[tasks.a]\ncmd = "echo a >> ran"\n[tasks.b]\ndepends_on = ["a"]\ncmd = "echo b >> ran; test -e go || { touch started; exec sleep 987.1; }"\n`,
  })
  const child = rig.start(['run', 'w'])
  await until(() => has(rig, 'started'))
  child.kill('SIGKILL')
  await ended(child)
  writeFileSync(join(rig.root, 'go'), '')
  const { code, stdout, stderr } = await rig.run(['resume'])
  assert.equal(code, 0, stderr)
  assert.match(
    stderr,
    /^run \d{14}-[0-9a-f]{6} was interrupted: its dwf is gone; dwf resume \d{14}-[0-9a-f]{6} goes on with it$/m,
  )
  assert.match(stdout, /✔ a {5}passed.*done before/)
  assert.deepEqual(rig.ran, ['a', 'b', 'b'])
  assert.deepEqual(processesOf('987.1'), [])
  assert.deepEqual(states(rig), { a: 'passed', b: 'passed' })
})

for (const [mib, options] of [
  [50, {}],
  [1024, longCase('1 GiB of output')],
] as const) {
  test(`${mib} MiB of output are in the log, every byte, and dwf stays small`, options, async (t) => {
    const rig = await rigWith(t, {
      w: `${host}[tasks.a]\ncmd = "yes 0123456789abcde | head -c ${mib * 1024 * 1024}"\n`,
    })
    const child = rig.start(['run', 'w', '-q'])
    let peak = 0
    const timer = setInterval(() => {
      try {
        peak = Math.max(
          peak,
          Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0),
        )
      } catch {
        // It has ended.
      }
    }, 20)
    assert.deepEqual(await ended(child), { code: 0, signal: null })
    clearInterval(timer)
    const [{ id }] = rowsOf(rig, 'SELECT id FROM runs') as [{ id: string }]
    const log = join(rig.state, 'dwf/runs', id, 'logs/a.log')
    assert.equal(statSync(log).size, mib * 1024 * 1024)
    assert.equal(statSync(log).mode & 0o777, 0o600)
    assert.ok(peak < 160 * 1024, `${peak} KiB`)
  })
}

test('a registered value arrives verbatim in every place of a command, and nothing of it is run', async (t) => {
  const value = `$(touch x); '"\`touch y\` \\ * ~ $HOME`
  writeFileSync('/dev/null', '')
  const places = [
    `printf '%s\\n' {{.v}}`,
    `printf '%s\\n' "{{.v}}"`,
    `printf '%s\\n' '{{.v}}'`,
    `printf '%s\\n' "a{{.v}}b" | sed 's/^a//; s/b$//'`,
    `printf '%s\\n' "$(printf '%s' {{.v}})"`,
    `x={{.v}}; printf '%s\\n' "$x"`,
  ]
  const rig = await rigWith(t, {
    w: `${host}[tasks.a]\ncmd = "cat value"\nregister = "v"\n${places
      .map(
        (place, index) =>
          `[tasks.p${index}]\ndepends_on = ["a"]\ncmd = ${JSON.stringify(`{ ${place}; } >> got${index}`)}\n`,
      )
      .join('')}[tasks.env]\ndepends_on = ["a"]\ncmd = 'printf "%s\\n" "$X" > gotenv'\nenv = { X = "<{{.v}}>" }\n`,
  })
  writeFileSync(join(rig.root, 'value'), `${value}\n`)
  const { code, stderr } = await rig.run(['run', 'w'])
  assert.equal(code, 0, stderr)
  for (const index of places.keys())
    assert.equal(readFileSync(join(rig.root, `got${index}`), 'utf8'), `${value}\n`, places[index])
  assert.equal(readFileSync(join(rig.root, 'gotenv'), 'utf8'), `<${value}>\n`)
  assert.ok(!has(rig, 'x') && !has(rig, 'y'))
})

test('two runs of one lock never overlap, and a dead one frees it', async (t) => {
  const body = `echo begin >> ran; sleep 0.3; echo end >> ran`
  const rig = await rigWith(t, {
    one: `${host}concurrency = "deploy"\n[tasks.a]\ncmd = "${body}"\n`,
    two: `${host}[tasks.b]\ncmd = "${body}"\nconcurrency = "deploy"\n`,
    stuck: `${host}concurrency = "deploy"\n[tasks.c]\ncmd = "touch stuck; exec sleep 987.2"\n`,
  })
  const both = await Promise.all([rig.run(['run', 'one']), rig.run(['run', 'two'])])
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  )
  assert.deepEqual(rig.ran, ['begin', 'end', 'begin', 'end'])
  assert.match(both.map(({ stderr }) => stderr).join(''), /waits for deploy, which run \d{14}-[0-9a-f]{6} has/)
  const stuck = rig.start(['run', 'stuck'])
  await until(() => has(rig, 'stuck'))
  const waiting = rig.run(['run', 'two'])
  await sleep(400)
  assert.equal(rig.ran.length, 4)
  stuck.kill('SIGKILL')
  assert.equal((await waiting).code, 0)
  assert.equal(rig.ran.length, 6)
  await rig.run(['runs'])
  assert.deepEqual(processesOf('987.2'), [])
})

test('a secret is nowhere: not on the terminal, in logs, events, the database, or what is exported', async (t) => {
  const secret = 'hunter2-hunter2+hunter2'
  const forms = [secret, Buffer.from(secret).toString('base64').slice(0, -4), encodeURIComponent(secret)]
  const rig = await rigWith(
    t,
    {
      w: `${host}on_failure = "h"
[tasks.a]
secrets = ["TOKEN", "FILED"]
cmd = '''echo "$TOKEN"; printf %s "$TOKEN" | base64; cat "$FILED"; echo "no: $TOKEN" >&2; sleep 0.1; exit 3'''
[tasks.h]
type = "forensic"
cmd = '''echo "told {{.error_message}}"'''
`,
    },
    '[secrets.FILED]\nenv = "TOKEN"\nas = "file"\n',
  )
  const { code, stdout, stderr } = await rig.run(['run', 'w', '--json'], { env: { TOKEN: secret } })
  assert.equal(code, 1, stderr)
  assert.match(stdout, /••••••••/)
  const exported = await rig.run([
    'export',
    (rowsOf(rig, 'SELECT id FROM runs') as [{ id: string }])[0].id,
    '--format',
    'json',
  ])
  assert.equal(exported.code, 0, exported.stderr)
  const files = readdirSync(rig.state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.ok(files.some(({ name }) => name === 'a.log'))
  const texts = [
    stdout,
    stderr,
    exported.stdout,
    ...files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')),
  ]
  for (const text of texts)
    for (const form of forms) assert.ok(!text.includes(form), `${form} in ${text.slice(0, 200)}`)
})

test('a variable that is a secret of the run is refused, since variables are kept', async (t) => {
  const rig = await rigWith(t, { w: `${host}[tasks.a]\nsecrets = ["TOKEN"]\ncmd = "true {{.v}}"\n` })
  const { code, stderr } = await rig.run(['run', 'w', '--var', 'v=x-sesame-sesame'], {
    env: { TOKEN: 'sesame-sesame' },
  })
  assert.equal(code, 2)
  assert.match(stderr, /--var v has a secret of this run in it/)
  assert.ok(!stderr.includes('sesame-sesame'))
})

for (const command of ['run', 'resume'] as const) {
  test(`Ctrl-C during ${command}: no child is left, the cleanup ran, exit 130, and the run shows cancelled`, async (t) => {
    const rig = await rigWith(t, {
      w: `${host}on_cancel = "c"\nalways = "z"\n[tasks.a]\ncmd = "rm -f started; touch started; (sleep 987.3 & sleep 987.3); echo no"\n[tasks.c]\ntype = "forensic"\ncmd = "echo cancelled:{{.failed_dag}} >> ran"\n[tasks.z]\ntype = "forensic"\ncmd = "echo always >> ran"\n`,
    })
    const interrupt = async (words: readonly string[]) => {
      const child = rig.start(words)
      await until(() => has(rig, 'started'))
      await sleep(100)
      child.kill('SIGINT')
      assert.deepEqual(await ended(child), { code: 130, signal: null })
    }
    await interrupt(['run', 'w'])
    if (command === 'resume') {
      await rig.run(['runs'])
      const { rmSync } = await import('node:fs')
      rmSync(join(rig.root, 'started'))
      await interrupt(['resume'])
    }
    const once = ['cancelled:w', 'always']
    assert.deepEqual(rig.ran, command === 'run' ? once : [...once, ...once])
    assert.deepEqual(processesOf('987.3'), [])
    assert.deepEqual(states(rig), { a: 'cancelled', c: 'passed', z: 'passed' })
    assert.deepEqual(rowsOf(rig, 'SELECT state FROM runs'), [{ state: 'cancelled' }])
    assert.match((await rig.run(['status'])).stdout, /cancelled/)
  })
}

test('a slip of the pen is exit 2, with its place and what was meant', async (t) => {
  const rig = await rigWith(t, { w: '[tasks.a]\ncmd = "true"\nretires = 3\n' })
  const { code, stderr } = await rig.run(['run', 'w'])
  assert.equal(code, 2)
  assert.match(stderr, /workflows\/w\.toml:3:1 error: unknown key "retires" in tasks\.a/)
  assert.match(stderr, /\n {3}3 │ retires = 3\n {5}│ \^{7} did you mean "retries"\?/)
})

test('a failure that may be is counted as what it is', async (t) => {
  const rig = await rigWith(t, {
    w: `${host}[tasks.a]\ncmd = "exit 4"\nignore_failure = true\n[tasks.b]\ndepends_on = ["a"]\ncmd = "echo b >> ran"\n`,
  })
  const { code, stdout } = await rig.run(['run', 'w'])
  assert.equal(code, 0)
  assert.match(stdout, /! a {5}failed, and may \(exit 4\)/)
  assert.deepEqual(rig.ran, ['b'])
  assert.deepEqual(states(rig), { a: 'ignored', b: 'passed' })
})

test('a name that is a workflow and a task is refused, with both ways to say it', async (t) => {
  const workflow = `${host}[tasks.a]\ncmd = "echo ran >> ran"\n`
  const rig = await rigWith(t, { build: workflow, release: workflow }, '[tasks.build]\nrun = "true"\n')
  assert.equal((await rig.run(['run', 'release'])).code, 0, 'nothing here offers a task of that name')
  const both = await rig.run(['run', 'build'])
  assert.equal(both.code, 2)
  assert.match(
    both.stderr,
    /"build" is a workflow, and a task too\n {2}dwf run --workflow build, or dwf run --task build/,
  )
  assert.equal((await rig.run(['run', '--workflow', 'build'])).code, 0)
  assert.match((await rig.run(['run', '--task', 'build'])).stderr, /there is no Dockerfile\.devflow/)
})

test('a change of what is done is refused and shown; accepted, it runs again with what needs it', async (t) => {
  const text = (a: string) =>
    `${host}[tasks.a]\ncmd = "echo ${a} >> ran"\n[tasks.b]\ndepends_on = ["a"]\ncmd = "echo b >> ran"\n[tasks.c]\ncmd = "echo c >> ran"\n[tasks.d]\ndepends_on = ["b", "c"]\ncmd = "echo d >> ran; test -e go"\n`
  const rig = await rigWith(t, { w: text('a') })
  assert.equal((await rig.run(['run', 'w'])).code, 1)
  assert.deepEqual(rig.ran, ['a', 'c', 'b', 'd'])
  writeFileSync(join(rig.root, 'go'), '')
  writeFileSync(join(rig.root, 'workflows/w.toml'), text('other'))
  await rig.trust()
  const refused = await rig.run(['resume'])
  assert.equal(refused.code, 4)
  assert.match(
    refused.stderr,
    /a is done, but this has changed since: argv: \["sh","-c","echo a >> ran"\] → \["sh","-c","echo other >> ran"\]/,
  )
  assert.match(refused.stderr, /dwf resume \S+ --accept-changes/)
  assert.deepEqual(rig.ran, ['a', 'c', 'b', 'd'])
  assert.equal((await rig.run(['resume', '--accept-changes'])).code, 0)
  assert.deepEqual(rig.ran, ['a', 'c', 'b', 'd', 'other', 'b', 'd'])
  const nothing = await rig.run(['resume'])
  assert.equal(nothing.code, 2)
  assert.equal((await rig.run(['resume', '--from', 'c'])).code, 0)
  assert.deepEqual(rig.ran.slice(7), ['c', 'd'])
})

test('what a resumed run was asked for is kept: variables, jobs, keep going', async (t) => {
  const rig = await rigWith(t, {
    w: `${host}[tasks.a]\ncmd = "echo a >> ran"\n[tasks.b]\ndepends_on = ["a"]\ncmd = "echo {{.region}} >> ran; test -e go"\n`,
  })
  assert.equal((await rig.run(['run', 'w', '--var', 'region=eu'])).code, 1)
  writeFileSync(join(rig.root, 'go'), '')
  assert.equal((await rig.run(['resume'])).code, 0)
  assert.deepEqual(rig.ran, ['a', 'eu', 'eu'])
  const missing = await rig.run(['run', 'w'])
  assert.equal(missing.code, 2)
  assert.match(
    missing.stderr,
    /the variable region has no value: no task before b registers it[\s\S]*give it: --var region=…/,
  )
})

test('what this machine has in its environment reaches no task, but PATH, HOME and LANG', async (t) => {
  const rig = await rigWith(t, {
    w: `${host}[tasks.a]\ncmd = "env -0 | sed -z 's/=.*//' | tr '\\\\0' '\\\\n' | sort > names"\n[tasks.b]\ncmd = "echo $LOOSE >> ran"\nclean_env = false\n`,
  })
  const { code, stderr } = await rig.run(['run', 'w'], { env: { LOOSE: 'loose', LANG: 'C.UTF-8' } })
  assert.equal(code, 0, stderr)
  const names = readFileSync(join(rig.root, 'names'), 'utf8').trim().split('\n')
  const own = ['DWF_OUTPUT', 'DWF_RUN_ID', 'DWF_SESSION', 'WF_RUN_ID', 'WF_TASK_ID', 'WF_WORKFLOW']
  assert.deepEqual(
    names.filter((name) => !['OLDPWD', 'PWD', 'SHLVL', '_'].includes(name)),
    [...own, 'HOME', 'LANG', 'PATH'].sort(),
  )
  assert.deepEqual(rig.ran, ['loose'])
})

test('a handler runs beside the tasks, whatever -j says', async (t) => {
  const rig = await rigWith(t, {
    w: `${host}[tasks.a]\ncmd = "exit 1"\non_failure = "h"\n[tasks.b]\ncmd = "sleep 0.5; echo b >> ran"\n[tasks.h]\ntype = "forensic"\ncmd = "sleep 0.5; echo h >> ran"\n`,
  })
  const { code, stderr } = await rig.run(['run', 'w', '-k'])
  assert.equal(code, 1, stderr)
  assert.deepEqual([...rig.ran].sort(), ['b', 'h'])
})
