import { dirname } from 'node:path'
import { type Diagnostic, Failure } from '../util/diagnostics.ts'
import { parseSize } from '../util/units.ts'
import { type Command, parseCommand } from './commands.ts'
import { definition } from './definition.ts'
import { locate } from './locate.ts'
import { readToml } from './read-toml.ts'
import { checkScan, type RawScan, scanConfig } from './scan.ts'
import { checkSecrets, type RawSecret, secretsConfig } from './secrets.ts'
import { checkTargets } from './targets.ts'
import { checkTasks, type RawTask, tasksConfig } from './tasks.ts'
import type { Config, Source } from './types.ts'
import { type Problem, validate } from './validate.ts'

interface RawExtension {
  readonly source: 'builtin' | 'path'
  readonly path?: string
  readonly trusted?: boolean
}

/** The document as the definition describes it: nothing is read from it before it was validated. */
interface Raw {
  readonly [table: string]: object | undefined
  readonly project?: { readonly name?: string; readonly stack?: readonly string[] }
  readonly runtime?: { readonly profile?: string }
  readonly container?: {
    readonly image?: string
    readonly packages?: readonly string[]
    readonly fingerprint_inputs?: readonly string[]
  }
  readonly targets?: Readonly<Record<string, readonly string[]>>
  readonly tasks?: Readonly<Record<string, RawTask>>
  readonly secrets?: Readonly<Record<string, RawSecret>>
  readonly scan?: RawScan
  readonly ci?: { readonly hosts?: readonly string[]; readonly owners?: readonly string[] }
  readonly extensions?: Readonly<Record<string, RawExtension>>
}

/** The configuration of a repository without devflow.toml. */
export async function defaultConfig(root: string): Promise<Config> {
  const { config } = await parseConfig(undefined, '', root)
  return config
}

/**
 * devflow.toml as text → Config and its warnings. Throws Failure('wrong-input') with every error located.
 * @param file absolute path, for messages and for the root of the project
 */
export async function parseConfig(
  file: string | undefined,
  text: string,
  root = dirname(file ?? '/'),
): Promise<{ config: Config; warnings: readonly Diagnostic[] }> {
  const label = file ?? 'devflow.toml'
  const raw = (await readToml(label, text)) as Raw
  const problems = [...validate(definition, raw)]
  if (!problems.some((problem) => problem.severity === 'error'))
    problems.push(
      ...checkCommands(raw),
      ...checkTasks(raw.tasks ?? {}, raw.runtime?.profile),
      ...checkTargets(raw.targets ?? {}),
      ...checkSecrets(raw.secrets ?? {}),
      ...checkScan(raw.scan ?? {}),
    )
  const located = problems.length > 0 ? await locate(label, text, problems) : []
  if (located.some((diagnostic) => diagnostic.severity === 'error')) throw new Failure('wrong-input', located)
  return { config: build(file, text, root, raw), warnings: located }
}

function checkCommands(raw: Raw): Problem[] {
  const problems: Problem[] = []
  const check = (path: Problem['path'], at: 'key' | 'value', value: string) => {
    const parsed = parseCommand(value)
    if (typeof parsed === 'string')
      problems.push({ severity: 'error', code: 'unknown-command', path, at, message: parsed })
    return parsed
  }
  for (const [name, list] of Object.entries(raw.targets ?? {})) {
    for (const [index, entry] of list.entries()) check(['targets', name, index], 'value', entry)
  }
  const seen = new Map<string, string>()
  for (const [name, task] of Object.entries(raw.tasks ?? {})) {
    const parsed = check(['tasks', name], 'key', name)
    if (typeof parsed !== 'string') {
      if (['check', 'scan', 'init', 'prune', 'ci'].includes(parsed.primary) || parsed.text === 'setup:ci') {
        problems.push({
          severity: 'error',
          code: 'reserved-command',
          path: ['tasks', name],
          at: 'key',
          message: `"${name}" is dwf's own and cannot be a task`,
          hint: 'use a selector of setup, fmt, lint, build, test, package or release',
        })
      }
      const twin = seen.get(parsed.text)
      if (twin !== undefined)
        problems.push({
          severity: 'error',
          code: 'same-task',
          path: ['tasks', name],
          at: 'key',
          message: `tasks."${name}" is the same command as tasks."${twin}"`,
        })
      seen.set(parsed.text, name)
    }
    for (const [index, need] of (task.needs ?? []).entries()) check(['tasks', name, 'needs', index], 'value', need)
  }
  if (raw.runtime?.profile === 'auto') {
    problems.push({
      severity: 'warning',
      code: 'deprecated',
      path: ['runtime', 'profile'],
      at: 'value',
      message: 'profile "auto" is deprecated and means container',
      hint: 'write profile = "container"',
    })
  }
  for (const name of Object.keys(raw.extensions ?? {})) {
    problems.push({
      severity: 'warning',
      code: 'extension-not-run',
      path: ['extensions', name],
      at: 'key',
      message: `extension "${name}" is read but not run: this version of dwf has no extension host`,
      hint: `describe its commands as [tasks.X]`,
    })
  }
  return problems
}

const command = (text: string): Command => parseCommand(text) as Command

/** Defaults beside their keys, so that `plan --json` can name the source of each. */
const defaults: Readonly<Record<string, unknown>> = {
  'runtime.profile': 'container',
  'container.engine': 'auto',
  'container.network': 'none',
  'container.memory': '4g',
  'container.pids': 2048,
  'container.cpus': 2,
  'container.tmp': '1g',
  'container.toolchains': 'official',
  'container.ca_certificates': 'host',
  'cache.root': '.cache/devflow',
  'cache.strategy': 'local',
  'setup.scripts': 'offline',
  'scan.severity': 'high',
  'scan.fix_only': false,
  'ci.code_scanning': true,
  'ci.default_branch': 'main',
  'ci.egress': 'block',
  'ci.install': 'vendored',
  'ci.prefix': '',
  'ci.publish': true,
}

function build(file: string | undefined, text: string, root: string, raw: Raw): Config {
  const sources: Record<string, Source> = {}
  const get = <T>(key: string): T => {
    const [table, name] = key.split('.') as [string, string]
    const value = (raw[table] as Readonly<Record<string, unknown>> | undefined)?.[name]
    sources[key] = value === undefined ? 'default' : 'file'
    return (value ?? defaults[key]) as T
  }
  const profile = get<string>('runtime.profile')
  return {
    ...(file === undefined ? {} : { file }),
    text,
    root,
    project: {
      ...(raw.project?.name === undefined ? {} : { name: raw.project.name }),
      ...(raw.project?.stack === undefined ? {} : { stack: raw.project.stack }),
    },
    runtime: { profile: profile === 'host' ? 'host' : 'container' },
    container: {
      ...(raw.container?.image === undefined ? {} : { image: raw.container.image }),
      engine: get('container.engine'),
      network: get('container.network'),
      memory: parseSize(get('container.memory'))!,
      pids: get('container.pids'),
      cpus: get('container.cpus'),
      tmp: parseSize(get('container.tmp'))!,
      toolchains: get('container.toolchains'),
      caCertificates: get('container.ca_certificates'),
      packages: raw.container?.packages ?? [],
      fingerprintInputs: raw.container?.fingerprint_inputs ?? [],
    },
    cache: { root: get('cache.root'), strategy: get('cache.strategy') },
    setup: { scripts: get('setup.scripts') },
    targets: Object.fromEntries(
      Object.entries(raw.targets ?? {}).map(([name, list]) => [name, list.map((entry) => targetEntry(name, entry))]),
    ),
    tasks: tasksConfig(raw.tasks ?? {}),
    secrets: secretsConfig(raw.secrets ?? {}),
    scan: scanConfig(raw.scan ?? {}, get),
    ci: {
      codeScanning: get('ci.code_scanning'),
      defaultBranch: get('ci.default_branch'),
      egress: get('ci.egress'),
      hosts: raw.ci?.hosts ?? [],
      install: get('ci.install'),
      owners: raw.ci?.owners ?? [],
      prefix: get('ci.prefix'),
      publish: get('ci.publish'),
    },
    extensions: Object.entries(raw.extensions ?? {}).map(([name, extension]) => ({
      name,
      source: extension.source,
      ...(extension.path === undefined ? {} : { path: extension.path }),
      trusted: extension.trusted ?? false,
    })),
    sources,
  }
}

/** The predecessor's templates have a target `security` that names itself: they meant every scan. */
function targetEntry(target: string, entry: string): Command {
  return target === 'security' && entry === 'check:security' ? command('scan:all') : command(entry)
}
