import { didYouMean } from '../util/text.ts'

/** The vocabulary of tasks: `primary` or `primary:selector`. A bare primary takes its default selector. */
export const defaultSelectors = {
  setup: 'deps',
  fmt: 'check',
  lint: 'static',
  build: 'debug',
  test: 'unit',
  package: 'artifact',
  check: 'pr',
  release: 'candidate',
  ci: 'check',
  prune: 'cache',
  scan: 'all',
  init: '',
} as const satisfies Record<string, string>

export type Primary = keyof typeof defaultSelectors

/** Primaries that tasks can have: what a stack offers, or `[tasks.X]` adds. */
export const taskPrimaries: readonly Primary[] = ['setup', 'fmt', 'lint', 'build', 'test', 'package', 'release']

/** The scan layers, in the order in which they are shown. */
export const scanLayers = ['deps', 'image', 'config', 'secrets', 'licenses', 'code'] as const
export type ScanLayer = (typeof scanLayers)[number]

/** The layers that take seconds and need no image: what a pull request is held to where devflow.toml does not say. */
export const usualLayers: readonly ScanLayer[] = ['deps', 'config', 'secrets']

/** Findings that were there when a repository began to be judged; see docs/gates.md. */
export const baselineFile = 'devflow.baseline.json'

export interface Command {
  readonly primary: Primary
  readonly selector: string
  /** `primary:selector` */
  readonly text: string
}

const shape = /^([a-z]+)(?::([A-Za-z0-9][A-Za-z0-9._-]*))?$/

/** Parses `test`, `test:unit`; a string in return is the reason why it is none, with a suggestion where there is one. */
export function parseCommand(text: string): Command | string {
  const match = shape.exec(text)
  if (!match)
    return `${JSON.stringify(text)} is not a command: expected primary or primary:selector, such as "test:unit"`
  const primary = match[1]!
  if (!Object.hasOwn(defaultSelectors, primary)) {
    const near = didYouMean(primary, Object.keys(defaultSelectors))
    return `unknown command "${text}"${near ? `, did you mean "${near}${match[2] ? `:${match[2]}` : ''}"?` : ''}`
  }
  const selector = match[2] ?? defaultSelectors[primary as Primary]
  return { primary: primary as Primary, selector, text: selector ? `${primary}:${selector}` : primary }
}
