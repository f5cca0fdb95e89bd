import { constants } from 'node:os'
import { startTimer } from '../util/timer.ts'

/** Signals that end a run: the first one ends it in good order, the second at once. */
export function onSignals(deadlineMs: number | undefined) {
  const first = new AbortController()
  const second = new AbortController()
  let received: NodeJS.Signals | undefined
  const handle = (signal: NodeJS.Signals) => {
    if (received) return second.abort()
    received = signal
    first.abort('signal')
  }
  const names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const name of names) process.on(name, handle)
  const stopTimer = deadlineMs === undefined ? undefined : startTimer(deadlineMs, () => first.abort('deadline'))
  return {
    signal: first.signal,
    hurry: second.signal,
    exitCode: () => (received ? 128 + constants.signals[received] : undefined),
    dispose: () => {
      stopTimer?.()
      for (const name of names) process.off(name, handle)
    },
  }
}
