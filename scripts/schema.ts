import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonSchema } from '../src/config/json-schema.ts'

/** Writes schema/devflow.schema.json from the definition that validates devflow.toml. */
const folder = join(import.meta.dirname, '../schema')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'devflow.schema.json'), `${JSON.stringify(jsonSchema(), undefined, 2)}\n`)
