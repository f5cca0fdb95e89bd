export { list, mapOf, renderWorkflow, renderYaml } from './render.ts'
export * from './types.ts'
