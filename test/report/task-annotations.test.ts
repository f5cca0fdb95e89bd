import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { annotationsOfTask } from '../../src/report/index.ts'
import { placesIn } from '../../src/report/places/index.ts'
import { growsLinearly } from '../growth.ts'
import { hostileText } from './hostile.ts'

/** What the tools themselves printed; the folder that they ran in is called /workspace there. */
const samples = join(import.meta.dirname, '../fixtures/task-output')

const linesOf = (text: string) => text.split('\n').map((line) => stripVTControlCharacters(line))

const only =
  (...files: readonly string[]) =>
  (written: string) => {
    const way = written.replace(/^\/workspace\//, '').replace(/^\.\//, '')
    return files.includes(way) ? way : undefined
  }

const typed = "Type 'string' is not assignable to type 'number'."
const pytested = [
  `tests/test_shop.py:5 assert 1 == 2|+  where 1 = <function two at 0x…>()|+    where <function two at 0x…> = shop.two`,
  `shop.py:5 KeyError: 'missing'`,
]
const java = 'src/main/java/shop/App.java'

/** Sample → what is found in it, and the files that the repository has beside those. */
const expected: Readonly<Record<string, readonly [found: readonly string[], ...others: readonly string[]]>> = {
  'biome.txt': [
    [
      'b.ts:2:7 Using == may be unsafe if you are relying on type coercion. lint/suspicious/noDoubleEquals',
      'b.ts:2:13 This is an unexpected use of the debugger statement. lint/suspicious/noDebugger',
    ],
  ],
  'cargo-build.txt': [['src/main.rs:3:18 mismatched types']],
  'cargo-fmt.txt': [['src/lib.rs:1 the formatter would change this']],
  'cargo-test.txt': [['src/lib.rs:6:9 assertion `left == right` failed: two is not two|left: 1|right: 2']],
  'eslint.txt': [
    [
      "src/a.js:2:10 'undefinedName' is not defined  no-undef",
      "src/a.js:4:5 'unused' is assigned a value but never used  no-unused-vars",
    ],
  ],
  'eslint-unix.txt': [
    [
      "src/a.js:2:10 'undefinedName' is not defined. [Error/no-undef]",
      "src/a.js:4:5 'unused' is assigned a value but never used. [Error/no-unused-vars]",
    ],
  ],
  'gcc.txt': [
    [
      'src/main.c:4:18 ‘undefined_name’ undeclared (first use in this function)',
      'src/main.c:5:11 expected ‘;’ before ‘}’ token',
    ],
  ],
  'go-build.txt': [['main.go:4:2 declared and not used: x', 'main.go:5:2 undefined: undefinedCall']],
  'go-test.txt': [
    [
      'pkg/pkg_test.go:12 panic: assignment to entry in nil map [recovered, repanicked]',
      'pkg/pkg_test.go:7 got 1, want 2',
    ],
  ],
  'go-vet.txt': [['main.go:5:2 undefined: undefinedCall']],
  'javac.txt': [[`${java}:5 incompatible types: String cannot be converted to int`, `${java}:7 cannot find symbol`]],
  'maven.txt': [
    [`${java}:5:16 incompatible types: java.lang.String cannot be converted to int`, `${java}:7:16 cannot find symbol`],
  ],
  'node-crash.txt': [['crash.js:2:9 Error: no such thing']],
  'node-tap.txt': [['test/a.test.js:4:10 two is two']],
  'node-test.txt': [
    ['test/a.test.js:4:10 AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:|1 !== 2'],
  ],
  'pytest.txt': [pytested],
  'pytest-short.txt': [pytested],
  'traceback.txt': [
    [
      'run.py:3 json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)',
    ],
  ],
  'tsc.txt': [[`src/a.ts:1:14 TS2322: ${typed}`, `src/a.ts:2:40 TS2322: ${typed}`]],
  'tsc-pretty.txt': [[`src/a.ts:1:14 TS2322: ${typed}`, `src/a.ts:2:40 TS2322: ${typed}`]],
  'vitest.txt': [
    ['src/a.test.js:3:13 AssertionError: expected 1 to be 2 // Object.is equality|- Expected|+ Received|- 2|+ 1'],
  ],
}

test('every sample has its places', () => {
  assert.deepEqual(readdirSync(samples).sort(), Object.keys(expected).sort())
})

for (const [name, [found]] of Object.entries(expected)) {
  test(`places in ${name}`, () => {
    const files = found.map((line) => line.split(/[: ]/, 1)[0]!)
    const places = placesIn(linesOf(readFileSync(join(samples, name), 'utf8')), only(...files))
    assert.deepEqual(
      places.map(({ file, line, column, message }) =>
        `${file}:${line}${column ? `:${column}` : ''} ${message.join('|')}`.replace(/0x[0-9a-f]{6,}/g, '0x…'),
      ),
      found,
    )
  })
}

test('a traceback that ends in a library counts where the repository called it', () => {
  const lines = linesOf(readFileSync(join(samples, 'pytest.txt'), 'utf8'))
  assert.deepEqual(
    placesIn(lines, only('tests/test_shop.py')).map(({ file, line, message }) => [file, line, message[0]]),
    [
      ['tests/test_shop.py', 5, 'assert 1 == 2'],
      ['tests/test_shop.py', 9, "KeyError: 'missing'"],
    ],
  )
})

test('warnings only where there is nothing else; a place once; nothing of what is installed', () => {
  const lines = [
    'src/a.c:1:1: warning: unused',
    'src/a.c:2:1: error: gone',
    'src/a.c:2:1: error: gone',
    'src/a.c:2:9: note: it was here',
    'node_modules/x/a.js:3:1: error: not yours',
    'gone.c:1:1: error: no such file',
    'at 10:30:00 src/a.c was read',
  ]
  const files = only('src/a.c', 'node_modules/x/a.js')
  const text = (list: readonly string[]) =>
    placesIn(list, files).map(({ line, level, message }) => `${line} ${level} ${message}`)
  assert.deepEqual(text(lines), ['2 error gone'])
  assert.deepEqual(text(lines.slice(0, 1)), ['1 warning unused'])
  assert.deepEqual(text(['src/a.c:1:1: warning: w', 'src/a.c:1:1: error: e']), ['1 error e'])
  assert.deepEqual(text(['src/a.c:0:1: error: x', 'src/a.c:99999999999:1: error: x']), [])
})

const task = { id: 'build:debug@rust:a b', outcome: 'failed (exit 101)', fileOf: only('src/a,b.rs') }

test('an annotation has the task as its title, and is on its line', () => {
  const lines = ['error: 100% wrong', '  --> src/a,b.rs:3:18', '::error::x']
  assert.deepEqual(annotationsOfTask({ ...task, lines }), {
    lines: ['::error file=src/a%2Cb.rs,line=3,col=18,title=build%3Adebug@rust%3Aa b::100%25 wrong'],
    left: 0,
  })
})

test('a task that names no place is shown by its last lines', () => {
  const lines = ['', ...Array.from({ length: 30 }, (_, index) => `line ${index}`), '']
  assert.deepEqual(annotationsOfTask({ ...task, lines }).lines, [
    `::error title=build%3Adebug@rust%3Aa b::failed (exit 101)${Array.from({ length: 10 }, (_, index) => `%0Aline ${index + 20}`).join('')}`,
  ])
  assert.deepEqual(annotationsOfTask({ ...task, lines: [] }).lines, [
    '::error title=build%3Adebug@rust%3Aa b::failed (exit 101)',
  ])
})

test('at most ten of a task, and the last one says how many more there are', () => {
  const lines = Array.from({ length: 13 }, (_, index) => `src/a,b.rs:${index + 1}:1: error: e${index}`)
  const { lines: shown, left } = annotationsOfTask({ ...task, lines })
  assert.equal(shown.length, 10)
  assert.equal(left, 3)
  assert.match(shown[9]!, /::e9%0A… and 3 more places in the log$/)
})

test('property: each is one command with our properties, whatever a task prints', () => {
  const shape = fc.constantFrom<(text: string, file: string) => string>(
    (text) => text,
    (text, file) => `${file}:3:4: error: ${text}`,
    (text, file) => `  File "${file}", line 3\n${text}`,
    (text, file) => `${file}(3,4): error ${text}`,
    (text, file) => `error: ${text}\n --> ${file}:3:4`,
    (text, file) => `    at ${text} (${file}:3:4)`,
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(shape, hostileText, hostileText), { maxLength: 12 }), hostileText, (parts, id) => {
      const lines = parts.flatMap(([make, text, file]) => make(text, file).split('\n'))
      for (const line of annotationsOfTask({ ...task, id, lines, fileOf: (written) => written || undefined }).lines) {
        assert.match(line, /^::error (file=[^,:]*,line=\d+,(col=\d+,)?)?title=[^,:]*::/)
        assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e\u2028\u2029]/)
      }
    }),
    { numRuns: 300 },
  )
})

test('long outputs and long lines cost no more than their length', async () => {
  const none = () => undefined
  const whole = [
    'src/a.c:1:1: error: x',
    'E   x',
    '  at f (a.js:1:1)',
    '    a_test.go:7: x',
    'FAIL a/b/c x',
    'error: x',
    ' --> a:1:1',
  ]
  for (const line of whole)
    await growsLinearly(
      line,
      (size) => Array.from({ length: size / 20 }, () => line),
      (lines) => placesIn(lines, none),
    )
  for (const piece of ['a', ':1', 'a:1:', ' ', '  at ', '(', 'File "', 'a(1', ' --> ', '[ERROR] ', '❯ ', "thread '' "])
    await growsLinearly(
      JSON.stringify(piece),
      (size) => [piece.repeat(size / piece.length)],
      (lines) => placesIn(lines, none),
    )
})
