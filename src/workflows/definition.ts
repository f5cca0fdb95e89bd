import { insidePath, type Node, secretName } from '../config/definition.ts'

const text = (doc: string, pattern?: RegExp): Node => ({ kind: 'string', doc, ...(pattern ? { pattern } : {}) })
const word = (doc: string, ...values: string[]): Node => ({ kind: 'string', doc, values })
const words = (doc: string, of: Node): Node => ({ kind: 'array', doc, of })
const whole = (doc: string, min: number, max: number): Node => ({ kind: 'integer', doc, min, max })
const flag = (doc: string): Node => ({ kind: 'boolean', doc })

/** The characters of wf's task ids; the length keeps the names of logs and jobs within what file systems take. */
const id = /^[A-Za-z0-9_-]{1,100}$/
const oneLine = /^[^\0\n\r]*$/
const noNul = /^[^\0]*$/
const handler = (when: string): Node => text(`Task that runs ${when}, and at no other time.`, id)
const network = word('none, or egress (outbound only, unfiltered).', 'none', 'egress')
const concurrency = text(
  'What has the same name never overlaps, in this run or in another.',
  /^[A-Za-z0-9._:/-]{1,100}$/,
)
/** Durations are read as Go writes them, which `kind: 'duration'` does not. */
const duration = (doc: string): Node => text(doc)
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/

const task: Node = {
  kind: 'table',
  doc: 'A task.',
  required: ['cmd'],
  keys: {
    cmd: text('What sh -c runs.', /^(?=[\s\S]*\S)[^\0]*$/),
    name: text('Name for people.', oneLine),
    description: text('What it is for.', noNul),
    type: word('forensic: it is a handler, which runs only when something names it.', 'normal', 'forensic'),
    depends_on: words(
      'Tasks that must have ended well before; the name of a task with a matrix is all its nodes.',
      text('A task.', oneLine),
    ),
    working_dir: text('Folder to run in, from the root of the project.', /^[^\0\n\r]*$/),
    env: {
      kind: 'map',
      doc: 'Environment; {{.name}} is the value of a variable.',
      key: environmentName,
      keyDoc: 'a name of letters, digits and underscores that begins with no digit',
      of: text('Value.', noNul),
    },
    clean_env: flag('Nothing of the environment of this machine but what env and secrets name.'),
    if: text('Runs only when this holds.', noNul),
    matrix: {
      kind: 'map',
      doc: 'One node for each combination of values.',
      key: /^[A-Za-z0-9_-]{1,100}$/,
      keyDoc: 'a name of letters, digits, underscores and dashes',
      of: words('Values.', {
        kind: 'either',
        doc: 'A value; for include and exclude also a table of values.',
        of: [
          text('A value.', noNul),
          {
            kind: 'map',
            doc: 'Values of axes.',
            key: /^[A-Za-z0-9_-]{1,100}$/,
            keyDoc: 'the name of an axis',
            of: text('A value.', noNul),
          },
        ],
      }),
    },
    matrix_limit: whole('Nodes of the matrix at the same time.', 1, 10_000),
    fail_fast: flag('The first node of the matrix that fails cancels the others; default: true.'),
    register: text('Variable that gets the last line of its output that is not empty.', oneLine),
    ignore_failure: flag('When it fails, the run goes on as if it had not.'),
    retries: whole('How often to try again.', 0, 1000),
    retry_delay: duration('How long to wait before another attempt.'),
    retry_backoff: word(
      'fixed: each wait is the same; exponential: each is twice the one before.',
      'fixed',
      'exponential',
    ),
    retry_max_delay: duration('The longest wait that doubling comes to.'),
    retry_jitter: { kind: 'number', doc: 'Part of each wait that is drawn by chance.', min: 0, max: 1 },
    timeout: duration('Longest time of one attempt.'),
    total_timeout: duration('Longest time of all attempts and the waits between them.'),
    on_failure: handler('when this one has failed for good'),
    network,
    secrets: words('Names of secrets that it may see; each needs trust.', text('Name.', secretName)),
    concurrency,
    weight: whole('How many of -j it takes.', 1, 999),
    inputs: words(
      'Files, from the root, that make it run again when they change; * and ** as in a shell.',
      text('A path.', insidePath),
    ),
  },
}

/** The keys of a workflow file: wf's (v0.2.0), and dwf's own. */
export const workflowDefinition: Node & { kind: 'table' } = {
  kind: 'table',
  doc: 'One workflow.',
  required: ['tasks'],
  keys: {
    name: text('Name; as the file is called.', oneLine),
    description: text('What it is for.', noNul),
    tags: words('Words to find its runs by.', text('A tag.', oneLine)),
    runtime: word('container; host runs it on this machine and needs trust.', 'container', 'host'),
    network,
    timeout: duration('Longest time of a run.'),
    concurrency,
    on_failure: handler('when the run has failed'),
    on_cancel: handler('when the run was cancelled'),
    always: handler('at the end of every run'),
    // What is in them is nobody's concern: they are counted before the rest is looked at.
    triggers: words('Read for the sake of wf; dwf starts nothing by itself.', text('A trigger.')),
    tasks: {
      kind: 'map',
      doc: 'The tasks.',
      key: id,
      keyDoc: 'a name of letters, digits, underscores and dashes',
      of: task,
    },
  },
}
