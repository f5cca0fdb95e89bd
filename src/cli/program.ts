import { CommanderError, Command as Program } from 'commander'
import { defaultSelectors, type Primary } from '../config/commands.ts'
import { failure } from '../util/diagnostics.ts'
import { exitCodeHelp } from './exit-codes.ts'
import { type Globals, readGlobals } from './globals.ts'
import { openOutput } from './output.ts'
import { version } from './version.ts'

const about: Readonly<Partial<Record<Primary, string>>> = {
  setup: 'install dependencies',
  fmt: 'check the format (fmt:fix changes it)',
  lint: 'lint',
  build: 'build (build:release for a release)',
  test: 'run tests',
  package: 'make the package',
  release: 'run a release task',
  ci: 'generated GitHub Actions: ci:generate, ci:check, ci:plan, ci:lint, ci:harden',
  check: 'run a target of devflow.toml: check:pr is what a pull request must pass',
  scan: 'judge dependencies, image, configuration, secrets, licences and code',
}

const several = (word: string, before: readonly string[] = []): readonly string[] => [...before, word]

/** Parses the words and runs the command; throws Failure('wrong-input') for what it cannot read. */
export async function runProgram(argv: readonly string[], rest: readonly string[]): Promise<number> {
  let code = 0
  const program = new Program('dwf')
  program
    .description(
      'Container-native development workflows: one plan, the same hardened containers and gates here and in CI.',
    )
    .version(version, '-V, --version')
    .helpCommand('help [command]', 'help for a command, or "help exit-codes"')
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .addHelpText('after', '\nStart with: dwf init, then dwf check:pr. Documentation: docs/ in the package.')
  const common = (command: Program) =>
    command
      .option('-C, --directory <dir>', 'work in this folder')
      .option('--config <file>', 'this devflow.toml instead of the nearest one above')
      .option('--json', 'one JSON document, or one event a line for a run, on stdout')
      .option('-q, --quiet', 'only results and errors')
      .option('-v, --verbose', 'say more')
      .option('-y, --yes', 'answer questions with yes (never approves trust)')
      .option('--no-input', 'never ask')
  const add = (
    name: string,
    description: string,
    // biome-ignore lint/suspicious/noExplicitAny: commander's own type of what it passes to an action
    run: (globals: Globals, output: ReturnType<typeof openOutput>, ...words: any[]) => Promise<number>,
  ) =>
    common(program.command(name).description(description)).action(async (...words) => {
      const command = words.at(-1) as Program
      const globals = readGlobals(command.opts())
      code = await run(globals, openOutput(globals), ...words.slice(0, -1))
    })
  const running = (command: Program) =>
    command
      .option('-j, --jobs <n>', 'tasks at the same time (default: processors, at most 4)')
      .option('-k, --keep-going', 'go on after a failure with what does not need it')
      .option('--dry-run', 'show the plan and run nothing')
      .option('--offline', 'accept an old vulnerability database, and say so')
      .option('--deadline <duration>', 'end the whole run after this time (exit 124)')
      .option('--allow-root', 'run containers as root; said in every summary')
      .option(
        '--report <format=file|context>',
        'write what the gates found: sarif, github, junit, html, json; or set a commit status (may be repeated)',
        several,
      )

  add(
    'init',
    'write devflow.toml, devflow.lock, Dockerfile.devflow, docker-bake.hcl, .dockerignore and .github',
    async (globals, output, options) => (await import('./commands/init.ts')).init(options, globals, output),
  )
    .option('--stack <names>', 'only these stacks, separated by commas')
    .option('--force', 'ask for each file that differs')
    .option('--no-ci', 'without workflows')
    .option('--dry-run', 'show what would be written')
    .addHelpText('after', '\nExamples:\n  dwf init\n  dwf init --stack node,rust --dry-run')

  const addScan = () =>
    running(
      add(
        'scan [selector] [names...]',
        `${about.scan} (bare: scan:all)`,
        async (globals, output, selector, names, options) =>
          (await import('./commands/scan.ts')).scan(selector, names, { ...options, rest }, globals, output),
      ),
    )
      .option('--prune', 'with baseline: only take out what is no longer found')
      .option('--java', 'with db update: the database of Java archives')
      .option('--format <format>', 'with sbom: cyclonedx or spdx (default: cyclonedx)')
      .addHelpText(
        'after',
        `
Layers:
  deps       known vulnerabilities of what lock files name
  image      the image that tasks run in, or the images that are named
  config     Dockerfiles, Kubernetes, Terraform, Helm, Compose, bake, workflows
  secrets    keys and tokens in files
  licenses   licences of dependencies
  code       scanners of [scan.code.scanners], which write SARIF

Examples:
  dwf scan
  dwf scan:deps --report sarif=deps.sarif --report html=deps.html
  dwf scan:image shop:dev ./shop.tar registry:ghcr.io/shop/web:1.2
  dwf scan db update
  dwf scan baseline
  dwf scan diff HEAD~1 HEAD
  dwf scan sbom --format spdx > shop.spdx.json`,
      )

  const anyVersion = ['--any-version', 'go on where devflow.lock names another version of dwf'] as const
  const addCi = () =>
    running(
      add(
        'ci [selector] [names...]',
        `${about.ci} (bare: ci:check)`,
        async (globals, output, selector, names, options) =>
          (await import('./commands/ci.ts')).ci(selector, names, { ...options, rest }, globals, output),
      ),
    )
      .option('--check', 'with generate: write nothing, and exit 5 where something would change')
      .option('--take <side>', 'with generate: mine or dwf, where both changed the same lines')
      .option(...anyVersion)
      .option('--target <target>', 'with start: pr, main, nightly or release')
      .option('--base <commit>', 'with start: whose policy counts')
      .option('--before <commit>', 'with start: what a push began from')
      .option('--out <folder>', 'with start: where the plan and the policy go')
      .option('--from <folder>', 'with run and gate: what start wrote')
      .addHelpText(
        'after',
        `
For people:
  generate        write .github/workflows, dependabot.yml and dwf itself; edits survive
  check           exit 5 where they are not what generate would write
  plan            the jobs, what they may, and when they run
  lint [FILES]    the rules of dwf, for any workflow
  harden [FILES]  pins, permissions and time limits for workflows that people wrote

For the jobs of the workflows:
  start, run PART, gate

Examples:
  dwf ci:generate --dry-run
  dwf ci:lint
  dwf ci:harden .github/workflows/docs.yml`,
      )

  for (const primary of Object.keys(about) as Primary[]) {
    if (primary === 'scan' || primary === 'ci') {
      if (primary === 'scan') addScan()
      else addCi()
      continue
    }
    const command = add(
      `${primary} [selector]`,
      `${about[primary]} (bare: ${primary}:${defaultSelectors[primary]})`,
      async (globals, output, selector, options) => {
        if (primary === 'setup' && selector === 'ci')
          return (await import('./ci/setup.ts')).setUpRunner(globals, output, process.env)
        return (await import('./commands/run.ts')).runCommands(
          [`${primary}${selector ? `:${selector}` : ''}`],
          [],
          { ...options, rest },
          globals,
          output,
        )
      },
    )
    running(command)
    if (primary === 'check') command.option(...anyVersion)
    if (primary === 'setup') command.addHelpText('after', '\nsetup:ci makes a runner of CI ready.')
    if (primary === 'test')
      command.addHelpText('after', '\nExamples:\n  dwf test\n  dwf test:integration\n  dwf test -- --watch')
  }
  running(
    add(
      'run <task...>',
      'run single tasks by id, such as test:unit@node, with what they need',
      async (globals, output, tasks: string[], options) => {
        return (await import('./commands/run.ts')).runCommands(
          tasks.filter((task) => !task.includes('@')),
          tasks.filter((task) => task.includes('@')),
          { ...options, rest },
          globals,
          output,
        )
      },
    ),
  )
  add('plan [command...]', 'show what would run (default: check:pr)', async (globals, output, commands: string[]) =>
    (await import('./commands/plan.ts')).showPlan(commands.length > 0 ? commands : ['check:pr'], rest, globals, output),
  )
  add('validate', 'check devflow.toml, devflow.lock and manifests', async (globals, output, options) =>
    (await import('./commands/validate.ts')).validate(options, globals, output),
  ).option('--strict', 'warnings are errors')
  add(
    'trust [action]',
    'show, approve or revoke what this repository asks for',
    async (globals, output, action, options) =>
      (await import('./commands/trust.ts')).trust(action, options, globals, output),
  )
    .option('--diff', 'only what changed since the approval')
    .option('--ci', 'approve on a CI runner; see docs/trust.md')
    .option('--from <folder>', 'with --ci: what ci:start wrote; the base asks, and not the change')
  running(
    add(
      'image <action> [names...]',
      'build, ls, rm, fingerprint, base, use, save, load, fetch: the image that tasks run in',
      async (globals, output, action, names, options) =>
        (await import('./commands/image.ts')).image(action, names, options, globals, output),
    ),
  )
    .option('--from <image>', 'with base: a local image to stand in for the pinned one that is named')
    .option('--sha256 <hash>', 'with load: what the file must be')
  add(
    'pin <action> [names...]',
    'ls, check, update, trivy: what devflow.lock fixes, what must not run, and what is newer',
    async (globals, output, action, names, options) =>
      (await import('./commands/pin.ts')).pin(action, names, options, globals, output),
  )
    .option('--cooldown <duration>', 'take a version of an action after this time (default: 7d)')
    .option('--offline', 'ask nobody: only what this version of dwf knows')
    .option('--dry-run', 'show what would change')
    .addHelpText(
      'after',
      `
Actions:
  ls       what devflow.lock fixes
  check    pins that must not run (exit 4), tags that were moved (exit 1), newer versions
  update   move pins, or only those named: tools such as node, actions such as actions/checkout
  trivy    note the checksum of the Trivy of this machine

Examples:
  dwf pin check
  dwf pin update --dry-run
  dwf pin update actions/checkout --cooldown 14d`,
    )
  add('doctor', 'find what keeps rootless containers and scans from working', async (globals, output, options) =>
    (await import('./commands/doctor.ts')).doctor(options, globals, output),
  )
    .option('--fix', 'apply the fixes that can be applied, after showing them')
    .option('--dry-run', 'with --fix: only show them')
  add('completion <shell>', 'a completion script for bash, zsh or fish', async (_globals, output, shell) =>
    (await import('./commands/completion.ts')).completion(shell, program, output),
  )

  if (argv[0] === 'help' && argv[1] === 'exit-codes') {
    openOutput({ json: false, quiet: false, cwd: '.' }).result(exitCodeHelp)
    return 0
  }
  let complaint = ''
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeErr: (text) => {
        complaint += text
      },
    })
  }
  try {
    if (argv.length === 0) {
      program.outputHelp()
      return 0
    }
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    const [first, ...more] = complaint.trim().split('\n')
    throw failure(
      'wrong-input',
      'usage',
      (first ?? error.message).replace(/^error: /, ''),
      more.join(' ').replace(/^\((.*)\)$/, '$1') || 'dwf --help, or dwf COMMAND --help',
    )
  }
}
