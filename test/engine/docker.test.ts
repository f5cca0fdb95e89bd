import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutLimits } from '../../src/engine/cli-engine.ts'
import { type Dialect, hardening } from '../../src/engine/container-args.ts'
import { buildLine, type DockerBuilder, dockerBuild } from '../../src/engine/docker.ts'
import type { ContainerSpec, EngineInfo } from '../../src/engine/types.ts'
import { Failure } from '../../src/util/diagnostics.ts'

const newest: DockerBuilder = { client: '28.2.2', server: '28.2.2', hasBuildx: true, context: 'default' }
const pinned = `docker.io/library/debian:13-slim@sha256:${'1'.repeat(64)}`
const substitutes = { [pinned]: 'localhost/dwf/substitute/debian:13-slim' }

function refusal(builder: Partial<DockerBuilder>, withSubstitutes = false): string {
  try {
    dockerBuild({ ...newest, ...builder }, { substitutes: withSubstitutes ? substitutes : {} })
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === 'machine-cannot')
    return error.diagnostics.map(({ message, hint }) => `${message} → ${hint}`).join()
  }
  assert.fail('not refused')
}

test('buildx builds, by the builder of the daemon that is used', () => {
  assert.deepEqual(dockerBuild({ ...newest, context: 'rootless' }, { substitutes, caBundle: '/etc/ca.crt' }), {
    command: ['buildx', 'build'],
    flags: [
      `--build-context=${pinned}=docker-image://localhost/dwf/substitute/debian:13-slim`,
      '--secret=id=dwf-ca,src=/etc/ca.crt',
      ...proxyFlags(),
      '--load',
      '--progress=plain',
    ],
    env: { BUILDX_BUILDER: 'rootless' },
  })
})

test('a client before 23 has BuildKit built in', () => {
  const { client, ...old } = newest
  assert.ok(client)
  assert.deepEqual(dockerBuild({ ...old, hasBuildx: false }, { substitutes: {} }), {
    command: ['build'],
    flags: [...proxyFlags(), '--progress=plain'],
    env: { DOCKER_BUILDKIT: '1' },
  })
})

/** Named, never with a value: a proxy's password does not belong into argv. */
const proxyFlags = () =>
  ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'ALL_PROXY', 'all_proxy']
    .filter((name) => process.env[name])
    .map((name) => `--build-arg=${name}`)

test('what cannot be built is refused with the way out', () => {
  assert.equal(
    refusal({ hasBuildx: false }),
    'docker has no buildx here, and the image cannot be built without: the Dockerfile has cache mounts → install it (apt-get install docker-buildx-plugin from Docker, docker-buildx from Debian 13), or use podman',
  )
  assert.match(refusal({ hasBuildx: false }, true), /when local images stand in for pinned ones \(docker\.io\/library/)
  assert.equal(
    refusal({ server: '20.10.24+dfsg1' }, true),
    `Docker 20.10.24+dfsg1 cannot build with localhost/dwf/substitute/debian:13-slim in place of ${pinned}: it has no named build contexts → use podman, or a daemon of Docker 23 or newer, or a registry that has the pinned image`,
  )
})

test('of the progress of BuildKit what a person wants to read', () => {
  const lines = [
    ['#4 [base 1/3] FROM docker.io/library/debian:13-slim', '[base 1/3] FROM docker.io/library/debian:13-slim'],
    ['#5 0.261 Debian packages as of 2026-11-22', 'Debian packages as of 2026-11-22'],
    ['#5 12.261 Unpacking x ...\r', 'Unpacking x ...\r'],
    ['ERROR: failed to solve: x', 'ERROR: failed to solve: x'],
    ['plain', 'plain'],
  ] as const
  for (const [line, text] of lines) assert.equal(buildLine(line), text)
  for (const line of [
    '#0 building with "default" instance using docker driver',
    '#1 [internal] load build definition from Dockerfile',
    '#1 transferring dockerfile: 351B done',
    '#1 DONE 0.0s',
    '#4 CACHED',
    '#8 exporting layers 1.1s done',
    '#8 writing image sha256:c8 done',
    '#8 naming to localhost/x done',
    '------',
    ' > [2/2] RUN x:',
  ])
    assert.equal(buildLine(line), undefined, line)
})

const spec: ContainerSpec = {
  name: 'x',
  labels: {},
  image: 'x',
  mounts: [],
  network: 'none',
  memory: 100,
  pids: 64,
  cpus: 2,
  tmp: 10,
  env: { DWF_TEST_PLAIN: 'a', DWF_TEST_OWN: 'secret' },
  workdir: '/workspace',
}
const dialect: Dialect = {
  idFlags: () => [],
  homeOptions: () => 'mode=0700',
  pull: [],
  egress: () => ['--network=bridge'],
  extra: () => [],
}
const flags = (info: Pick<EngineInfo, 'name' | 'limits'>) =>
  hardening(spec, { selinux: false, ...info } as EngineInfo, dialect)

test('only limits that are enforced are asked for; a ulimit on processes stands in for cgroups', () => {
  const limits = (info: Pick<EngineInfo, 'name' | 'limits'>) =>
    flags(info).filter((flag) => /^--(ulimit|memory|cpus|pids)/.test(flag))
  assert.deepEqual(limits({ name: 'docker', limits: ['memory', 'cpus', 'pids'] }), [
    '--memory=100',
    '--memory-swap=100',
    '--cpus=2',
    '--pids-limit=64',
  ])
  assert.deepEqual(limits({ name: 'docker', limits: [] }), ['--ulimit=nproc=64:64'])
  assert.deepEqual(limits({ name: 'podman', limits: ['pids'] }), ['--ulimit=nproc=64:64', '--pids-limit=64'])
  assert.deepEqual(withoutLimits(['memory'], 'no cgroup controller'), [
    'limits of processors, processes (no cgroup controller); processes are limited by ulimit only',
  ])
  assert.deepEqual(withoutLimits(['memory', 'cpus', 'pids'], 'x'), [])
})

test('a variable that the client has too is named only', () => {
  process.env.DWF_TEST_OWN = 'secret'
  const env = flags({ name: 'docker', limits: [] }).filter((flag) => flag.startsWith('--env='))
  delete process.env.DWF_TEST_OWN
  assert.deepEqual(
    env.filter((flag) => flag.includes('DWF_TEST')),
    ['--env=DWF_TEST_PLAIN=a', '--env=DWF_TEST_OWN'],
  )
})
