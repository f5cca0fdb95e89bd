export { knownActions } from './actions.ts'
export { deniedInLock } from './denied.ts'
export { githubTags } from './github-tags.ts'
export { formatLock } from './lock-format.ts'
export { parseLock } from './lock-parse.ts'
export { integrityParts, isActionName } from './lock-shape.ts'
export { placeOf } from './places.ts'
export { type NotRefreshed, type Refreshed, refreshActions } from './refresh-actions.ts'
export { type ResolveOptions, resolveToolchains } from './resolve.ts'
export { shippedPins } from './shipped.ts'
export type * from './types.ts'
export {
  type LockOptions,
  type PinChange,
  shippedLock,
  tightened,
  type UpdateOptions,
  updateLock,
} from './update.ts'
