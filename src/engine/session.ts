import { type ChildProcess, spawn } from 'node:child_process'
import { Slot, type SlotScript } from './slot.ts'
import { slotTask } from './slot-script.ts'
import type { ExecRequest, Running, Session } from './types.ts'

/** How the shells of one container are spoken to: all words go through their standard input. */
const containerScript: Omit<SlotScript, 'prelude'> = {
  task: slotTask,
  signal: (child, name) => void child.stdin!.write(`dwf_signal ${name}\n`),
}

/** How the shells of one container (or of the host) are started, spoken to and ended. */
export interface SlotSource extends Partial<SlotScript> {
  readonly prelude: string
  /** A shell that goes takes nothing with it but its own task. */
  readonly standsAlone?: boolean
  /** What the first shell's prelude said. */
  began?(said: string): void
  /** The first shell: with it the container lives and dies, unless each stands alone. */
  first(): ChildProcess
  /** One more shell in the same container. */
  more(): ChildProcess
  /** Makes sure that nothing is left, whatever became of the shells. */
  remove(): Promise<void>
}

/** Starts a program whose input and output dwf holds; a Ctrl-C on the terminal must reach dwf, not it. */
export function spawnShell(argv: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string): ChildProcess {
  return spawn(argv[0]!, argv.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
    detached: true,
    ...(cwd ? { cwd } : {}),
  })
}

/** Opens the first shell and, as tasks run at the same time, up to `limit` of them. */
export async function openSession(source: SlotSource, limit: number): Promise<Session> {
  const script = { ...containerScript, ...source }
  const first = new Slot(source.first(), script)
  const slots = [first]
  let closing: Promise<void> | undefined
  try {
    const said = await first.ready()
    source.began?.(said)
  } catch (error) {
    await source.remove()
    throw error
  }
  /** Slots that were chosen for a task and have not begun it: two tasks that start together must not choose the same. */
  const taken = new Set<Slot>()
  const takeSlot = async (): Promise<Slot> => {
    const living = slots.filter((slot) => !slot.isLost)
    const free = living.find((slot) => !slot.busy && !taken.has(slot))
    if (!free && living.length >= limit) throw new Error('no slot is free')
    const slot = free ?? new Slot(source.more(), script)
    taken.add(slot)
    if (!free) {
      slots.push(slot)
      await slot.ready()
    }
    return slot
  }
  return {
    async exec(request: ExecRequest): Promise<Running> {
      if (first.isLost && !source.standsAlone)
        return { exit: Promise.resolve({ kind: 'lost', reason: await first.lost }), signal: () => {} }
      const slot = await takeSlot()
      taken.delete(slot)
      return slot.start(request)
    },
    close() {
      closing ??= (async () => {
        for (const slot of slots) slot.end()
        await source.remove()
      })()
      return closing
    },
    ended: first.lost.then((reason) => ({ reason })),
  }
}
