import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { readTar, TarError, tarEnd, tarHeader, tarPadding } from '../../src/util/tar.ts'

interface File {
  readonly path: string
  readonly content: Buffer
}

function archive(files: readonly File[], mtime = 1_700_000_000): Buffer {
  const parts = files.flatMap(({ path, content }) => [
    tarHeader({ path, bytes: content.length }, mtime),
    content,
    tarPadding(content.length),
  ])
  const whole = Buffer.concat(parts)
  return Buffer.concat([whole, tarEnd(whole.length)])
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(bytes: Buffer, size = 700): Promise<readonly File[]> {
  const files: File[] = []
  for await (const { path, content } of readTar(inPieces(bytes, size))) {
    const chunks: Buffer[] = []
    for await (const chunk of content) chunks.push(chunk)
    files.push({ path, content: Buffer.concat(chunks) })
  }
  return files
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-tar-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Names that a header can hold, among them those that other programs could read as something else. */
const hostile = [
  '-rf',
  '--checkpoint-action=exec=sh',
  '~',
  'a'.repeat(100),
  `logs/${'b'.repeat(90)}.log`,
  '$(id)',
  '`id`;|&',
  '"quoted"',
  'back\\slash',
  '*?[x]',
  '%s%n',
]

const fileArbitrary = fc.record(
  {
    path: fc.stringMatching(/^[\x21-\x7e]{1,100}$/),
    content: fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
)

test('what is written is read back, however it comes in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fileArbitrary, { maxLength: 5 }),
      fc.integer({ min: 1, max: 3000 }),
      async (files, size) => {
        const bytes = archive(files)
        assert.equal(bytes.length % 10_240, 0)
        assert.deepEqual(await read(bytes, size), files)
      },
    ),
  )
})

for (const program of ['tar', 'bsdtar']) {
  const isHere = spawnSync(program, ['--version']).status === 0
  test(
    `${program} reads what is written, hostile names too`,
    isHere || program === 'tar' ? {} : { skip: `no ${program} here` },
    (t) => {
      const folder = folderOf(t)
      const files = hostile.map((path, index) => ({ path, content: Buffer.alloc(index * 171, index) }))
      writeFileSync(join(folder, 'x.tar'), archive(files))
      const run = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync(program, args, {
          cwd: folder,
          env: { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' },
        })
        assert.deepEqual({ status, stderr: stderr.toString() }, { status: 0, stderr: '' })
        return stdout
      }
      const listed = run(...(program === 'tar' ? ['--quoting-style=literal'] : []), '-tf', 'x.tar').toString()
      const shown = listed.trimEnd().split('\n')
      assert.deepEqual(program === 'tar' ? shown : shown.map((name) => name.replaceAll('\\\\', '\\')), hostile)
      assert.deepEqual(run('-xOf', 'x.tar'), Buffer.concat(files.map(({ content }) => content)))
      run('-xf', 'x.tar')
      for (const { path, content } of files) assert.deepEqual(readFileSync(join(folder, path)), content)
    },
  )

  test(
    `${program} reads a size beyond octal digits`,
    isHere || program === 'tar' ? {} : { skip: `no ${program} here` },
    (t) => {
      const folder = folderOf(t)
      const bytes = 8 * 1024 ** 3 + 5
      writeFileSync(join(folder, 'x.tar'), tarHeader({ path: 'large', bytes }, 0))
      assert.match(
        spawnSync(program, ['-tvf', 'x.tar'], { cwd: folder, encoding: 'utf8' }).stdout,
        new RegExp(`\\b${bytes}\\b`),
      )
    },
  )
}

test('a size beyond octal digits is read back', async () => {
  const bytes = 2 ** 40 + 7
  const [file] = [
    await readTar(inPieces(Buffer.concat([tarHeader({ path: 'large', bytes }, 0), Buffer.alloc(512)]), 512)).next(),
  ]
  assert.equal(file!.value!.bytes, bytes)
})

test('a name that does not fit is never written', () => {
  for (const path of ['', 'a'.repeat(101), 'ü', 'a b', 'a\n', 'a\0'])
    assert.throws(() => tarHeader({ path, bytes: 1 }, 0), RangeError)
})

/** A header with something else in it, and the right checksum. */
function forged(change: (header: Buffer) => void): Buffer {
  const header = tarHeader({ path: 'a', bytes: 3 }, 0)
  change(header)
  header.write('        ', 148, 'latin1')
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return Buffer.concat([header, Buffer.from('abc'), tarPadding(3), tarEnd(1024)])
}

test('what dwf does not write is refused where it stands', async () => {
  const good = archive([{ path: 'a', content: Buffer.from('abc') }])
  const type = (flag: string) => forged((header) => void header.write(flag, 156, 'latin1'))
  for (const [bytes, says] of [
    [type('2'), 'a (file 1) is no plain file'],
    [type('1'), 'a (file 1) is no plain file'],
    [type('3'), 'a (file 1) is no plain file'],
    [type('5'), 'a (file 1) is no plain file'],
    [type('6'), 'a (file 1) is no plain file'],
    [type('L'), 'a (file 1) is no plain file'],
    [type('x'), 'a (file 1) is no plain file'],
    [type('S'), 'a (file 1) is no plain file'],
    [type('\0'), 'a (file 1) is no plain file'],
    [forged((header) => void header.write('../..', 345, 'latin1')), 'a (file 1) has a header that dwf does not write'],
    [
      forged((header) => void header.write('/etc/passwd', 157, 'latin1')),
      'a (file 1) has a header that dwf does not write',
    ],
    [
      forged((header) => void header.write('0000777', 100, 'latin1')),
      'a (file 1) has a header that dwf does not write',
    ],
    [forged((header) => void header.write('a\0b', 0, 'latin1')), 'file 1 has a name that dwf does not write'],
    [forged((header) => void header.write('ü', 0, 'utf8')), 'file 1 has a name that dwf does not write'],
    [forged((header) => void header.write('-0000000001', 124, 'latin1')), 'a (file 1) has no readable size'],
    [forged((header) => void header.fill(0xff, 124, 136)), 'a (file 1) has no readable size'],
    [
      Buffer.concat([good.subarray(0, 148), Buffer.from('000000'), good.subarray(154)]),
      'a (file 1) has a header that dwf does not write',
    ],
    [good.subarray(0, 514), 'the archive ends in a'],
    [good.subarray(0, 300), 'the archive ends in the header of file 1'],
    [good.subarray(0, 1024), 'the archive ends in the header of file 2'],
    [Buffer.concat([good, Buffer.from('x')]), 'bytes follow the end of the archive'],
    [Buffer.concat([good, Buffer.alloc(1024 * 1024)]), 'bytes follow the end of the archive'],
    [
      Buffer.concat([good.subarray(0, 1023), Buffer.from('x'), good.subarray(1024)]),
      'a is followed by bytes that belong to no file',
    ],
  ] as const)
    await assert.rejects(read(bytes), (error) => error instanceof TarError && error.message === says, says)
})

test('a file of any size that is cut or turned anywhere is refused or read, and never hangs', async () => {
  const good = archive([{ path: 'a', content: Buffer.from('abc') }])
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
      const bytes = Buffer.from(good)
      bytes[at] = byte
      await read(bytes).catch((error) => assert.ok(error instanceof TarError, String(error)))
    }),
  )
})
