import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { authorOf, expressionsOf, flowOf } from '../../../src/scan/rules/expressions.ts'

test('expressions are found, also with braces in their strings', () => {
  assert.deepEqual(
    expressionsOf("a ${{ b }} ${{ 'x}}' }}${{c}}").map(({ code, at, end }) => [code, at, end]),
    [
      [' b ', 2, 10],
      [" 'x}}' ", 11, 23],
      ['c', 23, 29],
    ],
  )
  assert.deepEqual(
    expressionsOf('${{ a').map(({ code }) => code),
    [' a'],
  )
})

test('what can be in the result is told from what is only asked about', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['github.head_ref', ['github.head_ref']],
    ['GitHub.Event.Issue.Title', ['github.event.issue.title']],
    ["github['event']['issue'].title", ['github.event.issue.title']],
    ['github.event.commits[0].message', ['github.event.commits.*.message']],
    ['github.event.commits.*.message', ['github.event.commits.*.message']],
    ["github.head_ref == 'x'", []],
    ["!github.head_ref && 'a'", []],
    ["contains(github.event.issue.title, 'x')", []],
    ["format('{0}', github.head_ref)", ['github.head_ref']],
    ['toJSON(github.event)', ['github.event']],
    ["github.event_name == 'x' && github.head_ref || github.sha", ['github.head_ref', 'github.sha']],
    ['github.head_ref && 1', []],
    ['fromJSON(inputs.a).b', ['inputs.a.b']],
    ['matrix[github.head_ref]', ['matrix.*']],
    ["'github.head_ref'", []],
    ['1 + github.head_ref', ['github.head_ref']],
    ['(github.head_ref', ['github.head_ref']],
    [`${'('.repeat(200)}github.head_ref${')'.repeat(200)}`, ['github.head_ref']],
  ]
  for (const [code, expected] of cases) assert.deepEqual(flowOf(code), expected, code)
})

test('who can choose a text', () => {
  const anyone =
    'github.head_ref github github.event github.event.issue.title github.event.pull_request.head.ref github.event.comment.body github.event.commits.*.message github.event.head_commit.author.name github.event.pages.*.page_name github.event.workflow_run.head_branch github.event.pull_request github.event.pull_request.head.repo.default_branch'
  const writers =
    'inputs.x github.ref_name github.event.inputs.x github.event.release.body github.event.client_payload.x github.event.label.name github.event.pull_request.base.ref github.event.issue.labels.*.name'
  const none =
    'github.sha github.event.number github.event.pull_request.head.sha github.event.pull_request.user.login github.repository github.event.repository.name github.event.workflow_run.name github.event.pull_request.head.repo.full_name github.event.pull_request.base.sha secrets.x steps.a.outputs.b env.x github.actor'
  for (const [paths, author] of [
    [anyone, 'anyone'],
    [writers, 'writers'],
    [none, undefined],
  ] as const)
    for (const path of paths.split(' ')) assert.equal(authorOf(path), author, path)
})

test('any text has a flow', () => {
  const pieces = fc.constantFrom(
    'github',
    '.',
    'event',
    '[',
    ']',
    '(',
    ')',
    "'",
    '&&',
    '||',
    '!',
    '==',
    '*',
    ',',
    ' ',
    '1',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (code) => void flowOf(code),
    ),
  )
  for (const piece of ['(', '!', "'", '[', 'a.', 'a[', '&&', 'f(', '${{', 'a ', "['a']"]) {
    const text = piece.repeat(100_000)
    flowOf(text)
    expressionsOf(`\${{${text}`)
  }
})
