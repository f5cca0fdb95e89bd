import { resultKey } from '../kept.ts'
import type { KeptLook, LayerContext, Looked } from './types.ts'

/**
 * What was found before in the same contents by the same scanner; else `look`, which is kept when it was whole and when
 * what it looked at is still the same afterwards: else one moment of another content would be believed for ever.
 */
export async function lookOnce(
  { kept, now, dwf }: Pick<LayerContext, 'kept' | 'now' | 'dwf'>,
  key: readonly unknown[],
  isUnchanged: () => Promise<boolean>,
  look: () => Promise<Looked>,
): Promise<KeptLook & { readonly isCached: boolean }> {
  const name = resultKey([dwf, ...key])
  const before = await kept.get(name)
  if (before) return { ...before, isCached: true }
  const at = now()
  const looked = await look()
  if (looked.blind.length > 0) return { looked, at, isCached: false }
  if (!(await isUnchanged())) return { looked: { ...looked, lines: [...looked.lines, changed] }, at, isCached: false }
  await kept.put(name, { looked, at })
  return { looked, at, isCached: false }
}

const changed = 'something was written while the scanner looked: what it found is not kept for the next scan'
