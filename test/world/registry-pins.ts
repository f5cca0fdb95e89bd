import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { shippedPins } from '../../src/pins/index.ts'
import { type Repository, world } from './rig.ts'

/** Pins a repository to the base image as the registry of the test world has it: nothing stands in for anything then. */
export function pinToRegistry(repo: Repository): void {
  const digests: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(world, 'digests.json'), 'utf8'))
  const { ref, digest } = shippedPins.images.find(({ tool }) => tool === 'base')!
  const here = digests[ref]
  assert.ok(here, `${ref} is in ${world}/digests.json`)
  const files = ['devflow.lock', 'Dockerfile.devflow', 'docker-bake.hcl'].filter(repo.has)
  repo.write(Object.fromEntries(files.map((file) => [file, repo.read(file).replaceAll(digest, here)])))
  rmSync(join(repo.root, '../state/dwf/substitutes.json'))
}
