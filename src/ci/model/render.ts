import { Document, type Pair, Scalar, type ScalarTag, visit, YAMLMap, YAMLSeq } from 'yaml'
import { printable } from '../../util/text.ts'
import {
  type CallJob,
  type Job,
  type Permissions,
  plain,
  type Step,
  type Triggers,
  type Value,
  type Workflow,
} from './types.ts'

/** What a file says of itself in its first lines. */
export interface Header {
  /** Version of dwf. */
  readonly dwf: string
  readonly about: readonly string[]
}

/** A workflow as YAML with comments: the same model gives the same bytes. Pure. */
export function renderWorkflow(workflow: Workflow, dwf: string): string {
  const jobs = Object.entries(workflow.jobs).map(
    ([id, job]) => [id, 'calls' in job ? callJob(job) : jobMap(job), job.about] as const,
  )
  const root = mapOf([
    ['name', data(workflow.name)],
    ['on', triggers(workflow.on)],
    ['permissions', mapOf([])],
    [
      'concurrency',
      mapOf([
        ['group', value(workflow.concurrency.group)],
        ['cancel-in-progress', value(workflow.concurrency.cancel)],
      ]),
    ],
    ['defaults', mapOf([['run', mapOf([['shell', 'bash']])]])],
    ['jobs', spaced(commented(jobs))],
  ])
  return renderYaml(spaced(root), { dwf, about: workflow.about })
}

/** Any document in the layout of dwf's files. */
export function renderYaml(root: YAMLMap, header: Header): string {
  const document = new Document(root, { customTags: [folded] })
  document.commentBefore = [
    ` Written by dwf ${header.dwf} from devflow.toml and devflow.lock: change them, and run "dwf ci:generate".`,
    ' What is edited here is kept when it is written again.',
    ...header.about.map(commentLine),
  ].join('\n')
  visit(document, (_, node) => {
    if (typeof node === 'string' && isFragile(node)) return quoted(node)
    if (node instanceof Scalar && node.type === undefined && typeof node.value === 'string' && isFragile(node.value))
      node.type = Scalar.QUOTE_DOUBLE
    return undefined
  })
  return document
    .toString({
      lineWidth: 0,
      indentSeq: true,
      // As the formatters of YAML have it, which a repository may run over its workflows.
      singleQuote: false,
      flowCollectionPadding: false,
      doubleQuotedMinMultiLineLength: Number.POSITIVE_INFINITY,
    })
    .replace(unseen, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * What the readers of YAML do not agree on: libyaml and its kin, GitHub's among them, end a line at U+0085, U+2028 and
 * U+2029, refuse control characters and a block that begins with a tab, and see a key in `?x` and `:x`. Quoted and
 * escaped, all read the same.
 */
const unseen = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g
const fragile = /[\t\r\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|^[?:]/

/** A block of lines loses white space at its ends with some writers, and some readers. */
const isFragile = (text: string): boolean => fragile.test(text) || (text.includes('\n') && text !== text.trim())

function quoted(text: string): Scalar {
  const scalar = new Scalar(text)
  scalar.type = Scalar.QUOTE_DOUBLE
  return scalar
}

function triggers(on: Triggers): YAMLMap {
  const { pull_request, merge_group, push, schedule, workflow_dispatch, workflow_call } = on
  const outputs = Object.entries(workflow_call?.outputs ?? {}).map(
    ([name, output]) =>
      [
        name,
        mapOf([
          ['description', data(output.description)],
          ['value', value(output.value)],
        ]),
      ] as const,
  )
  const secrets = (workflow_call?.secrets ?? []).map((name) => [name, mapOf([['required', false]])] as const)
  const calls = [
    ...(secrets.length > 0 ? [['secrets', mapOf(secrets)] as const] : []),
    ...(outputs.length > 0 ? [['outputs', mapOf(outputs)] as const] : []),
  ]
  const empty = (is: boolean | undefined) => (is ? nothing() : undefined)
  return mapOf([
    ['pull_request', pull_request && (pull_request.length > 0 ? mapOf([['types', list(pull_request)]]) : nothing())],
    ['merge_group', empty(merge_group)],
    ['push', push && mapOf(Object.entries(push).map(([key, names]) => [key, list(names.map(data))]))],
    ['schedule', schedule === undefined ? undefined : list([mapOf([['cron', data(schedule)]])])],
    ['workflow_dispatch', empty(workflow_dispatch)],
    ['workflow_call', workflow_call && (calls.length > 0 ? mapOf(calls) : nothing())],
  ])
}

function callJob(job: CallJob): YAMLMap {
  const uses = new Scalar(job.calls)
  // actionlint 1.7.12 and act refuse GitHub's newer `$/…` for the same place (seen November 2026).
  uses.comment = ' zizmor: ignore[self-repository]'
  return mapOf([
    ['name', data(job.name)],
    ['needs', job.needs && list(job.needs)],
    ['if', job.if?.expression],
    ['permissions', permissions(job.permissions)],
    ['uses', uses],
    [
      'secrets',
      job.secrets?.length ? mapOf(job.secrets.map((name) => [name, `\${{ secrets.${plain(name)} }}`])) : undefined,
    ],
  ])
}

function jobMap(job: Job): YAMLMap {
  return mapOf([
    ['name', data(job.name)],
    ['needs', job.needs && list(job.needs)],
    ['if', job.if?.expression],
    // Has rootless Podman, and stays on one Ubuntu.
    ['runs-on', 'ubuntu-24.04'],
    ['timeout-minutes', job.timeoutMinutes],
    ['environment', job.environment === undefined ? undefined : data(job.environment)],
    ['permissions', permissions(job.permissions)],
    ['outputs', job.outputs && mapOf(Object.entries(job.outputs).map(([name, output]) => [name, value(output)]))],
    ['steps', list(job.steps.map(step))],
  ])
}

function permissions(grants: Permissions): YAMLMap {
  const map = new YAMLMap()
  for (const [scope, { access, why }] of Object.entries(grants).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const scalar = new Scalar(access)
    scalar.comment = commentLine(why)
    map.add({ key: scope, value: scalar })
  }
  return map
}

function step(one: Step): YAMLMap {
  const head = [
    ['name', data(one.name)],
    ['id', one.id],
    ['if', one.if?.expression],
  ] as const
  const env = one.env && mapOf(Object.entries(one.env).map(([name, of]) => [name, value(of)]))
  if ('run' in one) {
    const run = new Scalar(one.run)
    run.type = Scalar.BLOCK_LITERAL
    return mapOf([...head, ['env', env], ['run', run]])
  }
  const { name, folder, sha, version } = one.uses
  const uses = new Scalar(`${name}${folder ? `/${folder}` : ''}@${sha}`)
  uses.comment = commentLine(version)
  return mapOf([
    ...head,
    ['uses', uses],
    ['env', env],
    ['with', one.with && mapOf(Object.entries(one.with).map(([key, of]) => [key, value(of)]))],
  ])
}

/** Text for a place that GitHub evaluates: what would begin an expression there becomes one that gives just that text. */
export function data(text: string): string {
  return text.replaceAll('${{', "${{ '${{' }}")
}

function value(of: Value): string | number | boolean | Scalar<Folded> {
  if (typeof of === 'object') return 'words' in of ? new Scalar(new Folded(of.words)) : `\${{ ${of.expression} }}`
  return typeof of === 'string' ? data(of) : of
}

/** A folded scalar, whose lines are one line for whoever reads it. */
class Folded {
  readonly words: readonly string[]

  constructor(words: readonly string[]) {
    if (words.length === 0 || words.some((word) => !/^[!-"$-~]+$/.test(word) || word.includes('${{')))
      throw new Error('a word is empty, has white space, or is more than a word')
    this.words = words
  }
}

const folded: ScalarTag = {
  tag: 'tag:yaml.org,2002:str',
  default: true,
  identify: (of) => of instanceof Folded,
  resolve: (text) => text,
  stringify: ({ value: of }, { indent }) => `>-\n${(of as Folded).words.map((word) => `${indent}${word}`).join('\n')}`,
}

type Entry = readonly [key: string, value: unknown]

/** Leaves out what is undefined. */
export function mapOf(entries: readonly Entry[]): YAMLMap {
  const map = new YAMLMap()
  for (const [key, of] of entries) if (of !== undefined) map.add({ key, value: of })
  // What is empty has no lines of its own.
  if (map.items.length === 0) map.flow = true
  return map
}

const flowWidth = 60

export function list(items: readonly unknown[]): YAMLSeq {
  const seq = new YAMLSeq()
  for (const item of items) seq.add(item)
  // On one line as long as it fits there with its key: formatters break a longer one.
  seq.flow = items.every((item) => typeof item === 'string') && items.join(', ').length <= flowWidth
  return seq
}

function nothing(): Scalar {
  const scalar = new Scalar(null)
  scalar.source = ''
  return scalar
}

/** A map whose keys have a line above them. */
function commented(entries: readonly (readonly [key: string, value: unknown, comment: string])[]): YAMLMap {
  const map = new YAMLMap()
  for (const [key, of, comment] of entries) {
    const name = new Scalar(key)
    name.commentBefore = commentLine(comment)
    map.add({ key: name, value: of })
  }
  return map
}

/** An empty line before each entry but the first. */
function spaced(map: YAMLMap): YAMLMap {
  for (const [index, pair] of (map.items as Pair<unknown, unknown>[]).entries()) {
    const key = pair.key instanceof Scalar ? pair.key : new Scalar(pair.key)
    key.spaceBefore = index > 0
    pair.key = key
  }
  return map
}

/** One line of a comment, whatever is in the text. */
function commentLine(text: string): string {
  return ` ${printable(text.replace(/[\s\u0085\u2028\u2029]+/g, ' '))}`.trimEnd()
}
