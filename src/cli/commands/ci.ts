import { failure } from '../../util/diagnostics.ts'
import { didYouMean } from '../../util/text.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import type { RunCommandOptions } from '../run/options.ts'

export interface CiOptions extends RunCommandOptions {
  readonly check?: boolean
  readonly take?: string
  readonly target?: string
  readonly base?: string
  readonly before?: string
  readonly out?: string
  readonly from?: string
}

/** Of each selector: the options that it has beside those of every command, and whether it takes names. */
const selectors = {
  generate: { options: ['check', 'dryRun', 'take', 'anyVersion'], names: false },
  check: { options: ['anyVersion'], names: false },
  plan: { options: ['anyVersion'], names: false },
  lint: { options: ['report', 'anyVersion'], names: true },
  harden: { options: ['dryRun', 'anyVersion'], names: true },
  start: { options: ['target', 'base', 'before', 'out', 'anyVersion'], names: false },
  run: {
    options: ['from', 'report', 'anyVersion', 'jobs', 'keepGoing', 'offline', 'deadline', 'dryRun', 'allowRoot'],
    names: true,
  },
  gate: { options: ['from'], names: false },
} as const satisfies Record<string, { options: readonly (keyof CiOptions | 'dryRun' | 'allowRoot')[]; names: boolean }>

type Selector = keyof typeof selectors

/** `dwf ci:generate|check|plan|lint|harden` for people, `ci:start|run|gate` for the jobs. */
export async function ci(
  selector: string | undefined,
  names: readonly string[],
  options: CiOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const word = selectorOf(selector ?? 'check')
  refuseOthers(word, names, options, globals)
  switch (word) {
    case 'generate':
      return (await import('../ci/generate.ts')).ciGenerate(options, globals, output)
    case 'check':
      return (await import('../ci/generate.ts')).ciGenerate({ ...options, check: true }, globals, output)
    case 'plan':
      return (await import('../ci/plan.ts')).ciPlan(options, globals, output)
    case 'lint':
      return (await import('../ci/lint.ts')).ciLint(names, options, globals, output)
    case 'harden':
      return (await import('../ci/harden.ts')).ciHarden(names, options, globals, output)
    case 'start':
      return (await import('../ci/start.ts')).ciStart(options, globals, output)
    case 'gate':
      return (await import('../ci/gate.ts')).ciGate(options, globals, output)
    case 'run': {
      if (names.length !== 1)
        throw failure('wrong-input', 'usage', 'ci:run takes one part', 'dwf ci:run PART --from FOLDER')
      return (await import('../ci/run.ts')).ciRun(names[0]!, options, globals, output)
    }
  }
}

function selectorOf(text: string): Selector {
  if (Object.hasOwn(selectors, text)) return text as Selector
  const known = Object.keys(selectors)
  const near = didYouMean(text, known)
  throw failure(
    'wrong-input',
    'unknown-command',
    `unknown command "ci:${text}"`,
    near ? `did you mean "ci:${near}"?` : `known are ${known.map((name) => `ci:${name}`).join(', ')}`,
  )
}

/** An option that is accepted and does nothing would be believed. */
function refuseOthers(word: Selector, names: readonly string[], options: CiOptions, globals: Globals): void {
  const { options: allowed, names: takesNames } = selectors[word]
  const given = Object.entries({ ...options, dryRun: globals.dryRun, allowRoot: globals.allowRoot })
  const own = new Set<string>(Object.values(selectors).flatMap((one) => one.options))
  const wrong = given.find(
    ([name, value]) =>
      own.has(name) && value !== undefined && value !== false && !(allowed as readonly string[]).includes(name),
  )
  const flag = wrong?.[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (flag) throw failure('wrong-input', 'usage', `ci:${word} has no --${flag}`, 'dwf ci --help')
  if (options.rest.length > 0)
    throw failure('wrong-input', 'usage', `ci:${word} takes nothing after --`, 'dwf ci --help')
  if (names.length > 0 && !takesNames)
    throw failure('wrong-input', 'usage', `ci:${word} takes no names`, 'dwf ci --help')
}
