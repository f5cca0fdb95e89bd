import { type ScanLayer, scanLayers, usualLayers } from '../config/commands.ts'
import type { Config, IgnoreConfig, ScanConfig, Severity } from '../config/types.ts'
import type { Lock } from '../pins/types.ts'
import { canonicalJson } from '../util/canonical.ts'

/** What a policy is made of, beside the files that it names. */
export interface PolicyState {
  readonly config: Pick<Config, 'targets' | 'scan' | 'tasks'>
  readonly lock?: Pick<Lock, 'tools' | 'dwf' | 'bundle' | 'packages'>
  /** Fingerprints of the baseline. */
  readonly baseline: readonly string[]
  /** Text of each file that accepts findings, by path. */
  readonly files: Readonly<Record<string, string>>
}

export interface Loosening {
  readonly says: string
  /** It counts for this change already: only a person can stop it. */
  readonly isNow?: boolean
  /** Key of devflow.toml. */
  readonly path?: readonly (string | number)[]
  /** The file, where it is not devflow.toml. */
  readonly file?: string
}

const order: readonly Severity[] = ['low', 'medium', 'high', 'critical']

/** What a change would let pass that its base does not. Pure. */
export function loosenings(base: PolicyState, change: PolicyState): readonly Loosening[] {
  return [
    ...targets(base, change),
    ...limits(base.config.scan, change.config.scan),
    ...acceptance(base.config.scan, change.config.scan),
    ...licenses(base.config.scan.licenses, change.config.scan.licenses),
    ...files(base, change),
    ...tools(base, change),
    ...tasks(base, change),
  ]
}

/** A task of devflow.toml is code of the change, as a script in a manifest is; in the place of a stack's it is easily missed. */
function tasks(base: PolicyState, change: PolicyState): readonly Loosening[] {
  const required = new Set(Object.values(base.config.targets).flatMap((list) => list.map(({ text }) => text)))
  return Object.values(change.config.tasks).flatMap((task) => {
    const before = base.config.tasks[task.command]
    if (!required.has(task.command) || (before && canonicalJson(before) === canonicalJson(task))) return []
    return [
      {
        says: `changes what ${task.command} runs: ${canonicalJson(task.argv)}`,
        path: ['tasks', task.command],
        isNow: true,
      },
    ]
  })
}

function targets(base: PolicyState, change: PolicyState): readonly Loosening[] {
  const after = textsOf(change)
  return [...textsOf(base)].flatMap(([name, commands]) => {
    const kept = new Set(after.get(name))
    return commands
      .filter((text) => !kept.has(text))
      .map((text) => ({ says: `takes ${text} out of the target ${name}`, path: ['targets', name] }))
  })
}

/** Where devflow.toml does not say what a pull request is held to, it is these gates at least. */
function textsOf({ config }: PolicyState): ReadonlyMap<string, readonly string[]> {
  const named = Object.entries(config.targets).map(
    ([name, commands]) => [name, commands.map(({ text }) => text)] as const,
  )
  return new Map([['pr', usualLayers.map((layer) => `scan:${layer}`)], ...named])
}

function limits(base: ScanConfig, change: ScanConfig): readonly Loosening[] {
  return scanLayers.flatMap((layer: ScanLayer): readonly Loosening[] => {
    const [before, after] = [base.layers[layer], change.layers[layer]]
    const isOwn = after.severity !== change.severity
    return [
      ...(order.indexOf(after.severity) > order.indexOf(before.severity)
        ? [
            {
              says: `lets scan:${layer} pass below ${after.severity}, before it was below ${before.severity}`,
              path: isOwn ? ['scan', layer, 'severity'] : ['scan', 'severity'],
            },
          ]
        : []),
      ...(after.fixOnly && !before.fixOnly
        ? [{ says: `lets scan:${layer} pass what has no fix`, path: ['scan', 'fix_only'] }]
        : []),
    ]
  })
}

function acceptance(base: ScanConfig, change: ScanConfig): readonly Loosening[] {
  const scanners = new Map(base.code.map((scanner) => [scanner.name, canonicalJson(scanner)]))
  const added = (before: readonly string[], after: readonly string[]) => after.filter((path) => !before.includes(path))
  return [
    ...change.ignore.flatMap((ignore, index) =>
      base.ignore.some((before) => covers(before, ignore))
        ? []
        : [{ says: `accepts ${ignore.id} until ${ignore.expires}: ${ignore.reason}`, path: ['scan', 'ignore', index] }],
    ),
    ...added(base.vex, change.vex).map((path) => ({ says: `lets ${path} accept findings`, path: ['scan', 'vex'] })),
    ...[
      ...added(base.honor.files, change.honor.files),
      ...added(base.honor.semgrep, change.honor.semgrep),
      ...(change.honor.inline && !base.honor.inline ? ['comments in configuration'] : []),
      ...(change.honor.suppressions && !base.honor.suppressions ? ['suppressions in SARIF'] : []),
    ].map((what) => ({ says: `lets ${what} accept findings`, path: ['scan', 'honor'] })),
    ...[...scanners].flatMap(([name, before]) => {
      const after = change.code.find((scanner) => scanner.name === name)
      if (after && canonicalJson(after) === before) return []
      return [{ says: `${after ? 'changes' : 'takes out'} the scanner ${name}`, path: ['scan', 'code', 'scanners'] }]
    }),
  ]
}

/** Whatever the one accepts, the other accepted. */
function covers(before: IgnoreConfig, after: IgnoreConfig): boolean {
  const isWithin = (wide: string | undefined, narrow: string | undefined) => wide === undefined || wide === narrow
  return (
    before.id === after.id &&
    before.expires >= after.expires &&
    isWithin(before.path, after.path) &&
    isWithin(before.package, after.package) &&
    after.layers.every((layer) => before.layers.includes(layer))
  )
}

function licenses(base: ScanConfig['licenses'], change: ScanConfig['licenses']): readonly Loosening[] {
  const denied = base.deny.filter((name) => !change.deny.includes(name))
  // No list of accepted ones accepts all of them.
  const allowed =
    base.allow.length === 0
      ? []
      : change.allow.length === 0
        ? ['every licence']
        : change.allow.filter((name) => !base.allow.includes(name))
  return [
    ...denied.map((name) => ({ says: `no longer denies the licence ${name}`, path: ['scan', 'licenses', 'deny'] })),
    ...allowed.map((name) => ({ says: `accepts ${name}`, path: ['scan', 'licenses', 'allow'] })),
    ...(base.unknown === 'refuse' && change.unknown !== 'refuse'
      ? [{ says: 'lets packages pass whose licence nobody tells', path: ['scan', 'licenses', 'unknown'] }]
      : []),
  ]
}

function files(base: PolicyState, change: PolicyState): readonly Loosening[] {
  const known = new Set(base.baseline)
  const more = change.baseline.filter((fingerprint) => !known.has(fingerprint)).length
  return [
    ...(more > 0
      ? [{ says: `adds ${more} finding${more === 1 ? '' : 's'} to the baseline`, file: 'devflow.baseline.json' }]
      : []),
    ...Object.entries(base.files).flatMap(([file, text]) =>
      (change.files[file] || text) === text ? [] : [{ says: `changes ${file}, which accepts findings`, file }],
    ),
  ]
}

function tools(base: PolicyState, change: PolicyState): readonly Loosening[] {
  const file = 'devflow.lock'
  const others = (base.lock?.tools ?? []).flatMap((tool) => {
    const after = change.lock?.tools.find(({ name }) => name === tool.name)
    return after && canonicalJson(after) === canonicalJson(tool)
      ? []
      : [{ says: `changes the pin of ${tool.name}`, file }]
  })
  const [before, after] = [base.lock?.dwf, change.lock?.dwf]
  const bytesOf = ({ lock }: PolicyState) =>
    lock?.bundle?.sha256 ?? lock?.packages.find(({ tool }) => tool === 'dwf')?.integrity
  const [bundle, next] = [bytesOf(base), bytesOf(change)]
  return [
    ...others,
    ...(bundle !== undefined && bundle !== next && before === after
      ? [{ says: 'replaces dwf itself, under the same version', file }]
      : []),
    ...(before !== undefined && before !== after
      ? [{ says: `moves dwf from ${before} to ${after ?? 'none'}: judged by ${before} here`, file }]
      : []),
  ]
}
