import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { defaultSelectors } from '../../src/config/commands.ts'
import { definition, type Node } from '../../src/config/definition.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { leftOut } from '../../src/scan/left-out.ts'
import { blocksOf, differences, examplesOf, matches, pages, readPage, shim } from './examples.ts'

const project = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'dwf-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const bin = shim(join(folder, 'bin'), join(project, 'src/cli.ts'))
const env = {
  PATH: `${bin}:${process.env.PATH}`,
  HOME: join(folder, 'home'),
  LANG: 'C.UTF-8',
  NO_COLOR: '1',
}

/** Where the examples of one page run, each in a folder named like a repository of a user. */
function place(where: string, before: string | undefined): string {
  if (where === 'goes on') return before!
  const to = join(mkdtempSync(join(folder, 'page-')), where)
  mkdirSync(to)
  if (where !== 'empty') cpSync(join(project, 'test/fixtures/samples', where), to, { recursive: true })
  return to
}

for (const page of pages) {
  const examples = examplesOf(page)
  const here = examples.filter(({ inWorld, notRun }) => !inWorld && notRun === undefined)
  if (here.length > 0)
    test(`${page}: what its examples say is what dwf says`, () => {
      let cwd: string | undefined
      const wrong = here.flatMap((example) => {
        cwd = place(example.where, cwd)
        return differences(example, cwd, env)
      })
      assert.equal(wrong.join('\n\n'), '')
    })
  for (const { line, notRun } of examples)
    if (notRun !== undefined) test(`${page}:${line}: not run`, { skip: notRun }, () => {})
}

test('every link to a file leads to one', () => {
  for (const page of pages) {
    for (const [, to] of readPage(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g))
      assert.ok(existsSync(resolve(project, dirname(page), to!)), `${page} links to ${to}`)
  }
})

test('every command that a page names is one', () => {
  const { stdout } = spawnSync(join(bin, 'dwf'), ['--help'], { env, encoding: 'utf8' })
  const known = new Set([...stdout.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name!))
  assert.ok(known.size > 10, stdout)
  for (const name of Object.keys(defaultSelectors)) known.add(name)
  for (const page of pages) {
    for (const [, name] of readPage(page).matchAll(/[`$] ?dwf ([a-z]+)/g))
      assert.ok(known.has(name!), `${page} names dwf ${name}`)
  }
})

test('every piece of devflow.toml in a page is valid', async () => {
  for (const page of pages) {
    for (const block of blocksOf(readPage(page))) {
      if (block.language !== 'toml' || block.directive?.startsWith('file:')) continue
      await assert.doesNotReject(parseConfig(undefined, block.text), `${page}:${block.line}`)
    }
  }
})

/** Every key of the definition, as configuration.md heads it. */
function keys(node: Node, path: readonly string[] = []): readonly (readonly [string, Node])[] {
  if (node.kind === 'table')
    return Object.entries(node.keys).flatMap(([name, child]): (readonly [string, Node])[] => {
      if (child.kind === 'array' && child.of.kind === 'table') return [...keys(child.of, [...path, `${name}[]`])]
      const at = [...path, name]
      return child.kind === 'table' || child.kind === 'map' ? [...keys(child, at)] : [[at.join('.'), child]]
    })
  if (node.kind === 'map') {
    const at = [...path, 'NAME']
    return node.of.kind === 'table' ? keys(node.of, at) : [[at.join('.'), node.of]]
  }
  return [[path.join('.'), node]]
}

test('configuration.md has every key, in the order of the definition, with what the definition says of it', () => {
  const rows = [...readPage('docs/configuration.md').matchAll(/^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)]
  const expected = keys(definition)
  assert.deepEqual(
    rows.map(([, key]) => key),
    expected.map(([key]) => key),
  )
  for (const [index, [key, node]] of expected.entries())
    assert.equal(rows[index]![4]!.replaceAll('\\<', '<'), node.doc, key)
})

test('gates.md has everything that a gate leaves out', () => {
  const text = readPage('docs/gates.md').replaceAll('`', '')
  for (const { what } of leftOut) assert.ok(text.includes(what), what)
})

test('what a page expects and what is said are compared as promised', () => {
  assert.ok(matches(['a … c', '…', 'z'], 'a b c\n1\n2\nz'))
  assert.ok(matches(['…'], ''))
  assert.ok(
    matches(
      ['passed in 11 s', 'plan 28025395be57; run 20261122061535-b93162'],
      'passed in 0.9 s\nplan 000025395be5; run 20270101000000-aaaaaa',
    ),
  )
  assert.ok(matches([], 'anything'))
  assert.ok(!matches(['a'], 'a\nb'))
  assert.ok(!matches(['a.c'], 'abc'))
  assert.throws(() => examplesOf('x.md', '```console\n$ dwf\n```\n'), /does not say where/)
  assert.throws(() => examplesOf('x.md', '```sh\ndwf\n```\n'), /console/)
  const example = examplesOf('x.md', '<!-- example: empty -->\n```console\n$ echo a\nb\n```\n')[0]!
  assert.equal(differences(example, folder, env).length, 1)
})

test('every example of the pages that needs an engine is run in the world', () => {
  const world = pages.flatMap((page) => examplesOf(page)).filter(({ inWorld }) => inWorld)
  assert.ok(world.length > 0)
  assert.ok(existsSync(join(project, 'test/world/docs.test.ts')))
})
