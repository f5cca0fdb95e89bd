import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { truststore, truststorePassword } from '../../src/run/truststore.ts'

/** An authority of our own, what it signed for 127.0.0.1, and a keystore that holds it. */
function company(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-truststore-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Company CA')
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server')
  writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\n')
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.crt', ...signed)
  const store = join(folder, 'store.jks')
  writeFileSync(store, truststore(readFileSync(join(folder, 'ca.crt'), 'latin1').repeat(2)))
  return { folder, store, read: (name: string) => readFileSync(join(folder, name)) }
}

const lacks = (program: string) =>
  spawnSync(program, ['-help'], { stdio: 'ignore' }).error ? `no ${program} is here` : false

test('its bytes depend on the bundle alone', (context) => {
  const { store, read } = company(context)
  assert.deepEqual(read('store.jks'), truststore(readFileSync(join(store, '../ca.crt'), 'latin1').repeat(2)))
  assert.equal(read('store.jks').readUInt32BE(8), 2)
})

test('Java reads it, with the hash checked', { skip: lacks('keytool') }, (context) => {
  const { store } = company(context)
  const args = ['-list', '-storetype', 'JKS', '-keystore', store, '-storepass', truststorePassword]
  const said = execFileSync('keytool', args, { encoding: 'utf8' })
  assert.match(said, /contains 2 entries/)
  assert.match(said, /^dwf-0, .*trustedCertEntry/m)
})

test('Java trusts a server that it vouches for', { skip: lacks('javac') || lacks('java') }, async (context) => {
  const { folder, store, read } = company(context)
  writeFileSync(
    join(folder, 'Fetch.java'),
    `class Fetch { public static void main(String[] args) throws Exception {
  System.out.println(((java.net.HttpURLConnection) new java.net.URL(args[0]).openConnection()).getResponseCode()); } }`,
  )
  const https = createServer({ key: read('server.key'), cert: read('server.crt') }, (_, response) =>
    response.writeHead(204).end(),
  )
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve))
  context.after(() => https.close())
  const url = `https://127.0.0.1:${(https.address() as AddressInfo).port}/`
  const fetch = (options: string) =>
    new Promise<string>((resolve) => {
      const env = { ...process.env, JAVA_TOOL_OPTIONS: options }
      const child = spawn('java', [join(folder, 'Fetch.java'), url], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
      child.once('close', () => resolve(said))
    })
  assert.match(await fetch(''), /unable to find valid certification path/)
  assert.match(await fetch(`-Djavax.net.ssl.trustStore=${store} -Djavax.net.ssl.trustStoreType=JKS`), /^204$/m)
})
