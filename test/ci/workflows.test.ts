import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import {
  type CiStart,
  type CiTarget,
  codeownersLines,
  type GeneratedFile,
  generatedFiles,
  missingFrom,
  type Needs,
  securityPolicy,
} from '../../src/ci/index.ts'
import { type Part, partsOf } from '../../src/plan/parts.ts'
import type { Plan } from '../../src/plan/types.ts'
import { hostileFolders, type Variant, variants } from './inputs.ts'
import { expressionsIn, type ReadJob, type ReadStep, type ReadWorkflow, readWorkflow, stringsOf } from './read.ts'

interface File {
  readonly variant: Variant
  readonly path: string
  /** Without the prefix: `ci.yml`. */
  readonly name: string
  readonly text: string
  readonly workflow: ReadWorkflow
}

const all = await variants()
const generated = all.map((variant) => ({ variant, files: generatedFiles(variant.input) }))
const folder = '.github/workflows/'
const files: readonly File[] = generated.flatMap(({ variant, files }) =>
  files
    .filter(({ path }) => path.startsWith(folder))
    .map(({ path, content }) => ({
      variant,
      path,
      name: path.slice(folder.length + variant.input.ci.prefix.length),
      text: content,
      workflow: readWorkflow(content),
    })),
)
const named = (name: string): Variant => all.find((one) => one.name === name)!
const fileOf = (variant: Variant, name: string): File | undefined =>
  files.find((file) => file.variant === variant && file.name === name)
const dependabotOf = (variant: Variant): GeneratedFile =>
  generated.find((one) => one.variant === variant)!.files.find(({ path }) => path === '.github/dependabot.yml')!

interface At extends ReadJob {
  readonly file: File
  readonly where: string
}
const jobs: readonly At[] = files.flatMap((file) =>
  file.workflow.jobs.map((job) => ({ ...job, file, where: `${file.variant.name}: ${file.name}: ${job.id}` })),
)
const ownJobs = jobs.filter(({ uses }) => uses === undefined)
const steps = ownJobs.flatMap((job) => job.steps.map((step) => ({ job, step, where: `${job.where}: ${step.name}` })))

/** The part that a job runs; jobs of CodeQL can have the names of stacks. */
const partOf = ({ file, id }: At) =>
  file.name === 'codeql.yml' ? undefined : file.variant.input.parts.find(({ name }) => name === id)

/** `actions/checkout` of a pinned action, with its folder. */
const actionOf = ({ uses }: ReadStep): string => /^[^@]*/.exec(uses ?? '')![0]
const uses = (job: ReadJob, action: string): boolean => job.steps.some((step) => actionOf(step) === action)
/** Their names differ: two checks of one name on one commit would be mistaken for each other. */
const isGate = ({ id }: ReadJob): boolean => ['gate', 'nightly-gate', 'release-gate'].includes(id)
const has = (job: ReadJob, scope: string, access?: string): boolean =>
  access === undefined ? Object.hasOwn(job.permissions ?? {}, scope) : job.permissions?.[scope] === access

test('every column of the table is full: pins, limits, permissions, checkouts', () => {
  const table = {
    pinned: steps
      .filter(({ step }) => step.uses)
      .map(({ step }) => /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(step.uses!) && /^v\d+\.\d+\.\d+$/.test(step.comment)),
    limited: ownJobs.map(
      ({ raw }) => Number.isInteger(raw['timeout-minutes']) && (raw['timeout-minutes'] as number) <= 60,
    ),
    'nothing at the top': files.map(({ workflow }) => JSON.stringify(workflow.raw.permissions) === '{}'),
    'permissions at each job': jobs.map(({ permissions }) => permissions !== undefined && permissions !== null),
    'without credentials': steps
      .filter(({ step }) => actionOf(step) === 'actions/checkout')
      .map(({ step }) => step.with['persist-credentials'] === false),
    'guarded first': ownJobs.map(({ steps: [first] }) => actionOf(first!) === 'step-security/harden-runner'),
    'reason for each grant': jobs.flatMap(({ permissions, why }) =>
      Object.keys(permissions ?? {}).map((scope) => (why[scope] ?? '').length > 5),
    ),
    'about each job': jobs.map(({ about }) => /^[A-Z].*\.$/.test(about)),
    concurrency: files.map(
      ({ workflow }) => expressionsIn(String((workflow.raw.concurrency as Record<string, unknown>).group)).length === 1,
    ),
    'runner by its version': ownJobs.map(({ raw }) => raw['runs-on'] === 'ubuntu-24.04'),
  }
  for (const [name, column] of Object.entries(table)) {
    assert.ok(column.length > 100, `${name}: ${column.length}`)
    assert.equal(column.filter((is) => is).length, column.length, name)
  }
})

test('nothing but these keys is in a file, a job or a step', () => {
  const keys = (value: object, ...allowed: readonly string[]) =>
    assert.deepEqual(
      Object.keys(value).filter((key) => !allowed.includes(key)),
      [],
    )
  for (const { workflow } of files) {
    keys(workflow.raw, 'name', 'on', 'permissions', 'concurrency', 'defaults', 'jobs')
    assert.deepEqual(workflow.raw.defaults, { run: { shell: 'bash' } })
  }
  // No container, no matrix, no services, no continue-on-error, no inherited secrets.
  for (const job of jobs)
    keys(
      job.raw,
      'name',
      'needs',
      'if',
      'permissions',
      ...(job.uses ? ['uses', 'secrets'] : ['runs-on', 'timeout-minutes', 'environment', 'outputs', 'steps']),
    )
  for (const { step } of steps) keys(step, 'name', 'id', 'if', 'uses', 'comment', 'run', 'env', 'with')
})

test('names are what GitHub accepts: short, and not the same but for their case', () => {
  const unlike = (names: readonly string[], where: string) =>
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length, where)
  for (const file of files) {
    unlike(
      file.workflow.jobs.map(({ id }) => id),
      file.path,
    )
    unlike(
      file.workflow.jobs.map(({ raw }) => String(raw.name)),
      file.path,
    )
  }
  for (const { id, where } of jobs) assert.match(id, /^[A-Za-z_][A-Za-z0-9_-]{0,98}$/, where)
  for (const job of ownJobs)
    unlike(
      job.steps.flatMap(({ id }) => id ?? []),
      job.where,
    )
  for (const { step, where } of steps) {
    unlike(Object.keys(step.env), where)
    if (step.id !== undefined) assert.match(step.id, /^[a-z]+$/)
  }
})

test('the triggers are those of each file, without any filter of paths', () => {
  for (const { name, variant, workflow } of files) {
    const branches = { branches: [variant.input.ci.defaultBranch] }
    const expected: Readonly<Record<string, object>> = {
      'ci.yml': {
        pull_request: { types: ['opened', 'synchronize', 'reopened', 'edited'] },
        merge_group: null,
        push: branches,
        workflow_dispatch: null,
      },
      'codeql.yml': { pull_request: null, merge_group: null, push: branches, schedule: [{ cron: '41 4 * * 1' }] },
      'nightly.yml': { schedule: [{ cron: '23 2 * * *' }], workflow_dispatch: null },
      'release.yml': { push: { tags: ['v*'] } },
      'publish.yml': { workflow_call: workflow.on.workflow_call as object },
    }
    assert.deepEqual(workflow.on, expected[name], name)
    for (const { cron } of (workflow.on.schedule ?? []) as readonly { cron: string }[]) {
      assert.match(cron, /^\d+ \d+ \* \* [*\d]$/)
      assert.notEqual(cron.split(' ')[0], '0')
    }
  }
})

test('a newer run ends an older one of a pull request, and never a release or a nightly', () => {
  for (const { name, workflow } of files) {
    const { group, 'cancel-in-progress': cancel } = workflow.raw.concurrency as Record<string, unknown>
    if (name === 'ci.yml' || name === 'codeql.yml') {
      assert.equal(cancel, "${{ github.event_name == 'pull_request' }}")
      assert.match(
        String(group),
        /^\$\{\{ format\('[a-z-]+-\{0\}', github\.event_name == 'pull_request' && github\.ref \|\| github\.sha\) \}\}$/,
      )
    } else assert.equal(cancel, false, name)
  }
  for (const variant of all) {
    const groups = files
      .filter((file) => file.variant === variant)
      .map(({ workflow }) => (workflow.raw.concurrency as { group: string }).group)
    assert.equal(new Set(groups).size, groups.length)
  }
})

test('no script has an expression in it, and no name or comment is one', () => {
  for (const { step, where } of steps) {
    assert.ok(!(step.run ?? '').includes('${{'), where)
    assert.ok(!(step.name ?? '').includes('${{'), where)
  }
  // Outside texts come in by env and never as a part of something longer.
  for (const { step, where } of steps)
    for (const text of [...Object.values(step.env), ...Object.values(step.with)].map(String))
      if (text.includes('${{')) assert.match(text, /^\$\{\{ [^{}]*(\{\d\}[^{}]*)* \}\}$/, where)
})

test('every expression is one of a few that dwf writes', () => {
  const allowed = [
    /^steps\.[a-z]+\.outputs\.[a-z\d]+$/,
    /^needs\.[\w-]+\.outputs\.(sha256|fingerprint|name|digest)$/,
    /^jobs\.publish\.outputs\.(name|digest)$/,
    /^github\.(event_name|ref_type|token|event\.(before|pull_request\.head\.sha|merge_group\.base_sha))$/,
    /^format\('\{0\}\/[\w./-]+', runner\.temp\)$/,
    /^format\('[a-z-]+-\{0\}', (github\.ref|github\.event_name == 'pull_request' && github\.ref \|\| github\.sha)\)$/,
    /^format\('\{0\}\/\{1\}\/actions\/runs\/\{2\}', github\.server_url, github\.repository, github\.run_id\)$/,
    /^github\.event_name == '(pull_request|push' && 'main' \|\| 'pr)'$/,
    /^runner\.temp$/,
    /^toJSON\(needs\)$/,
    /^secrets\.[A-Z_\d]+$/,
  ]
  const seen = new Set(files.flatMap(({ workflow }) => stringsOf(workflow.raw).flatMap(expressionsIn)))
  for (const expression of seen)
    assert.ok(
      allowed.some((shape) => shape.test(expression)),
      expression,
    )
  for (const shape of allowed)
    assert.ok(
      [...seen].some((expression) => shape.test(expression)),
      String(shape),
    )
})

test('only these actions are used, and dwf starts no local one', () => {
  assert.deepEqual([...new Set(steps.filter(({ step }) => step.uses).map(({ step }) => actionOf(step)))].sort(), [
    'actions/attest',
    'actions/checkout',
    'actions/download-artifact',
    'actions/setup-node',
    'actions/upload-artifact',
    'github/codeql-action/analyze',
    'github/codeql-action/init',
    'github/codeql-action/upload-sarif',
    'step-security/harden-runner',
  ])
  for (const job of jobs.filter(({ uses }) => uses !== undefined)) {
    assert.equal(job.file.name, 'release.yml')
    assert.equal(job.uses, `./.github/workflows/${job.file.variant.input.ci.prefix}publish.yml`)
    assert.ok(fileOf(job.file.variant, 'publish.yml'), job.where)
    assert.equal(job.usesComment, 'zizmor: ignore[self-repository]')
  }
  // No other word to a tool that it should look away.
  for (const { name, text } of files)
    assert.equal(
      text.match(/zizmor:|actionlint|shellcheck|trivy:ignore|nosec/g)?.length ?? 0,
      name === 'release.yml' ? 1 : 0,
    )
})

test('there is no cache', () => {
  for (const { step, where } of steps) {
    assert.doesNotMatch(actionOf(step), /cache/, where)
    for (const [key, value] of Object.entries(step.with))
      if (/cache/.test(key)) assert.deepEqual([key, value], ['package-manager-cache', false], where)
    if (actionOf(step) === 'actions/setup-node') assert.equal(step.with['package-manager-cache'], false, where)
  }
})

test('secrets are only where an environment stands before them, and never where a gate judges', () => {
  let found = 0
  for (const job of ownJobs) {
    const asked = stringsOf(job.raw)
      .flatMap(expressionsIn)
      .filter((text) => /\bsecrets\b/.test(text))
    const part = partOf(job)
    assert.equal(job.raw.environment, asked.length > 0 ? 'dwf' : undefined, job.where)
    assert.deepEqual(
      asked.map((text) => text.slice('secrets.'.length)).sort(),
      [...(part?.secrets ?? [])].sort(),
      job.where,
    )
    if (part?.kind === 'gates') {
      assert.deepEqual(asked, [], job.where)
      assert.ok(!stringsOf(job.raw).some((text) => /github\.token|secrets\./.test(text)), job.where)
    }
    // Only the step that runs the part sees them, under their own names.
    for (const step of job.steps)
      for (const [name, value] of Object.entries(step.env))
        if (String(value).includes('secrets.')) {
          assert.equal(step.id, 'run', job.where)
          assert.equal(value, `\${{ secrets.${name} }}`)
          assert.equal(step.env.DWF_PART, job.id)
        }
    found += asked.length
  }
  assert.ok(found > 0)
})

test('a release passes on by name the secrets of its tasks, and no others', () => {
  let found = 0
  for (const variant of all) {
    const release = fileOf(variant, 'release.yml')
    if (!release) continue
    const parts = variant.input.parts.filter(({ targets }) => targets.includes('release'))
    const names = [...new Set(parts.flatMap(({ secrets }) => secrets))].sort()
    const call = release.workflow.jobs.find(({ uses }) => uses !== undefined)!
    const passed =
      names.length > 0 ? Object.fromEntries(names.map((one) => [one, `\${{ secrets.${one} }}`])) : undefined
    assert.deepEqual(call.raw.secrets, passed, variant.name)
    const on = fileOf(variant, 'publish.yml')!.workflow.on.workflow_call as Readonly<Record<string, object>>
    assert.deepEqual(Object.keys(on.secrets ?? {}), names)
    found += names.length
  }
  assert.ok(found > 0)
})

test('each grant is where it is needed and nowhere else', () => {
  const known: Readonly<Record<string, (job: At) => boolean>> = {
    'actions: read': (job) =>
      uses(job, 'github/codeql-action/upload-sarif') ||
      uses(job, 'github/codeql-action/init') ||
      job.id === 'nightly-age' ||
      job.id === 'published',
    'contents: read': (job) =>
      uses(job, 'actions/checkout') ||
      job.uses !== undefined ||
      (uses(job, 'github/codeql-action/upload-sarif') && /private repositories/.test(job.why.contents!)),
    'contents: write': (job) => job.file.name === 'release.yml' && job.id === 'release',
    'issues: write': (job) => job.file.name === 'nightly.yml' && job.id === 'report',
    'security-events: write': (job) =>
      uses(job, 'github/codeql-action/upload-sarif') || uses(job, 'github/codeql-action/analyze'),
    'id-token: write': isPublish,
    'attestations: write': isPublish,
    'packages: write': isPublish,
    'attestations: read': (job) => job.file.name === 'ci.yml' && job.id === 'image',
    'packages: read': (job) =>
      (job.file.name === 'ci.yml' && job.id === 'image') || (job.file.name === 'nightly.yml' && job.id === 'published'),
  }
  const seen = new Set<string>()
  for (const job of jobs)
    for (const [scope, access] of Object.entries(job.permissions!)) {
      const grant = `${scope}: ${access}`
      seen.add(grant)
      assert.ok(known[grant]?.(job), `${job.where}: ${grant}`)
    }
  assert.deepEqual([...seen].sort(), Object.keys(known).sort())
  for (const job of ownJobs)
    assert.equal(uses(job, 'actions/checkout'), has(job, 'contents', 'read') && job.id !== 'sarif', job.where)
})

function isPublish(job: At): boolean {
  return (
    (job.file.name === 'publish.yml' && job.id === 'publish') ||
    (job.file.name === 'release.yml' && job.uses !== undefined)
  )
}

test('what may write runs no code of the repository', () => {
  for (const job of ownJobs) {
    if (!Object.values(job.permissions!).includes('write') || job.file.name === 'codeql.yml') continue
    assert.ok(!uses(job, 'actions/checkout'), job.where)
    assert.ok(!job.steps.some(({ run = '' }) => /\bci:run\b|\bnode\b/.test(run)), job.where)
  }
})

test('the gate always runs, may nothing, and waits for every other check', () => {
  for (const file of files.filter(({ workflow }) => workflow.jobs.some(isGate))) {
    const byId = new Map(file.workflow.jobs.map((job) => [job.id, job]))
    const gate = file.workflow.jobs.find(isGate)!
    const gates = { 'ci.yml': 'gate', 'nightly.yml': 'nightly-gate', 'publish.yml': 'release-gate' }
    assert.equal(gate.id, gates[file.name as keyof typeof gates])
    assert.equal(gate.if, 'always()')
    assert.deepEqual(gate.permissions, {})
    // What shows, counts and publishes is no check.
    const others = [gate.id, 'sarif', 'sarif-of-fork', 'nightly-age', 'published', 'report', 'sbom', 'publish']
    const checks = [...byId.keys()].filter((id) => !others.includes(id))
    assert.deepEqual([...gate.needs].sort(), checks.sort(), file.path)
    const [passed] = gate.steps.filter(({ run = '' }) => run.includes('jq '))
    assert.deepEqual(
      String(passed!.env.MAY_SKIP)
        .split(' ')
        .filter((id) => id !== '')
        .sort(),
      checks.filter((id) => byId.get(id)!.if !== ''),
      file.path,
    )
    assert.ok(gate.steps.every((step) => step.if === undefined))
  }
  assert.ok(
    files.every(
      ({ name, workflow }) => ['ci.yml', 'nightly.yml', 'publish.yml'].includes(name) === workflow.jobs.some(isGate),
    ),
  )
})

const targetsOf: Readonly<Record<string, readonly CiTarget[]>> = {
  'ci.yml': ['pr', 'main'],
  'nightly.yml': ['nightly'],
  'publish.yml': ['release'],
}

/** The jobs that run for a plan: without a condition, or with one of its parts in it; a job waits for those it needs. */
function runningFor(file: File, parts: readonly Part[]): ReadonlySet<string> {
  const names = parts.map(({ name }) => name)
  const byId = new Map(file.workflow.jobs.map((job) => [job.id, job]))
  const runs = (id: string): boolean => {
    const job = byId.get(id)!
    if (!job.needs.every(runs)) return false
    const asked = [...job.if.matchAll(/contains\(fromJSON\(needs\.(\w+)\.outputs\.parts\), '([^']*)'\)/g)]
    assert.equal(asked.map(([whole]) => whole).join(' || '), job.if)
    for (const [, first] of asked) assert.ok(job.needs.includes(first!))
    return job.if === '' || asked.some(([, , name]) => names.includes(name!))
  }
  return new Set(file.workflow.jobs.find(isGate)!.needs.filter(runs))
}

const startOf = (plan: Plan, parts: readonly Part[]): CiStart => ({
  schema: 'dwf.ci/1',
  dwf: plan.dwf,
  target: 'pr',
  commands: plan.requested,
  plan: plan.hash,
  tasks: plan.tasks.map(({ id, hash }) => ({ id, hash, part: parts.find(({ tasks }) => tasks.includes(id))!.name })),
  loosened: [],
})

function reportOf(plan: Plan, { name, tasks }: Part): string {
  const passed = plan.tasks.filter(({ id }) => tasks.includes(id)).map(({ hash }) => hash)
  return JSON.stringify({ schema: 'dwf.part/1', plan: plan.hash, part: name, passed })
}

test('every part of every plan is run by the job of its name, with what it needs, and nothing else runs one', () => {
  let count = 0
  for (const file of files) {
    const targets = targetsOf[file.name] ?? []
    const names = new Set<string>()
    const byId = new Map(file.workflow.jobs.map((job) => [job.id, job]))
    for (const target of targets)
      for (const plan of file.variant.plans[target]) {
        const where = `${file.variant.name}: ${file.name}: ${target}`
        const parts = partsOf(plan)
        const running = runningFor(file, parts)
        for (const part of parts) {
          const job = byId.get(part.name)
          assert.ok(job && running.has(part.name), `${where}: ${part.name}`)
          const run = job.steps.find(({ id }) => id === 'run')!
          assert.equal(run.env.DWF_PART, part.name)
          assert.match(run.run!, /ci:run "\$DWF_PART"/)
          assert.equal(run.run!.includes('--report'), part.kind === 'gates')
          assert.deepEqual(job.raw.outputs, { report: '${{ steps.run.outputs.report }}' })
          if (part.needsImage) assert.ok(job.needs.includes('image') && running.has('image'), where)
          if (part.needsDatabase) assert.ok(job.needs.includes('database') && running.has('database'), where)
          names.add(part.name)
          count++
        }
      }
    const runners = file.workflow.jobs.filter(({ steps }) => steps.some(({ env }) => env.DWF_PART !== undefined))
    assert.deepEqual(runners.map(({ id }) => id).sort(), [...names].sort(), `${file.variant.name}: ${file.name}`)
  }
  assert.ok(count > 200)
})

test('the gate is green when all parts ran, and red without the report of any one', () => {
  for (const file of files)
    for (const target of targetsOf[file.name] ?? [])
      for (const plan of file.variant.plans[target]) {
        const parts = partsOf(plan)
        const running = runningFor(file, parts)
        const needs: Needs = Object.fromEntries(
          file.workflow.jobs.find(isGate)!.needs.map((id) => {
            const part = parts.find(({ name }) => name === id)
            const outputs = part ? { report: reportOf(plan, part) } : {}
            return [id, { result: running.has(id) ? 'success' : 'skipped', outputs }]
          }),
        )
        const start = startOf(plan, parts)
        assert.deepEqual(missingFrom(start, needs), [], `${file.variant.name}: ${file.name}: ${target}`)
        for (const { name, tasks } of parts) {
          const others = new Set(parts.filter((one) => one.name !== name).flatMap((one) => one.tasks))
          if (tasks.every((id) => others.has(id))) continue
          const without = { ...needs, [name]: { result: 'success', outputs: {} } }
          assert.notDeepEqual(missingFrom(start, without), [], name)
        }
      }
})

test('a change that leaves the image alone does not scan it again, a nightly and a release do', () => {
  const variant = named('node')
  const [, usual] = variant.plans.pr
  assert.ok(!runningFor(fileOf(variant, 'ci.yml')!, partsOf(usual!)).has('scan-image'))
  assert.ok(runningFor(fileOf(variant, 'ci.yml')!, partsOf(variant.plans.pr[0]!)).has('scan-image'))
  for (const name of ['nightly.yml', 'publish.yml'])
    assert.equal(fileOf(variant, name)!.workflow.jobs.find(({ id }) => id === 'scan-image')!.if, '')
})

test('runners reach the hosts that their job needs, and those that devflow.toml adds', () => {
  for (const { job, step, where } of steps) {
    if (actionOf(step) !== 'step-security/harden-runner') continue
    const { egress, hosts } = job.file.variant.input.ci
    assert.equal(step.with['egress-policy'], egress, where)
    if (egress === 'audit') assert.equal(step.with['allowed-endpoints'], undefined)
    else {
      const endpoints = String(step.with['allowed-endpoints']).split(' ')
      for (const endpoint of endpoints) assert.match(endpoint, /^(\*\.)?[a-z0-9.-]+:(443|80)$/, where)
      assert.deepEqual(endpoints, [...new Set(endpoints)].sort())
      const part = partOf(job)
      // What judges, uploads or publishes reaches nothing that devflow.toml can name.
      if (part?.kind === 'tasks' || job.id === 'image')
        for (const host of hosts) assert.ok(endpoints.includes(host), where)
      if (part?.kind === 'gates' || ['gate', 'sarif', 'publish', 'report', 'nightly-age', 'published'].includes(job.id))
        for (const host of hosts.filter((one) => one.includes('example'))) assert.ok(!endpoints.includes(host), where)
      if (part?.kind === 'gates')
        assert.ok(!endpoints.some((one) => /npmjs|pypi|crates|golang|maven|gradle/.test(one)), where)
      if (part?.kind === 'tasks' && part.stacks.includes('python')) assert.ok(endpoints.includes('pypi.org:443'), where)
    }
  }
})

test('what is not wanted is not there', () => {
  const namesOf = (name: string) =>
    files
      .filter((file) => file.variant === named(name))
      .map((file) => file.name)
      .sort()
  assert.deepEqual(namesOf('node'), ['ci.yml', 'codeql.yml', 'nightly.yml', 'publish.yml', 'release.yml'])
  assert.deepEqual(namesOf('no code scanning'), ['ci.yml', 'nightly.yml', 'publish.yml', 'release.yml'])
  assert.deepEqual(namesOf('no publishing'), ['ci.yml', 'codeql.yml', 'nightly.yml'])
  assert.deepEqual(namesOf('no image'), ['ci.yml', 'codeql.yml', 'nightly.yml'])
  const beside = generatedFiles({ ...named('node').input, hasCodeql: true }).map(({ path }) => path)
  assert.ok(!beside.some((path) => path.includes('codeql')) && beside.includes('.github/workflows/ci.yml'))
  const jobsOf = (name: string, file: string) => fileOf(named(name), file)!.workflow.jobs
  for (const file of ['ci.yml', 'nightly.yml', 'publish.yml'])
    assert.ok(!jobsOf('no code scanning', file).some((job) => has(job, 'security-events')))
  for (const file of ['ci.yml', 'nightly.yml'])
    for (const job of jobsOf('no publishing', file))
      assert.ok(!has(job, 'packages') && !has(job, 'attestations'), job.id)
  for (const job of jobsOf('no image', 'ci.yml')) assert.ok(!['image', 'scan-image'].includes(job.id))
  assert.ok(
    jobsOf('asks for trust', 'ci.yml')
      .filter(({ id }) => ['rust', 'scan', 'image', 'database'].includes(id))
      .every(({ steps }) => steps.some(({ run = '' }) => run.includes('trust --ci'))),
  )
  assert.ok(!fileOf(named('node'), 'ci.yml')!.text.includes('trust --ci'))
})

test('a prefix is in the name of every file and wherever one names another', () => {
  const own = files.filter((file) => file.variant === named('prefix'))
  assert.deepEqual(own.map(({ path }) => path.slice(folder.length)).sort(), [
    'dwf-ci.yml',
    'dwf-codeql.yml',
    'dwf-nightly.yml',
    'dwf-publish.yml',
    'dwf-release.yml',
  ])
  const env = own.flatMap(({ workflow }) => workflow.jobs.flatMap(({ steps }) => steps.map(({ env }) => env)))
  assert.deepEqual([...new Set(env.flatMap(({ PUBLISH = [], NIGHTLY = [] }) => [PUBLISH, NIGHTLY].flat()))].sort(), [
    'dwf-nightly.yml',
    'dwf-publish.yml',
  ])
})

test('the branch of devflow.toml is the one that is pushed to and asked for', () => {
  const { workflow } = fileOf(named('branch'), 'ci.yml')!
  assert.deepEqual((workflow.on.push as { branches: unknown }).branches, ['rel/1.x'])
  assert.equal(workflow.jobs.find(({ id }) => id === 'nightly-age')!.steps[1]!.env.BRANCH, 'rel/1.x')
})

test('dependabot looks at every kind of pin, a week after it came out', () => {
  for (const variant of all) {
    const { updates, version } = parse(dependabotOf(variant).content) as {
      version: number
      updates: readonly Record<string, unknown>[]
    }
    assert.equal(version, 2)
    const kinds = updates.map((update) => update['package-ecosystem'])
    assert.ok(kinds.includes('github-actions'))
    // devflow.lock has the digests of Dockerfile.devflow too: dwf moves both.
    assert.ok(!kinds.includes('docker'))
    assert.equal(new Set(kinds).size, kinds.length)
    for (const update of updates) {
      assert.deepEqual(update.cooldown, { 'default-days': 7 })
      assert.deepEqual(Object.values(update.groups as object), [{ patterns: ['*'] }])
    }
  }
  const kindsOf = (name: string) =>
    (parse(dependabotOf(named(name)).content) as { updates: { 'package-ecosystem': string; directories: string[] }[] })
      .updates
  assert.deepEqual(
    kindsOf('all stacks').map((one) => one['package-ecosystem']),
    ['cargo', 'github-actions', 'gomod', 'gradle', 'maven', 'npm', 'uv'],
  )
  assert.deepEqual(
    kindsOf('monorepo').find((one) => one['package-ecosystem'] === 'npm')!.directories,
    hostileFolders.map((dir) => `/${dir}`).sort(),
  )
})

test('owners are told who must review, and nobody is named who was not', () => {
  assert.deepEqual(codeownersLines(named('owners').input), [
    '/.github/ @shop/security a@example.org',
    '/devflow.* @shop/security a@example.org',
    '/Dockerfile.devflow @shop/security a@example.org',
    '/docker-bake.hcl @shop/security a@example.org',
  ])
  assert.ok(codeownersLines(named('node').input).every((line) => line.startsWith('# ')))
  assert.doesNotMatch(securityPolicy, /@|https?:|mailto/)
  assert.match(securityPolicy, /Report a vulnerability/)
})

test('the same input gives the same bytes, in lines that end with LF', () => {
  for (const { variant, files } of generated) {
    assert.deepEqual(generatedFiles(variant.input), files)
    assert.deepEqual(
      files.map(({ path }) => path),
      files.map(({ path }) => path).sort(),
    )
    for (const { path, content } of files) {
      assert.match(
        content,
        /^# Written by dwf 0\.\d+\.\d+ from devflow\.toml and devflow\.lock: change them, and run "dwf ci:generate"\.\n# What is edited here is kept/,
        path,
      )
      assert.doesNotMatch(content, /\r|[ \t]$|\n\n\n|\t|[^\n]$(?![\s\S])/m, `${variant.name}: ${path}`)
    }
  }
})

test('the order of units and of parts does not matter', async () => {
  const { input } = named('monorepo')
  const turned = { ...input, units: [...input.units].reverse() }
  assert.deepEqual(generatedFiles(turned), generatedFiles(input))
})
