import { X509Certificate } from 'node:crypto'
import { readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { placeOf } from '../config/locate.ts'
import type { Config } from '../config/types.ts'
import { truststore } from '../run/truststore.ts'
import { failure } from '../util/diagnostics.ts'
import { isInside } from '../util/paths.ts'

/** Where distributions keep what the host trusts. */
const hostBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * The CA bundle for networked containers and image builds; undefined when there is none to add.
 * @throws Failure('wrong-input' | 'refused'), located, for a path that is no bundle of certificates
 */
export async function caBundleOf(config: Config, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const wanted = config.container.caCertificates
  if (wanted === 'none') return undefined
  if (wanted === 'host')
    return [env.SSL_CERT_FILE, ...hostBundles].find(
      (path) => path && isAbsolute(path) && !path.includes(',') && contentOf(path) === 'certificates',
    )
  const path = resolve(config.root, wanted)
  const refuse = async (kind: 'wrong-input' | 'refused', code: string, problem: string) =>
    failure(
      kind,
      code,
      `ca_certificates names ${path}, ${problem}`,
      'give the path of a PEM bundle, "host" or "none"',
      await placeOf(config, ['container', 'ca_certificates']),
    )
  // A build takes it as one word of a list.
  if (path.includes(',')) throw await refuse('wrong-input', 'bad-ca-bundle', 'which has a comma in its name')
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw await refuse('wrong-input', 'no-ca-bundle', 'which is not there')
  // A path outside of the repository was approved; a link that leads there was not.
  const real = realpathSync(path)
  if (isInside(config.root, path) && !isInside(realpathSync(config.root), real))
    throw await refuse('refused', 'outside', 'which is a link out of the repository')
  const content = contentOf(real)
  if (content === 'private') throw await refuse('refused', 'private-key', 'which holds a private key')
  if (content === 'other') throw await refuse('wrong-input', 'bad-ca-bundle', 'which is no PEM bundle of certificates')
  return real
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g

/** What a file holds: certificates and nothing else, or not. */
function contentOf(path: string): 'certificates' | 'private' | 'other' {
  try {
    const blocks = [...readFileSync(path, 'latin1').matchAll(block)]
    if (blocks.some(([, kind]) => kind!.includes('PRIVATE KEY'))) return 'private'
    if (blocks.length === 0 || blocks.some(([, kind]) => !kind!.endsWith('CERTIFICATE'))) return 'other'
    new X509Certificate(blocks[0]![0])
    return 'certificates'
  } catch {
    return 'other' // It cannot be read, or decoded.
  }
}

/** The same certificates for Java, which does not read PEM: a file of the run's folder. */
export function truststoreOf(caBundle: string, runFolder: string): string {
  const file = join(runFolder, 'ca-certificates.jks')
  writeFileSync(file, truststore(readFileSync(caBundle, 'latin1')))
  return file
}
