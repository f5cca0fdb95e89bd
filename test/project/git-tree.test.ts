import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exportCommit, findCommit } from '../../src/project/git-tree.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { repository } from './rig.ts'

function rig(t: TestContext, files: Readonly<Record<string, string | Buffer>> = { a: 'a' }) {
  const root = repository(t, files)
  const home = repository(t, {})
  const env = { PATH: process.env.PATH, HOME: home }
  const git = (args: readonly string[], input?: string | Buffer) =>
    execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', '-c', 'commit.gpgSign=false', ...args], {
      cwd: root,
      env,
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    }).trim()
  git(['init', '--quiet', '--initial-branch=main'])
  const commit = () => {
    git(['add', '--all'])
    git(['commit', '--quiet', '--allow-empty', '--message=m'])
    return git(['rev-parse', 'HEAD'])
  }
  const place = repository(t, {})
  const to = join(place, 'tree')
  return { root, env, git, commit, place, to, look: (revision = 'HEAD') => exportCommit(root, revision, to, env) }
}

async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (error) => error,
  )
  assert.ok(error instanceof Failure, String(error))
  assert.ok(error.diagnostics[0]?.hint)
  return `${error.kind} ${error.diagnostics[0].code}: ${error.message}`
}

const list = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort()

test('files are as git has them, byte for byte, and nothing else is left behind', async (t) => {
  const files = {
    'empty.txt': '',
    'crlf.txt': 'a\r\nb\r\n',
    'bytes.bin': Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256)),
    'large.bin': Buffer.alloc(3 * 1024 * 1024 + 17, 'dwf '),
    'deep/in/a folder/ü\ttab\nline.txt': 'x',
    'looks-like-a-head': '0123 blob 7\nmissing\n',
    '-h': 'no option',
  }
  const { commit, root, to, place, look } = rig(t, files)
  const first = commit()
  writeFileSync(join(root, 'a-later-one'), '')
  commit()
  await look(first)
  assert.deepEqual(list(to), Object.keys(files).sort())
  for (const [path, content] of Object.entries(files))
    assert.ok(readFileSync(join(to, path)).equals(Buffer.from(content)), path)
  assert.deepEqual(readdirSync(place), ['tree'])
})

test('executable files are there; links and submodules are left out', async (t) => {
  const { commit, git, root, to, look } = rig(t, { 'run.sh': '#!/bin/sh\n' })
  chmodSync(join(root, 'run.sh'), 0o755)
  symlinkSync('/etc/passwd', join(root, 'link'))
  commit()
  git(['update-index', '--add', '--cacheinfo', `160000,${git(['rev-parse', 'HEAD'])},module`])
  git(['commit', '--quiet', '--message=module'])
  await look()
  assert.deepEqual(readdirSync(to), ['run.sh'])
  assert.ok(lstatSync(join(to, 'run.sh')).isFile())
})

test('an empty commit is an empty folder', async (t) => {
  const { commit, to, look } = rig(t, {})
  commit()
  await look()
  assert.deepEqual(readdirSync(to), [])
})

test('nothing that a repository configures is run, and attributes change nothing', async (t) => {
  const files = {
    'a.txt': '$Format:%H$ $Id$\n',
    'hidden.txt': 'export-ignore\n',
    'filtered.txt': 'as committed\n',
  }
  const { commit, git, root, to, look } = rig(t, files)
  const pwned = join(root, 'pwned')
  writeFileSync(
    join(root, '.gitattributes'),
    'a.txt export-subst ident text eol=crlf\nhidden.txt export-ignore\n* filter=evil diff=evil merge=evil\n',
  )
  commit()
  const touch = join(root, 'touch.sh')
  writeFileSync(touch, `#!/bin/sh\ntouch ${pwned}\ncat\n`)
  chmodSync(touch, 0o755)
  appendFileSync(
    join(root, '.git/config'),
    `[core]
	fsmonitor = ${touch}
	sshCommand = ${touch}
	pager = ${touch}
	editor = ${touch}
	askPass = ${touch}
	alternateRefsCommand = ${touch}
	gitProxy = ${touch}
	hooksPath = ${root}/hooks
	attributesFile = ${root}/.gitattributes
[pager]
	ls-tree = ${touch}
	cat-file = ${touch}
	rev-parse = true
[alias]
	ls-tree = !${touch}
	cat-file = !${touch}
	rev-parse = !${touch}
[filter "evil"]
	clean = ${touch}
	smudge = ${touch}
	process = ${touch}
	required = true
[diff "evil"]
	textconv = ${touch}
	command = ${touch}
[diff]
	external = ${touch}
[merge "evil"]
	driver = ${touch}
[credential]
	helper = !${touch}
[gpg]
	program = ${touch}
[log]
	showSignature = true
[trace2]
	eventTarget = ${root}/trace
`,
  )
  mkdirSync(join(root, 'hooks'))
  for (const hook of [
    'post-checkout',
    'post-index-change',
    'pre-auto-gc',
    'reference-transaction',
    'fsmonitor-watchman',
  ])
    symlinkSync(touch, join(root, 'hooks', hook))
  await look('HEAD')
  assert.ok(!existsSync(pwned))
  assert.deepEqual(list(to), ['.gitattributes', 'a.txt', 'filtered.txt', 'hidden.txt'])
  for (const [path, text] of Object.entries(files)) assert.equal(readFileSync(join(to, path), 'utf8'), text)
  // The planted programs do run where git is used as people use it: the test would see them.
  try {
    git(['status'])
  } catch {
    // It fails where it asks the filter, and asks it where a file may have changed in the second of the commit.
  }
  assert.ok(existsSync(pwned))
})

test('a partial clone fetches nothing', async (t) => {
  const { commit, git, root, look } = rig(t, { a: 'a' })
  commit()
  const pwned = join(root, 'pwned')
  const object = git(['rev-parse', 'HEAD:a'])
  appendFileSync(
    join(root, '.git/config'),
    `[core]
	sshCommand = touch ${pwned}; false
	repositoryFormatVersion = 1
[extensions]
	partialClone = origin
[remote "origin"]
	url = "ext::sh -c touch% ${pwned}"
	promisor = true
[protocol]
	allow = always
`,
  )
  rmSync(join(root, '.git/objects', object.slice(0, 2), object.slice(2)))
  assert.match(await refused(look()), /^machine-cannot git-failed: /)
  assert.ok(!existsSync(pwned))
})

test('an object that git lacks is a failure', async (t) => {
  const { commit, git, root, look } = rig(t, { a: 'a', 'b/c': 'c' })
  commit()
  for (const name of ['HEAD:b/c', 'HEAD:b']) {
    const object = git(['rev-parse', name])
    rmSync(join(root, '.git/objects', object.slice(0, 2), object.slice(2)))
    assert.match(await refused(look()), /^machine-cannot git-failed: /)
  }
})

test('paths that no file can have are failures, not files that are missing', async (t) => {
  const { git, to, look } = rig(t)
  const blob = git(['hash-object', '-w', '--stdin'], 'x')
  const tree = (name: string | Buffer) => {
    const line = Buffer.concat([Buffer.from(`100644 blob ${blob}\t`), Buffer.from(name), Buffer.from('\0')])
    return git(['commit-tree', '-m', 'm', git(['mktree', '-z'], line)])
  }
  const cases: readonly (readonly [string | Buffer, string])[] = [
    [Buffer.from([0x61, 0xff, 0x62]), 'the path "a\ufffdb" is not UTF-8'],
    ['.git', 'the path ".git" is none that a file can have'],
    ['..', 'the path ".." is none that a file can have'],
  ]
  for (const [name, why] of cases) {
    const commit = tree(name)
    assert.equal(
      await refused(look(commit)),
      `machine-cannot git-tree: the files of ${commit} cannot be written: ${why}`,
    )
    assert.ok(!existsSync(to))
  }
})

test('a revision is never an option, and one that names no commit is wrong input', async (t) => {
  const { commit, git, root, env, place, look } = rig(t)
  const head = commit()
  git(['tag', '--annotate', '--message=m', 'v1'])
  assert.equal(await findCommit(root, 'v1', env), head)
  assert.equal(await findCommit(root, head.slice(0, 10), env), head)
  for (const revision of [
    '--upload-pack=x',
    '-h',
    '--help',
    '--all',
    '--output=x',
    'HEAD:a',
    'nothing',
    '',
    'a b',
    '\n',
  ]) {
    assert.equal(await findCommit(root, revision, env), undefined, revision)
    assert.equal(
      await refused(look(revision)),
      `wrong-input no-commit: git knows no commit ${JSON.stringify(revision)}`,
    )
  }
  assert.deepEqual(readdirSync(place), [])
})

test('more files than are kept of what a program says', async (t) => {
  const { git, to, look } = rig(t)
  const blob = git(['hash-object', '-w', '--stdin'], '')
  // 80 folders that share one tree, 14 long names deep: a list of 37 MB of a few objects. Its start would be lost.
  const names = Array.from({ length: 150 }, (_, index) => `100644 blob ${blob}\tn${index}\0`)
  let inner = git(['mktree', '-z'], names.join(''))
  const deep = 'd'.repeat(220)
  for (let depth = 0; depth < 14; depth++) inner = git(['mktree', '-z'], `040000 tree ${inner}\t${deep}\0`)
  const folders = Array.from({ length: 80 }, (_, index) => `040000 tree ${inner}\td${index}\0`)
  const commit = git(['commit-tree', '-m', 'm', git(['mktree', '-z'], folders.join(''))])
  await look(commit)
  assert.equal(readdirSync(to).length, 80)
  assert.equal(readdirSync(join(to, 'd0', ...Array(14).fill(deep))).length, 150)
})

test('without git it says so', async (t) => {
  const { root, to } = rig(t)
  assert.match(await refused(exportCommit(root, 'HEAD', to, { PATH: '' })), /^machine-cannot no-git: git cannot be run/)
})
