import { join } from 'node:path'
import { type CiInput, type CiTarget, ciTargets, commandsOf, isOnChange } from '../../src/ci/index.ts'
import { ciInput } from '../../src/cli/ci/input.ts'
import { type Command, parseCommand } from '../../src/config/commands.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { knownActions } from '../../src/pins/index.ts'
import { layersOf } from '../../src/plan/expand.ts'
import { plan } from '../../src/plan/plan.ts'
import type { Plan, PlannedImage } from '../../src/plan/types.ts'
import { type Project, type StackName, type StackUnit, stackNames } from '../../src/project/types.ts'
import { detectProject } from '../../src/stacks/detect.ts'

/** A repository as `dwf ci:generate` sees it, and the plans that its CI makes. */
export interface Variant {
  readonly name: string
  readonly input: CiInput
  /** By target: one for a change that leaves the image alone where that is another one, and one for all others. */
  readonly plans: Readonly<Record<CiTarget, readonly Plan[]>>
}

const image: PlannedImage = { recipe: 'a'.repeat(64), pins: ['debian@sha256:0'], packages: [] }

const managers: Readonly<Record<StackName, string | undefined>> = {
  node: 'npm',
  python: 'uv',
  rust: 'cargo',
  go: 'go',
  java: 'maven',
  kotlin: 'gradle',
  tauri: 'npm',
  custom: 'just',
}

/** A unit with what every stack has: dependencies in two halves, and a task of each usual kind. */
export function unit(stack: StackName, dir = '', more: Partial<StackUnit> = {}): StackUnit {
  const manager = managers[stack]
  return {
    stack,
    dir,
    manifest: dir === '' ? stack : `${dir}/${stack}`,
    ...(manager === undefined ? {} : { manager }),
    toolchains: [],
    packages: [],
    caches: [],
    env: {},
    setup: { lockFiles: [], fetch: ['fetch'], install: ['install'], split: true, outputs: [] },
    tasks: ['fmt:check', 'lint:static', 'build:debug', 'test:unit', 'test:integration', 'build:release'].map(
      (command) => ({ command, argv: [command] }),
    ),
    missing: [],
    diagnostics: [],
    ...more,
  }
}

/** What `dwf ci:generate` takes its files from, without a repository on a disk. */
export async function variant(
  name: string,
  of: { readonly units?: readonly StackUnit[]; readonly toml?: string; readonly image?: boolean },
): Promise<Variant> {
  const { config } = await parseConfig('/repo/devflow.toml', of.toml ?? '')
  const project: Project = { root: '/repo', name: 'shop', units: of.units ?? [], diagnostics: [] }
  const hasImage = of.image ?? config.runtime.profile === 'container'
  const { input } = await ciInput({ config, project, warnings: [] }, hasImage ? image : undefined, await knownActions())
  const looks = layersOf(config, hasImage).there.includes('image')
  const names = new Set(Object.keys(config.targets))
  const planned = (target: CiTarget, withImage: boolean): Plan => {
    const commands = commandsOf(target, names, withImage).map((text) => parseCommand(text) as Command)
    const made = plan({ config, project, dwf: input.dwf, commands, ...(hasImage ? { image } : {}) })
    if (!made.plan) throw new Error(made.problems.map(({ message }) => message).join('; '))
    return made.plan
  }
  const plans = Object.fromEntries(
    ciTargets.map((target) => [
      target,
      [planned(target, looks), ...(isOnChange(target) && looks ? [planned(target, false)] : [])],
    ]),
  ) as unknown as Variant['plans']
  return { name, input, plans }
}

const samples = join(import.meta.dirname, '../fixtures/samples')
const sampleNames = [
  'go-failing-test',
  'go-passing',
  'node-and-rust-passing',
  'node-failing-test',
  'node-passing',
  'python-failing-test',
  'python-passing',
  'rust-failing-test',
  'rust-passing',
]

const targets = `[targets]
pr = ["fmt:check", "lint:static", "build:debug", "test:unit", "scan:deps", "scan:config", "scan:secrets"]
main = ["check:pr", "build:release", "test:integration"]
nightly = ["scan:all"]
`

const tasksOfItsOwn = `${targets}
[tasks."test:e2e"]
run = "npm run e2e"
needs = ["build:debug"]
network = "egress"
secrets = ["E2E_TOKEN", "PART"]
[tasks."package:app"]
run = "make"
needs = ["test:e2e"]
[tasks."test:Device"]
run = "./flash"
runtime = "host"
[tasks."test:device"]
run = "./flash"
runtime = "host"
secrets = ["E2E_TOKEN"]
[tasks."lint:docs"]
run = "vale"
`.replace('"test:integration"]', '"test:integration", "package:app", "test:Device", "test:device", "lint:docs"]')

/** Names that folders can have, each of them a word of somebody's language. */
export const hostileFolders = [
  'packages/web',
  'packages_2fweb',
  'Packages/web',
  'a b',
  '$(touch x)',
  '${{ secrets.X }}',
  "it's",
  '"quoted"',
  'x: y #z',
  '- x',
  '*',
  'line\u2028permissions: write-all',
  'naïve 日本 𝄞',
  `deep/${'folder-of-a-folder/'.repeat(12)}end`,
]

const everything = stackNames.map((stack) => unit(stack))

/** Every sample, each stack alone, all of them, and each setting that changes what is generated. */
export async function variants(): Promise<readonly Variant[]> {
  const all: Promise<Variant>[] = []
  const add = (name: string, of: Parameters<typeof variant>[1]) => all.push(variant(name, of))
  for (const name of sampleNames) {
    const { units } = detectProject(join(samples, name))
    add(`sample ${name}`, { units })
  }
  for (const stack of stackNames) add(stack, { units: [unit(stack)] })
  add('nothing', {})
  add('all stacks', { units: everything, toml: targets })
  const monorepo = hostileFolders.flatMap((dir) => [unit('node', dir), unit('go', dir)])
  add('monorepo', { units: monorepo, toml: targets })
  add('monorepo on the host', { units: monorepo, toml: `${targets}[runtime]\nprofile = "host"\n` })
  add('own tasks', { units: [unit('node')], toml: tasksOfItsOwn })
  add('own tasks on the host', { units: [unit('node')], toml: `${tasksOfItsOwn}[runtime]\nprofile = "host"\n` })
  add('a release without secrets', {
    units: [unit('node')],
    toml: tasksOfItsOwn.replace('[targets]', '[targets]\nrelease = ["check:pr"]'),
  })
  add('scanners of code', {
    units: [unit('node')],
    toml: `${targets}[scan.code.scanners.semgrep]\nrules = "rules"\n`,
  })
  add('images in pull requests', {
    units: [unit('java')],
    toml: '[targets]\npr = ["test:unit", "scan:all"]\nrelease = ["check:pr", "build:release"]\n',
  })
  const settings: readonly (readonly [string, string])[] = [
    ['no code scanning', 'code_scanning = false'],
    ['audit', 'egress = "audit"'],
    ['more hosts', 'hosts = ["*.example.org:443", "api.github.com:443"]'],
    ['no publishing', 'publish = false'],
    ['from npm', 'install = "npm"'],
    ['prefix', 'prefix = "dwf-"'],
    ['owners', 'owners = ["@shop/security", "a@example.org"]'],
    ['branch', 'default_branch = "rel/1.x"'],
    ['all settings', 'code_scanning = false\negress = "audit"\npublish = false\ninstall = "npm"\nprefix = "x-"'],
  ]
  for (const [name, text] of settings) add(name, { units: everything, toml: `${targets}[ci]\n${text}\n` })
  add('no image', { units: everything, toml: `${targets}[runtime]\nprofile = "host"\n` })
  add('asks for trust', { units: [unit('rust')], toml: `${targets}[container]\nnetwork = "egress"\n` })
  return Promise.all(all)
}
