import { readdirSync, readFileSync } from 'node:fs'

/** What every shell and every task of one session of a run has in its environment. */
export const sessionVariable = 'DWF_SESSION'
/** The same, in the environment that a kept-open shell was started with, and in that of none of its tasks. */
export const shellVariable = 'DWF_SHELL'

export const sessionMark = (run: string, session: number): string => `${run}/${session}`

interface Process {
  readonly pid: number
  /** Id of the kernel's session: that of the process that began it. */
  readonly session: number
  readonly parent: number
}

/**
 * Kills what a session of a run whose dwf is gone left on the host: everything in the kernel's sessions of its shells,
 * also what has another environment by now. A shell that is there is known by its own mark; of one that is gone, by
 * those who have the mark of the run and no leader any more. So what a task started for a person, in a session of its
 * own (an editor, a terminal multiplexer), lives on, and so does whoever called this.
 */
export function reapHost(mark: string): void {
  const spared = ancestors(process.pid)
  // What is killed may just be starting something: until nothing is found.
  for (let round = 0; round < 20; round++) {
    const all = processes()
    const leaders = new Set(all.map(({ pid }) => pid))
    const sessions = new Set<number>()
    for (const { pid, session } of all) {
      const environment = environmentOf(pid)
      if (environment?.includes(`\0${shellVariable}=${mark}\0`)) sessions.add(session)
      else if (!leaders.has(session) && environment?.includes(`\0${sessionVariable}=${mark}\0`)) sessions.add(session)
    }
    const found = all.filter(({ pid, session }) => sessions.has(session) && !spared.has(pid))
    if (found.length === 0) return
    for (const { pid } of found) kill(pid)
  }
}

function processes(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? [])
}

/** Undefined for what has ended, and for what only waits to be asked for. */
function statOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : { pid, parent: Number(parent), session: Number(session) }
  } catch {
    return undefined
  }
}

function ancestors(pid: number): ReadonlySet<number> {
  const found = new Set<number>()
  for (let at: number | undefined = pid; at !== undefined && at > 0 && !found.has(at); at = statOf(at)?.parent)
    found.add(at)
  return found
}

/** Between two NULs each; undefined where it cannot be read. */
function environmentOf(pid: number): string | undefined {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`
  } catch {
    return undefined
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has gone already.
  }
}
