import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dockerfileDrift } from '../../src/image/index.ts'
import type { Lock } from '../../src/pins/index.ts'
import { shippedPins } from '../../src/pins/index.ts'
import { renderDockerfile } from '../../src/scaffold/index.ts'
import { mixes, modelOf } from './models.ts'

const { date, ...pins } = shippedPins
const lock: Lock = { schema: 'dwf.lock/1', dwf: '0.1.0', epoch: date, ...pins, generated: [] }
const said = (text: string) =>
  dockerfileDrift(text, 'Dockerfile.devflow', lock).map(
    (one) => `${one.where?.line}:${one.where?.column} ${one.code}: ${one.message} | ${one.hint}`,
  )
const debian = shippedPins.images.find((pin) => pin.tool === 'base')!

test('what dwf writes does not drift', () => {
  for (const tools of mixes) assert.deepEqual(said(renderDockerfile(modelOf(tools))), [], tools.join(' '))
})

test('another digest, none at all, and another epoch are located', () => {
  const wrong = `sha256:${'0'.repeat(64)}`
  assert.deepEqual(
    said(
      `ARG DWF_EPOCH=2020-01-01\nFROM ${debian.ref}@${wrong} AS base\nFROM debian:13\nFROM base AS next\nFROM scratch\nFROM Base\nCOPY --from=base /a /a\nCOPY --from=0 /a /a\n`,
    ),
    [
      `1:15 epoch-drift: DWF_EPOCH is 2020-01-01, devflow.lock says ${date} | write ${date}, or run "dwf init --force"`,
      `2:39 pin-drift: docker.io/library/debian:13-slim has another digest than in devflow.lock | devflow.lock says ${debian.digest}`,
      '3:6 unpinned-image: debian:13 is not pinned by a digest | write its digest behind an @',
    ],
  )
  assert.deepEqual(said(`FROM ${debian.ref}\n`), [
    `1:6 unpinned-image: ${debian.ref} is not pinned by a digest | write ${debian.ref}@${debian.digest}`,
  ])
})

test('images that COPY and RUN take from have to be pinned, too', () => {
  assert.deepEqual(
    said('FROM scratch\nCOPY --from=docker.io/x/y:1 /a /a\nRUN --mount=type=bind,from=x/y:2,target=/a true\n').map(
      (one) => one.split(' ')[0],
    ),
    ['2:13', '3:28'],
  )
  assert.deepEqual(
    said(`FROM example.org/own:1@sha256:${'1'.repeat(64)}\n`),
    [],
    'an image that the lock does not know is a person’s own',
  )
})
