import { open } from 'node:fs/promises'

/** Go writes the flags of its build into the program; Trivy's own release sets the version with one of them. */
const marker = Buffer.from('trivy/pkg/version/app.ver=')
const chunkSize = 8 * 1024 * 1024
const overlap = marker.length + 32

/** The version that is written in the file of a Trivy, read without running it; undefined when there is none. */
export async function embeddedVersion(path: string): Promise<string | undefined> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(chunkSize + overlap)
    let kept = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, kept, chunkSize)
      if (bytesRead === 0) return undefined
      const seen = buffer.subarray(0, kept + bytesRead)
      const at = seen.indexOf(marker)
      const version =
        at < 0 ? undefined : /^\d+\.\d+\.\d+/.exec(seen.toString('latin1', at + marker.length, at + overlap))?.[0]
      if (version !== undefined) return version
      kept = Math.min(overlap, seen.length)
      seen.copy(buffer, 0, seen.length - kept)
    }
  } finally {
    await file.close()
  }
}
