/** The path of a saved image, as opposed to a reference: no reference begins like it. */
export const isArchive = (image: string): boolean => /^(\/|\.{1,2}\/)/.test(image) || image.endsWith('.tar')

/**
 * The name of an image without registry, tag and digest: `docker.io/library/debian:13` → `library/debian`; of an archive
 * the name of its file. It is what stays when an image is built anew or pulled from elsewhere.
 */
export function imageRepository(image: string): string {
  if (isArchive(image)) return image.split('/').at(-1)!
  const name = image.replace(/@.*$/, '').replace(/:[^/]*$/, '')
  const [host, ...rest] = name.split('/')
  return rest.length > 0 && /[.:]|^localhost$/.test(host!) ? rest.join('/') : name
}
