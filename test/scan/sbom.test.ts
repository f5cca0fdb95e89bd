import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sbom } from '../../src/scan/trivy/sbom.ts'
import { trivyScanner } from '../../src/scan/trivy/scanner.ts'
import { fakeTrivy, plant, program, temporary } from './rig.ts'

const scan = `fs.writeFileSync(output, argv.includes('cyclonedx') ? '{"bomFormat":"CycloneDX"}' : '')
  if (!argv.includes('cyclonedx')) report([])`

function rig(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const root = plant(temporary(t), files)
  const fake = fakeTrivy(temporary(t), { scan })
  const list = () => sbom({ trivy: program(fake.path), root, timeoutMs: 20_000 }, { kind: 'tree', root }, 'cyclonedx')
  return { root, fake, list }
}

/** The values of the options that decide which files are looked at. */
const targets = (argv: readonly string[]): readonly string[] =>
  argv.filter(
    (word, index) =>
      /^--(include-dev-deps|skip-dirs|skip-files|file-patterns)$/.test(word) ||
      /^--(skip-dirs|skip-files|file-patterns)$/.test(argv[index - 1] ?? '') ||
      index === argv.length - 1,
  )

test('the list is made of the same files as the gates judge', async (t) => {
  const { root, fake, list } = rig(t)
  assert.deepEqual(await list(), { text: '{"bomFormat":"CycloneDX"}', notes: [] })
  const scanner = trivyScanner({ trivy: program(fake.path), guarded: [root] })
  await scanner.scan({ subject: { kind: 'tree', root }, layer: 'deps', timeoutMs: 20_000 })
  const [listed, scanned] = fake.calls().map(({ argv }) => targets(argv))
  assert.deepEqual(listed, scanned)
  assert.ok(listed!.some((word) => word.includes('npm-shrinkwrap')))
  assert.ok(listed!.some((word) => word.includes('requirements')))
})

test('a lock file that the list leaves out is told', async (t) => {
  const { list } = rig(t, {
    'dev/tool/package-lock.json': '{}',
    'dev/tool/yarn.lock': '',
    'proc/a.txt': '',
    'sys/go.mod': '',
    'src/dev/go.mod': '',
  })
  const why = 'not in the list, since Trivy leaves out dev, proc and sys at the top; the gates do judge it'
  assert.deepEqual((await list()).notes, [`dev/tool/package-lock.json: ${why}`, `sys/go.mod: ${why}`])
})
