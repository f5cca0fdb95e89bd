import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageModel } from '../../src/image/index.ts'
import { packageLines } from '../../src/image/package-lines.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { modelOf } from './models.ts'

test('the same tools give the same image in whatever order they are asked for', () => {
  assert.deepEqual(modelOf(['node', 'go', 'python']), modelOf(['python', 'node', 'go']))
})

test('Debian packages are one sorted list of tools, units and configuration', () => {
  const model = modelOf(['node'], { packages: ['zsh', 'libatomic1', 'bash'] })
  assert.deepEqual(model.packages, ['bash', 'libatomic1', 'libgcc-s1', 'libstdc++6', 'zsh'])
})

test('without tools there is just the base', () => {
  const { base, stages, links, run, smoke, packages } = modelOf([])
  assert.equal(base.tool, 'base')
  assert.deepEqual([stages, links, run, smoke, packages], [[], [], [], [], []])
})

test('placeholders stand for the version that was chosen', () => {
  const recipe = {
    tool: 'x',
    image: 'example.org/x',
    copy: ['/opt/{version}'],
    env: { X: '{major}' },
    run: ['test {minor}'],
    smoke: ['x', '{version}'],
  }
  const pin = { tool: 'x', ref: 'example.org/x:1', digest: `sha256:${'0'.repeat(64)}`, version: '3.13.15' }
  const model = imageModel({
    title: 'x',
    resolution: {
      base: pin,
      toolchains: [{ tool: 'x', from: 'image', version: pin.version, recipe, requests: [], pin }],
      diagnostics: [],
    },
    units: [],
    config: { container: { packages: [] } },
    epoch: '2026-11-22',
  })
  assert.deepEqual(
    [model.stages[0]!.copy, model.env, model.run, model.smoke[0]!.argv],
    [['/opt/3.13.15'], { X: '3' }, ['test 3.13'], ['x', '3.13.15']],
  )
})

test('two tools that want one variable to be two things are an error that names both', () => {
  const pin = { tool: 'base', ref: 'example.org/x:1', digest: `sha256:${'0'.repeat(64)}`, version: '1.0.0' }
  const of = (tool: string, value: string) => ({
    tool,
    from: 'image' as const,
    version: '1.0.0',
    recipe: { tool, env: { LANG: value }, smoke: [tool] },
    requests: [],
    pin,
  })
  assert.throws(
    () =>
      imageModel({
        title: 'x',
        resolution: { base: pin, toolchains: [of('a', 'C'), of('b', 'D')], diagnostics: [] },
        units: [],
        config: { container: { packages: [] } },
        epoch: '2026-11-22',
      }),
    (error) => error instanceof Failure && error.message === 'a wants LANG=C in the image, b wants D',
  )
})

test('an npm package with a known hash is checked before it is installed, and runs no scripts', () => {
  const integrity = `sha512-${Buffer.alloc(64, 0xab).toString('base64')}`
  assert.deepEqual(
    packageLines({ tool: 'yarn-berry', registry: 'npm', name: '@yarnpkg/cli-dist', version: '4.18.1', integrity }),
    [
      'npm pack --silent --cache=/tmp/npm --pack-destination=/tmp @yarnpkg/cli-dist@4.18.1',
      `echo '${'ab'.repeat(64)}  /tmp/yarnpkg-cli-dist-4.18.1.tgz' > /tmp/yarn-berry.sum`,
      'sha512sum --check --quiet /tmp/yarn-berry.sum',
      'npm install --global --cache=/tmp/npm --no-audit --no-fund --no-update-notifier --ignore-scripts /tmp/yarnpkg-cli-dist-4.18.1.tgz',
      'rm -rf /tmp/yarnpkg-cli-dist-4.18.1.tgz /tmp/yarn-berry.sum /tmp/npm',
    ],
  )
  assert.doesNotMatch(
    packageLines({ tool: 'bun', registry: 'npm', name: 'bun', version: '1.4.5' }).join('\n'),
    /ignore-scripts/,
  )
})
