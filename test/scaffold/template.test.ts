import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileTemplate } from '../../src/scaffold/index.ts'

test('a mustache without a quoting helper is refused when the template is loaded', () => {
  const bare = [
    '{{name}}',
    '{{{name}}}',
    '{{&name}}',
    '{{{toml name}}}',
    '{{this}}',
    '{{toml}}',
    '{{toml a b}}',
    '{{#if x}}\n{{name}}{{/if}}',
    '{{#each x}}{{this}}{{/each}}',
    '{{#if x}}{{else}}{{name}}{{/if}}',
    '{{lookup a b}}',
    '{{> partial}}',
    '{{#with x}}{{/with}}',
    '{{#name}}{{/name}}',
    '{{constructor name}}',
  ]
  for (const source of bare) assert.throws(() => compileTemplate('x.hbs', source), /^Error: x\.hbs:\d+: /, source)
  assert.throws(
    () => compileTemplate('x.hbs', 'a\n\n{{name}}'),
    /^Error: x\.hbs:3: \{\{name\}\} needs a quoting helper: toml, /,
  )
})

test('guarded values are quoted once, and a value that is missing is an error', () => {
  const render = compileTemplate('x.hbs', '{{#each list}}{{toml this}}\n{{/each}}{{hcl name}}')
  assert.equal(render({ list: ['<&>', '"'], name: '${x}' }), '"<&>"\n"\\""\n"\\u0024{x}"')
  assert.throws(() => render({ list: [] }))
})

test('every template of the package is guarded', () => {
  const folder = join(import.meta.dirname, '../../templates')
  const names = readdirSync(folder).filter((name) => name.endsWith('.hbs'))
  for (const name of [
    'Dockerfile.devflow.hbs',
    'docker-bake.hcl.hbs',
    'devflow.toml.hbs',
    'dockerignore.hbs',
    'report.html.hbs',
  ])
    assert.ok(names.includes(name), name)
  for (const name of names) compileTemplate(name, readFileSync(join(folder, name), 'utf8'))
})
