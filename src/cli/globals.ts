import { resolve } from 'node:path'

/** Options that every command has. */
export interface Globals {
  /** `-C DIR` */
  readonly cwd: string
  /** `--config FILE` */
  readonly config?: string
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly yes: boolean
  /** May ask questions: there is a terminal, and neither `--no-input` nor CI. */
  readonly input: boolean
  readonly dryRun: boolean
  readonly allowRoot: boolean
}

export function readGlobals(options: Readonly<Record<string, unknown>>): Globals {
  return {
    cwd: resolve(String(options.directory ?? '.')),
    ...(options.config === undefined ? {} : { config: String(options.config) }),
    json: options.json === true,
    quiet: options.quiet === true,
    verbose: options.verbose === true,
    yes: options.yes === true,
    input: options.input !== false && process.stdin.isTTY === true && process.stderr.isTTY === true && !process.env.CI,
    dryRun: options.dryRun === true,
    allowRoot: options.allowRoot === true,
  }
}
