import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  forbiddenImports,
  forbiddenWords,
  importsOf,
  otherRoom,
  readSources,
  readTable,
  roomOf,
  unusedRows,
} from './rooms.ts'

const project = join(import.meta.dirname, '../..')
const table = readTable(readFileSync(join(project, 'docs/decisions/imports.md'), 'utf8'))
const sources = readSources(join(project, 'src'))
const imports = [...sources].flatMap(([file, text]) => importsOf(file, text))

test('every room is in the table, and imports what the table says and nothing else', () => {
  assert.deepEqual([...table.keys()].sort(), [...new Set([...sources.keys()].map(roomOf))].sort())
  assert.deepEqual(forbiddenImports(imports, table), [])
  assert.deepEqual(unusedRows(imports, table), [])
})

test('imports of values make no cycle between rooms', () => {
  const edges = new Map<string, Set<string>>()
  for (const one of imports) {
    const to = one.isType ? undefined : otherRoom(one)
    if (to) edges.set(one.room, (edges.get(one.room) ?? new Set()).add(to))
  }
  const cycles: string[] = []
  const walk = (room: string, way: readonly string[]): void => {
    if (way.includes(room)) cycles.push([...way.slice(way.indexOf(room)), room].join(' → '))
    else for (const next of edges.get(room) ?? []) walk(next, [...way, room])
  }
  for (const room of edges.keys()) walk(room, [])
  assert.deepEqual([...new Set(cycles)], [])
})

test('the rules that the table cannot show are in the table too', () => {
  for (const room of ['plan', 'stacks']) {
    for (const module of table.get(room)!.node)
      assert.ok(['path', 'crypto'].includes(module), `${room} may not import node:${module}`)
  }
  assert.deepEqual(
    [...table].flatMap(([room, { packages }]) => (packages.has('commander') ? [room] : [])),
    ['cli'],
  )
  assert.deepEqual(
    [...table].flatMap(([room, { node }]) => (node.has('child_process') ? [room] : [])),
    ['engine', 'util'],
  )
  assert.deepEqual(
    [...table].flatMap(([room, { node }]) => (node.has('sqlite') ? [room] : [])),
    ['store'],
  )
  const sql = /\b(SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM) /
  for (const [file, text] of sources) if (roomOf(file) !== 'store') assert.doesNotMatch(text, sql, file)
  assert.deepEqual([...table.get('util')!.values], [])
})

test('only cli speaks, plan and stacks know no clock, only engine starts an engine', () => {
  assert.deepEqual(forbiddenWords(sources), [])
})

test('a bad sample is found', () => {
  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['plan/x.ts', "import { readFileSync } from 'node:fs'\n", /plan\/x\.ts imports node:fs/],
    ['plan/x.ts', "import { readFileSync as r, type Stats } from 'node:fs'\n", /imports node:fs/],
    ['plan/x.ts', "const fs = await import('node:fs')\n", /imports node:fs/],
    ['plan/x.ts', "process.getBuiltinModule('node:fs')\n", /imports node:fs/],
    ['plan/x.ts', "import {\n  a,\n  b,\n} from '../run/run.ts'\n", /imports run/],
    ['plan/deep/x.ts', "export * from '../../cli/main.ts'\n", /imports cli/],
    ['plan/x.ts', "import '../engine/choose.ts'\n", /imports engine/],
    ['run/x.ts', "import { openEngine } from '../engine/choose.ts'\n", /imports engine/],
    ['util/x.ts', "import type { Config } from '../config/types.ts'\n", /imports types of config/],
    ['run/x.ts', "import { Command } from 'commander'\n", /imports the package \(commander\)/],
    ['stacks/x.ts', "import satisfies from 'lodash/fp.js'\n", /imports the package \(lodash/],
    ['new-room/x.ts', "import { a } from '../util/text.ts'\n", /new-room is not in the table/],
  ]
  for (const [file, text, message] of bad)
    assert.match(forbiddenImports(importsOf(file, text), table).join('\n'), message, text)
  const good: readonly (readonly [string, string])[] = [
    ['run/x.ts', "import type { Engine } from '../engine/types.ts'\n"],
    ['run/x.ts', "import { type Engine, type Session } from '../engine/types.ts'\n"],
    ['plan/x.ts', "import { y } from './y.ts'\n"],
    ['cli.ts', "import { main } from './cli/main.ts'\n"],
  ]
  for (const [file, text] of good) assert.deepEqual(forbiddenImports(importsOf(file, text), table), [], text)
  const said: readonly (readonly [string, string])[] = [
    ['run/x.ts', 'function a() {\n  console.error(1)\n}'],
    ['engine/x.ts', 'process.stdout.write("x")'],
    ['trust/x.ts', 'process.exit(1)'],
    ['plan/x.ts', 'const now = Date.now()'],
    ['stacks/x.ts', 'if (process.env.HOME) {}'],
    ['scan/x.ts', "run(['podman', 'ps'])"],
  ]
  for (const [file, text] of said) assert.equal(forbiddenWords(new Map([[file, text]])).length, 1, text)
  assert.deepEqual(forbiddenWords(new Map([['run/x.ts', '/** never console.log */\n// process.exit(1)\n']])), [])
  assert.match(
    unusedRows(importsOf('plan/x.ts', "import { a } from '../util/text.ts'\n"), table).join('\n'),
    /plan does not import config/,
  )
})
