import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readExport } from '../../src/archive/read.ts'
import { exportFormats } from '../../src/archive/write.ts'
import { changed, type Edit, edited, type File, packed, rig, withRows } from './rig.ts'

test('digests, heads and ids that lie are found', async (t) => {
  const { bytes, read } = await rig(t)
  const good = await bytes('tar')
  const none = '0'.repeat(64)
  const rename = (files: File[]) => {
    files.find(({ path }) => path === 'logs/test.log')!.path = 'logs/other.log'
  }
  const cases: readonly (readonly [
    edits: readonly Edit[],
    misfits: readonly string[],
    change?: (files: File[]) => void,
  ])[] = [
    [[], []],
    [[['files.2.sha256', none]], ['logs/build.log: its digest is not the one of its manifest']],
    [[['head.hash', none]], ['manifest.json: its head is not the end of its chain']],
    [[['head.sequence', 5]], ['manifest.json: its head is not the end of its chain']],
    [[['run', 'r2']], ['manifest.json: it is of the run r2, and its rows of r1']],
    [
      [
        ['files.4.task', 'other'],
        ['files.4.path', 'logs/other.log'],
      ],
      ['logs/other.log: its run has no such task'],
      rename,
    ],
  ]
  for (const [edits, expected, change] of cases) {
    const { misfits } = await read(await changed(good, edits, change))
    assert.deepEqual(
      misfits.map(({ where, why }) => `${where}: ${why}`),
      expected,
    )
  }
})

test('an event that was changed under the name of a redaction is found', async (t) => {
  const { bytes, read } = await rig(t)
  const good = await bytes('json')
  const data = JSON.parse(good.toString()).events[4].data.replace('it broke', '[redacted]')
  const bad = withRows(good, [
    ['events.4.data', data],
    ['tasks.1.reason', '[redacted]'],
  ])
  assert.deepEqual((await read(bad)).misfits, [
    { where: 'event 5', why: 'its hash does not fit, and the manifest does not say that it was redacted' },
  ])
})

test('an archive that dwf would not write is refused where it stands', async (t) => {
  const { bytes, refused } = await rig(t)
  const good = await bytes('tar')
  const first = JSON.parse((await bytes('json')).toString()).manifest.files[0]
  const edits: readonly (readonly [place: string, value: unknown, why: string])[] = [
    ['schema', 'dwf.export/2', 'its schema is not dwf.export/1'],
    ['run', '../../x', '"../../x" is no id of a run'],
    ['run', '..', '".." is no id of a run'],
    ['run', '.import-x', '".import-x" is no id of a run'],
    ['run', 'a/b', '"a/b" is no id of a run'],
    ['run', ['r1'], '["r1"] is no id of a run'],
    ['dwf', 1, 'it does not say which dwf wrote it'],
    ['head', undefined, 'it has no head'],
    ['head.hash', 'x', 'it has no head'],
    ['redacted', null, 'it does not say what was redacted'],
    ['redacted.events', [-1], 'it does not say what was redacted'],
    ['files', null, 'it names no files'],
    ['files.1', first, 'attempts.json is named twice'],
    ['files.0', undefined, 'attempts.json is missing'],
    ['files.0', null, 'file 1: it has no path'],
    ['files.2.path', '../../../etc/passwd', 'file 3: "../../../etc/passwd" is not the path of a log of "build"'],
    ['files.2.path', '/etc/passwd', 'file 3: "/etc/passwd" is not the path of a log of "build"'],
    ['files.2.task', 'test', 'file 3: "logs/build.log" is not the path of a log of "test"'],
    ['files.2.task', '', 'file 3: "logs/build.log" is of no task'],
    ['files.2.task', undefined, 'file 3: "logs/build.log" is no file of an export'],
    ['files.2.bytes', -1, 'file 3: "logs/build.log" has no size and digest'],
    ['files.2.bytes', 1e300, 'file 3: "logs/build.log" has no size and digest'],
    ['files.2.sha256', 'x', 'file 3: "logs/build.log" has no size and digest'],
    ['files.0.bytes', 1e12, 'file 1: attempts.json is too large (1000000000000 bytes)'],
  ]
  for (const [place, value, why] of edits) await refused(await changed(good, [[place, value]]), `manifest.json: ${why}`)
  await refused(await changed(good, [['files.2.bytes', 7]]), 'logs/build.log has 6 bytes, and its manifest says 7')
  const changes: readonly (readonly [change: (files: File[]) => unknown, why: string])[] = [
    [
      (files) => files.splice(2, 1, { ...files[2]!, path: 'logs/other.log' }),
      '"logs/other.log" is where its manifest has logs/build.log',
    ],
    [(files) => files.splice(2, 0, files[2]!), '"logs/build.log" is where its manifest has logs/build.times'],
    [(files) => files.push({ path: 'x', content: Buffer.alloc(0) }), '"x" is not in its manifest'],
    [(files) => files.pop(), 'tasks.json is missing'],
  ]
  for (const [change, why] of changes) await refused(await changed(good, [], (files) => void change(files)), why)
  const manifest = (text: string) => packed([{ path: 'manifest.json', content: Buffer.from(text) }])
  const others: readonly (readonly [archive: Buffer, why: string])[] = [
    [packed([{ path: 'a', content: Buffer.alloc(0) }]), 'it does not begin with manifest.json'],
    [packed([]), 'it does not begin with manifest.json'],
    [Buffer.alloc(0), 'the archive ends in the header of file 1'],
    [Buffer.from('nothing of the kind'), 'the archive ends in the header of file 1'],
    [manifest('{'), 'manifest.json is not JSON'],
    [manifest('null'), 'manifest.json: its schema is not dwf.export/1'],
    [manifest(' '.repeat(16 * 1024 * 1024 + 1)), 'its manifest.json is too large'],
    [good.subarray(0, good.length - 10_240), 'the archive ends in options.json'],
  ]
  for (const [archive, why] of others) await refused(archive, why)
})

test('rows that are none are refused where they stand', async (t) => {
  const { bytes, refused } = await rig(t)
  const good = await bytes('json')
  const { tasks, logs } = JSON.parse(good.toString())
  const edits: readonly (readonly [place: string, value: unknown, why: string])[] = [
    ['run.id', 7, 'run.json: id is no text'],
    ['run.plan', '', 'run.json has "plan", which this dwf does not know'],
    ['run.imported_at', 1, 'run.json has "imported_at", which this dwf does not know'],
    ['run.tags', 'x', 'run.json: tags is not a list of texts'],
    ['run.kind', 'x', 'run.json: "x" is no kind of run'],
    ['run.state', 'running', 'run.json: a run that is "running" has not ended'],
    ['run', 1, 'run.json: it is not an object'],
    ['tasks.1.position', 1.5, 'tasks.json: row 2: position is no count'],
    ['tasks.1.ms', null, 'tasks.json: row 2: ms is no duration'],
    ['tasks.1', tasks[0], 'tasks.json: row 2 is there twice'],
    ['tasks.0.id) VALUES (1); --', 1, 'tasks.json: row 1 has "id) VALUES (1); --", which this dwf does not know'],
    ['run.started_at', 8.64e15 + 1, 'run.json: started_at is no time'],
    ['run.started_at', -1, 'run.json: started_at is no time'],
    ['run.ended_at', Date.now() + 2 * 86_400_000, 'run.json: ended_at is in the future'],
    ['run.ms', -1, 'run.json: ms is no duration'],
    ['run.ms', 8.64e15 + 1, 'run.json: ms is no duration'],
    ['run.sessions', 0, 'run.json: sessions is no session'],
    ['run.state', 'great', 'run.json: "great" is no state of a run'],
    ['run.state', 'toString', 'run.json: "toString" is no state of a run'],
    ['run.kind', 1, 'run.json: kind is no kind of run'],
    ['tasks.1.state', 'great', 'tasks.json: row 2: "great" is no state of a task'],
    ['tasks.1.gate', 'open', 'tasks.json: row 2: "open" is no gate'],
    ['tasks.1.session', 0, 'tasks.json: row 2: session is no session'],
    ['tasks.1.ended_at', 1e300, 'tasks.json: row 2: ended_at is no time'],
    ['attempts.0.state', 'great', 'attempts.json: row 1: "great" is no state of a task'],
    ['attempts.0.number', -1, 'attempts.json: row 1: number is no count'],
    ['events.2.at', 9e15, 'events.json: row 3: at is no time'],
    ['attempts', {}, 'attempts.json: it is not a list'],
    ['outputs.0', null, 'outputs.json: row 1: it is not an object'],
    ['events.0.run', 'r2', 'events.json: row 1 is of another run'],
    ['events.1.sequence', 1, 'events.json: row 2 is there twice'],
    ['plan', [], 'plan.json: it is not an object'],
    ['more', 1, '"more" is not in its manifest'],
    ['schema', 'x', 'its schema is not dwf.export/1'],
    ['logs', 1, 'it has no logs'],
    ['logs.0', null, 'a log has no path'],
    ['logs.0.encoding', 'rot13', 'the log "logs/build.log" has no text'],
    ['logs.4', logs[0], '"logs/build.log" is there twice'],
    ['logs.4', { path: '../x', encoding: 'utf8', text: '' }, '"../x" is not in its manifest'],
    ['logs.0', undefined, '"logs/build.times" is where its manifest has logs/build.log'],
  ]
  for (const [place, value, why] of edits) await refused(withRows(good, [[place, value]]), why)
  const lost = edited(JSON.parse(good.toString()), [['plan', undefined]])
  await refused(Buffer.from(JSON.stringify(lost)), 'plan is missing')
})

test('a plan that is none is refused where it stands', async (t) => {
  const { bytes, refused, read } = await rig(t)
  const good = await bytes('json')
  const part = { references: [], templates: {}, ignoreFailure: false }
  const flow = { name: 'w', file: 'w.toml', tags: [], variables: {}, matrices: [] }
  const edits: readonly (readonly [place: string, value: unknown, why: string])[] = [
    ['tasks', undefined, 'tasks is no list'],
    ['tasks', {}, 'tasks is no list'],
    ['tasks.1', null, 'task 2 is no table'],
    ['tasks.1.id', 7, 'task 2: id is no text'],
    ['tasks.0.kind', 'bomb', 'task 1: kind is none of fetch, setup, task, gate, handler'],
    ['tasks.0.argv', 'rm', 'task 1: argv is no list of texts'],
    ['tasks.0.needs', undefined, 'task 1: needs is no list of texts'],
    ['tasks.0.after', [1], 'task 1: after is no list of texts'],
    ['tasks.0.env', { A: 1 }, 'task 1: env is no table of texts'],
    ['tasks.0.retries', -1, 'task 1: retries is no count'],
    ['tasks.0.workflow', 1, 'task 1: workflow is no table'],
    ['tasks.0.workflow', { ...part, templates: [] }, 'task 1: workflow.templates is no table'],
    ['tasks.0.workflow', { ...part, matrix: { base: 'b' } }, 'task 1: workflow.matrix.values is no table of texts'],
    ['tasks.0.workflow', { ...part, onFailure: {} }, 'task 1: workflow.onFailure is no text'],
    ['workflow', null, 'workflow is no table'],
    ['workflow', { ...flow, name: 1 }, 'workflow.name is no text'],
    ['workflow', { ...flow, variables: { a: {} } }, 'workflow.variables is no table of texts'],
  ]
  for (const [place, value, why] of edits)
    await refused(withRows(good, [[`plan.${place}`, value]]), `plan.json: ${why}`)
  // What another dwf says beside it is nobody's business; that its hash does not fit is said apart.
  const more = await read(withRows(good, [['plan.tasks.0.colour', 'red']]))
  assert.deepEqual(
    more.misfits.map(({ where }) => where),
    ['plan'],
  )
})

test('what is nested without an end is refused', async (t) => {
  const { bytes, refused } = await rig(t)
  const deep = '['.repeat(200_000) + ']'.repeat(200_000)
  const text = (await bytes('json')).toString().replace('"schema":"dwf.options/1"', `"schema":${deep}`)
  await refused(Buffer.from(text), 'options is nested too deep')
})

test('a byte that is changed in the rows, the logs or the digests is found', async (t) => {
  const { bytes, read } = await rig(t)
  const good = (await bytes('json')).toString('latin1')
  // Beside it: which dwf wrote it, and how many places it redacted, which nothing else says.
  const places = [
    ...good.matchAll(/"(?:sha256|hash|data|text|id|state|reason|value|title|root)":"((?:[^"\\]|\\.)+)"/g),
  ].flatMap(({ index, 0: all, 1: value }) => Array.from(value!, (_, at) => index + all.length - 1 - value!.length + at))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), fc.constantFrom('x', '0', '"', '\\', '\n'), async (at, char) => {
      fc.pre(good[at] !== char)
      const bad = Buffer.from(good.slice(0, at) + char + good.slice(at + 1), 'latin1')
      const isFound = await read(bad).then(
        ({ misfits }) => misfits.length > 0,
        ({ kind }) => kind === 'wrong-input',
      )
      assert.ok(isFound, `byte ${at}: ${good.slice(at - 30, at)}[${char}]`)
    }),
  )
})

test('a compressed export is read, and one that would become too much is not', async (t) => {
  const { bytes, read, refused } = await rig(t)
  for (const format of exportFormats) assert.deepEqual((await read(gzipSync(await bytes(format)))).misfits, [])
  const compressed = gzipSync(await bytes('tar'))
  await refused(compressed.subarray(0, compressed.length - 20), 'what is compressed in it is damaged')
  const large = Buffer.alloc(80 * 1024 * 1024)
  const bomb = await changed(await bytes('tar'), [['files.2.bytes', large.length]], (files) => {
    files[2]!.content = large
  })
  await refused(gzipSync(bomb), 'it would become more than 64.0 MiB (its manifest says 80.0 MiB)')
  const spaces = Buffer.concat([Buffer.from('{"schema":"'), Buffer.alloc(80 * 1024 * 1024, 32)])
  await refused(gzipSync(spaces), 'it is too large; an export as tar has no such limit')
})

test('what is no plain file is refused, and does not hold dwf up', async (t) => {
  const { folder } = await rig(t)
  spawnSync('mkfifo', [join(folder, 'pipe')])
  for (const path of [folder, join(folder, 'pipe'), '/dev/zero'])
    await assert.rejects(readExport(path), { message: `${path} is no export that dwf reads: it is no plain file` })
  const nothing = join(folder, 'nothing')
  await assert.rejects(readExport(nothing), { message: `there is no file ${nothing}` })
})
