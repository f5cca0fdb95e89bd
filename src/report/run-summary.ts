import { count } from '../scan/text.ts'
import { formatDuration } from '../util/units.ts'
import { markdown, markdownBlock, markdownCode } from './markdown.ts'

export interface TaskRow {
  readonly id: string
  /** `✔`, `✖`, …: a sign of ours, written as it is. */
  readonly sign: string
  /** `failed (exit 1)`. */
  readonly outcome: string
  /** Undefined where it did not run. */
  readonly ms?: number
  readonly attempts: number
  readonly reason?: string
}

export interface RunForSummary {
  readonly run: string
  readonly dwf: string
  readonly ok: boolean
  /** What was asked for: `check:pr`. */
  readonly what: string
  /** `2 of 7 failed in 12 s`. */
  readonly verdict: string
  readonly plan: string
  /** Hash of its last event. */
  readonly head: string
  readonly engine?: string
  readonly tasks: readonly TaskRow[]
  /** What a reader must know before believing the result. */
  readonly remarks: readonly string[]
  /** What failed beside the tasks. */
  readonly violations: readonly string[]
  /** Commands that do the same elsewhere. */
  readonly again: readonly string[]
}

/** Markdown for `$GITHUB_STEP_SUMMARY`: the tasks of a run, and how to run the same elsewhere. */
export function runSummary(run: RunForSummary, maxBytes: number): string {
  for (let rows = run.tasks.length; ; rows = Math.floor(rows / 2)) {
    const text = render(run, rows)
    if (rows === 0 || Buffer.byteLength(text) < maxBytes) return text
  }
}

const listed = 20

function render(run: RunForSummary, rows: number): string {
  const about = [
    `run ${markdownCode(run.run, 100)}`,
    `plan ${markdownCode(run.plan.slice(0, 12))}`,
    `audit ${markdownCode(run.head)}`,
    ...(run.engine === undefined ? [] : [markdown(run.engine, 100)]),
    `dwf ${markdown(run.dwf, 50)}`,
  ]
  // Of a list that is cut, what failed stays.
  const tasks =
    rows < run.tasks.length ? [...run.tasks].sort((a, b) => Number(isGood(a)) - Number(isGood(b))) : run.tasks
  const lines = [
    `## ${run.ok ? '✔' : '✖'} ${markdown(run.what, 100)}: ${markdown(run.verdict, 100)}`,
    '',
    about.join(' · '),
    '',
    '| task | outcome | time | attempts | reason |',
    '|---|---|---|---|---|',
    ...tasks.slice(0, rows).map(taskRow),
  ]
  if (rows < tasks.length) lines.push('', `… and ${count(tasks.length - rows, 'more task')}`)
  const notes = [...run.violations.map((text) => `✖ ${text}`), ...run.remarks]
  if (notes.length > 0) lines.push('', ...cut(notes, 'remark').map((text) => `- ${markdown(text)}`))
  lines.push(
    '',
    'The same on your machine:',
    '',
    markdownBlock(cut(run.again, 'command').map((line) => line.slice(0, 1000))),
  )
  return `${lines.join('\n')}\n\n`
}

const isGood = ({ sign }: TaskRow): boolean => sign === '✔'

const cut = (all: readonly string[], what: string): readonly string[] =>
  all.length <= listed ? all : [...all.slice(0, listed), `… and ${count(all.length - listed, `more ${what}`)}`]

function taskRow({ id, sign, outcome, ms, attempts, reason }: TaskRow): string {
  const cells = [
    markdownCode(id, 200),
    `${sign} ${markdown(outcome, 100)}`,
    ms === undefined ? '–' : markdown(formatDuration(ms)),
    attempts === 0 ? '–' : String(attempts),
    reason === undefined || reason === '' ? '–' : markdown(reason),
  ]
  return `| ${cells.join(' | ')} |`
}
