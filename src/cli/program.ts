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

const looking = ['runs', 'status', 'logs', 'inspect', 'diff', 'graph', 'audit', 'export', 'import', 'prune', 'health']
const describing = ['init', 'validate', 'plan', 'trust', 'image', 'pin']

/** Where a command stands in the help. */
function groupOf(name: string): string {
  if (looking.includes(name)) return 'What was run:'
  if (describing.includes(name)) return 'The repository:'
  return ['doctor', 'completion', 'help'].includes(name) ? 'This machine:' : 'Running:'
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
    common(
      program
        .command(name)
        .helpGroup(groupOf(name.split(' ')[0]!))
        .description(description),
    ).action(async (...words) => {
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
      'run <name...>',
      'run a workflow file, or single tasks by id, such as test:unit@node, with what they need',
      async (globals, output, names: string[], options) =>
        (await import('./commands/run-named.ts')).runNamed(names, { ...options, rest }, globals, output),
    ),
  )
    .option('--var <name=value>', 'a variable of the workflow (may be repeated)', several)
    .option('--workflow', 'the name is that of a workflow')
    .option('--task', 'the names are those of tasks')
    .addHelpText(
      'after',
      `
A workflow is a file of workflows/ or of $WF_PATHS_WORKFLOWS: docs/workflows.md. It runs one task at a time unless -j says more.

Examples:
  dwf run deploy --var region=eu
  dwf run nightly/report -j 4
  dwf run test:unit@node`,
    )
  add(
    'resume [run]',
    'go on with a run (default: the last one here): what is done and has not changed stays done',
    async (globals, output, run, options) =>
      (await import('./commands/resume.ts')).resume(run, options, globals, output),
  )
    .option('--from <task>', 'run this task and what needs it again')
    .option('--accept-changes', 'run what was done and has changed since again, and what needs it')
    .option('--var <name=value>', 'on top of the variables of the run (may be repeated)', several)
    .option('-j, --jobs <n>', 'tasks at the same time (default: as the run had it)')
    .option('--allow-root', 'run containers as root; said in every summary')
    .option('--dry-run', 'show what stays done and run nothing')
    .addHelpText('after', '\nExamples:\n  dwf resume\n  dwf resume 20261122 --from deploy\n  dwf resume --dry-run')
  add(
    'runs [action] [file]',
    'the runs of this project, newest first',
    async (globals, output, action, file, options) => {
      if (action === 'backup') return (await import('./commands/runs-backup.ts')).runsBackup(file, globals, output)
      if (action !== undefined)
        throw failure(
          'wrong-input',
          'usage',
          `runs does not know ${JSON.stringify(action)}`,
          `dwf runs lists; dwf status ${action} shows one`,
        )
      return (await import('./commands/runs.ts')).runs(options, globals, output)
    },
  )
    .option('--all', 'of every project')
    .option('-w, --workflow <name>', 'only runs of this workflow')
    .option(
      '-s, --status <state>',
      'running, passed, failed, cancelled, timed-out, interrupted (may be repeated)',
      several,
    )
    .option('--kind <kind>', 'check, task, scan or workflow')
    .option('--tag <tag>', 'only runs with this tag')
    .option('--since <time>', 'that began then or later: a day, a time, or a duration such as 2d')
    .option('--until <time>', 'that began before; of a day its end counts')
    .option('--min-duration <duration>', 'that took so long at least')
    .option('--sort <order>', 'time, duration, title or state (default: time)')
    .option('--limit <n>', 'so many at most (default: 20)')
    .option('--offset <n>', 'without the first ones')
    .option('--dry-run', 'with backup: write nothing')
    .addHelpText(
      'after',
      `
Actions:
  backup FILE  copy the store into a new file, also while runs are going on

Examples:
  dwf runs --status failed --since 7d
  dwf runs --all --sort duration --limit 5
  dwf runs backup runs.db`,
    )
  add('status [run]', 'a run (default: the last one here) and its tasks', async (globals, output, run, options) =>
    (await import('./commands/status.ts')).status(run, options, globals, output),
  )
    .option('-f, --follow', 'until it ends')
    .option('--exit-code', 'exit 1 when it did not pass, or not yet')
    .addHelpText(
      'after',
      '\nWith --follow --json: one document a line, for each change.\n\nExamples:\n  dwf status\n  dwf status 20261122 --follow --exit-code',
    )
  add(
    'logs [run] [task]',
    'what the tasks of a run said (default: of the last one here)',
    async (globals, output, run, task, options) =>
      (await import('./commands/logs.ts')).logs(
        [run, task].filter((word) => word !== undefined),
        options,
        globals,
        output,
      ),
  )
    .option('-f, --follow', 'what comes too, until the run ends')
    .option('--since <time>', 'what was said then or later: a time, or a duration such as 5m')
    .option('-n, --lines <n>', 'only the last lines of what is there')
    .option('--stream <stream>', 'only stdout, or only stderr')
    .option('--attempt <n>', 'only of this attempt')
    .option('--timestamps', 'with the time of each line')
    .addHelpText(
      'after',
      `
Of one task the bytes are as the task wrote them, but for a terminal. Of several each
line has the name of its task, in the order in which they were said. With --json: one
document a line that was said.

Examples:
  dwf logs
  dwf logs test:unit -n 50
  dwf logs 20261122 test:unit@node --stream stderr > errors.txt
  dwf logs -f --since 5m`,
    )
  add('inspect [run]', 'all that is known of a run (default: the last one here)', async (globals, output, run) =>
    (await import('./commands/inspect.ts')).inspect(run, globals, output),
  ).addHelpText('after', '\nExamples:\n  dwf inspect\n  dwf inspect 20261122 --json | jq .tasks')
  add(
    'diff <a> <b>',
    'what differs between two runs; exit 1 when anything but times does',
    async (globals, output, a, b) => (await import('./commands/diff.ts')).diff(a, b, globals, output),
  ).addHelpText(
    'after',
    '\nOf the environment of a task only names are told.\n\nExamples:\n  dwf diff 20261121093000-3f9a1c 20261122101500-77be02',
  )
  add(
    'graph [names...]',
    'draw what runs after what: a workflow, commands (default: check:pr), or a run',
    async (globals, output, names, options) =>
      (await import('./commands/graph.ts')).graph(names, options, globals, output),
  )
    .option('-f, --format <format>', 'ascii, mermaid, dot, html or json (default: ascii)')
    .option('-o, --output <file>', 'a file instead of standard output')
    .option('--run <run>', 'a run, with the states of its tasks')
    .option('--dry-run', 'with --output: write nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  dwf graph check:main\n  dwf graph deploy -f html -o deploy.html\n  dwf graph --run 20261122 -f dot | dot -Tsvg',
    )
  add('health', 'whether the store of runs is whole, private and has room', async (globals, output) =>
    (await import('./commands/health.ts')).health(globals, output),
  ).addHelpText(
    'after',
    '\nExit 0 when it is. --quiet says one line a problem, for cron.\n\nExamples:\n  dwf health --quiet',
  )
  add('plan [command...]', 'show what would run (default: check:pr)', async (globals, output, commands: string[]) =>
    (await import('./commands/plan.ts')).showPlan(commands.length > 0 ? commands : ['check:pr'], rest, globals, output),
  )
  add(
    'validate [workflow...]',
    'check devflow.toml, devflow.lock, manifests and workflow files',
    async (globals, output, names, options) =>
      (await import('./commands/validate.ts')).validate(names, options, globals, output),
  ).option('--strict', 'warnings are errors, and workflows are held to what is good for those that matter')
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

  add(
    'audit [run]',
    'what happened in a run (default: the last one here), and whether what is kept of it fits',
    async (globals, output, run, options) => (await import('./commands/audit.ts')).audit(run, options, globals, output),
  )
    .option('--verify', 'hold it against its own chain: exit 1 and the first row that does not fit')
    .option('--head <hash>', 'and against a head that was kept elsewhere: all of it, or its first 12 digits or more')
    .option('--all', 'verify every run, and the tombstones of those that were pruned')
    .addHelpText(
      'after',
      `
The summary of each run ends with its head. Keep it where nobody who can write the
store can change it, such as in the log of CI: only it tells a run that was rewritten.

Examples:
  dwf audit
  dwf audit 20260301 --verify --head 3f1c0a9be2d4
  dwf audit --all`,
    )
  add(
    'export [run]',
    'everything that is kept of a run (default: the last one here), as one file with digests',
    async (globals, output, run, options) =>
      (await import('./commands/export.ts')).exportRun(run, options, globals, output),
  )
    .option('--format <format>', 'tar or json (default: tar)')
    .option('-o, --output <file>', 'a new file; standard output where it is not given')
    .option('--dry-run', 'show what would be in it')
    .addHelpText(
      'after',
      `
What looks like a secret is masked, and the manifest says in how many places. As JSON
it has only the size and the digest of logs that are longer than 1 MiB.

Examples:
  dwf export -o run.tar
  dwf export 20260301 --format json | jq .run`,
    )
  add(
    'import <file>',
    'keep an export as a run that cannot go on, when it is what it says',
    async (globals, output, file, options) =>
      (await import('./commands/import.ts')).importRun(file, options, globals, output),
  )
    .option('--verify', 'only say whether it is: nothing is written')
    .option('--dry-run', 'the same')
    .addHelpText('after', '\nExamples:\n  dwf import run.tar --verify\n  dwf import run.tar')
  add('prune [selector]', 'prune:runs removes whole runs with their logs', async (globals, output, selector, options) =>
    (await import('./commands/prune.ts')).prune(selector, options, globals, output),
  )
    .option('--keep <n>', 'this many of the newest runs of a project stay')
    .option('--older-than <duration>', 'only runs that ended longer ago than this')
    .option('--all', 'of every project')
    .option('--dry-run', 'show what would go')
    .addHelpText(
      'after',
      `
With --keep and --older-than only runs go that both let go. A run that is going on
stays, and so does the newest of each project. A tombstone with the head of its chain
stays of each run that goes.

Examples:
  dwf prune:runs --keep 20
  dwf prune:runs --older-than 30d --all --dry-run`,
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
