import { type Shape, shapes } from './lock-shape.ts'

/** What devflow.lock may hold in one place. */
export interface Field {
  readonly shape: Shape
  readonly isOptional?: boolean
  /** A list of such values instead of one. */
  readonly isList?: boolean
}

const imageFields = {
  tool: { shape: shapes.tool },
  ref: { shape: shapes.ref },
  digest: { shape: shapes.digest },
  version: { shape: shapes.version },
  source: { shape: shapes.source, isOptional: true },
}
const packageFields = {
  tool: { shape: shapes.tool },
  registry: { shape: shapes.registry },
  name: {
    shape: {
      expected: 'a name of its registry',
      is: (text: string) => shapes.npmName.is(text) || shapes.pypiName.is(text),
    },
  },
  version: { shape: shapes.version },
  integrity: { shape: shapes.integrity, isOptional: true },
  source: { shape: shapes.source, isOptional: true },
}
const toolFields = {
  name: { shape: shapes.tool },
  minimum: { shape: shapes.version },
  denied: { shape: shapes.version, isList: true },
  checksums: { shape: shapes.checksum, isList: true, isOptional: true },
  image: { shape: shapes.pinnedImage, isOptional: true },
}
const actionFields = {
  name: { shape: shapes.actionName },
  version: { shape: shapes.actionVersion },
  sha: { shape: shapes.sha },
  source: { shape: shapes.source, isOptional: true },
}
export const bundleFields = {
  path: { shape: shapes.bundlePath },
  version: { shape: shapes.version },
  sha256: { shape: shapes.sha256 },
}
const generatedFields = { path: { shape: shapes.generatedPath }, sha256: { shape: shapes.sha256 } }
export const head = { schema: { shape: shapes.schema }, dwf: { shape: shapes.version }, epoch: { shape: shapes.day } }
export const lists = {
  images: imageFields,
  packages: packageFields,
  tools: toolFields,
  actions: actionFields,
  generated: generatedFields,
}
export const topKeys = [...Object.keys(head), ...Object.keys(lists), 'bundle']
