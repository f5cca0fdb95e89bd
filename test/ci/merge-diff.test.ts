import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { unifiedDiff } from '../../src/ci/merge/index.ts'
import { checkoutOf, text, workflow } from './merge-texts.ts'

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const lines = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`)

test('a change is shown with three lines around it', () => {
  const before = text(...lines(1, 20))
  const after = before.replace('line 2\n', 'second\n').replace('line 8\n', 'line 8\nnew\n').replace('line 20\n', '')
  assert.equal(
    unifiedDiff('a/b.yml', before, after),
    `--- a/a/b.yml
+++ b/a/b.yml
@@ -1,11 +1,12 @@
 line 1
-line 2
+second
 line 3
 line 4
 line 5
 line 6
 line 7
 line 8
+new
 line 9
 line 10
 line 11
@@ -17,4 +18,3 @@
 line 17
 line 18
 line 19
-line 20
`,
  )
})

test('files that come and go, equal texts, and last lines that do not end', () => {
  assert.equal(unifiedDiff('x', undefined, 'a\n'), '--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n')
  assert.equal(unifiedDiff('x', 'a\nb\n', undefined), '--- a/x\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n')
  assert.equal(unifiedDiff('x', 'a\n', 'a\n'), '')
  assert.equal(unifiedDiff('x', 'a', 'a\n'), '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n')
})

test('what could drive a terminal is shown, and a CR where only one side has them', () => {
  assert.equal(
    unifiedDiff('x\u001b[2J', 'a\n', 'a\u001b[31m\n'),
    '--- a/x\\u001b[2J\n+++ b/x\\u001b[2J\n@@ -1 +1 @@\n-a\n+a\\u001b[31m\n',
  )
  assert.match(unifiedDiff('x', 'a\r\nb\r\n', 'a\r\nc\r\n'), /^ a\n-b\n\+c$/m)
  assert.match(unifiedDiff('x', 'a\r\n', 'a\n'), /^-a\\u000d\n\+a$/m)
})

test('5,000 lines, most of them equal to others, are compared in a moment', () => {
  const before = workflow(500, [checkoutOf('v4.0.0')])
  const start = performance.now()
  const diff = unifiedDiff('x', before, workflow(500, [checkoutOf('v5.0.0')]))
  assert.equal(diff.match(/^@@/gm)!.length, 500)
  unifiedDiff('x', 'x\n'.repeat(5000), `y\n${'x\n'.repeat(4000)}y\n`)
  assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`)
})

/** A folder for a while. */
function inFolder(action: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-diff-'))
  try {
    action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const word = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'a b', '-', '--- a', '+++ b', '@@ -1 +1 @@', '\\', '\t', 'é', '𝄞'),
  fc.nat(30).map(String),
)
const plainText = fc.tuple(fc.array(word, { maxLength: 25 }), fc.boolean()).map(([all, isEnded]) => {
  const joined = text(...all)
  return isEnded ? joined : joined.slice(0, -1)
})

test('git and patch make the one text of the other', () => {
  const programs = ['git', 'patch'].filter(has)
  assert.ok(programs.length > 0, 'neither git nor patch is here')
  fc.assert(
    fc.property(plainText, plainText, (before, after) => {
      fc.pre(before !== after)
      for (const program of programs) {
        inFolder((folder) => {
          writeFileSync(join(folder, 'x'), before)
          writeFileSync(join(folder, 'diff'), unifiedDiff('x', before, after))
          const args =
            program === 'git'
              ? ['apply', '--unidiff-zero', '--whitespace=nowarn', 'diff']
              : ['-p1', '--fuzz=0', '-i', 'diff']
          const env = { PATH: process.env.PATH, HOME: folder, GIT_CEILING_DIRECTORIES: tmpdir() }
          execFileSync(program, args, { cwd: folder, env, stdio: 'pipe' })
          // patch removes a file that got empty.
          assert.equal(existsSync(join(folder, 'x')) ? readFileSync(join(folder, 'x'), 'utf8') : '', after)
        })
      }
    }),
    { numRuns: 40 },
  )
})

test('it is what diff -u says, where every line is different', { skip: has('diff') ? false : 'no diff' }, () => {
  const change = fc.array(fc.constantFrom('same', 'same', 'same', 'same', 'other', 'gone', 'more'), { maxLength: 60 })
  fc.assert(
    fc.property(change, (changes) => {
      const before = text(...changes.map((_, index) => `${index}`))
      const after = text(
        ...changes.flatMap(
          (how, index) =>
            ({ same: [`${index}`], other: [`x${index}`], gone: [], more: [`${index}`, `+${index}`] })[how],
        ),
      )
      fc.pre(before !== after)
      inFolder((folder) => {
        writeFileSync(join(folder, 'a'), before)
        writeFileSync(join(folder, 'b'), after)
        const { stdout } = spawnSync('diff', ['-u', '--label', 'a/x', '--label', 'b/x', 'a', 'b'], {
          cwd: folder,
          encoding: 'utf8',
        })
        assert.equal(unifiedDiff('x', before, after), stdout)
      })
    }),
    { numRuns: 40 },
  )
})
