import { scanLayers } from './commands.ts'

/**
 * One definition of devflow.toml: it validates, gives the defaults, and is the source of the JSON Schema.
 * A node says what a value is and what it is for; nothing else in dwf knows the shape of the file.
 */
export type Node =
  | { readonly kind: 'string'; readonly doc: string; readonly values?: readonly string[]; readonly pattern?: RegExp }
  | { readonly kind: 'boolean'; readonly doc: string }
  | { readonly kind: 'integer'; readonly doc: string; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly doc: string; readonly min: number; readonly max: number }
  | { readonly kind: 'duration'; readonly doc: string }
  | { readonly kind: 'size'; readonly doc: string }
  /** A day: a local date of TOML, or its text. */
  | { readonly kind: 'date'; readonly doc: string }
  | { readonly kind: 'array'; readonly doc: string; readonly of: Node; readonly nonEmpty?: boolean }
  | {
      readonly kind: 'table'
      readonly doc: string
      readonly keys: Readonly<Record<string, Node>>
      readonly required?: readonly string[]
    }
  | { readonly kind: 'map'; readonly doc: string; readonly of: Node; readonly key: RegExp; readonly keyDoc: string }
  | { readonly kind: 'either'; readonly doc: string; readonly of: readonly Node[] }

const text = (doc: string, pattern?: RegExp): Node => ({ kind: 'string', doc, ...(pattern ? { pattern } : {}) })
const word = (doc: string, ...values: string[]): Node => ({ kind: 'string', doc, values })
const words = (doc: string, of: Node, nonEmpty = false): Node => ({ kind: 'array', doc, of, nonEmpty })
const table = (doc: string, keys: Readonly<Record<string, Node>>, required: string[] = []): Node => ({
  kind: 'table',
  doc,
  keys,
  required,
})

/** No line break and no NUL: such a value could leave its place in a log, a label or a file. */
const oneLine = /^[^\0\n\r]*$/
const command = text('A command: primary or primary:selector.', oneLine)
const variable = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Not what programs go by: a secret under such a name would change what runs. */
export const secretName =
  /^(?!(PATH|HOME|LANG|CI|IFS|ENV|SHELL|BASH.*|E?UID|PPID|PWD|OLDPWD|LC_.*|PS[0-4]|OPT.*|HIST.*|RANDOM|SRANDOM|SECONDS|LINENO|NODE_OPTIONS|NODE_PATH|LD_[A-Z_]*|(RUNNER|ACTIONS|INPUT|DWF|XDG)_.*|GITHUB_(?!TOKEN$).*)$)[A-Za-z_][A-Za-z0-9_]*$/
const network = word('Network of the task: none, or egress (outbound only, unfiltered).', 'none', 'egress')

/** Of a file of the repository: it cannot lead out of it. */
export const insidePath = /^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0\n\r]+$/
const file = text('Path of a file, from the root of the repository.', insidePath)
const identifier = /^[\x21-\x7e]{1,200}$/
/** As findings have their ids: on one line, printable, with single blanks. Licences are called `SEE LICENSE IN LICENSE`. */
const findingName = /^(?=.{1,240}$)[^\p{C}\p{Z}]+( [^\p{C}\p{Z}]+)*$/u
const license = text('SPDX identifier, such as MIT, or the whole text of a licence as its package has it.', findingName)
const layer = word('A scan layer.', ...scanLayers)
/** A name that git accepts as a branch, without what a pattern of Actions would mean. */
export const branchName = /^(?!.*(\.\.|\/\/|@\{|\.lock(\/|$)))(?![./-])[A-Za-z0-9._/-]{1,200}(?<![./])$/
const endpoint = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+:\d{1,5}$/
const owner = /^(@[A-Za-z0-9][A-Za-z0-9-]*(\/[A-Za-z0-9._-]+)?|[^\s@#]+@[^\s@#]+\.[^\s@#]+)$/
const severity = word('The lowest severity that fails a gate.', 'low', 'medium', 'high', 'critical')
const fixOnly: Node = { kind: 'boolean', doc: 'Refuse a vulnerability only when there is a version that fixes it.' }

export const definition: Node & { kind: 'table' } = {
  kind: 'table',
  doc: 'Configuration of dwf for one repository.',
  keys: {
    project: table('The project.', {
      name: text('Name; default: manifest, else git remote, else folder.', /^[^\0\n\r]{1,200}$/),
      stack: words('Stacks to use; default: what is detected.', text('A stack.', /^[a-z][a-z0-9-]*$/)),
    }),
    runtime: table('Where tasks run.', {
      profile: word(
        'container; host runs without a container and needs trust; auto is container (deprecated).',
        'container',
        'host',
        'auto',
      ),
    }),
    container: table('The container that tasks run in.', {
      image: text(
        'Name of the image that dwf builds; default: localhost/dwf/<project>.',
        /^[a-z0-9]([a-z0-9._/:-]*[a-z0-9])?$/,
      ),
      engine: word('auto never picks a rootful daemon.', 'auto', 'podman', 'docker'),
      network,
      memory: { kind: 'size', doc: 'Memory limit of a container, such as 4g.' },
      pids: { kind: 'integer', doc: 'Limit of processes of a container.', min: 64, max: 1_000_000 },
      cpus: { kind: 'number', doc: 'Limit of processors of a container.', min: 0.1, max: 1024 },
      tmp: { kind: 'size', doc: 'Size of /tmp and of HOME, each.' },
      toolchains: word('official image digests, or the packages of Debian.', 'official', 'debian'),
      ca_certificates: text('host: what the host trusts; none; or the path of a bundle.', /^[^\0\n\r]+$/),
      packages: words('More Debian packages for the image.', text('A Debian package.', /^[a-z0-9][a-z0-9.+-]+$/)),
      fingerprint_inputs: words(
        'More files that decide when the image is built again; * and ** as in a shell.',
        text('A path.', /^[^\0\n\r]+$/),
      ),
    }),
    cache: table('Caches of package managers.', {
      root: text('Folder of the caches; default: .cache/devflow.', /^[^\0\n\r]+$/),
      strategy: word('local keeps caches between runs; none starts each run with empty ones.', 'local', 'none'),
    }),
    setup: table('How dependencies get in.', {
      scripts: word(
        'Install scripts of packages: without network, with it (needs trust), or never.',
        'offline',
        'online',
        'never',
      ),
    }),
    targets: {
      kind: 'map',
      doc: 'Named lists of commands: check:pr runs the list pr.',
      key: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      keyDoc: 'a name of letters, digits, dots and dashes',
      of: words('Commands, in the order they are shown.', command, true),
    },
    tasks: {
      kind: 'map',
      doc: 'Tasks of the repository, or overrides of what a stack offers.',
      key: /^[a-z]+(:[A-Za-z0-9][A-Za-z0-9._-]*)?$/,
      keyDoc: 'a command such as "test:e2e"',
      of: table(
        'A task.',
        {
          run: {
            kind: 'either',
            doc: 'A string is run by sh -c; an array is run as it is.',
            of: [text('Shell line.', /^[^\0]+$/), words('Program and arguments.', text('Argument.', /^[^\0]*$/), true)],
          },
          needs: words('Commands that must have passed before.', command),
          dir: text('Folder to run in, from the root of the repository.', /^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0\n\r]*$/),
          timeout: { kind: 'duration', doc: 'Longest time of one attempt.' },
          total_timeout: { kind: 'duration', doc: 'Longest time of all attempts and the waits between them.' },
          retries: { kind: 'integer', doc: 'How often to try again.', min: 0, max: 100 },
          retry_delay: { kind: 'duration', doc: 'How long to wait before another attempt; default: not at all.' },
          retry_backoff: word('The wait stays as it is (fixed), or doubles each time.', 'fixed', 'exponential'),
          retry_max_delay: { kind: 'duration', doc: 'The longest wait that doubling comes to.' },
          retry_jitter: { kind: 'number', doc: 'Part of each wait that is drawn by chance.', min: 0, max: 1 },
          weight: { kind: 'integer', doc: 'How many of -j it takes.', min: 1, max: 999 },
          concurrency: text('Tasks of one name never overlap, in this run or in another.', /^[A-Za-z0-9./-]{1,100}$/),
          inputs: words(
            'Files, from the root of the repository, that make the task run again when they change; * and ** as in a shell.',
            text('A path.', insidePath),
          ),
          network,
          runtime: word(
            'container; host runs it on this machine and needs trust. Default: runtime.profile.',
            'container',
            'host',
          ),
          env: {
            kind: 'map',
            doc: 'Environment.',
            key: variable,
            keyDoc: 'a name of letters, digits and underscores',
            of: text('Value.', /^[^\0]*$/),
          },
          clean_env: {
            kind: 'boolean',
            doc: 'On the host: false gives it all of your environment, and needs trust for that. In a container it is always clean.',
          },
          secrets: words('Names of secrets it may see; each needs trust.', text('Name.', secretName)),
        },
        ['run'],
      ),
    },
    secrets: {
      kind: 'map',
      doc: 'Where secrets come from. One without a table is the environment variable of its name.',
      key: secretName,
      keyDoc: 'a name of letters, digits and underscores that no program goes by',
      of: table('A secret, with one of env, file and command.', {
        env: text('Another environment variable that has the value.', variable),
        file: text(
          'A file with the value: absolute, ~/…, or from the root of the repository.',
          /^(?:\/|~\/|(?!~)(?!(.*\/)?\.\.(\/|$)))[^\0\n\r]+$/,
        ),
        command: words(
          'Program and arguments that print the value, run on this machine; needs trust.',
          text('Argument.', /^[^\0]*$/),
          true,
        ),
        as: word('What the variable of the task holds: the value, or the path of a file with it.', 'env', 'file'),
      }),
    },
    scan: table('The gates.', {
      severity,
      fix_only: fixOnly,
      vex: words('VEX documents of the repository (OpenVEX or CycloneDX, JSON) that count.', file),
      honor: words(
        'What else may accept findings: comments in configuration (inline), suppressions in SARIF (suppressions), .trivyignore and .semgrepignore files by their path. Nothing of it counts unasked.',
        text('inline, suppressions, or the path of an ignore file.', insidePath),
      ),
      ignore: words(
        'Findings that are accepted for a time. An expired or unmatched one is a finding itself.',
        table(
          'One accepted finding.',
          {
            layer: {
              kind: 'either',
              doc: 'The layer, or layers, in which it is accepted.',
              of: [layer, words('Layers.', layer, true)],
            },
            id: text('Identifier of the vulnerability or name of the licence, such as CVE-2021-23337.', findingName),
            rule: text('Identifier of the rule, such as DS-0002.', findingName),
            path: text('Files in which it is accepted; * and ** as in a shell.', insidePath),
            package: text('Package, or package@version, for which it is accepted.', identifier),
            reason: text('Why, for whoever reads the report.', /^(?=.*\S)[^\0\n\r]{1,500}$/),
            expires: { kind: 'date', doc: 'The last day on which it is accepted, at most 365 days ahead.' },
            by: text('Who accepted it.', /^(?=.*\S)[^\0\n\r]{1,200}$/),
          },
          ['layer', 'reason', 'expires'],
        ),
      ),
      deps: table('Known vulnerabilities of what lock files name.', { severity, fix_only: fixOnly }),
      image: table('The image that tasks run in.', { severity, fix_only: fixOnly }),
      config: table('Dockerfiles, Kubernetes, Terraform, Helm, Compose, bake and workflow files.', { severity }),
      secrets: table('Keys and tokens in files.', { severity }),
      licenses: table('Licences of dependencies. Default severity: critical.', {
        severity,
        allow: words('The only licences that are accepted, by SPDX identifier.', license),
        deny: words('Licences that are refused whatever their severity.', license),
        unknown: word(
          'What to do with a package whose licence nobody tells, or that is in no class.',
          'report',
          'refuse',
        ),
      }),
      code: table('Programs that look at the code and write SARIF.', {
        severity,
        scanners: {
          kind: 'map',
          doc: 'Each runs like a task: in the image, without network, with the repository read-only.',
          key: /^[a-z][a-z0-9-]*$/,
          keyDoc: 'a name of small letters, digits and dashes',
          of: table('A scanner. semgrep and opengrep need rules only; any other needs run.', {
            run: {
              kind: 'either',
              doc: 'Writes SARIF 2.1.0 to the file named by $DWF_SARIF, or to stdout.',
              of: [
                text('Shell line.', /^[^\0]+$/),
                words('Program and arguments.', text('Argument.', /^[^\0]*$/), true),
              ],
            },
            rules: text('Folder or file of the repository with rules, for semgrep and opengrep.', insidePath),
            timeout: { kind: 'duration', doc: 'Longest time of one run; default 10m.' },
          }),
        },
      }),
    }),
    ci: table('The generated GitHub Actions.', {
      code_scanning: {
        kind: 'boolean',
        doc: "Upload findings to GitHub's code scanning, and write codeql.yml. The gate counts without it too.",
      },
      default_branch: text('Branch that the workflows run on and scan at night; default: main.', branchName),
      egress: word(
        'Runners reach the listed hosts only (block), or every host, with a note of each (audit).',
        'block',
        'audit',
      ),
      hosts: words('More hosts that runners may reach, as NAME:PORT.', text('A host.', endpoint)),
      install: word(
        'Where jobs get dwf from: a file of this repository, or npm by its package lock.',
        'vendored',
        'npm',
      ),
      owners: words(
        'Who must review changes of workflows and policy: for CODEOWNERS.',
        text('A person or team, such as @shop/security.', owner),
      ),
      prefix: text('What the names of the workflow files begin with, where their own are taken.', /^[a-z0-9-]{0,30}$/),
      publish: {
        kind: 'boolean',
        doc: 'Write release.yml: a tag scans, pushes and attests the image that tasks run in.',
      },
    }),
    extensions: {
      kind: 'map',
      doc: 'Extensions. This version reads them and runs none.',
      key: /^[a-z][a-z0-9-]*$/,
      keyDoc: 'a name of small letters, digits and dashes',
      of: table(
        'An extension.',
        {
          source: word('Where it comes from.', 'builtin', 'path'),
          path: text('Its program.', oneLine),
          trusted: { kind: 'boolean', doc: 'A request for trust; it approves nothing.' },
          required: { kind: 'boolean', doc: 'Fail when it cannot be loaded.' },
          version: text('Version.', oneLine),
          api_version: { kind: 'integer', doc: 'Version of the protocol.', min: 1, max: 1000 },
          capabilities: words('Commands it offers.', text('Command.', oneLine)),
        },
        ['source'],
      ),
    },
  },
}
