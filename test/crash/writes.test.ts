import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writes } from './failpoints.ts'

const root = join(import.meta.dirname, '../..')
/** Writes a file under a name of its own, which is kept only when it is whole: an export. */
const apart = 'src/cli/commands/export.ts: createWriteStream'

/** What of node:fs changes nothing. */
const reads = new Set([
  'accessSync',
  'closeSync',
  'constants',
  'createReadStream',
  'Dirent',
  'existsSync',
  'fstatSync',
  'fsyncSync',
  'lstatSync',
  'open',
  'readdir',
  'readdirSync',
  'readFileSync',
  'readlinkSync',
  'readSync',
  'realpathSync',
  'statfsSync',
  'Stats',
  'statSync',
  'watch',
])

test('every function that writes and that src/ uses has its failpoints', () => {
  const sources = globSync('src/**/*.ts', { cwd: root })
  assert.ok(sources.length > 200)
  const unknown = sources.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const lists = [...text.matchAll(/import (?:type )?\{([^}]*)\} from 'node:fs(?:\/promises)?'/g)].map(
      ([, list]) => list!,
    )
    const names = lists.flatMap((list) =>
      list
        .split(',')
        .map((name) => name.trim())
        .filter((name) => !name.startsWith('type '))
        .map((name) => name.replace(/ as .*$/, '')),
    )
    // A whole module under one name: what is called of it.
    const whole = [...text.matchAll(/import (?:\* as )?(\w+) from 'node:fs(?:\/promises)?'/g)].map(([, name]) => name!)
    for (const name of whole)
      names.push(...[...text.matchAll(new RegExp(`\\b${name}\\.(\\w+)`, 'g'))].map(([, used]) => used!))
    return names
      .filter((name) => name !== '' && !reads.has(name) && !writes.includes(name as never))
      .map((name) => `${file}: ${name}`)
  })
  assert.deepEqual(unknown, [apart])
})

test('the store writes by statements and commits only, which have failpoints too', () => {
  for (const file of globSync('src/**/*.ts', { cwd: root })) {
    const text = readFileSync(join(root, file), 'utf8')
    if (/node:sqlite/.test(text)) assert.doesNotMatch(text, /\b(backup|applyChangeset|loadExtension)\s*\(/, file)
  }
})
