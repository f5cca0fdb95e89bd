import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FingerprintInput, type Frame, fingerprint, fingerprintFrames } from '../../src/image/index.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { request } from '../pins/recipes.ts'

const kinds = ['value', 'file', 'executable', 'link', 'folder', 'special', 'missing'] as const
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((one) => one.isWellFormed())
const frame: fc.Arbitrary<Frame> = fc.record({ kind: fc.constantFrom(...kinds), name: text, content: text })
const frames = fc.array(frame, { maxLength: 6 })
const asSet = (list: readonly Frame[]): string =>
  JSON.stringify([...new Set(list.map((one) => JSON.stringify([one.kind, one.name, one.content])))].sort())

test('two sets of frames have one fingerprint only when they are equal', () => {
  fc.assert(fc.property(frames, frames, (a, b) => (fingerprint(a) === fingerprint(b)) === (asSet(a) === asSet(b))))
})

test('no byte moves from one part of a frame to the next unseen', () => {
  fc.assert(
    fc.property(text, text, fc.nat(30), (name, content, at) => {
      const all = name + content
      const cut = at % (all.length + 1)
      const moved = { kind: 'file' as const, name: all.slice(0, cut), content: all.slice(cut) }
      fc.pre(moved.name !== name && moved.name.isWellFormed() && moved.content.isWellFormed())
      assert.notEqual(fingerprint([moved]), fingerprint([{ kind: 'file', name, content }]))
    }),
  )
})

test('order and repetition do not matter', () => {
  fc.assert(
    fc.property(
      frames.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([list, shuffled]) => {
        assert.equal(fingerprint([...shuffled, ...list]), fingerprint(list))
      },
    ),
  )
})

test('each frame matters, and a missing file is not an empty one', () => {
  fc.assert(
    fc.property(frames, frame, (list, one) => {
      fc.pre(!list.some((other) => asSet([other]) === asSet([one])))
      assert.notEqual(fingerprint([...list, one]), fingerprint(list))
    }),
  )
  assert.notEqual(
    fingerprint([{ kind: 'missing', name: 'a', content: '' }]),
    fingerprint([{ kind: 'file', name: 'a', content: '' }]),
  )
})

/** A repository in a temporary folder, and its fingerprint for a Dockerfile. */
function repository(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'dwf-fingerprint-'))
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  for (const [path, content] of Object.entries(files)) write(path, content)
  const input = (more: Partial<FingerprintInput> = {}): FingerprintInput => ({
    root,
    dockerfile: 'Dockerfile.devflow',
    text: 'FROM scratch\n',
    args: { DWF_EPOCH: '2026-11-22' },
    globs: [],
    requests: [],
    pins: [
      { tool: 'base', ref: 'docker.io/library/debian:13-slim', digest: `sha256:${'a'.repeat(64)}`, version: '13.7.0' },
    ],
    platform: 'linux/amd64',
    epoch: '2026-11-22',
    ...more,
  })
  const of = (more: Partial<FingerprintInput> = {}): string => fingerprint(fingerprintFrames({ ...input(more) }))
  return { root, write, of, input, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

test('every input changes the fingerprint', () => {
  using repo = repository({ '.nvmrc': '24\n' })
  const pins = repo.input().pins
  const all = [
    repo.of(),
    repo.of({ text: 'FROM scratch\n\n' }),
    repo.of({ args: { DWF_EPOCH: '2026-11-23' } }),
    repo.of({ args: {} }),
    repo.of({ epoch: '2026-11-23' }),
    repo.of({ platform: 'linux/arm64' }),
    repo.of({ pins: [] }),
    repo.of({ pins: pins.map((pin) => ({ ...pin, digest: `sha256:${'b'.repeat(64)}` })) }),
    repo.of({ globs: ['*.x'] }),
    repo.of({ requests: [request('node', '24', '.nvmrc')] }),
    repo.of({ requests: [request('node', '26', '.nvmrc')] }),
  ]
  assert.equal(new Set(all).size, all.length)
  assert.equal(repo.of(), all[0])
})

test('two checkouts of the same files have the same fingerprint', () => {
  using repo = repository({ '.nvmrc': '24\n', 'a/b.txt': 'b' })
  const copy = mkdtempSync(join(tmpdir(), 'dwf-fingerprint-copy-'))
  try {
    cpSync(repo.root, copy, { recursive: true })
    const options = { text: 'FROM scratch\nCOPY . .\n', requests: [request('node', '24', '.nvmrc')] }
    assert.equal(fingerprint(fingerprintFrames(repo.input({ ...options, root: copy }))), repo.of(options))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
})

test('a file counts when an instruction can reach it, and only then', () => {
  const reaching: readonly (readonly [string, string])[] = [
    ['COPY a.txt /', 'a.txt'],
    ['copy ./a.txt /', 'a.txt'],
    ['COPY /a.txt /', 'a.txt'],
    ['COPY ../a.txt /', 'a.txt'],
    ['COPY ["a b.txt", "/"]', 'a b.txt'],
    ['COPY "a b.txt" /', 'a b.txt'],
    ['COPY --chown=1:1 --chmod=0644 src /src', 'src/deep/x.ts'],
    ['COPY . .', 'src/deep/x.ts'],
    ['COPY --parents src/*/x.ts /', 'src/deep/x.ts'],
    ['COPY s* /', 'src/deep/x.ts'],
    ['COPY x \\\n  # a comment\n\n  src \\\n  /to', 'src/deep/x.ts'],
    ['ADD src.tar /', 'src.tar'],
    ['COPY $WHAT /', 'anything/at/all'],
    ['RUN --mount=type=bind,source=src,target=/src make', 'src/deep/x.ts'],
    ['RUN --mount=type=cache,target=/c --mount=target=/all make', 'anything/at/all'],
    ['RUN --mount=type=bind,src=a.txt,dst=/a cat /a', 'a.txt'],
    ['RUN <<EOF\nCOPY nothing /\nEOF\nCOPY a.txt /', 'a.txt'],
  ]
  for (const [instruction, path] of reaching) {
    using repo = repository({})
    const options = { text: `FROM scratch\n${instruction}\n` }
    const before = repo.of(options)
    repo.write(path, 'one')
    const first = repo.of(options)
    repo.write(path, 'two')
    assert.equal(new Set([before, first, repo.of(options)]).size, 3, instruction)
  }
  const apart = [
    'RUN echo COPY a.txt /',
    '# COPY a.txt /',
    'COPY --from=base a.txt /',
    'RUN --mount=type=bind,from=base,source=a.txt,target=/a true',
    'ADD https://example.org/a.txt /',
    'RUN <<EOF\nCOPY a.txt /\nEOF',
    "COPY <<'a.txt' /to\nCOPY a.txt /\na.txt",
  ]
  for (const instruction of apart) {
    using repo = repository({})
    const options = { text: `FROM scratch\n${instruction}\n` }
    const before = repo.of(options)
    repo.write('a.txt', 'one')
    assert.equal(repo.of(options), before, instruction)
  }
})

test('what every builder leaves out is left out, and what any of them sends counts', () => {
  using repo = repository({ '.dockerignore': '# x\nnode_modules\n**/*.log\n/out/\n!keep.log\n', 'src/a.ts': '' })
  const options = { text: 'FROM scratch\nCOPY . .\n' }
  const before = repo.of(options)
  for (const path of ['node_modules/x/index.js', 'a/b/c.log', 'out/x']) repo.write(path, 'ignored')
  repo.write('a/b/keep.log', 'only the one at the root is brought back')
  rmSync(join(repo.root, 'a'), { recursive: true })
  assert.equal(repo.of(options), before)
  repo.write('keep.log', 'brought back')
  const kept = repo.of(options)
  assert.notEqual(kept, before)
  repo.write('.containerignore', 'node_modules\n')
  const podman = repo.of(options)
  repo.write('out/x', 'Podman sends it now')
  assert.notEqual(repo.of(options), podman)
})

test('links are links, modes are the bit that git keeps, and a pipe is not opened', () => {
  using repo = repository({ 'a.txt': 'a', 'b.txt': 'b' })
  const options = { text: 'FROM scratch\nCOPY . .\n' }
  symlinkSync('a.txt', join(repo.root, 'link'))
  const first = repo.of(options)
  rmSync(join(repo.root, 'link'))
  symlinkSync('b.txt', join(repo.root, 'link'))
  const second = repo.of(options)
  chmodSync(join(repo.root, 'a.txt'), 0o755)
  const third = repo.of(options)
  chmodSync(join(repo.root, 'a.txt'), 0o711)
  assert.equal(repo.of(options), third)
  assert.equal(new Set([first, second, third]).size, 3)
  symlinkSync('/', join(repo.root, 'out'))
  execFileSync('mkfifo', [join(repo.root, 'pipe')])
  repo.of({ ...options, globs: ['**', 'pipe', 'out', 'out/etc/*'] })
})

test('COPY of a link counts what it leads to', () => {
  using repo = repository({ 'real/a.txt': 'a' })
  symlinkSync('real', join(repo.root, 'link'))
  const options = { text: 'FROM scratch\nCOPY link /x\n' }
  const before = repo.of(options)
  repo.write('real/a.txt', 'b')
  assert.notEqual(repo.of(options), before)
})

test('fingerprint_inputs are patterns inside the repository', () => {
  using repo = repository({ 'scripts/setup.sh': 'a', 'deep/x/.tool': 'a' })
  for (const [glob, path] of [
    ['scripts/*.sh', 'scripts/setup.sh'],
    ['scripts', 'scripts/setup.sh'],
    ['./scripts/setup.sh', 'scripts/setup.sh'],
    ['**/.tool', 'deep/x/.tool'],
    ['new.txt', 'new.txt'],
  ] as const) {
    repo.write('new.txt', 'x')
    rmSync(join(repo.root, 'new.txt'))
    const before = repo.of({ globs: [glob] })
    repo.write(path, 'changed')
    assert.notEqual(repo.of({ globs: [glob] }), before, glob)
    if (path !== 'new.txt') repo.write(path, 'a')
  }
  assert.throws(
    () => repo.of({ globs: ['../secret'] }),
    (error) => error instanceof Failure && error.kind === 'wrong-input',
  )
  assert.throws(
    () => repo.of({ globs: ['/etc/passwd'] }),
    (error) => error instanceof Failure,
  )
})

test('of a manifest only what it asks for counts, of a version file all of it', () => {
  using repo = repository({ 'package.json': '{}', '.nvmrc': '24' })
  const manifest = { requests: [request('node', '>=20', 'package.json')] }
  const before = repo.of(manifest)
  repo.write('package.json', '{"dependencies":{}}')
  assert.equal(repo.of(manifest), before)
  const file = { requests: [request('node', '24', '.nvmrc')] }
  const first = repo.of(file)
  repo.write('.nvmrc', '24 # comment')
  assert.notEqual(repo.of(file), first)
})
