import { createReadStream } from 'node:fs'
import type { TaskId } from '../../plan/types.ts'
import { workflowCommand } from '../../report/index.ts'
import type { DwfEvent, TaskResult } from '../../run/types.ts'
import { unreachable } from '../../util/diagnostics.ts'
import { formatDuration } from '../../util/units.ts'
import { againAfter, isQuiet, Lines, line, tame } from './run.ts'
import type { Style } from './style.ts'
import { withoutCommands } from './workflow-log.ts'

export interface WorkflowRun {
  readonly emit: (event: DwfEvent) => void
  /** Resolves when all of it is written, or after `ms` when nobody reads. */
  readonly end: (ms?: number) => Promise<void>
}

/** What a sign of life shows of the end of an output. */
const shownBytes = 200

const plainly: Style = Object.assign((_: unknown, text: string) => text, { isTerminal: false })

/**
 * Events → the log of a workflow. The output of each task is one group, written when the task has ended, so that its title
 * can say how, and tasks that run at the same time do not mix. Until then the output lies in the log file of the task and
 * not in memory; a line each minute says what still runs.
 */
export function workflowRun(options: {
  readonly out: (text: string) => void
  /** Says a command to the runner. */
  readonly command: (line: string) => void
  readonly style: Style
  /** While the reader does not keep up: resolves when it does. */
  readonly pressure: () => Promise<void> | undefined
  /** Between two signs of life, ms. */
  readonly every?: number
}): WorkflowRun {
  const { style, command, pressure, every = 60_000 } = options
  const out = (text: string) => options.out(withoutCommands(text))
  const running = new Map<TaskId, { readonly since: number; end: Buffer }>()
  const hasColour = style('red', 'x') !== 'x'

  // One after the other: nothing else may be said while a group is open.
  let last: Promise<void> = Promise.resolve()
  const later = (work: () => void | Promise<void>) => {
    last = last.then(work)
    // What goes wrong in it is told to whoever waits for the end.
    last.catch(() => {})
  }
  const say = (text: string) => later(() => out(text))

  const group = async (result: TaskResult) => {
    let isOpen = false
    const open = () => {
      if (!isOpen) command(workflowCommand('group', {}, withoutCommands(line(result, plainly).replaceAll('\n', ' '))))
      isOpen = true
    }
    const lines = new Lines((text) => out(tame(text, hasColour)))
    try {
      for await (const chunk of result.log === undefined ? [] : createReadStream(result.log)) {
        open()
        lines.add(chunk)
        await pressure()
      }
      lines.end()
    } catch (error) {
      out(`the output of ${result.id} cannot be shown: ${(error as Error).message}`)
    }
    if (isOpen) command(workflowCommand('endgroup', {}))
    else if (!isQuiet(result)) out(line(result, style))
  }

  const timer = setInterval(() => {
    for (const [task, { since, end }] of running) {
      const ms = Date.now() - since
      if (ms < every / 2) continue
      const text = end.toString('utf8').replace(/^\ufffd+/, '')
      const said = tame(text.trimEnd().split('\n').at(-1) ?? '', false).trim()
      say(style('dim', `… ${task} runs for ${formatDuration(ms)}${said === '' ? '' : `: ${said}`}`))
    }
  }, every)
  timer.unref()

  return {
    emit: (event) => {
      switch (event.type) {
        case 'run-started':
        case 'run-resumed':
        case 'run-interrupted':
        case 'run-ended':
        case 'lock-taken':
          break
        case 'task-started':
          running.set(event.task, { since: running.get(event.task)?.since ?? event.at, end: Buffer.alloc(0) })
          say(`${style('cyan', '▶')} ${event.task}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}`)
          break
        case 'output': {
          const task = running.get(event.task)
          if (task) task.end = Buffer.concat([task.end, event.chunk.subarray(-shownBytes)]).subarray(-shownBytes)
          break
        }
        case 'task-retried':
          say(`${style('yellow', '↻')} ${event.task} ${event.outcome}, ${againAfter(event.delayMs)}`)
          break
        case 'task-ended':
          running.delete(event.result.id)
          later(() => group(event.result))
          break
        case 'note':
          say(style('dim', event.text))
          break
        default:
          unreachable(event)
      }
    },
    async end(ms) {
      clearInterval(timer)
      const limit = ms === undefined ? [] : [new Promise<void>((resolve) => void setTimeout(resolve, ms).unref())]
      await Promise.race([last, ...limit])
    },
  }
}
