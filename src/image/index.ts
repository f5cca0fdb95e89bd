export { type BuildBaseOptions, buildBase } from './build-base.ts'
export { dockerfileDrift } from './drift.ts'
export { type EnsuredImage, type EnsureOptions, ensureImage, isThere } from './ensure.ts'
export { type Frame, fingerprint } from './fingerprint.ts'
export { imageList, imageRemove, type OwnImage } from './images.ts'
export { type FingerprintInput, fingerprintFrames } from './inputs.ts'
export { type ImageModelInput, imageModel } from './model.ts'
export { fingerprintLabel, imageLabel, imageName, imageReference, nameComponent, substitutesLabel } from './names.ts'
export { smokeRun } from './smoke.ts'
export {
  type AppliedSubstitute,
  dropSubstitute,
  readSubstitutes,
  type Substitute,
  substitutesFor,
  useSubstitute,
} from './substitutes.ts'
export type * from './types.ts'
