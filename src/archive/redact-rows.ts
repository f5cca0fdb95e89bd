import type { EventRow } from '../store/chain.ts'
import type { RunRows } from '../store/export-rows.ts'
import { canonicalJson } from '../util/canonical.ts'
import { redactText, redactValue } from '../util/redact.ts'
import { parseJson } from '../util/text.ts'
import type { RowName } from './manifest.ts'

/**
 * The rows of a run without what looks like a secret, and how many places of each kind that were. An event in which
 * nothing was found stays as it is, byte for byte: it is what its hash is of.
 */
export function redactRows(rows: RunRows): {
  readonly rows: RunRows
  readonly places: Readonly<Record<RowName, number>>
} {
  const places: Record<RowName, number> = { attempts: 0, events: 0, options: 0, outputs: 0, plan: 0, run: 0, tasks: 0 }
  const redact = <T>(name: RowName, value: T): T => {
    const redacted = redactValue(value)
    places[name] += redacted.places
    return redacted.value as T
  }
  const json = (name: RowName, text: string): string => {
    const value = redactValue(parseJson(text))
    places[name] += value.places
    return value.places > 0 ? canonicalJson(value.value) : text
  }
  const event = (row: EventRow): EventRow => {
    const data = parseJson(row.data) === undefined ? redactData(row.data) : json('events', row.data)
    return { ...redact('events', { ...row, data: '', hash: '' }), data, hash: row.hash }
  }
  const redactData = (text: string): string => {
    const redacted = redactText(text)
    places.events += redacted.places
    return redacted.text
  }
  return {
    rows: {
      run: { ...redact('run', { ...rows.run, tags: '' }), tags: json('run', rows.run.tags) },
      plan: json('plan', rows.plan),
      options: json('options', rows.options),
      tasks: redact('tasks', rows.tasks),
      attempts: redact('attempts', rows.attempts),
      outputs: rows.outputs.map(({ task, name, value }) => {
        // As the event has it: a member by the name of the output.
        const [[shownName, shownValue] = [name, value]] = Object.entries(redact('outputs', { [name]: value }))
        return { ...redact('outputs', { task }), name: shownName, value: shownValue }
      }),
      events: rows.events.map(event),
      isImported: rows.isImported,
    },
    places,
  }
}
