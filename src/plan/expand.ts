import { type Command, parseCommand, type ScanLayer, scanLayers, usualLayers } from '../config/commands.ts'
import type { Config } from '../config/types.ts'
import type { Problem } from '../config/validate.ts'
import type { StackUnit } from '../project/types.ts'
import { didYouMean } from '../util/text.ts'

/** What `check:pr` means where devflow.toml does not say: what there is of these, then the gates. */
const usual = ['fmt:check', 'lint:static', 'build:debug', 'test:unit'] as const

export interface Wanted {
  readonly command: Command
  /** Where it was asked for, to point at. */
  readonly path: Problem['path']
}

/** `[targets]` as it is, with a sensible `pr` where there is none. */
export function targetsOf(config: Config, units: readonly StackUnit[]): Readonly<Record<string, readonly Command[]>> {
  if (config.targets.pr) return config.targets
  const offered = new Set([
    ...units.flatMap((unit) => unit.tasks.map((task) => task.command)),
    ...Object.keys(config.tasks),
  ])
  const pr = [...usual.filter((text) => offered.has(text)), ...usualLayers.map((layer) => `scan:${layer}`)]
  return { ...config.targets, pr: pr.map((text) => parseCommand(text) as Command) }
}

/** The scan layers that this repository has, and why it lacks the others. */
export interface Layers {
  readonly there: readonly ScanLayer[]
  readonly missing: ReadonlyMap<ScanLayer, { readonly why: string; readonly hint: string }>
}

/** What `scan:all` means here. Asking by name for a layer that is missing is an error, never a pass. */
export function layersOf(config: Config, hasImage: boolean): Layers {
  const missing = new Map<ScanLayer, { why: string; hint: string }>()
  if (!hasImage)
    missing.set('image', {
      why: config.runtime.profile === 'host' ? 'tasks run on the host' : 'there is no Dockerfile.devflow',
      hint: 'name the image: dwf scan:image NAME',
    })
  if (config.scan.code.length === 0)
    missing.set('code', {
      why: 'devflow.toml names no scanner of code',
      hint: 'add [scan.code.scanners.semgrep] with rules = "FOLDER"',
    })
  return { there: scanLayers.filter((layer) => !missing.has(layer)), missing }
}

/** Requested commands → the commands that stand for themselves, once each: targets and `scan:all` are unfolded. */
export function expand(
  requested: readonly Command[],
  targets: Readonly<Record<string, readonly Command[]>>,
  layers: Layers,
): {
  readonly wanted: readonly Wanted[]
  /** `scan:all` is part of it. */
  readonly wholeScan: boolean
  readonly problems: readonly Problem[]
} {
  let wholeScan = false
  const wanted = new Map<string, Wanted>()
  const problems: Problem[] = []
  const visit = (command: Command, path: Problem['path'], above: readonly string[]) => {
    if (command.primary === 'check') {
      const list = Object.hasOwn(targets, command.selector) ? targets[command.selector] : undefined
      if (!list) {
        const near = didYouMean(command.selector, Object.keys(targets))
        problems.push({
          severity: 'error',
          code: 'unknown-target',
          path,
          at: 'value',
          message: `there is no target "${command.selector}"`,
          hint: near ? `did you mean "check:${near}"?` : `targets here: ${Object.keys(targets).join(', ')}`,
        })
      } else if (!above.includes(command.selector)) {
        for (const [index, entry] of list.entries())
          visit(entry, ['targets', command.selector, index], [...above, command.selector])
      }
    } else if (command.primary === 'scan' && command.selector === 'all') {
      wholeScan = true
      for (const layer of layers.there) visit(parseCommand(`scan:${layer}`) as Command, path, above)
    } else if (command.primary === 'scan' && !scanLayers.includes(command.selector as ScanLayer)) {
      const near = didYouMean(command.selector, scanLayers)
      problems.push({
        severity: 'error',
        code: 'unknown-command',
        path,
        at: 'value',
        message: `this version of dwf has no scan layer "${command.selector}"`,
        hint: near ? `did you mean "scan:${near}"?` : `layers here: ${scanLayers.join(', ')}`,
      })
    } else if (command.primary === 'scan' && layers.missing.has(command.selector as ScanLayer)) {
      const { why, hint } = layers.missing.get(command.selector as ScanLayer)!
      problems.push({
        severity: 'error',
        code: 'nothing-to-scan',
        path,
        at: 'value',
        message: `${command.text} has nothing to look at: ${why}`,
        hint,
      })
    } else if (!wanted.has(command.text)) wanted.set(command.text, { command, path })
  }
  for (const command of requested) visit(command, [], [])
  return { wanted: [...wanted.values()], wholeScan, problems }
}
