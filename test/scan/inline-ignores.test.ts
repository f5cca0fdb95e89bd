import assert from 'node:assert/strict'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { copyWithoutIgnores, findInlineIgnores } from '../../src/scan/inline-ignores.ts'
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
    'large.json': ' '.repeat(9 * 1024 * 1024),
  })
  symlinkSync('/etc/passwd', join(root, 'link.yaml'))
  const to = temporary(t)
  copyWithoutIgnores(root, ['k8s.yaml', 'deep/script.sh', 'large.json', 'link.yaml', 'gone.yaml'], to)
  assert.equal(
    readFileSync(join(to, 'k8s.yaml'), 'utf8'),
    `# ${bytes} trivy_ignore:KSV-0017\nimage: trivy:latest # ignore\n`,
  )
  assert.equal(readFileSync(join(to, 'deep/script.sh'), 'utf8'), 'trivy:ignore:x')
  assert.deepEqual(
    ['large.json', 'link.yaml', 'gone.yaml'].map((name) => existsSync(join(to, name))),
    [false, false, false],
  )
})
