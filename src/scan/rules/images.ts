/** How firmly a reference names an image. `open`: a variable decides, and nobody can tell here. */
export type ImagePin = 'digest' | 'tag' | 'moving' | 'open'

/**
 * @param reference with variables already replaced by their defaults; one that is left is written `${NAME}`, `$NAME` or
 * `${{ … }}`
 */
export function imagePin(reference: string): ImagePin {
  const whole = reference.trim()
  if (whole === '' || whole === 'scratch' || /@sha256:[0-9a-f]{64}$|@(sha256:)?\$/.test(whole)) return 'digest'
  // What a variable is called may hold colons and slashes: `${TAG:?must be set}`.
  const name = whole.replace(/\$(\{\{[^}$]*\}\}|\{[^}$]*\}|\w+)/g, '$')
  const last = name.slice(name.lastIndexOf('/') + 1)
  const colon = last.lastIndexOf(':')
  // `$IMAGE`, `registry/$NAME`: the variable may bring tag and digest along.
  if (colon < 0) return last.endsWith('$') ? 'open' : 'moving'
  return last.slice(colon + 1) === 'latest' ? 'moving' : 'tag'
}
