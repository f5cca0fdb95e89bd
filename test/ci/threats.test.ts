import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CiInput, type CiStart, generatedFiles, missingFrom } from '../../src/ci/index.ts'
import { openHost } from '../../src/engine/host.ts'
import { knownActions, shippedLock } from '../../src/pins/index.ts'
import { sarif } from '../../src/report/index.ts'
import { plannedFiles } from '../../src/scaffold/index.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { mixes, modelOf } from '../image/models.ts'
import { recipeOf, request } from '../pins/recipes.ts'
import { decision, document, finding, layer } from '../report/documents.ts'
import { commandsIn } from './hostile.ts'
import { type Variant, variants } from './inputs.ts'
import { expressionsIn, type ReadJob, type ReadStep, readWorkflow, stringsOf } from './read.ts'
import { ghAnswers, runner, sha256, skip } from './scripts/rig.ts'

// But for the largest ones, which are like the others here.
const all = (await variants()).filter(({ name }) => !name.startsWith('monorepo'))
const named = (name: string): Variant => all.find((one) => one.name === name)!

interface At {
  readonly job: ReadJob
  readonly input: CiInput
  readonly file: string
}
const jobsOf = (input: CiInput): readonly At[] =>
  generatedFiles(input)
    .filter(({ path }) => path.startsWith('.github/workflows/'))
    .flatMap(({ path, content }) =>
      readWorkflow(content).jobs.map((job) => ({ job, input, file: path.replace(/.*\//, '') })),
    )
const jobs = all.flatMap(({ input }) => jobsOf(input))
const steps: readonly (At & { readonly step: ReadStep })[] = jobs.flatMap((at) =>
  at.job.steps.map((step) => ({ ...at, step })),
)
const kindOf = ({ job, input, file }: At): string | undefined =>
  file.endsWith('codeql.yml') ? undefined : input.parts.find(({ name }) => name === job.id)?.kind

test('tag hijack: what runs is the commit that was reviewed, and one that is known to be bad never', async () => {
  const known = await knownActions()
  for (const { step } of steps) {
    if (step.uses === undefined) continue
    const [, action, sha] = /^([^/]+\/[^/@]+)[^@]*@([0-9a-f]{40})$/.exec(step.uses) ?? assert.fail(step.uses)
    assert.equal(sha, known.pin(action!).sha)
  }
  // A lock counts over what came with dwf: a tag that moved after the review moves nothing.
  const { input } = named('node')
  const reviewed = { name: 'actions/checkout', version: 'v9.9.9', sha: 'e'.repeat(40), source: 'review' }
  const locked = await knownActions({ actions: [reviewed] })
  const text = generatedFiles({ ...input, pin: locked.pin })
    .map(({ content }) => content)
    .join('')
  assert.match(text, new RegExp(`actions/checkout@${'e'.repeat(40)} # v9\\.9\\.9`))
  assert.doesNotMatch(text, /actions\/checkout@(?!e{40} )/)
  const { commits } = JSON.parse(readFileSync(join(import.meta.dirname, '../../src/pins/denied.json'), 'utf8')) as {
    commits: readonly { action: string; shas: readonly string[] }[]
  }
  const { action, shas } = commits[0]!
  const hijacked = await knownActions({ actions: [{ name: action, version: 'v1.0.0', sha: shas[0]!, source: 'x' }] })
  const pin = (name: string) => hijacked.pin(name === 'actions/checkout' ? action : name)
  assert.throws(
    () => generatedFiles({ ...input, pin }),
    (error) => error instanceof Failure && error.kind === 'refused',
  )
})

test('hijacked scanner that reads secrets: where gates run there is none, and nothing that writes', () => {
  let count = 0
  for (const at of jobs) {
    if (kindOf(at) !== 'gates' && !['published', 'database', 'sbom'].includes(at.job.id)) continue
    const { job } = at
    count++
    assert.ok(
      Object.values(job.permissions!).every((access) => access === 'read'),
      job.id,
    )
    assert.equal(job.raw.environment, undefined)
    const seen = stringsOf(job.raw).flatMap(expressionsIn)
    assert.ok(!seen.some((text) => /\bsecrets\b/.test(text)), job.id)
    // The published image is fetched with the token, which is gone before anything scans.
    if (job.id !== 'published') assert.ok(!seen.some((text) => /github\.token/.test(text)), job.id)
    assert.ok(!Object.hasOwn(job.permissions!, 'id-token'))
  }
  assert.ok(count > 100)
  // No task runs beside a gate, so that neither sees the other's things.
  for (const { input } of all)
    for (const part of input.parts)
      assert.equal(
        part.tasks.every((id) => id.startsWith('scan:')),
        part.kind === 'gates',
        part.name,
      )
})

test('a cache that a pull request writes and the default branch reads: nothing is kept from one run to the next', () => {
  for (const { step } of steps) {
    assert.doesNotMatch(step.uses ?? '', /cache/i)
    assert.doesNotMatch(step.run ?? '', /gha|actions\/cache|ACTIONS_CACHE|ACTIONS_RUNTIME/)
    const cached = Object.entries(step.with).filter(([key, value]) => /cache/.test(key) && value !== false)
    assert.deepEqual(cached, [])
    if (step.uses?.startsWith('actions/setup-node@')) assert.equal(step.with['package-manager-cache'], false)
    // Artifacts are those of the same run: none is taken by the id of another one or with another token.
    if (step.uses?.startsWith('actions/download-artifact@')) assert.deepEqual(Object.keys(step.with), ['name', 'path'])
  }
})

test('a token left in .git/config: no checkout keeps one', () => {
  const checkouts = steps.filter(({ step }) => step.uses?.startsWith('actions/checkout@'))
  assert.ok(checkouts.length > 100)
  for (const { step } of checkouts) {
    assert.equal(step.with['persist-credentials'], false)
    assert.deepEqual(
      Object.keys(step.with).filter((key) => !['persist-credentials', 'fetch-depth'].includes(key)),
      [],
    )
  }
})

test('injection by titles, branch names and devflow.toml: no text of others is evaluated or run', {
  skip,
}, async (t) => {
  for (const { step } of steps) assert.ok(!(step.run ?? '').includes('${{'))
  // Texts that no devflow.toml may have, as if its reader had let them through.
  const { input } = named('all stacks')
  const text = "${{ secrets.TOKEN }}' }}\n  evil: |\n${{"
  const odd: CiInput = {
    ...input,
    ci: { ...input.ci, defaultBranch: text },
    units: input.units.map((unit) => ({ ...unit, dir: text })),
  }
  const evaluated = (of: CiInput) => new Set(jobsOf(of).flatMap(({ job }) => stringsOf(job.raw).flatMap(expressionsIn)))
  assert.deepEqual(evaluated(odd), evaluated(input))
  assert.deepEqual(
    jobsOf(odd).map(({ job }) => job.id),
    jobsOf(input).map(({ job }) => job.id),
  )
  assert.throws(() => generatedFiles({ ...input, ci: { ...input.ci, hosts: [text] } }), /is more than a word/)
  const part = input.parts[0]!
  for (const name of [text, 'a b', "x' || 'y"])
    assert.throws(() => generatedFiles({ ...input, parts: [{ ...part, name, onChange: ['pr'] }] }), /is no plain word/)
  assert.throws(
    () => generatedFiles({ ...input, parts: [{ ...part, secrets: ['X }} ${{ github.token'] }] }),
    /is no plain word/,
  )
  // What is named by others comes in by env, where it is data.
  const on = runner(t)
  on.standIn('gh', ghAnswers([]))
  for (const word of commandsIn(on.marker)) {
    await on.run('findBase', { EVENT: word, HEAD_SHA: word, GROUP_BASE: word })
    await on.run('writeRelease', { GITHUB_REF_NAME: word, NAME: word, DIGEST: word, PUBLISH: word })
  }
})

test('writes to GITHUB_ENV by tests: a task does not know the file, and nothing follows that could be led', async () => {
  for (const at of jobs) {
    const kind = kindOf(at)
    if (kind === undefined) continue
    const run = at.job.steps.findIndex(({ id }) => id === 'run')
    const after = at.job.steps.slice(run + 1)
    assert.deepEqual(
      after.map(({ uses = '' }) => uses.replace(/@.*/, '')),
      kind === 'gates' ? ['actions/upload-artifact'] : [],
      at.job.id,
    )
    assert.ok(after.every(({ run }) => run === undefined))
    assert.deepEqual(Object.keys(at.job.raw.outputs as object), ['report'])
  }
  const files = [
    'GITHUB_ENV',
    'GITHUB_PATH',
    'GITHUB_OUTPUT',
    'GITHUB_STATE',
    'GITHUB_STEP_SUMMARY',
    'GITHUB_TOKEN',
    'ACTIONS_RUNTIME_TOKEN',
    'RUNNER_TEMP',
    'DWF_PART',
    'E2E_TOKEN',
  ]
  const session = await openHost(
    { PATH: process.env.PATH, ...Object.fromEntries(files.map((name) => [name, `value of ${name}`])) },
    1,
  )
  let text = ''
  const onOutput = (_: string, chunk: Buffer) => {
    text += chunk.toString('utf8')
  }
  await (await session.exec({ argv: ['env'], dir: '/', env: { OWN: 'x' }, onOutput })).exit
  await session.close()
  assert.match(text, /^OWN=x$/m)
  assert.doesNotMatch(text, /value of/)
})

test('a nightly that silently stopped: every push looks at its age, whatever its file is called', {
  skip,
}, async (t) => {
  for (const name of ['node', 'prefix', 'no publishing', 'no image']) {
    const variant = named(name)
    const found = jobsOf(variant.input).filter(({ job }) => job.id === 'nightly-age')
    assert.equal(found.length, 1, name)
    const { job, file } = found[0]!
    assert.equal(file, `${variant.input.ci.prefix}ci.yml`)
    assert.equal(job.if, "github.event_name == 'push'")
    const { NIGHTLY, BRANCH } = job.steps[1]!.env
    assert.ok(generatedFiles(variant.input).some(({ path }) => path === `.github/workflows/${NIGHTLY}`))
    const on = runner(t)
    for (const [createdAt, isOld] of [
      ['2020-01-01T00:00:00Z', true],
      [new Date().toISOString(), false],
    ] as const) {
      on.standIn('gh', ghAnswers([{ createdAt }]))
      const { stdout } = await on.run('nightlyAge', { NIGHTLY: String(NIGHTLY), BRANCH: String(BRANCH), GH_TOKEN: 'x' })
      assert.equal(/^::warning title=nightly::/.test(stdout), isOld)
    }
  }
})

test('SARIF too large to upload: it stays within the limits of GitHub, and the worst is kept', () => {
  const decisions = Array.from({ length: 6000 }, (_, at) =>
    decision(
      finding({
        id: `CVE-1-${at}`,
        severity: at < 5 ? 'critical' : 'low',
        where: { file: 'x.lock', package: `p${at}` },
      }),
    ),
  )
  const { text, notes } = sarif(document([layer({ layer: 'deps', decisions })]))
  const { runs } = JSON.parse(text) as { runs: readonly { results: readonly { level: string }[] }[] }
  assert.ok(runs.length <= 20)
  for (const { results } of runs) assert.ok(results.length <= 5000)
  assert.equal(runs.flatMap(({ results }) => results).filter(({ level }) => level === 'error').length, 5)
  assert.match(notes.join(), /1000 findings of 6000 left out/)
  // The verdict is the gate's, which reads no SARIF: a failed upload changes nothing of it.
  for (const { job } of jobs) if (job.id.endsWith('gate')) assert.ok(!job.needs.includes('sarif'))
})

test('a required check that a filter skips: the one check always runs, and what did not run is red', {
  skip,
}, async (t) => {
  for (const { content } of all.flatMap(({ input }) =>
    generatedFiles(input).filter(({ path }) => path.endsWith('ci.yml')),
  )) {
    const { on, jobs } = readWorkflow(content)
    assert.equal(on.merge_group, null, 'no filter')
    assert.deepEqual(Object.keys(on.pull_request as object), ['types'], 'no filter')
    assert.equal(jobs.find(({ id }) => id === 'gate')!.if, 'always()')
  }
  const on = runner(t)
  for (const result of ['skipped', 'cancelled', 'failure']) {
    const needs = { changes: { result: 'success' }, node: { result } }
    assert.equal((await on.run('allPassed', { NEEDS: JSON.stringify(needs), MAY_SKIP: '' })).code, 1, result)
  }
  const tasks = [{ id: 'test:unit@node', hash: 'h', part: 'node' }]
  const start: CiStart = { schema: 'dwf.ci/1', dwf: '1', target: 'pr', commands: [], plan: 'p', tasks, loosened: [] }
  assert.deepEqual(missingFrom(start, { node: { result: 'skipped' } }), ['test:unit@node did not pass in job node'])
})

test('a mutable base image: every stage begins at a digest, and a published image is named by its own', () => {
  for (const tools of mixes) {
    const requests = tools.map((tool) => request(...(tool.split('@') as [string, string?])))
    const { lock } = shippedLock({ requests, recipeOf, toolchains: 'official', version: '0.1.0' })
    const files = plannedFiles({ project: { name: 'shop', units: [] }, lock, model: modelOf(tools) })
    const text = files.find(({ path }) => path === 'Dockerfile.devflow')!.content
    const froms = [...text.matchAll(/^FROM (?:--\S+ )*(\S+)(?: AS (\S+))?$/gm)]
    const stages = froms.map(([, , name]) => name)
    assert.ok(froms.length >= 3)
    for (const [, from] of froms) assert.ok(stages.includes(from) || /@sha256:[0-9a-f]{64}$/.test(from!), from)
    for (const [, from] of text.matchAll(/--from=(\S+)/g))
      assert.ok(stages.includes(from) || /@sha256:/.test(from!), from)
  }
  for (const { step } of steps)
    for (const [line] of (step.run ?? '').matchAll(
      /^.*\b(?:image fetch|scan:image|podman pull|skopeo copy "docker:).*$/gm,
    ))
      assert.match(line, /"(docker:\/\/)?\$published@\$digest"|scan:image "\$IMAGE"$/)
})

test('an image that is built, but not the one that is scanned or pushed: one job builds, and its hash goes with it', {
  skip,
}, async (t) => {
  for (const { input } of all) {
    for (const name of ['ci', 'nightly', 'publish']) {
      const own = jobs.filter((at) => at.input === input && at.file === `${input.ci.prefix}${name}.yml`)
      const builders = own.filter(({ job }) => job.steps.some(({ run = '' }) => /\bimage build\b/.test(run)))
      assert.ok(builders.length <= 1 && builders.every(({ job }) => job.id === 'image'))
      for (const { job } of own) {
        if (!job.steps.some(({ with: { name } }) => name === 'image') || job.id === 'image') continue
        assert.ok(job.needs.includes('image'), job.id)
        const taken = job.steps.find(({ run = '' }) => /image load|IMAGE_SHA256/.test(run))!
        assert.equal(taken.env.SHA256 ?? taken.env.IMAGE_SHA256, '${{ needs.image.outputs.sha256 }}')
      }
      for (const part of input.parts)
        for (const { job } of own.filter(({ job }) => job.id === part.name))
          assert.equal(
            job.steps.some(({ run = '' }) => run.includes('image load')),
            part.needsImage,
            job.id,
          )
    }
  }
  const publish = jobsOf(named('node').input).find(
    ({ job, file }) => file === 'publish.yml' && job.id === 'publish',
  )!.job
  assert.ok(publish.needs.includes('release-gate'))
  const attested = publish.steps.filter(({ uses = '' }) => uses.startsWith('actions/attest@'))
  assert.equal(attested.length, 2)
  for (const step of attested) assert.equal(step.with['subject-digest'], '${{ steps.push.outputs.digest }}')
  const on = runner(t)
  on.passOn({ 'image.tar': 'another image', 'sbom.cdx.json': 'x' })
  for (const tool of ['podman', 'skopeo']) on.standIn(tool)
  const env = { IMAGE_SHA256: sha256('image'), SBOM_SHA256: sha256('x'), FINGERPRINT: 'f', GH_TOKEN: 'x' }
  assert.notEqual((await on.run('pushImage', env)).code, 0)
  assert.deepEqual(on.calls(), [])
})
