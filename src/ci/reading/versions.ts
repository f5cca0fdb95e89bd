import type { Uses } from '../../scan/rules/workflow-model.ts'

/** The comment behind a pin as people and tools write it: `v4.2.2`, `v4`, `tag=v4.2.2`, `ratchet:a/b@v4`. */
const comment = /^(?:tag[=:]\s*|pin@|ratchet:\S+@)?(v?\d+(?:\.\d+){0,3}(?:[-+][\w.-]+)?)(?=$|[\s,;)])/

/** The version that a comment says; undefined for other words. */
export function versionIn(text: string): string | undefined {
  return comment.exec(text)?.[1]
}

/** A tag that names a version, be it only the first part of it. */
export function isVersion(ref: string): boolean {
  return versionIn(ref) === ref
}

/** `v4` and `v4.2` are the beginning of `v4.2.2`; `4.2.2` is the same. */
export function isPartOf(said: string, exact: string): boolean {
  const [short, long] = [said.replace(/^v/, ''), exact.replace(/^v/, '')]
  return short === long || long.startsWith(`${short}.`) || long.startsWith(`${short}-`) || long.startsWith(`${short}+`)
}

/** `owner/name` as it is written, without a folder. */
export function repositoryOf(uses: Uses): string {
  return uses.text
    .replace(/@[^@]*$/, '')
    .split('/')
    .slice(0, 2)
    .join('/')
}

/** Of an action that is used, or a workflow that is called. */
export function isAction(uses: Uses | undefined): uses is Uses & { readonly ref: string } {
  return uses?.kind === 'repository' && uses.ref !== undefined && uses.ref !== ''
}
