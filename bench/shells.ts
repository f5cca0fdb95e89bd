import { openHost } from '../src/engine/host.ts'

/** Called by hosts.ts: runs COUNT trivial tasks in JOBS kept-open shells of the host, and says how many ms they took. */
const [count, jobs] = process.argv.slice(2).map(Number) as [number, number]
const session = await openHost(process.env, jobs)
let left = count
const work = async (): Promise<void> => {
  while (left-- > 0) {
    const running = await session.exec({ argv: ['/bin/true'], dir: '/', env: {}, onOutput: () => {} })
    const exit = await running.exit
    if (exit.kind !== 'code' || exit.code !== 0) throw new Error(JSON.stringify(exit))
  }
}
const began = performance.now()
await Promise.all(Array.from({ length: jobs }, work))
process.stdout.write(`${performance.now() - began}\n`)
await session.close()
