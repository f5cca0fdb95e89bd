import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface Finished {
  /** -1 when a signal ended it. */
  readonly code: number
  readonly signal?: NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
  /** True when the time was up and it was killed. */
  readonly timedOut: boolean
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
  /** Descriptor of an open file that gets standard output, whatever bytes it has; `stdout` is empty then. */
  readonly stdoutTo?: number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Each line of stdout and stderr as it comes. */
  readonly onLine?: (line: string) => void
  /** At the abort the program's own children get INT first: for a program that is only the parent of the one that works. */
  readonly interruptChildren?: boolean
  /** Bytes of each stream that are kept, from the end. */
  readonly keep?: number
}

/** How long the streams of a program that has ended are read on, ms. */
const lingerMs = 2_000

/**
 * Runs a program to its end, never through a shell; never throws for a non-zero exit.
 * It gets a process group of its own, so that the time-out and the abort end its children too.
 * @throws the spawn error (ENOENT, EACCES) when it cannot be started
 */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { keep = 32 * 1024 * 1024 } = options
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd: options.cwd,
      env: (options.env ?? process.env) as NodeJS.ProcessEnv,
      stdio: ['pipe', options.stdoutTo ?? 'pipe', 'pipe'],
      detached: true,
    })
    let timedOut = false
    const kill = (signal: NodeJS.Signals) => {
      try {
        process.kill(-child.pid!, signal)
      } catch {
        // It has gone already.
      }
    }
    // A build that is killed outright leaves its containers and half a layer: it gets a moment to clear up.
    let last: NodeJS.Timeout | undefined
    const stop = () => {
      kill('SIGTERM')
      last = setTimeout(kill, 5_000, 'SIGKILL')
    }
    const end = () => {
      const children = options.interruptChildren ? childrenOf(child.pid!) : []
      for (const pid of children) process.kill(pid, 'SIGINT')
      if (children.length === 0) stop()
      else last = setTimeout(stop, 5_000)
    }
    const expire = () => {
      timedOut = true
      end()
    }
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(expire, options.timeoutMs)
    options.signal?.addEventListener('abort', end, { once: true })
    const out = collect(keep, options.onLine)
    const err = collect(keep, options.onLine)
    child.stdout?.on('data', out.add)
    child.stderr!.on('data', err.add)
    child.stdin!.on('error', () => {}) // It may end without reading.
    child.stdin!.end(options.input ?? '')
    const settled = () => {
      clearTimeout(timer)
      clearTimeout(last)
      options.signal?.removeEventListener('abort', end)
    }
    child.once('error', (error) => {
      settled()
      reject(error)
    })
    // What it started and left behind may hold its streams open for ever: then what came until now is all.
    let left: NodeJS.Timeout | undefined
    child.once('exit', () => {
      clearTimeout(timer)
      left = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr!.destroy()
      }, lingerMs)
    })
    child.once('close', (code, signal) => {
      settled()
      clearTimeout(left)
      resolve({ code: code ?? -1, ...(signal ? { signal } : {}), stdout: out.end(), stderr: err.end(), timedOut })
    })
    if (options.signal?.aborted) end()
  })
}

function childrenOf(parent: number): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && parentOf(name) === parent)
      .map(Number)
  } catch {
    return [] // Not Linux.
  }
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

function collect(keep: number, onLine: ((line: string) => void) | undefined) {
  let chunks: Buffer[] = []
  let size = 0
  let open = ''
  const decoder = new TextDecoder()
  return {
    add(chunk: Buffer) {
      chunks.push(chunk)
      size += chunk.length
      if (size > 2 * keep) {
        chunks = [Buffer.concat(chunks).subarray(-keep)]
        size = keep
      }
      if (!onLine) return
      const lines = (open + decoder.decode(chunk, { stream: true })).split('\n')
      // A line that never ends is cut: it would be copied again with each chunk.
      open = lines.pop()!.slice(-16_384)
      for (const line of lines) onLine(line)
    },
    end(): string {
      if (onLine && open) onLine(open)
      return Buffer.concat(chunks).subarray(-keep).toString('utf8')
    },
  }
}
