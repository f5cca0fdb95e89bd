import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { asked, commands, repository, said, unit, units } from './rig.ts'

const module = 'module example.com/team/shop/v2\n\ngo 1.26\n\nrequire (\n\tgolang.org/x/text v0.3.0 // indirect\n)\n'

test('a module', (t) => {
  const found = unit(t, { 'go.mod': module, 'go.sum': '' })
  assert.equal(found.name, 'shop')
  assert.deepEqual(
    { ...commands(found), 'fmt:check': '', 'fmt:fix': '' },
    {
      'fmt:check': '',
      'fmt:fix': '',
      'lint:static': 'go vet ./...',
      'build:debug': 'go build ./...',
      'build:release': 'go build -trimpath ./...',
      'test:unit': 'go test ./...',
    },
  )
  assert.deepEqual(found.setup, {
    lockFiles: ['go.sum', 'go.mod'],
    fetch: ['go', 'mod', 'download'],
    online: ['go', 'mod', 'download'],
    split: true,
    outputs: ['/cache/go-mod/cache/download'],
  })
  assert.deepEqual(found.env, { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' })
  assert.deepEqual(found.caches, [
    { name: 'go-mod', env: { GOMODCACHE: '/cache/go-mod' } },
    { name: 'go-build', env: { GOCACHE: '/cache/go-build' } },
  ])
  assert.deepEqual(asked(found), ['go >=1.26.0 go.mod:3:4-8'])
})

test('requirements without go.sum; none at all; only from folders of the repository; vendored', (t) => {
  const missing = unit(t, { 'go.mod': module }).setup?.missingLock
  assert.deepEqual(
    [missing?.where?.line, missing?.where?.column, missing?.hint],
    [6, 2, 'run "go mod tidy" and commit go.sum'],
  )
  assert.equal(unit(t, { 'go.mod': 'module a\n\ngo 1.26\n' }).setup, undefined)
  const local = 'module a\nrequire example.com/b v0.0.0\nreplace example.com/b => ./b\n'
  assert.equal(unit(t, { 'go.mod': local }).setup, undefined)
  const vendored = unit(t, { 'go.mod': module, 'go.sum': '', 'vendor/modules.txt': '' })
  assert.equal(vendored.setup, undefined)
  assert.equal(vendored.env.GOFLAGS, '-mod=vendor')
})

test('versions: toolchain lines and go.work, each at least', (t) => {
  const toolchain = 'module a\ngo 1.25.0\ntoolchain go1.26.1\n'
  assert.deepEqual(asked(unit(t, { 'go.mod': toolchain })), ['go >=1.26.1 go.mod:3:11-19'])
  assert.deepEqual(asked(unit(t, { 'go.mod': 'module a\ngo 1.27rc1\n' })), ['go >=1.27.0 go.mod:2:4-11'])
  const found = units(t, {
    'go.work': 'go 1.26.2\nuse ./a\nuse ./b\n',
    'a/go.mod': 'module a\ngo 1.25\n',
    'b/go.mod': 'module b\n',
  })
  assert.deepEqual(
    found.map((one) => [one.dir, asked(one)[0]]),
    [
      ['a', 'go >=1.26.2 go.work:1:4-10'],
      ['b', 'go >=1.26.2 go.work:1:4-10'],
    ],
  )
})

test('a go.mod that cannot be read', (t) => {
  assert.deepEqual(said(unit(t, { 'go.mod': 'module a\n<<<<<<< HEAD\n' })), [
    'error manifest-syntax go.mod:2:1: expected a directive such as "require"',
  ])
  assert.deepEqual(said(unit(t, { 'go.mod': Buffer.from('\ufeffmodule a', 'utf16le') })), [
    'error manifest-encoding: go.mod is not UTF-8 text (UTF-16?)',
  ])
})

const hasGofmt = spawnSync('gofmt', ['-h']).error === undefined

test('the format check lists what gofmt would change, and leaves out what is not the project', {
  skip: !hasGofmt && 'no gofmt',
}, (t) => {
  const bad = 'package a\nfunc  A() {}\n'
  const files = {
    'go.mod': 'module a\n',
    'good.go': 'package a\n',
    'vendor/x/bad.go': bad,
    'testdata/broken.go': 'not go',
    '.hidden/bad.go': bad,
    'node_modules/x/bad.go': bad,
  }
  const check = (root: string) => {
    const argv = unit(t, files).tasks.find((task) => task.command === 'fmt:check')!.argv
    const { status, stdout } = spawnSync(argv[0]!, argv.slice(1), { cwd: root, encoding: 'utf8' })
    return [status, stdout]
  }
  assert.deepEqual(check(repository(t, files)), [0, ''])
  const root = repository(t, { ...files, "odd dir/b'a\nd.go": bad, '-rf.go': bad })
  const [status, output] = check(root)
  assert.equal(status, 1)
  assert.match(output as string, /^gofmt would change these files:\n/)
  assert.match(output as string, /-rf\.go/)
  assert.deepEqual(check(repository(t, { ...files, 'broken.go': 'not go' })), [1, ''])
})
