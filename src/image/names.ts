import { createHash } from 'node:crypto'

/** On every image that dwf built. */
export const imageLabel = 'dev.dwf.image'
/** The whole fingerprint. */
export const fingerprintLabel = 'dev.dwf.fingerprint'
/** What stood in for pinned images; '' when nothing did. */
export const substitutesLabel = 'dev.dwf.substitutes'

/** The name of a project's image, without tag: `localhost/dwf/shop`, or what `[container] image` says. */
export function imageName(project: string, configured?: string): string {
  return configured ?? `localhost/dwf/${nameComponent(project)}`
}

/** The reference of an image with a given fingerprint. */
export function imageReference(name: string, fingerprint: string): string {
  return `${name}:${fingerprint.slice(0, 16)}`
}

/**
 * A project's name as a part of an image name: itself where that is allowed, else what is left of it with a hash of
 * the whole, so that two names never meet.
 */
export function nameComponent(project: string): string {
  if (/^[a-z0-9]+([._-][a-z0-9]+)*$/.test(project) && project.length <= 100) return project
  const plain = project
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '')
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 8)
  return plain === '' ? hash : `${plain}-${hash}`
}
