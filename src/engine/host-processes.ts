import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

interface Process {
  readonly pid: number
  readonly parent: number
  readonly session: number
}

/** '' when the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Every living process of this machine, as the kernel lists it. The name of a process may hold brackets, blanks and line ends. */
function processes(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    const stat = read(`/proc/${name}/stat`)
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (stat === '' || state === 'Z' || state === 'X') return []
    return [{ pid: Number(name), parent: Number(parent), session: Number(session) }]
  })
}

/** The processes below a kept-open shell, those in a session of the shell or of one of them, and so on. */
function belongingTo(shell: number): ReadonlySet<number> {
  const all = processes()
  const found = new Set([shell])
  for (let before = 0; before < found.size; ) {
    before = found.size
    for (const { pid, parent, session } of all) if (found.has(parent) || found.has(session)) found.add(pid)
  }
  found.delete(shell)
  return found
}

/**
 * Whether a kept-open shell has forked and that child is not its task yet: it still has the shell's command line, and
 * would take a signal as the shell does.
 */
export function isStarting(shell: number): boolean {
  const own = read(`/proc/${shell}/cmdline`)
  return processes().some(({ pid, parent }) => parent === shell && read(`/proc/${pid}/cmdline`) === own)
}

/** Signals all that a kept-open shell has started and that is still there. @returns whether it reached anything */
export function signalBelow(shell: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  let isReached = false
  for (const pid of belongingTo(shell)) {
    try {
      process.kill(pid, signal)
      isReached = true
    } catch {
      // It has ended between the look and the signal.
    }
  }
  return isReached
}

/** As many times something is killed, and as long it takes until it is looked for again, ms. */
const rounds = 200
const pause = 2

/**
 * Ends what the tasks of kept-open shells left. A task was the only child of its shell, so what is left has just been
 * adopted by the nearest process above that does that. When its children are the same as after the task before, nothing
 * is left: one file is read, not one for each process of the machine.
 * @param adopted the list of those children; '' when the kernel has none
 * @returns for a shell: undefined when nothing was left, else a promise that says whether all of it is gone
 */
export function clearing(adopted: string): (shell: number) => Promise<boolean> | undefined {
  const known = new Map<number, string>()
  return (shell) => {
    const now = adopted && read(adopted)
    if (now && known.get(shell) === now) return undefined
    known.set(shell, now)
    return signalBelow(shell, 'SIGKILL') ? endAll(shell) : undefined
  }
}

async function endAll(shell: number): Promise<boolean> {
  for (let round = 0; round < rounds; round++) {
    await sleep(pause)
    if (!signalBelow(shell, 'SIGKILL')) return true
  }
  return false
}
