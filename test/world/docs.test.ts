import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { differences, examplesOf, pages, shim } from '../docs/examples.ts'
import { type Repository, repository, sample } from './rig.ts'

/** The examples of the pages that need a container engine. */
for (const page of pages) {
  const examples = examplesOf(page).filter(({ inWorld, notRun }) => inWorld && notRun === undefined)
  if (examples.length === 0) continue
  test(`${page}: what its examples in the world say is what dwf says`, (context) => {
    let repo: Repository | undefined
    const wrong = examples.flatMap((example) => {
      if (example.where !== 'goes on' || !repo)
        repo = example.where === 'empty' ? repository(context, {}, 'empty') : sample(context, example.where)
      const bin = shim(join(repo.root, '../bin'), join(import.meta.dirname, '../../bin/dwf.js'))
      return differences(example, repo.root, { ...repo.env, PATH: `${bin}:${repo.env.PATH}` })
    })
    assert.equal(wrong.join('\n\n'), '')
  })
}
