import type { EventRow } from '../../store/chain.ts'
import { printable } from '../../util/text.ts'
import { formatDuration } from '../../util/units.ts'
import { isoOf } from '../looks/times.ts'

/** Text of a repository on one line: what it says can neither drive a terminal nor look like another line. */
export const oneLine = (text: string): string => printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')

/** One line for one event: number, time, type, task, and what it says in a few words. */
export function eventLine(event: EventRow): string {
  const { sequence, at, type, task } = event
  const words = [String(sequence).padStart(4), isoOf(at), type.padEnd(15), task ?? '', whatOf(event)]
  return oneLine(words.filter((word) => word !== '').join('  '))
}

type Fields = Readonly<Record<string, unknown>>

function whatOf({ type, data }: EventRow): string {
  let fields: Fields
  try {
    fields = fieldsIn(JSON.parse(data))
  } catch {
    return data
  }
  const result = fieldsIn(fields.result)
  switch (type) {
    case 'run-started':
      return counted(fields.tasks, 'task')
    case 'run-resumed':
      return `session ${fields.session}: ${counted(fields.tasks, 'task')}, ${lengthOf(fields.kept)} of them done`
    case 'run-interrupted':
      return `process ${fields.pid} on ${fields.host} was gone`
    case 'lock-taken':
      return `${fieldsIn(fields.lock).name} (token ${fieldsIn(fields.lock).token})`
    case 'task-started':
      return `attempt ${fields.attempt}`
    case 'task-retried':
      return `attempt ${fields.attempt} ${fields.outcome}${codeOf(fields)}; waits ${formatDuration(Number(fields.delayMs))}`
    case 'task-ended':
      return `${result.outcome}${codeOf(result)}${timeSpent(result)}${result.reason === undefined ? '' : `: ${result.reason}`}`
    case 'run-ended':
      return `${result.ok === true ? 'ok' : (result.ended ?? 'not ok')}${timeSpent(result)}`
    default:
      return data
  }
}

const codeOf = ({ code }: Fields): string => (code === undefined || code === 0 ? '' : ` (exit ${code})`)
const timeSpent = ({ ms }: Fields): string => (typeof ms === 'number' ? ` in ${formatDuration(ms)}` : '')
const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0)
const counted = (value: unknown, word: string): string =>
  `${lengthOf(value)} ${word}${lengthOf(value) === 1 ? '' : 's'}`
const fieldsIn = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
