import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readGit } from '../../src/project/git.ts'
import { parseGitConfig } from '../../src/project/gitconfig.ts'
import { repository } from './rig.ts'

const hash = 'a'.repeat(40)
const other = 'b'.repeat(40)

test('no .git, no state', (t) => {
  assert.equal(readGit(repository(t, {})), undefined)
  assert.equal(readGit(repository(t, { '.git': 'nonsense' })), undefined)
  assert.equal(readGit(repository(t, { '.git': 'gitdir: /nowhere/at/all\n' })), undefined)
})

test('a plain repository', (t) => {
  const root = repository(t, {
    '.git/HEAD': 'ref: refs/heads/main\n',
    '.git/refs/heads/main': `${hash}\n`,
    '.git/config': '[core]\n\thooksPath = .githooks\n[remote "origin"]\n\turl = git@example.com:team/shop.git\n',
  })
  assert.deepEqual(readGit(root), {
    dir: `${root}/.git`,
    commonDir: `${root}/.git`,
    hooksPath: '.githooks',
    remoteUrl: 'git@example.com:team/shop.git',
    head: hash,
    branch: 'main',
  })
})

test('a branch in packed-refs, with a slash in its name', (t) => {
  const root = repository(t, {
    '.git/HEAD': 'ref: refs/heads/feature/x\n',
    '.git/packed-refs': `# pack-refs with: peeled\n${other} refs/heads/x\n${hash} refs/heads/feature/x\n`,
  })
  assert.deepEqual(readGit(root), { dir: `${root}/.git`, commonDir: `${root}/.git`, head: hash, branch: 'feature/x' })
})

test('a detached HEAD, a branch without a commit, and a HEAD that leads elsewhere', (t) => {
  const head = (text: string) => {
    const { dir: _, commonDir: __, ...rest } = readGit(repository(t, { '.git/HEAD': text, secret: hash })) ?? {}
    return rest
  }
  assert.deepEqual(head(`${hash}\n`), { head: hash })
  assert.deepEqual(head('ref: refs/heads/new\n'), { branch: 'new' })
  assert.deepEqual(head('ref: refs/heads/../../../secret\n'), {})
  assert.deepEqual(head('ref: ../secret\n'), {})
  assert.deepEqual(head('ref: refs/heads/.invalid\n'), {})
  assert.deepEqual(head(''), {})
})

test('a worktree has its own dir and HEAD, and the common dir of the repository', (t) => {
  const root = repository(t, {
    'main/.git/HEAD': 'ref: refs/heads/main\n',
    'main/.git/refs/heads/topic': hash,
    'main/.git/config': '[extensions]\n\tworktreeConfig = true\n[core]\n\thooksPath = a\n',
    'main/.git/worktrees/topic/HEAD': 'ref: refs/heads/topic\n',
    'main/.git/worktrees/topic/commondir': '../..\n',
    'main/.git/worktrees/topic/config.worktree': '[core]\n\thooksPath = b\n',
    'topic/.git': 'gitdir: ../main/.git/worktrees/topic\n',
  })
  writeFileSync(join(root, 'main/.git/worktrees/topic/gitdir'), `${root}/topic/.git\n`)
  assert.deepEqual(readGit(join(root, 'topic')), {
    dir: `${root}/main/.git/worktrees/topic`,
    commonDir: `${root}/main/.git`,
    hooksPath: 'b',
    head: hash,
    branch: 'topic',
  })
})

test('a submodule has one dir, elsewhere', (t) => {
  const root = repository(t, {
    '.git/modules/sub/HEAD': hash,
    '.git/modules/sub/config': '[core]\n\tworktree = ../../../sub\n',
    'sub/.git': 'gitdir: ../.git/modules/sub\n',
  })
  const dir = `${root}/.git/modules/sub`
  assert.deepEqual(readGit(join(root, 'sub')), { dir, commonDir: dir, head: hash })
})

test('a git dir that does not lead back to this work tree is none: it could be any folder of the person', (t) => {
  const root = repository(t, { 'victim/HEAD': hash, 'victim/.ssh/id': 'key', 'store/HEAD': hash })
  const made = (files: Readonly<Record<string, string>>) => {
    const attacker = repository(t, files)
    return readGit(attacker)
  }
  assert.equal(made({ '.git': `gitdir: ${root}/victim\n` }), undefined)
  assert.equal(made({ '.git/HEAD': hash, '.git/commondir': `${root}/victim\n` }), undefined)
  const evil = repository(t, { '.git': 'gitdir: evil\n', 'evil/HEAD': hash, 'evil/commondir': `${root}/victim\n` })
  writeFileSync(join(evil, 'evil/gitdir'), `${evil}/.git\n`)
  assert.equal(readGit(evil), undefined)
  symlinkSync('store', join(root, '.git'))
  assert.equal(readGit(root), undefined)
})

test('hooks inside the work tree are told, others are not', (t) => {
  const hooks = (value: string) => readGit(repository(t, { '.git/config': `[core]\nhooksPath = ${value}` }))?.hooksPath
  assert.equal(hooks('.husky/_'), '.husky/_')
  assert.equal(hooks('./a/../b'), 'b')
  assert.equal(hooks('.'), '')
  assert.equal(hooks('../elsewhere'), undefined)
  assert.equal(hooks('/etc/hooks'), undefined)
  assert.equal(hooks('~/hooks'), undefined)
})

test('an absolute hooks path inside the work tree is relative to the root', (t) => {
  const root = repository(t, { '.git/HEAD': hash })
  writeFileSync(join(root, '.git/config'), `[core]\n\thooksPath = ${root}/hooks\n`)
  assert.equal(readGit(root)?.hooksPath, 'hooks')
})

test('user names and passwords of http URLs are left out', (t) => {
  const url = (value: string) =>
    readGit(repository(t, { '.git/config': `[remote "origin"]\nurl = ${value}` }))?.remoteUrl
  assert.equal(url('https://user:token@example.com/a/b.git'), 'https://example.com/a/b.git')
  assert.equal(url('https://token@example.com/a'), 'https://example.com/a')
  assert.equal(url('https://a:p@ss@example.com/a'), 'https://example.com/a')
  assert.equal(url('https://example.com/a@b'), 'https://example.com/a@b')
  assert.equal(url('ssh://git@example.com/a'), 'ssh://git@example.com/a')
  assert.equal(url('ssh://git:secret@example.com/a'), 'ssh://git@example.com/a')
})

test('configuration: sections, quotes, escapes, comments, continued lines; includes are not followed', () => {
  const text = [
    '\ufeff[Core] bare = false ; comment',
    '\thooksPath = "a b" c\\td # e',
    '[remote "Or\\"igin"]',
    'URL = one\\',
    'two',
    'flag',
    '[include]\n\tpath = /etc/passwd',
    '[broken',
    '= nothing',
  ].join('\r\n')
  assert.deepEqual(parseGitConfig(text), [
    { section: 'core', key: 'bare', value: 'false' },
    { section: 'core', key: 'hookspath', value: 'a b c\td' },
    { section: 'remote', subsection: 'Or"igin', key: 'url', value: 'onetwo' },
    { section: 'remote', subsection: 'Or"igin', key: 'flag', value: 'true' },
    { section: 'include', key: 'path', value: '/etc/passwd' },
  ])
})
