import type { ExecRequest, Exit, Session } from '../engine/types.ts'
import { startTimer } from '../util/timer.ts'

export interface AttemptOptions {
  readonly timeoutMs: number
  /** Between TERM and KILL, ms. */
  readonly graceMs: number
  readonly signal: AbortSignal
  /** Aborted when even the grace is too long: everything is killed at once. */
  readonly hurry: AbortSignal
}

export type AttemptEnd =
  | { readonly kind: 'exit'; readonly exit: Exit }
  /** `isClosed`: nothing else helped, and the session is gone with it. */
  | { readonly kind: 'timed-out' | 'cancelled'; readonly isClosed: boolean }

/** How long a killed subtree may take to be gone before the whole session is closed, ms. */
const patience = 5_000

/**
 * One try of one task. At the time-out, or when the run is cancelled, the whole subtree gets TERM, after the grace
 * KILL; if the shell does not report the end then, the container is removed under it.
 */
export async function attempt(session: Session, request: ExecRequest, options: AttemptOptions): Promise<AttemptEnd> {
  if (options.signal.aborted) return { kind: 'cancelled', isClosed: false }
  const running = await session.exec(request)
  let why: 'timed-out' | 'cancelled' | undefined
  let isClosed = false
  const closeAll = () => {
    isClosed = true
    void session.close()
  }
  const timers: (() => void)[] = []
  const later = (ms: number, action: () => void) => void timers.push(startTimer(ms, action))
  const stop = (reason: 'timed-out' | 'cancelled') => {
    if (why) return
    why = reason
    running.signal('TERM')
    later(options.graceMs, () => {
      running.signal('KILL')
      later(patience, closeAll)
    })
  }
  const hurry = () => {
    why ??= 'cancelled'
    running.signal('KILL')
    closeAll()
  }
  options.hurry.addEventListener('abort', hurry, { once: true })
  const cancel = () => stop('cancelled')
  options.signal.addEventListener('abort', cancel, { once: true })
  if (options.signal.aborted) cancel()
  later(options.timeoutMs, () => stop('timed-out'))
  const exit = await running.exit
  for (const stopTimer of timers) stopTimer()
  options.signal.removeEventListener('abort', cancel)
  options.hurry.removeEventListener('abort', hurry)
  return why ? { kind: why, isClosed } : { kind: 'exit', exit }
}
