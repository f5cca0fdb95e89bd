import type { Engine } from '../engine/types.ts'

/** Removes containers whose dwf is no more: killed with -9, or lost with its terminal. */
export async function reapDead(engine: Engine): Promise<void> {
  for (const { id, labels } of await engine.containers('dev.dwf.run')) {
    const owner = Number(labels['dev.dwf.owner'])
    if (Number.isInteger(owner) && owner > 0 && !isAlive(owner)) await engine.removeContainer(id)
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
