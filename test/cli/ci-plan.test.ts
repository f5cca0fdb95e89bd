import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { prepared, rig } from './ci-rig.ts'

const fixture = readFileSync(join(import.meta.dirname, '../fixtures/ci-plan/shop.txt'), 'utf8')

test('ci:plan is a table of the jobs, what they may, and when they run', async (t) => {
  const repo = await prepared(t)
  const before = repo.tree()
  assert.equal((await repo.ok('ci:plan')).stdout, fixture)
  assert.equal((await repo.ok('-q ci plan')).stdout, fixture)
  assert.deepEqual(repo.tree(), before)
})

test('ci:plan --json has each job of the files, with exactly what it may', async (t) => {
  const repo = await prepared(t)
  const { schema, jobs } = JSON.parse((await repo.ok('ci:plan --json')).stdout)
  assert.equal(schema, 'dwf.ci-plan/1')
  const files = Object.keys(repo.tree()).flatMap((path) => /^\.github\/workflows\/(.+)/.exec(path)?.[1] ?? [])
  const written = files.flatMap((file) =>
    Object.entries(parse(repo.read(`.github/workflows/${file}`)).jobs as Record<string, Record<string, unknown>>).map(
      ([job, { needs = [], permissions }]) => ({
        workflow: file,
        job,
        needs,
        grants: Object.entries(permissions as object)
          .map(([scope, access]) => `${scope}: ${access}`)
          .sort(),
      }),
    ),
  )
  const key = (one: { workflow: string; job: string }) => `${one.workflow} ${one.job}`
  const sorted = <T extends { workflow: string; job: string }>(list: readonly T[]) =>
    [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1))
  const planned = jobs.map(({ workflow, job, needs, grants }: (typeof written)[0]) => ({
    workflow,
    job,
    needs,
    grants: [...grants].sort(),
  }))
  assert.deepEqual(sorted(planned), sorted(written))
  for (const { about, when } of jobs) assert.ok(about && when)
})

test('a target that cannot be planned is an error at its place', async (t) => {
  const repo = rig(t, { 'devflow.toml': '[targets]\npr = ["lint"]\n' })
  for (const words of ['ci:plan', 'init']) {
    const { status, stderr } = await repo.run(words)
    assert.equal(status, 2)
    assert.match(stderr, /^devflow\.toml:2:7 error: nothing in this repository offers "lint:static"/)
  }
  assert.deepEqual(Object.keys(repo.tree()), ['devflow.toml'])
})
