import { printableJson } from '../../util/text.ts'
import { isoOf, localTimeMs } from '../looks/times.ts'
import { oneLine } from '../render/events.ts'
import { Lines, tame } from '../render/run.ts'
import type { Style } from '../render/style.ts'
import { isWorkflowLog, jsonWithoutCommands, withoutCommands } from '../render/workflow-log.ts'
import type { Piece } from './pieces.ts'
import { LastBytes } from './tail.ts'
import type { WayOut } from './way-out.ts'

export interface Shown {
  /**
   * bytes: of one task, as they are; text: of one task, for a terminal; lines: with the name of their task; json: one
   * document a line.
   */
  readonly form: 'bytes' | 'text' | 'lines' | 'json'
  readonly timestamps: boolean
  /** Control characters would reach a terminal. */
  readonly isTamed: boolean
  /** Only so many of the last lines of what is there already. */
  readonly last?: number
}

export interface Shower {
  add(piece: Piece): Promise<void> | undefined
  /** What was there already is told: what comes now is new. */
  caughtUp(): Promise<void>
}

/** Pieces of logs → what a person or a program reads. */
export function shower(shown: Shown, out: WayOut, style: Style, env: NodeJS.ProcessEnv = process.env): Shower {
  return shown.form === 'bytes' ? bytes(shown, out) : lines(shown, out, style, isWorkflowLog(env))
}

function bytes({ last }: Shown, out: WayOut): Shower {
  let tail = last === undefined ? undefined : new LastBytes(last)
  return {
    add(piece) {
      if (tail) tail.add(piece.bytes)
      else return out.write(piece.bytes)
    },
    async caughtUp() {
      for (const part of tail?.take() ?? []) await out.write(part)
      tail = undefined
      await out.flush()
    },
  }
}

function lines({ form, timestamps, isTamed, last }: Shown, out: WayOut, style: Style, isLog: boolean): Shower {
  const hasColour = style('red', 'x') !== 'x'
  const open = new Map<string, { readonly lines: Lines; readonly attempt: number | undefined }>()
  let tail: string[] | undefined = last === undefined ? undefined : []
  let waiting: Promise<void> | undefined
  let at = 0
  const say = (line: string) => {
    if (!tail) {
      waiting = out.write(`${line}\n`) ?? waiting
      return
    }
    tail.push(line)
    // Seldom, since it moves all of them.
    if (tail.length > 2 * last! + 1000) tail = tail.slice(-last!)
  }
  const line = (piece: Piece, text: string): string => {
    if (form === 'json') {
      const document = printableJson(
        JSON.stringify({
          schema: 'dwf.log/1',
          at: isoOf(at),
          task: piece.task,
          stream: piece.stream,
          text: text.replace(/\r$/, ''),
        }),
      )
      return isLog ? jsonWithoutCommands(document) : document
    }
    const before = [
      ...(timestamps ? [style('dim', localTimeMs(at))] : []),
      ...(form === 'lines' ? [style('dim', `${oneLine(piece.task)} │`)] : []),
    ]
    const whole = [...before, isTamed ? tame(text, hasColour) : text].join(' ')
    return isLog ? withoutCommands(whole) : whole
  }
  const keyOf = ({ task, stream }: Piece) => `${stream} ${task}`
  const linesOf = (piece: Piece): Lines => {
    const key = keyOf(piece)
    const known = open.get(key)
    if (known?.attempt === piece.attempt && known) return known.lines
    // What an attempt left open is not the beginning of the next one's first line.
    known?.lines.end()
    const made = new Lines((text) => say(line(piece, text)))
    open.set(key, { lines: made, attempt: piece.attempt })
    return made
  }
  const end = (piece: Piece) => {
    for (const stream of ['stdout', 'stderr'] as const) open.get(keyOf({ ...piece, stream }))?.lines.end()
  }
  return {
    add(piece) {
      waiting = undefined
      at = piece.at
      if (piece.isLast) end(piece)
      else linesOf(piece).add(piece.bytes)
      return waiting
    },
    async caughtUp() {
      const told = tail && last! > 0 ? tail.slice(-last!) : []
      tail = undefined
      for (const one of told) await out.write(`${one}\n`)
      await out.flush()
    },
  }
}
