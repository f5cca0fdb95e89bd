import { linkSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Who holds a lock. A pid alone may be somebody else's by now; with the time the process started it is not. */
export interface LockHolder {
  readonly pid: number
  /** As the kernel counts it; '' where it does not tell. */
  readonly started: string
  readonly host: string
}

export interface LockOptions {
  readonly signal?: AbortSignal
  /** Called once when another process has it. */
  readonly onWait?: (holder: LockHolder) => void
  /** Between two looks; 200 ms. */
  readonly pollMs?: number
}

/**
 * Runs `action` while no other process that asks for the same path does. What a dead process left is taken over. A
 * holder on another machine (a shared home) is taken for alive, since nobody can tell.
 * @throws the signal's reason when it is aborted while waiting
 */
export async function withLock<T>(path: string, options: LockOptions, action: () => Promise<T>): Promise<T> {
  const own = JSON.stringify(thisProcess())
  let hasSaid = false
  while (!take(path, own)) {
    options.signal?.throwIfAborted()
    const holder = readHolder(path)
    if (holder !== 'none' && (holder === 'broken' || !isAlive(holder))) removeDead(path)
    else if (holder !== 'none') {
      if (!hasSaid) options.onWait?.(holder)
      hasSaid = true
      await sleep(options.pollMs ?? 200, undefined, options.signal ? { signal: options.signal } : {})
    }
  }
  try {
    return await action()
  } finally {
    rmSync(path, { force: true })
  }
}

/** A link either appears with its whole content or does not: nobody reads half a lock. */
function take(path: string, content: string): boolean {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 10)}`
  writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 })
  try {
    linkSync(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

function readHolder(path: string): LockHolder | 'none' | 'broken' {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as LockHolder
    return typeof value?.pid === 'number' && Number.isSafeInteger(value.pid) && value.pid > 0 ? value : 'broken'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'broken'
  }
}

/**
 * Only one at a time may remove, and it looks again first: else the second of two would remove the lock that the first
 * has just made. Whoever died while removing is waited for ten seconds.
 */
function removeDead(path: string): void {
  const gate = `${path}.removing`
  try {
    mkdirSync(gate)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const since = statSync(gate, { throwIfNoEntry: false })?.mtimeMs
    if (since !== undefined && Date.now() - since > 10_000) rmSync(gate, { recursive: true, force: true })
    return
  }
  try {
    const holder = readHolder(path)
    if (holder === 'broken' || (holder !== 'none' && !isAlive(holder))) rmSync(path, { force: true })
  } finally {
    rmdirSync(gate)
  }
}

/** A process as one word, for a label or a file name's neighbour; `readHolderWord` reads it back. */
export const holderWord = ({ pid, started, host }: LockHolder): string =>
  [pid, started.replace(' ', '/'), host].join('|')

/** Undefined for what is no such word. */
export function readHolderWord(word: string): LockHolder | undefined {
  const [pid, started, host] = word.split('|')
  const number = Number(pid)
  if (!Number.isSafeInteger(number) || number <= 0 || started === undefined || host === undefined) return undefined
  return { pid: number, started: started.replace('/', ' '), host }
}

/** Process ids mean the same within one machine and one pid namespace: a container with the machine's name is another. */
function here(): string {
  let namespace = ''
  try {
    namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''
  } catch {
    // Not Linux: there are none.
  }
  return namespace === '' || namespace === initialNamespace ? hostname() : `${hostname()}/${namespace}`
}

/** PROC_PID_INIT_INO of the kernel, include/linux/proc_ns.h. */
const initialNamespace = '4026531836'

export function thisProcess(): LockHolder {
  return { pid: process.pid, started: startOf(process.pid) ?? '', host: here() }
}

export function isAlive(holder: LockHolder): boolean {
  if (holder.host !== here()) return true
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM' && startOf(holder.pid) === holder.started
  }
  const started = startOf(holder.pid)
  return started === undefined || holder.started === '' || started === holder.started
}

/**
 * Boot and start time of a process from /proc; undefined where there is none. The command's name may hold anything. A
 * process that has ended and that nobody has asked about yet started never: it can hold nothing.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return ['Z', 'X'].includes(fields[0]!) ? `${boot} ended` : `${boot} ${fields[19]}`
  } catch {
    return undefined
  }
}
