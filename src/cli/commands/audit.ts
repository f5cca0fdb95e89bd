import { auditAll, auditRun, type Misfit, type RunVerdict, readEvents } from '../../store/audit.ts'
import type { EventRow } from '../../store/chain.ts'
import { exportRows } from '../../store/export-rows.ts'
import { storeFailure } from '../../store/open.ts'
import type { Store } from '../../store/store.ts'
import { auditTombstones, readTombstones, type TombstonesVerdict } from '../../store/tombstones.ts'
import { failure } from '../../util/diagnostics.ts'
import { listing } from '../../util/text.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { eventLine, oneLine } from '../render/events.ts'
import { findRun } from '../run/find-run.ts'
import { openRunsIfAny } from '../run/store.ts'

export interface AuditOptions {
  /** Holds the run against its own chain. */
  readonly verify?: boolean
  /** Hash of an event that was kept elsewhere, or its first digits. */
  readonly head?: string
  /** Every run, and the tombstones. */
  readonly all?: boolean
}

/** `dwf audit [RUN]`: what happened in a run, or whether what is kept of it fits together. */
export async function audit(
  word: string | undefined,
  options: AuditOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const head = readHead(options.head)
  if (options.all && (word !== undefined || head !== undefined))
    throw failure(
      'wrong-input',
      'usage',
      '--all is every run: it takes no run and no --head',
      'dwf audit --all --verify',
    )
  const store = await openRunsIfAny(output)
  try {
    if (options.all) return verifyAll(store, globals, output)
    const run = await findRun(store, word, globals)
    if (options.verify || head !== undefined) return verifyOne(store!, run.id, head, globals, output)
    const events = readEvents(store!.database, run.id)
    if (globals.json)
      output.json({ schema: 'dwf.audit/1', run: run.id, head: events.at(-1)?.hash, events: events.map(shown) })
    else for (const event of events) output.result(eventLine(event))
    return exitCodes.ok
  } catch (error) {
    throw store ? storeFailure(error, store.file) : error
  } finally {
    store?.close()
  }
}

function readHead(text: string | undefined): string | undefined {
  if (text === undefined || /^[0-9a-f]{12,64}$/i.test(text)) return text?.toLowerCase()
  throw failure(
    'wrong-input',
    'usage',
    `--head must be a hash of 64 hexadecimal digits or its first 12 or more, not ${JSON.stringify(text)}`,
    'the summary of a run ends with its head',
  )
}

/** The data of an event is one JSON text in the store, since its hash is of that text. */
function shown({ run: _run, data, ...event }: EventRow): object {
  try {
    return { ...event, data: JSON.parse(data) }
  } catch {
    return { ...event, data }
  }
}

function verifyOne(store: Store, run: string, head: string | undefined, globals: Globals, output: Output): number {
  const verdict = auditRun(exportRows(store.database, run)!, head)
  if (globals.json) output.json({ schema: 'dwf.verdict/1', ...verdict })
  else for (const line of verdictLines(verdict)) output.result(line)
  return verdict.ok ? exitCodes.ok : exitCodes.failed
}

function verifyAll(store: Store | undefined, globals: Globals, output: Output): number {
  const runs = store ? auditAll(store.database) : []
  const tombstones = auditTombstones(store ? readTombstones(store.database) : [])
  const ok = tombstones.ok && runs.every((run) => run.ok)
  if (globals.json) output.json({ schema: 'dwf.verdicts/1', ok, runs, tombstones })
  else {
    for (const run of runs) {
      const but = run.redacted.length === 0 ? '' : `  but for ${eventsText(run.redacted)}: redacted`
      output.result(`${output.style(run.ok ? 'green' : 'red', run.ok ? 'fits' : 'does not fit')}  ${run.run}${but}`)
      for (const misfit of run.misfits.slice(0, most)) output.result(`  ${misfitLine(misfit)}`)
    }
    for (const line of tombstoneLines(tombstones)) output.result(line)
    if (ok) output.result(notAll)
  }
  return ok ? exitCodes.ok : exitCodes.failed
}

/** Rows that are named; the first one is what counts. */
const most = 10
const notAll = 'this does not rule out that everything was rewritten: only a head that was kept elsewhere does (--head)'

export function verdictLines(verdict: RunVerdict): readonly string[] {
  const { run, events, fits, head, misfits, redacted, outside } = verdict
  const count = events === 1 ? '1 event' : `${events} events`
  return [
    `run ${run}: ${count}, ${fits === events ? `head ${head}` : `of which the first ${fits} fit`}`,
    ...misfits.slice(0, most).map(misfitLine),
    ...(misfits.length > most ? [`and ${misfits.length - most} more`] : []),
    ...(redacted.length > 0 && (outside || misfits.length > 0)
      ? [`redacted: ${eventsText(redacted)} cannot be held against ${redacted.length === 1 ? 'its' : 'their'} hash`]
      : []),
    ...(outside?.event === undefined ? [] : [outsideLine(outside.event, outside.from, events)]),
    ...(misfits.length === 0 && !outside ? [consistent(redacted), notAll] : []),
  ]
}

const consistent = (redacted: readonly number[]): string =>
  redacted.length === 0
    ? 'consistent: its events follow each other, and its rows say what they say'
    : `consistent but for ${redacted.length === 1 ? '1 redacted event' : `${redacted.length} redacted events`}: ${eventsText(redacted)} cannot be held against ${redacted.length === 1 ? 'its' : 'their'} hash`

const eventsText = (events: readonly number[]): string =>
  `${events.length === 1 ? 'event' : 'events'} ${listing(events.map(String))}`

function outsideLine(event: number, from: number | undefined, events: number): string {
  if (from === undefined) return `the head is that of event ${event}, and vouches for nothing up to it`
  if (from > 1) return `the head vouches for event ${from} to ${event}, and not for what came before: it may be changed`
  return `untampered up to event ${event}, ${event === events ? 'its last' : `where the chain has the given head; ${events - event} more came after it`}`
}

const misfitLine = ({ where, why }: Misfit): string => oneLine(`${where}: ${why}`)

function tombstoneLines({ ok, tombstones, head, misfits }: TombstonesVerdict): readonly string[] {
  if (!ok) return misfits.map(misfitLine)
  return [tombstones === 0 ? 'no run was pruned' : `tombstones of pruned runs: ${tombstones}, head ${head}`]
}
