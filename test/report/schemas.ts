import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import Ajv4 from 'ajv-draft-04'
import addFormats from 'ajv-formats'

const folder = join(import.meta.dirname, '../fixtures/schemas')
const read = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8'))

// These two are CommonJS: what TypeScript calls their default is a member of what Node calls it.
const Draft4 = Ajv4 as unknown as typeof Ajv4.default
const formats = addFormats as unknown as typeof addFormats.default

const options = { strict: false, allErrors: true }
const compiled = new Map<string, ValidateFunction>()

const makers: Readonly<Record<string, () => ValidateFunction>> = {
  sarif: () => {
    const ajv = new Draft4(options)
    formats(ajv)
    return ajv.compile(read('sarif-2.1.0'))
  },
  'cyclonedx-1.6': () => cycloneDx('cyclonedx-1.6'),
  'cyclonedx-1.7': () => cycloneDx('cyclonedx-1.7'),
  'spdx-2.3': () => {
    const ajv = new Ajv(options)
    formats(ajv)
    return ajv.compile(read('spdx-2.3'))
  },
}

function cycloneDx(name: string): ValidateFunction {
  const ajv = new Ajv({ ...options, formats: { 'iri-reference': true, 'idn-email': true } })
  formats(ajv)
  for (const other of ['jsf-0.82', 'cryptography-defs', 'spdx'])
    ajv.addSchema(read(`${other}.SNAPSHOT`), `http://cyclonedx.org/schema/${other}.SNAPSHOT.schema.json`)
  return ajv.compile(read(name))
}

/** What an official schema has against a value; nothing where it is valid. */
export function problemsOf(
  schema: 'sarif' | 'cyclonedx-1.6' | 'cyclonedx-1.7' | 'spdx-2.3',
  value: unknown,
): readonly ErrorObject[] {
  let validate = compiled.get(schema)
  if (!validate) {
    validate = makers[schema]!()
    compiled.set(schema, validate)
  }
  return validate(value) ? [] : validate.errors!
}
