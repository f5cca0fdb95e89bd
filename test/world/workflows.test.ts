import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { parse } from 'yaml'
import { generatedFiles } from '../../src/ci/index.ts'
import { expression, renderWorkflow, script, type Workflow } from '../../src/ci/model/index.ts'
import { variants } from '../ci/inputs.ts'
import { stringsOf } from '../ci/read.ts'
import { findTool } from '../scaffold/tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'dwf-workflows-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Every variant as a repository of its own. */
const repositories = (await variants()).map(({ input }, at) => {
  const root = join(folder, 'all', String(at))
  for (const { path, content } of generatedFiles(input)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
})
const workflows = repositories.flatMap((root) =>
  readdirSync(join(root, '.github/workflows')).map((name) => join(root, '.github/workflows', name)),
)

/** Files that together have every script: shellcheck takes its time for each. */
function withEveryScript(): readonly string[] {
  const seen = new Set<string>()
  return workflows.filter((file) => {
    const scripts = stringsOf(parse(readFileSync(file, 'utf8'))).filter((text) => text.endsWith('\n'))
    const isNew = scripts.some((text) => !seen.has(text))
    for (const text of scripts) seen.add(text)
    return isNew
  })
}

function needs(...tools: readonly string[]): { readonly skip: string | false } {
  const missing = tools.filter((tool) => !findTool(tool))
  return { skip: missing.length > 0 ? missing.map((tool) => `no ${tool}`).join(', ') : false }
}

const run = (tool: string, args: readonly string[]) =>
  spawnSync(findTool(tool)!, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 })

const actionlint = (shellcheck: string | undefined, files: readonly string[]): string => {
  const { stdout, stderr } = run('actionlint', [
    '-no-color',
    '-shellcheck',
    shellcheck ?? '',
    '-pyflakes',
    '',
    ...files,
  ])
  return `${stdout}${stderr}`
}

test('actionlint finds nothing in the workflows of any repository', needs('actionlint'), () => {
  assert.ok(workflows.length > 100)
  assert.equal(actionlint(undefined, workflows), '')
})

test('actionlint with shellcheck finds nothing in any script of them', needs('actionlint', 'shellcheck'), () => {
  assert.equal(actionlint(findTool('shellcheck'), withEveryScript()), '')
})

interface Finding {
  readonly ident: string
  readonly ignored: boolean
}

const zizmor = (...args: readonly string[]) => run('zizmor', ['--offline', '--no-config', '--no-progress', ...args])

for (const persona of ['pedantic', 'auditor'])
  test(`zizmor as ${persona} finds nothing, but for one place of each release that says why`, needs('zizmor'), () => {
    const options = ['--strict-collection', `--persona=${persona}`, ...repositories]
    const { status, stdout, stderr } = zizmor('--color=never', ...options)
    assert.equal(status, 0, `${stdout}${stderr}`)
    const [, ignored] = /^No findings to report\. Good job!(?: \((\d+) ignored\b.*\))?$/m.exec(stdout) ?? []
    assert.equal(Number(ignored), workflows.filter((file) => file.endsWith('release.yml')).length, stdout)
    const found = JSON.parse(zizmor('--format=json', '--no-exit-codes', ...options).stdout) as readonly Finding[]
    assert.deepEqual(
      found.filter((finding) => !finding.ignored),
      [],
    )
  })

test('the same tools speak up where a defence is missing', needs('actionlint', 'shellcheck', 'zizmor'), () => {
  const good = readFileSync(workflows.find((file) => file.endsWith('/ci.yml'))!, 'utf8')
  const file = join(folder, 'bad.yml')
  writeFileSync(
    file,
    good
      .replace('persist-credentials: false', 'persist-credentials: true')
      .replace(/actions\/checkout@[0-9a-f]{40} # v[\d.]+/, 'actions/checkout@v4')
      .replace('permissions: {}\n', 'permissions: write-all\n')
      .replace('run: |', 'run: |\n          echo ${{ github.event.pull_request.title }} $UNQUOTED'),
  )
  const linted = actionlint(findTool('shellcheck'), [file])
  assert.match(linted, /potentially untrusted/)
  assert.match(linted, /SC2086/)
  const { stdout } = zizmor('--persona=auditor', '--format=json', '--no-exit-codes', file)
  const found = new Set((JSON.parse(stdout) as readonly Finding[]).map(({ ident }) => ident))
  for (const ident of ['artipacked', 'unpinned-uses', 'excessive-permissions', 'template-injection'])
    assert.ok(found.has(ident), ident)
})

test('texts that readers of YAML do not agree on are no trouble for another one', needs('actionlint'), () => {
  const texts = [
    ...['a\u2028on: x', 'a\u0085permissions: write-all', '\ttab\nx', '\ufeffx', '?x', ':x', '- x', '#', "it's", '"'],
    ...['${{ x', '\u007f', 'a\r\nb', '!x', '&x *x', '%x', '---', '...'],
  ]
  const workflow: Workflow = {
    file: 'x.yml',
    name: 'x',
    about: texts,
    on: { push: { branches: ['main'] } },
    concurrency: { group: expression`github.ref`, cancel: false },
    jobs: Object.fromEntries(
      texts.map((text, at) => [
        `j${at}`,
        {
          about: text,
          name: text,
          timeoutMinutes: 1,
          permissions: { contents: { access: 'read', why: text } },
          steps: [{ name: text, run: script`echo "$TEXT"`, env: { TEXT: text } }],
        },
      ]),
    ),
  }
  const file = join(folder, 'hostile.yml')
  writeFileSync(file, renderWorkflow(workflow, '1.0.0'))
  assert.equal(actionlint(undefined, [file]), '')
})
