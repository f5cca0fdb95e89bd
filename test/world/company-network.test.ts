import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { type Repository, tasks } from './rig.ts'

/** An authority that only this company's machines trust, and a server that it vouches for. */
let folder: string
const file = (name: string) => join(folder, name)
const address = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address
const server = { stop: () => {}, url: '' }

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dwf-company-'))
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Company CA')
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server')
  writeFileSync(file('names'), `subjectAltName=IP:${address ?? '127.0.0.1'}\n`)
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.crt', ...signed)
  if (!address) return
  const https = createServer({ key: readFileSync(file('server.key')), cert: readFileSync(file('server.crt')) })
  https.on('request', (_, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => https.listen(0, address, resolve))
  server.url = `https://${address}:${(https.address() as AddressInfo).port}/x.git`
  server.stop = () => https.close()
})
after(() => {
  server.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A repository whose one task may use the network, as a person approved. */
async function networked(context: TestContext, run: string, container = ''): Promise<Repository> {
  const toml = `[container]\n${container}[tasks.test]\nnetwork = "egress"\nrun = ${JSON.stringify(run)}\n`
  const repo = await tasks(context, toml)
  const { code, all } = await repo.dwf(['trust', '--ci'], { env: { CI: '1' } })
  assert.equal(code, 0, all)
  return repo
}

const said = ({ stderr }: { readonly stderr: string }) =>
  stderr.split('\n').flatMap((line) => line.split('test:unit@project │ ')[1] ?? [])

const fetch = () => `git -c http.proxy= ls-remote ${server.url} 2>&1; true`

test('a server that only this machine trusts is trusted in a container with a network', async (context) => {
  if (!address) return context.skip('this machine has no address but loopback, which no container may reach')
  const repo = await networked(context, fetch())
  const result = await repo.dwf(['test'], { env: { SSL_CERT_FILE: file('ca.crt') } })
  assert.match(said(result).join('\n'), /repository '.*' not found/, result.all)
})

test('ca_certificates = "none": it is not', async (context) => {
  if (!address) return context.skip('this machine has no address but loopback, which no container may reach')
  const repo = await networked(context, `${fetch()}; ls /etc/dwf; env | grep -c CERT`, 'ca_certificates = "none"\n')
  const result = await repo.dwf(['test'], { env: { SSL_CERT_FILE: file('ca.crt') } })
  const lines = said(result).join('\n')
  assert.match(lines, /verification failed/, result.all)
  assert.match(lines, /cannot access '\/etc\/dwf'/)
  assert.match(lines, /^0$/m)
})

test('what a container with a network gets: one bundle, read-only, under each name; proxies, without a trace in argv', async (context) => {
  const variables = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'CARGO_HTTP_CAINFO']
  const names = [...variables, 'GIT_SSL_CAINFO', 'CURL_CA_BUNDLE']
  const look = [
    `for name in ${names.join(' ')}; do printenv $name; done | sort | uniq -c`,
    'printenv HTTPS_PROXY no_proxy JAVA_TOOL_OPTIONS',
    'sha256sum < /etc/dwf/ca-certificates.crt',
    'grep -c " /etc/dwf/ca-certificates.* ro," /proc/mounts',
    'head -c 4 /etc/dwf/ca-certificates.jks | od -An -tx1',
    'echo started; sleep 2',
  ]
  const repo = await networked(context, look.join('; '), `ca_certificates = ${JSON.stringify(file('ca.crt'))}\n`)
  const secret = 'hidden-from-ps'
  let argv = ''
  const result = await repo.dwf(['test'], {
    env: { HTTPS_PROXY: `http://user:${secret}@proxy.example:3128`, no_proxy: 'localhost' },
    when: {
      says: /│ started/,
      act: () => {
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
          try {
            argv += readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          } catch {
            // It has gone already.
          }
      },
    },
  })
  assert.equal(result.code, 0, result.all)
  assert.deepEqual(
    said(result).map((line) => line.trim()),
    [
      `${names.length} /etc/dwf/ca-certificates.crt`,
      `http://user:${secret}@proxy.example:3128`,
      'localhost',
      '-Djavax.net.ssl.trustStore=/etc/dwf/ca-certificates.jks -Djavax.net.ssl.trustStoreType=JKS',
      `${createHash('sha256')
        .update(readFileSync(file('ca.crt')))
        .digest('hex')}  -`,
      '2',
      'fe ed fe ed',
      'started',
    ],
  )
  assert.match(argv, /dwf-\d{14}/, 'the container was running')
  assert.ok(!argv.includes(secret))
})

test('a container without a network gets none of it', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "ls /etc/dwf 2>&1; env | grep -ciE 'proxy|cert|java'; true"\n`)
  const result = await repo.dwf(['test'], {
    env: {
      SSL_CERT_FILE: file('ca.crt'),
      HTTPS_PROXY: 'http://proxy.example:3128',
      https_proxy: 'http://proxy.example:3128',
    },
  })
  assert.equal(result.code, 0, result.all)
  assert.match(said(result)[0]!, /cannot access '\/etc\/dwf'/)
  assert.equal(said(result)[1], '0')
})

test('an image build gets the bundle as a secret, and nothing of it stays', async (context) => {
  const repo = await tasks(context, `[project]\nname = "company-network"\n[tasks.test]\nrun = "true"\n`)
  const step = 'RUN --mount=type=secret,id=dwf-ca sha256sum /run/secrets/dwf-ca\n'
  const dockerfile = repo.read('Dockerfile.devflow')
  repo.write({ 'Dockerfile.devflow': dockerfile.replace(/^# --- ci/m, `${step}$&`) })
  const built = await repo.dwf(['image', 'build', '--verbose', '--json'], { env: { SSL_CERT_FILE: file('ca.crt') } })
  assert.equal(built.code, 0, built.all)
  const pem = readFileSync(file('ca.crt'), 'utf8')
  assert.match(built.stderr, new RegExp(`${createHash('sha256').update(pem).digest('hex')} +/run/secrets/dwf-ca`))
  const { image } = JSON.parse(built.stdout)
  const archive = file('image.tar')
  execFileSync('podman', ['save', '--quiet', '--format=docker-archive', `--output=${archive}`, image])
  execFileSync('podman', ['rmi', '--force', image])
  // Layers are not compressed in there. A needle that is there proves that the search finds.
  const holds = (text: string) => readFileSync(archive).includes(text)
  const line = pem.split('\n')[2]!
  assert.ok(line.length > 40)
  assert.deepEqual([holds('dwfuser:x:1001'), holds(line), holds(file('ca.crt'))], [true, false, false])
  for (const name of readdirSync(repo.root, { recursive: true, encoding: 'utf8' }))
    assert.ok(!readIfFile(join(repo.root, name)).includes(line), name)
})

function readIfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const outcome = ({ code, stderr }: { readonly code: number | null; readonly stderr: string }) => [code, stderr]

test('a path that is no bundle of certificates is refused where it stands', async (context) => {
  const repo = await tasks(context, `[container]\nca_certificates = "company.pem"\n[tasks.test]\nrun = "true"\n`)
  const says = (problem: string) =>
    `devflow.toml:2:1 error: ca_certificates names ${join(repo.root, 'company.pem')}, ${problem}\n` +
    `   2 │ ca_certificates = "company.pem"\n     │ ${'^'.repeat(15)} give the path of a PEM bundle, "host" or "none"\n`
  const build = async () => outcome(await repo.dwf(['image', 'build']))
  assert.deepEqual(await build(), [2, says('which is not there')])
  repo.write({ 'company.pem': 'no certificate' })
  assert.deepEqual(await build(), [2, says('which is no PEM bundle of certificates')])
  repo.write({ 'company.pem': '-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n' })
  assert.deepEqual(await build(), [2, says('which is no PEM bundle of certificates')])
  repo.write({ 'company.pem': readFileSync(file('ca.crt'), 'utf8') + readFileSync(file('ca.key'), 'utf8') })
  assert.deepEqual(await build(), [4, says('which holds a private key')])
  rmSync(join(repo.root, 'company.pem'))
  symlinkSync(file('ca.crt'), join(repo.root, 'company.pem'))
  assert.deepEqual(await build(), [4, says('which is a link out of the repository')])
  rmSync(join(repo.root, 'company.pem'))
  repo.write({ 'company.pem': readFileSync(file('ca.crt'), 'utf8') })
  assert.equal((await repo.dwf(['test'])).code, 0)
})

test('a path outside of the repository needs trust', async (context) => {
  const outside = join(folder, 'deeper')
  mkdirSync(outside)
  writeFileSync(join(outside, 'ca.pem'), readFileSync(file('ca.crt')))
  const path = join(outside, 'ca.pem')
  const repo = await tasks(context, `[container]\nca_certificates = "${path}"\n[tasks.test]\nrun = "true"\n`)
  const { code, stderr } = await repo.dwf(['test'])
  assert.equal(code, 4, stderr)
  assert.match(stderr, /^devflow\.toml:2:1 error: not trusted: this repository asks to read certificates from \//)
})
