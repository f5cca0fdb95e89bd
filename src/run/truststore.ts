import { createHash } from 'node:crypto'

/**
 * Certificates of a PEM bundle as a Java keystore, which the JDK takes where it takes no PEM. Its format (JKS, version 2)
 * is read by every JDK; the hash at its end is no secret and protects nothing, as these are public certificates.
 */
export function truststore(pem: string): Buffer {
  const certificates = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)]
  const body = Buffer.concat([
    number(0xfeedfeed),
    number(2),
    number(certificates.length),
    ...certificates.map(([, base64], index) => entry(`dwf-${index}`, Buffer.from(base64!, 'base64'))),
  ])
  const password = Buffer.from(truststorePassword, 'utf16le').swap16()
  const hash = createHash('sha1').update(password).update('Mighty Aphrodite').update(body).digest()
  return Buffer.concat([body, hash])
}

/** What everybody uses for Java's own. */
export const truststorePassword = 'changeit'

function entry(alias: string, certificate: Buffer): Buffer {
  const created = Buffer.alloc(8) // 1970: the same bytes for the same bundle.
  return Buffer.concat([number(2), text(alias), created, text('X.509'), number(certificate.length), certificate])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(value.length)
  return Buffer.concat([length, Buffer.from(value, 'latin1')])
}
