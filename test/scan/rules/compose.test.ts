import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownRules } from '../../../src/scan/rules/index.ts'
import { holds, look, marks } from './rig.ts'

const web = (lines: string) => `services:\n  web:\n    image: a:1@sha256:${'0'.repeat(64)}\n${lines}`

/** [id, what has it, what does not] */
const table: readonly (readonly [string, string, string])[] = [
  ['001', web('    ‹privileged: true\n'), web('    privileged: false\n')],
  ['001', web('    ‹privileged: "yes"\n'), web('    privileged: ${PRIVILEGED:-false}\n')],
  [
    '001',
    web('    post_start:\n      - command: a\n        ‹privileged: true\n'),
    web('    post_start:\n      - command: a\n'),
  ],
  ['002', web('    ‹network_mode: host\n'), web('    network_mode: none\n')],
  ['002', web('    ‹network_mode: ${NET:-host}\n'), web('    network_mode: "service:db"\n')],
  ['003', web('    ‹pid: "host"\n'), web('    pid: "service:db"\n')],
  ['004', web('    ‹ipc: host\n'), web('    ipc: shareable\n')],
  ['005', web('    ‹userns_mode: host\n'), web('    userns_mode: auto\n')],
  ['005', web('    ‹uts: host\n'), web('    cgroup: private\n')],
  [
    '006',
    web('    volumes:\n      - ‹/var/run/docker.sock:/x:ro\n'),
    web('    volumes:\n      - ./docker.sock.d:/x\n'),
  ],
  [
    '006',
    web('    volumes: [{type: bind, source: ‹/run/podman/podman.sock, target: /x}]\n'),
    web('    volumes: [run:/run]\n'),
  ],
  ['006', web('    volumes:\n      - ‹"${SOCK:-/var/run/../run/docker.sock}:/x"\n'), web('    volumes: [/var/run]\n')],
  ['006', web('    volumes:\n      - ‹/run:/run\n'), web('    volumes:\n      - /run/app:/run/app\n')],
  ['006', web('    volumes:\n      - ‹${XDG_RUNTIME_DIR}/podman/podman.sock:/x\n'), web('    volumes: []\n')],
  ['006', web('    ‹use_api_socket: true\n'), web('    use_api_socket: false\n')],
  [
    '006',
    web('volumes:\n  x:\n    driver_opts: {type: none, o: bind, device: ‹/var/run/docker.sock}\n'),
    web('volumes:\n  x:\n    driver_opts: {type: nfs, o: "addr=10.0.0.1", device: ":/x"}\n'),
  ],
  ['006', web('configs:\n  x:\n    file: ‹/var/run/docker.sock\n'), web('configs:\n  x:\n    file: ./x\n')],
  ['007', web('    volumes:\n      - ‹/:/host:ro\n'), web('    volumes:\n      - /srv/data:/data\n')],
  ['007', web('    volumes:\n      - ‹/etc:/x\n'), web('    volumes:\n      - /etc/localtime:/etc/localtime\n')],
  ['007', web('    volumes:\n      - ‹/etc/ssh/:/x\n'), web('    volumes:\n      - /etc/ssl/certs:/x:ro\n')],
  ['008', web('    volumes:\n      - ‹/proc:/host/proc:ro\n'), web('    volumes:\n      - /proc/cpuinfo:/x:ro\n')],
  [
    '008',
    web('    volumes: [{type: bind, source: ‹/sys, target: /x, read_only: true}]\n'),
    web('    volumes: [./sys:/sys:ro]\n'),
  ],
  ['009', web('    cap_add:\n      - ‹SYS_ADMIN\n'), web('    cap_drop:\n      - ALL\n')],
  ['009', web('    cap_add: [‹cap_all]\n'), web('    cap_add: [NET_BIND_SERVICE]\n')],
  ['010', web('    cap_add: [‹NET_ADMIN]\n'), web('    cap_add: [CHOWN]\n')],
  [
    '011',
    web('    security_opt:\n      - ‹seccomp:unconfined\n'),
    web('    security_opt:\n      - seccomp:./profile.json\n'),
  ],
  ['011', web('    security_opt: [‹"apparmor=unconfined"]\n'), web('    security_opt: ["no-new-privileges:true"]\n')],
  ['012', web('    security_opt: [‹"label:disable"]\n'), web('    security_opt: ["label:type:container_t"]\n')],
  ['013', 'services:\n  a:\n    image: ‹nginx\n', 'services:\n  a:\n    build: .\n    image: nginx\n'],
  ['013', 'services:\n  a:\n    image: ‹"localhost:5000/nginx"\n', 'services:\n  a:\n    image: nginx:1\n'],
  ['013', 'services:\n  a:\n    image: ‹nginx:${TAG:-latest}\n', 'services:\n  a:\n    image: ${IMAGE}\n'],
  [
    '013',
    'services:\n  a:\n    image: ‹own\n',
    'services:\n  a:\n    build: .\n    image: own\n  b:\n    image: own\n',
  ],
  [
    '014',
    'services:\n  a:\n    image: ‹nginx:1.29\n',
    `services:\n  a:\n    image: nginx:1.29@sha256:${'a'.repeat(64)}\n`,
  ],
  ['014', 'services:\n  a:\n    image: ‹nginx:${TAG}\n', 'services:\n  a:\n    image: nginx@${DIGEST}\n'],
  [
    '015',
    web('    environment:\n      ‹DB_PASSWORD: hunter2\n'),
    web('    environment:\n      DB_PASSWORD: ${DB_PASSWORD}\n'),
  ],
  ['015', web('    environment:\n      - ‹API_KEY=abc\n'), web('    environment:\n      - API_KEY\n')],
  [
    '015',
    web('    environment:\n      - ‹URL=postgres://a:b@db/x\n'),
    web('    environment:\n      - URL=postgres://a:$P@db/x\n'),
  ],
  [
    '015',
    web('    environment: {‹PGPASSWORD_SECRET: "a$$b"}\n'),
    web('    environment: {DB_PASSWORD_FILE: /run/secrets/db}\n'),
  ],
  [
    '015',
    web('    environment: {‹TOKEN: abc}\n'),
    web('    environment: {MYSQL_ALLOW_EMPTY_PASSWORD: "x", TOKEN: /run/secrets/token}\n'),
  ],
  [
    '016',
    web('    build:\n      args:\n        ‹NPM_TOKEN: ${NPM_TOKEN}\n'),
    web('    build:\n      args:\n        VERSION: 1\n'),
  ],
  ['017', 'services:\n  ‹a:\n    build: .\n', 'services:\n  a:\n    build: .\n    security_opt: [no-new-privileges]\n'],
  [
    '017',
    'services:\n  ‹a:\n    build: .\n    security_opt: ["no-new-privileges:false"]\n',
    'services:\n  a:\n    ports: []\n',
  ],
  [
    '017',
    'services:\n  ‹a:\n    build: .\n    extends: b\n  b: {}\n',
    'services:\n  a:\n    build: .\n    extends: {service: b}\n  b:\n    security_opt: ["no-new-privileges=true"]\n',
  ],
  ['018', web('    ‹user: root\n'), web('    user: "1001:1001"\n')],
  ['018', web('    ‹user: "0:0"\n'), web('    user: ${UID}\n')],
  ['019', web('    ports:\n      - ‹"5432:5432"\n'), web('    ports:\n      - "127.0.0.1:5432:5432"\n')],
  ['019', web('    ports:\n      - ‹6379\n'), web('    ports:\n      - "8080:80"\n')],
  [
    '019',
    web('    ports:\n      - ‹target: 3306\n        published: 3306\n'),
    web('    ports:\n      - target: 3306\n        published: 3306\n        host_ip: 127.0.0.1\n'),
  ],
  ['019', web('    ports:\n      - ‹0.0.0.0:1:27017/tcp\n'), web('    ports:\n      - "[::1]:27017:27017"\n')],
  ['020', web('    devices:\n      - ‹/dev/sda:/dev/sda\n'), web('    devices:\n      - /dev/dri:/dev/dri\n')],
  ['020', web('    device_cgroup_rules: [‹"a *:* rwm"]\n'), web('    device_cgroup_rules: ["c 1:3 mr"]\n')],
  ['021', 'include:\n  - ‹oci://docker.io/a/b\nservices: {}\n', 'services: {}\n'],
  ['021', web('    extends: {file: ‹common.yml, service: a}\n'), web('    extends: {service: web2}\n')],
  ['022', web('    provider:\n      type: ‹model\n'), web('')],
  ['023', web('    build:\n      ‹privileged: true\n'), web('    build: {context: .}\n')],
  ['023', web('    build:\n      entitlements: [‹security.insecure]\n'), web('    build: {privileged: false}\n')],
  ['024', web('    build:\n      network: ‹host\n'), web('    build:\n      network: none\n')],
  ['025', web('    volumes:\n      - ‹~/.ssh:/x:ro\n'), web('    volumes:\n      - ~/data:/x:ro\n')],
  ['025', web('    volumes:\n      - ‹${HOME}/.aws:/x\n'), web('    volumes:\n      - ./.aws:/x\n')],
]
for (const [number, bad, good] of table) {
  const id = `DWF-COMPOSE-${number}`
  test(`${id}: ${JSON.stringify(bad.slice(-60))}`, () => holds('compose.yaml', id, bad, good))
}

test('what a person reads', async () => {
  const findings = await look(
    'deploy/compose.prod.yml',
    'services:\n  db:\n    image: postgres:18\n    privileged: true\n    environment: {DB_PASSWORD: hunter2}\n',
  )
  assert.deepEqual(
    findings.map(({ severity, title }) => `${severity} ${title}`),
    [
      'low services (all of them): without no-new-privileges a program with the set-uid bit becomes root in it',
      'low services.db.image postgres:18: an image without a digest: its tag can be moved to another',
      'high services.db.privileged: a privileged container is root on the host',
      'medium services.db.environment.DB_PASSWORD: a secret is written out',
    ],
  )
  assert.ok(!JSON.stringify(findings).includes('hunter2'))
})

test('anchors, aliases and merge keys are followed, and what is shared is said once', async () => {
  const text =
    'x-base: &base\n  privileged: true\n  image: a:1\nservices:\n  a:\n    <<: *base\n  b:\n    <<: [*base, {pid: host}]\n    privileged: false\n'
  assert.deepEqual(marks(await look('compose.yml', text)), [
    'DWF-COMPOSE-001 2:3',
    'DWF-COMPOSE-014 3:10',
    'DWF-COMPOSE-017 5:3',
    'DWF-COMPOSE-003 8:18',
  ])
})

test('a second document of a file is looked at too', async () => {
  assert.deepEqual(marks(await look('compose.yml', 'services: {}\n---\nservices: {a: {pid: host}}\n')), [
    'DWF-COMPOSE-003 3:16',
  ])
})

test('a base in another Compose file counts; in a file of another name nobody looks at it', async () => {
  const file = (path: string) => ({ path, text: 'services:\n  b:\n    security_opt: ["no-new-privileges:true"]\n' })
  const user = (base: string) => ({
    path: 'a/compose.yml',
    text: `services:\n  a:\n    build: .\n    extends: {file: ${base}, service: b}\n`,
  })
  assert.deepEqual(marks((await ownRules([file('compose.base.yml'), user('../compose.base.yml')])).findings), [])
  assert.deepEqual(marks((await ownRules([file('base.yml'), user('../base.yml')])).findings), ['DWF-COMPOSE-021 4:21'])
})

test('fingerprints outlive an edit above and a new version, and tell services apart', async () => {
  const of = async (text: string) =>
    (await look('compose.yml', text)).map(({ id, fingerprint }) => `${id} ${fingerprint}`)
  const one = 'services:\n  a: {image: "x:1", privileged: true}\n'
  assert.deepEqual(await of(one), await of(`# a\n\n${one.replace('x:1', 'x:2')}`))
  const two = await of('services:\n  a: {privileged: true}\n  b: {privileged: true}\n')
  assert.equal(new Set(two).size, 2)
})

test('what cannot be read refuses', async () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['a: [', '1:5', 'Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['services: 7', '1:11', 'services is no map'],
    ['- a', '1:1', 'a Compose file is a map'],
    ['services:\n  a: x', '2:3', 'services.a is no map'],
    ['services: {}\nservices: {}', '2:1', 'the key "services" is given twice'],
    ['a: *b', '1:4', 'there is no anchor "b" before this'],
    ['a: &a [*a]', '1:8', 'the alias "a" contains itself'],
    ['<<: x', '1:5', 'what is merged is no map'],
    ['? [a]\n: b', '1:3', 'a key is no plain text'],
  ]
  for (const [text, place, why] of cases) {
    const [finding, ...more] = await look('docker-compose.yml', text)
    assert.deepEqual(more, [], text)
    assert.equal(finding?.id, 'DWF-COMPOSE-000')
    assert.equal(finding.severity, 'unknown')
    assert.equal(`${finding.where.line}:${finding.where.column}`, place, text)
    assert.equal(finding.title, `cannot be read, so nobody knows what is in it: ${why}`)
  }
  assert.equal((await look('test/fixtures/compose.yml', 'a: ['))[0]?.severity, 'low')
})

test('an empty file, and one with comments alone, has nothing', async () => {
  for (const text of ['', '# a\n', '---\n', '\ufeff', 'services:\n'])
    assert.deepEqual(await look('compose.yml', text), [])
})
