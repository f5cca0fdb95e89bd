import type { Lock } from '../pins/types.ts'
import { type Diagnostic, type Span, spanAt } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { parseDockerfile } from './dockerfile.ts'

/**
 * Where a Dockerfile says something else than devflow.lock: an image that is not pinned, another digest than the
 * lock's, another epoch. Located; whoever shows them ends with drift (exit 5). Pure.
 */
export function dockerfileDrift(text: string, file: string, lock: Lock): readonly Diagnostic[] {
  const lines = text.split('\n')
  const stages = new Set<string>()
  return parseDockerfile(text).flatMap((instruction): readonly Diagnostic[] => {
    const where = (needle: string): Span => {
      const at = (lines[instruction.line - 1] ?? '').indexOf(needle)
      return at < 0 ? spanAt(file, text, instruction.line) : spanAt(file, text, instruction.line, at + 1, needle.length)
    }
    const drift = (code: string, message: string, needle: string, hint: string): Diagnostic => ({
      severity: 'error',
      code,
      message,
      where: where(needle),
      hint,
    })
    if (instruction.name === 'ARG') {
      const epoch = /^DWF_EPOCH=["']?([^\s"']*)/.exec(instruction.rest)?.[1]
      if (epoch === undefined || epoch === lock.epoch) return []
      return [
        drift(
          'epoch-drift',
          `DWF_EPOCH is ${printable(epoch)}, devflow.lock says ${lock.epoch}`,
          epoch,
          `write ${lock.epoch}, or run "dwf init --force"`,
        ),
      ]
    }
    const from = fromOf(instruction)
    if (from === undefined || from.image === 'scratch' || stages.has(from.image.toLowerCase())) {
      if (from?.alias) stages.add(from.alias)
      return []
    }
    if (from.alias) stages.add(from.alias)
    const [ref = '', digest] = from.image.split('@')
    const pins = lock.images.filter((pin) => pin.ref === ref)
    if (digest === undefined) {
      const known = pins[0] ? `write ${ref}@${pins[0].digest}` : 'write its digest behind an @'
      return [drift('unpinned-image', `${printable(from.image)} is not pinned by a digest`, from.image, known)]
    }
    if (pins.length === 0 || pins.some((pin) => pin.digest === digest)) return []
    return [
      drift(
        'pin-drift',
        `${printable(ref)} has another digest than in devflow.lock`,
        digest,
        `devflow.lock says ${pins.map((pin) => pin.digest).join(' or ')}`,
      ),
    ]
  })
}

/** Image and alias of a FROM, or the image of a COPY or RUN mount; undefined for what names no image. */
function fromOf({
  name,
  rest,
  flags,
}: ReturnType<typeof parseDockerfile>[number]): { image: string; alias?: string } | undefined {
  if (name === 'FROM') {
    const [image = '', as, alias] = rest.split(/\s+/)
    return { image, ...(as?.toLowerCase() === 'as' && alias ? { alias: alias.toLowerCase() } : {}) }
  }
  if (name !== 'COPY' && name !== 'RUN') return undefined
  const from = flags.map((flag) => /^--from=(.+)$|^--mount=(?:.*,)?from=([^,]+)/.exec(flag)).find((match) => match)
  const image = from?.[1] ?? from?.[2]
  return image === undefined || /^\d+$/.test(image) ? undefined : { image }
}
