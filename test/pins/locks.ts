import type { Lock } from '../../src/pins/index.ts'

/** A lock with nothing in it but what a test is about. */
export const lockWith = (parts: Partial<Lock>): Lock => ({
  schema: 'dwf.lock/1',
  dwf: '0.1.0',
  epoch: '2026-11-22',
  images: [],
  packages: [],
  tools: [],
  actions: [],
  generated: [],
  ...parts,
})
