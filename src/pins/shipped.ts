import shipped from './shipped.json' with { type: 'json' }
import type { ShippedPins } from './types.ts'

/**
 * The pins of this version of dwf. Digests of images are read from the records of their publishers, or, where `source`
 * says so, are those on which independent public repositories agree; none was computed or guessed.
 */
export const shippedPins = shipped as ShippedPins
