import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { copyWithoutIgnores, findInlineIgnores } from '../../src/scan/inline-ignores.ts'
import { growsLinearly } from '../growth.ts'
import { plant, temporary } from './rig.ts'

test('the comments are found in every kind of file that Trivy reads as configuration', (t) => {
  const files = {
    Dockerfile: 'FROM x\n#trivy:ignore:DS-0002\nUSER root\n  # trivy:ignore:*\n',
    'Dockerfile.devflow': '# tfsec:ignore:x',
    'sub/app.dockerfile': '#trivy:exp:2099-01-01:ignore:DS-0002',
    'main.tf': 'a = 1 //tfsec:ignore:aws:ws:dev\n\n/* trivy:ignore:b\ntrivy:ignore:c */',
    'chart/templates/_x.tpl': '{{/* trivy:ignore:x */}}',
    'k8s.yaml': 'image: trivy:latest\n# nothing to ignore\n',
    'notes.md': 'trivy:ignore:x',
  }
  const root = plant(temporary(t), files)
  const found = findInlineIgnores(root, Object.keys(files))
  assert.deepEqual(
    found.map(({ file, line }) => `${file}:${line}`),
    [
      'Dockerfile:2',
      'Dockerfile:4',
      'Dockerfile.devflow:1',
      'sub/app.dockerfile:1',
      'main.tf:1',
      'main.tf:3',
      'main.tf:4',
      'chart/templates/_x.tpl:1',
    ],
  )
})

test('the copy means the same but for them, byte for byte', (t) => {
  const root = temporary(t)
  const bytes = 'caf\u00e9 \ud83d\ude00'
  plant(root, {
    'k8s.yaml': `# ${bytes} trivy:ignore:KSV-0017\nimage: trivy:latest # ignore\n`,
    'deep/script.sh': 'trivy:ignore:x',
    'large.bin': ' '.repeat(9 * 1024 * 1024),
    'large.json': `${' '.repeat(9 * 1024 * 1024)}\ntrivy:ignore:x`,
  })
  symlinkSync('/etc/passwd', join(root, 'link.yaml'))
  const to = temporary(t)
  const files = ['k8s.yaml', 'deep/script.sh', 'large.bin', 'large.json', 'link.yaml', 'gone.yaml']
  assert.deepEqual(copyWithoutIgnores(root, files, to), ['link.yaml', 'gone.yaml'])
  const copied = (path: string) => readFileSync(join(to, path), 'utf8')
  assert.equal(copied('k8s.yaml'), `# ${bytes} trivy_ignore:KSV-0017\nimage: trivy:latest # ignore\n`)
  assert.equal(copied('deep/script.sh'), 'trivy:ignore:x')
  assert.equal(copied('large.bin').length, 9 * 1024 * 1024)
  assert.equal(copied('large.json').trim(), 'trivy_ignore:x')
  assert.deepEqual(
    ['link.yaml', 'gone.yaml'].map((name) => existsSync(join(to, name))),
    [false, false],
  )
})

/** Larger than what is read at once, without the time that real contents would take. */
function padded(root: string, path: string, text: string): void {
  writeFileSync(join(root, path), '')
  truncateSync(join(root, path), 64 * 1024 * 1024 + 1)
  appendFileSync(join(root, path), text)
}

test('padding hides no comment: a file that is too large to change is told, any other comes along', (t) => {
  const root = temporary(t)
  padded(root, 'Dockerfile', '\nUSER root\n# trivy:ignore:DS-0002\n# tfsec:ignore:x\n')
  padded(root, 'data.json', '\n{"says": "nothing to ignore"}\n')
  padded(root, 'data.bin', 'trivy:ignore:x')
  const files = ['Dockerfile', 'data.bin', 'data.json']
  assert.deepEqual(findInlineIgnores(root, files), [{ file: 'Dockerfile', line: 3 }])
  const to = temporary(t)
  assert.deepEqual(copyWithoutIgnores(root, files, to), ['Dockerfile'])
  assert.deepEqual(readdirSync(to), ['data.bin', 'data.json'])
  for (const path of ['data.bin', 'data.json'])
    assert.equal(statSync(join(to, path)).size, statSync(join(root, path)).size)
})

test('a mark on the border of two pieces is seen', (t) => {
  const root = temporary(t)
  const piece = 1024 * 1024
  for (let before = 1; before < 6; before++) {
    writeFileSync(join(root, 'a.json'), `${'\n'.repeat(piece - before)}trivy:ignore:x`)
    truncateSync(join(root, 'a.json'), 64 * 1024 * 1024 + 1)
    assert.deepEqual(findInlineIgnores(root, ['a.json']), [{ file: 'a.json', line: piece - before + 1 }])
  }
})

test('what is a comment, and what only looks like one', (t) => {
  const lines = [
    'trivy:ignore:a trivy:ignore:b',
    'trivy:tfsec:ignore:c',
    'trivy: ignore',
    'ignore:trivy:',
    'trivy:ignor tfsec:ign',
    'xtrivy:exp:2030-01-01:ignore:d',
    'trivy:ignore',
    'trivy:\tignore',
  ]
  const root = plant(temporary(t), { 'a.tf': lines.join('\n') })
  assert.deepEqual(
    findInlineIgnores(root, ['a.tf']).map(({ line }) => line),
    [1, 1, 2, 2, 6, 7, 8],
  )
  const to = temporary(t)
  copyWithoutIgnores(root, ['a.tf'], to)
  assert.deepEqual(readFileSync(join(to, 'a.tf'), 'utf8').split('\n'), [
    'trivy_ignore:a trivy_ignore:b',
    'trivy_tfsec_ignore:c',
    ...lines.slice(2, 5),
    'xtrivy_exp:2030-01-01:ignore:d',
    'trivy_ignore',
    'trivy_\tignore',
  ])
})

test('long words and many comments cost no time', async (t) => {
  const root = temporary(t)
  for (const piece of [
    'trivy:',
    'trivy:ignore ',
    'trivy:ignore\n',
    'trivy:ignore',
    'ignore',
    '\n',
    'trivy:\t',
    'trivy: ',
  ])
    await growsLinearly(
      JSON.stringify(piece),
      (size) => {
        const file = `${size}.json`
        plant(root, { [file]: piece.repeat(size / piece.length) })
        return file
      },
      (file) => {
        findInlineIgnores(root, [file])
        const to = mkdtempSync(join(root, 'copy-'))
        copyWithoutIgnores(root, [file], to)
        rmSync(to, { recursive: true })
      },
      { limit: 4 << 20, from: 65_536 },
    )
})
