import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../../src/util/diagnostics.ts'
import { isInside } from '../../src/util/paths.ts'
import { findWorkflow, listWorkflows } from '../../src/workflows/find.ts'
import { readWorkflow } from '../../src/workflows/read.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-find-')))
after(() => rmSync(root, { recursive: true, force: true }))
const own = join(root, 'workflows')
const more = join(root, 'more')
const text = '[tasks.a]\ncmd = "true"\n'
mkdirSync(join(own, 'team/.hidden'), { recursive: true })
mkdirSync(join(own, 'folder.toml'))
mkdirSync(more)
for (const path of [
  'workflows/deploy.toml',
  'workflows/team/deploy.toml',
  'workflows/team/.hidden/x.toml',
  'workflows/.toml',
  'workflows/notes.md',
  'more/deploy.toml',
  'more/backup.toml',
  'secret.toml',
])
  writeFileSync(join(root, path), text)
symlinkSync('../secret.toml', join(own, 'out.toml'))
symlinkSync('..', join(own, 'up'))
symlinkSync('deploy.toml', join(own, 'alias.toml'))
symlinkSync('nowhere', join(own, 'broken.toml'))
symlinkSync('team', join(own, 'crew'))
execFileSync('mkfifo', [join(own, 'pipe.toml')])
const folders = [own, more, join(root, 'not-there')]

const refusal = (name: string) => {
  try {
    findWorkflow(name, folders)
  } catch (error) {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'wrong-input')
    const { code, message, hint } = error.diagnostics[0]!
    return [code, message.replaceAll(root, 'ROOT'), hint]
  }
  return 'found'
}

test('the first folder that has a name wins; .toml may be said', () => {
  assert.deepEqual(findWorkflow('deploy', folders), { name: 'deploy', file: join(own, 'deploy.toml'), folder: own })
  assert.equal(findWorkflow('deploy.toml', folders).name, 'deploy')
  assert.equal(findWorkflow('team/deploy', folders).file, join(own, 'team/deploy.toml'))
  assert.equal(findWorkflow('backup', folders).folder, more)
})

test('links that stay inside are followed', () => {
  assert.equal(findWorkflow('alias', folders).file, join(own, 'deploy.toml'))
  assert.equal(findWorkflow('crew/deploy', folders).file, join(own, 'team/deploy.toml'))
})

test('links that lead out, also by a folder, and what is no file are refused', () => {
  for (const name of ['out', 'up/secret', 'up/more/backup'])
    assert.deepEqual(refusal(name), [
      'foreign-workflow',
      `the workflow "${name}" is a link that leads out of ROOT/workflows`,
      'put the file itself into the folder',
    ])
  for (const name of ['folder', 'pipe'])
    assert.deepEqual(refusal(name), [
      'foreign-workflow',
      `the workflow "${name}" is not a regular file`,
      'put the file itself into the folder',
    ])
})

test('the folder of the project is in the project; others may be links', () => {
  const project = join(root, 'project')
  mkdirSync(join(project, 'real'), { recursive: true })
  writeFileSync(join(project, 'real/inner.toml'), text)
  symlinkSync('../more', join(project, 'workflows'))
  symlinkSync('../more', join(project, 'chosen'))
  symlinkSync('real', join(project, 'other'))
  assert.throws(() => findWorkflow('backup', [join(project, 'workflows')]), {
    message: `${project}/workflows is a link that leads out of ${project}`,
  })
  assert.equal(findWorkflow('backup', [own, join(project, 'chosen')]).file, join(more, 'backup.toml'))
  assert.equal(findWorkflow('inner', [join(project, 'other')]).file, join(project, 'real/inner.toml'))
})

test('names that are no names', () => {
  for (const name of [
    '',
    '.',
    '..',
    '../secret',
    '/etc/passwd',
    'a/../b',
    './deploy',
    'a//b',
    'team/',
    'a\0b',
    'a\\b',
    '..\\secret',
    'a\nb',
    '.toml',
    '\u007f',
  ])
    assert.equal(refusal(name)[0], 'bad-workflow-name', JSON.stringify(name))
  assert.deepEqual(refusal('../secret'), [
    'bad-workflow-name',
    '"../secret" cannot be the name of a workflow',
    'a workflow is named by its file below the folder workflows: deploy, or team/deploy',
  ])
})

test('no name leads out', () => {
  const part = fc.constantFrom('..', '.', '/', 'up', 'crew', 'team', 'deploy', 'out', 'secret', '\\', '.toml', '\0')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
      try {
        const { file } = findWorkflow(parts.join(''), [own])
        assert.ok(isInside(own, file), file)
      } catch (error) {
        assert.ok(error instanceof Failure, String(error))
      }
    }),
  )
})

test('an unknown name is answered with a near one, or with those that are there', () => {
  assert.deepEqual(refusal('depoly'), ['unknown-workflow', 'there is no workflow "depoly"', 'did you mean "deploy"?'])
  assert.deepEqual(refusal('xyzzy'), [
    'unknown-workflow',
    'there is no workflow "xyzzy"',
    'there are: alias, backup, broken, deploy, out, pipe, team/deploy',
  ])
  assert.deepEqual(refusal('broken')[0], 'unknown-workflow')
  assert.throws(() => findWorkflow('x', []), { message: 'there is no workflow "x"' })
})

test('the list has each name once, sorted, and does not go round in links', () => {
  assert.deepEqual(
    listWorkflows(folders).map(({ name, folder }) => `${name} ${folder === own ? 'own' : 'more'}`),
    ['alias own', 'backup more', 'broken own', 'deploy own', 'out own', 'pipe own', 'team/deploy own'],
  )
})

test('a file is read when it is one, small and UTF-8', async () => {
  const file = (name: string) => join(more, name)
  const reason = async (name: string) => {
    const error = await readWorkflow(file(name), { name: 'x', root }).then(
      () => undefined,
      (thrown) => thrown,
    )
    assert.ok(error instanceof Failure, name)
    return error.message.replace(file(name), 'FILE')
  }
  writeFileSync(file('large.toml'), Buffer.alloc(4 * 1024 * 1024 + 1, '#'))
  writeFileSync(file('latin.toml'), Buffer.from([0x23, 0xe9]))
  symlinkSync('deploy.toml', file('link.toml'))
  assert.equal(await reason('large.toml'), 'cannot read FILE: it is larger than 4 MiB')
  assert.equal(await reason('latin.toml'), 'cannot read FILE: it is not UTF-8')
  assert.equal(await reason('link.toml'), 'cannot read FILE: it is a link')
  assert.equal(await reason('gone.toml'), 'cannot read FILE: it is not there')
  const pipe = await readWorkflow(join(own, 'pipe.toml'), { name: 'x', root }).catch((error) => error.message)
  assert.equal(pipe, `cannot read ${join(own, 'pipe.toml')}: it is not a regular file`)
  assert.equal((await readWorkflow(file('backup.toml'), { name: 'backup', root })).workflow.file, file('backup.toml'))
})
