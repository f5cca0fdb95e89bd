import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'

/** The registry on loopback that scripts/world starts. */
export const registry = `127.0.0.1:${process.env.DWF_WORLD_PORT ?? '5055'}`

/** Puts an artifact with one layer into the registry, as the distribution specification says. */
export async function push(
  name: string,
  tag: string,
  layer: Buffer,
  types: { readonly layer: string; readonly config: string },
): Promise<void> {
  const url = `http://${registry}/v2/${name}`
  const blob = async (bytes: Buffer) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const started = await fetch(`${url}/blobs/uploads/`, { method: 'POST' })
    assert.equal(started.status, 202)
    const place = new URL(started.headers.get('location')!, url)
    place.searchParams.set('digest', digest)
    const put = await fetch(place, { method: 'PUT', body: new Uint8Array(bytes) })
    assert.equal(put.status, 201)
    return { digest, size: bytes.length }
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: types.config, ...(await blob(Buffer.from('{}'))) },
    // Trivy 0.76 wants a name.
    layers: [
      {
        mediaType: types.layer,
        ...(await blob(layer)),
        annotations: { 'org.opencontainers.image.title': 'layer.tar.gz' },
      },
    ],
  }
  const put = await fetch(`${url}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: JSON.stringify(manifest),
  })
  assert.equal(put.status, 201)
}

/** Publishes a folder with Trivy's database as its mirrors do; gives the reference for DWF_TRIVY_DB. */
export async function pushDatabase(folder: string): Promise<string> {
  const made = execFileSync('tar', ['-czf', '-', '-C', folder, 'trivy.db', 'metadata.json'], { maxBuffer: 64 << 20 })
  await push('dwf-test/trivy-db', '2', made, {
    layer: 'application/vnd.aquasec.trivy.db.layer.v1.tar+gzip',
    config: 'application/vnd.aquasec.trivy.config.v1+json',
  })
  return `${registry}/dwf-test/trivy-db:2`
}
