import { definition, type Node } from './definition.ts'

type Schema = Record<string, unknown>

function toSchema(node: Node): Schema {
  const description = node.doc
  switch (node.kind) {
    case 'string':
      return {
        type: 'string',
        description,
        ...(node.values ? { enum: node.values } : {}),
        ...(node.pattern ? { pattern: node.pattern.source } : {}),
      }
    case 'boolean':
      return { type: 'boolean', description }
    case 'integer':
    case 'number':
      return { type: node.kind, description, minimum: node.min, maximum: node.max }
    case 'duration':
      return { type: 'string', description, pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$' }
    case 'size':
      return { type: 'string', description, pattern: '^\\d+(\\.\\d+)?\\s?[kKmMgGtT]?([iI]?[bB])?$' }
    case 'date':
      return { type: 'string', description, format: 'date' }
    case 'array':
      return { type: 'array', description, items: toSchema(node.of), ...(node.nonEmpty ? { minItems: 1 } : {}) }
    case 'table':
      return {
        type: 'object',
        description,
        properties: Object.fromEntries(Object.entries(node.keys).map(([key, child]) => [key, toSchema(child)])),
        additionalProperties: false,
        ...(node.required?.length ? { required: node.required } : {}),
      }
    case 'map':
      return {
        type: 'object',
        description,
        patternProperties: { [node.key.source]: toSchema(node.of) },
        additionalProperties: false,
      }
    case 'either':
      return { description, anyOf: node.of.map(toSchema) }
  }
}

/** The JSON Schema of devflow.toml, for editors; made from the definition that validates. */
export function jsonSchema(): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:dwf:devflow.toml',
    title: 'devflow.toml',
    ...toSchema(definition),
  }
}
