import type { Engine, ImageInfo } from '../engine/types.ts'
import { failure } from '../util/diagnostics.ts'
import { byCodeUnit, printable } from '../util/text.ts'
import { fingerprintLabel, imageLabel } from './names.ts'

export interface OwnImage extends ImageInfo {
  readonly fingerprint?: string
}

/** The images that dwf built, newest first. */
export async function imageList(engine: Engine): Promise<readonly OwnImage[]> {
  const images = await engine.images(`${imageLabel}=1`)
  const own = images.filter((image) => image.labels[imageLabel] === '1')
  return own
    .map((image) => ({
      ...image,
      ...(image.labels[fingerprintLabel] ? { fingerprint: image.labels[fingerprintLabel] } : {}),
    }))
    .sort((a, b) => byCodeUnit(b.created, a.created) || byCodeUnit(a.id, b.id))
}

/**
 * Removes images that dwf built, named by a tag, by id, or by the beginning of either's hash (8 digits or more).
 * Nothing is removed when one of the names is none of them.
 * @returns the references that were removed
 * @throws Failure('wrong-input') for a name that is no image of dwf
 */
export async function imageRemove(
  engine: Engine,
  names: readonly string[],
  options: { readonly dryRun?: boolean } = {},
): Promise<readonly string[]> {
  const own = await imageList(engine)
  const chosen = names.map((name) => {
    const image = own.find((one) => isNamed(one, name))
    if (image) return { image, reference: image.tags.includes(name) ? name : image.id }
    throw failure(
      'wrong-input',
      'not-an-image-of-dwf',
      `${JSON.stringify(printable(name))} is no image that dwf built`,
      '"dwf image ls" lists them',
    )
  })
  const references = [...new Set(chosen.map((one) => one.reference))]
  if (!options.dryRun) for (const reference of references) await engine.removeImage(reference)
  return references
}

function isNamed(image: OwnImage, name: string): boolean {
  const id = image.id.replace(/^sha256:/, '')
  const isHash = /^(sha256:)?[0-9a-f]{8,64}$/.test(name)
  const hash = name.replace(/^sha256:/, '')
  return (
    image.tags.includes(name) || (isHash && (id.startsWith(hash) || (image.fingerprint?.startsWith(hash) ?? false)))
  )
}
