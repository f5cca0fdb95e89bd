import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LockOptions {
  /** How long to wait for another process. */
  readonly waitMs: number
  /** A lock that is older is nobody's, whatever process has its number by now. */
  readonly staleMs: number
  readonly pollMs?: number
  readonly signal?: AbortSignal
}

/** Takes the lock at `path`: a file that only one can make, with the number of its process. Undefined when the time is up. */
export async function takeLock(
  path: string,
  { waitMs, staleMs, pollMs = 250, signal }: LockOptions,
): Promise<(() => void) | undefined> {
  for (const until = Date.now() + waitMs; ; ) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (isAbandoned(path, staleMs)) remove(path, staleMs)
    else if (Date.now() >= until || signal?.aborted) return undefined
    else await sleep(pollMs)
  }
}

function isAbandoned(path: string, staleMs: number): boolean {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    const isOld = Date.now() - statSync(path).mtimeMs > staleMs
    // Without a number, its maker may be about to write it.
    return isOld || (Number.isSafeInteger(pid) && pid > 0 && !isAlive(pid))
  } catch {
    return false
  }
}

/** Moved away first: of several that see an abandoned lock one gets it, and a fresh one that was caught is put back. */
function remove(path: string, staleMs: number): void {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
    if (!isAbandoned(aside, staleMs)) linkSync(aside, path)
  } catch {
    // Somebody else was faster.
  } finally {
    rmSync(aside, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
