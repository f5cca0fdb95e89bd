import { spawn } from 'node:child_process'

/** Called by hosts.ts: runs COUNT trivial tasks as children of Node, JOBS at once. */
const [count, jobs] = process.argv.slice(2).map(Number) as [number, number]
let left = count
const work = async (): Promise<void> => {
  while (left-- > 0) {
    const child = spawn('/bin/true', { stdio: 'ignore' })
    const code = await new Promise((resolve) => child.once('exit', resolve))
    if (code !== 0) throw new Error(`/bin/true ended with ${code}`)
  }
}
await Promise.all(Array.from({ length: jobs }, work))
