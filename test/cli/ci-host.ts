import { main } from '../../src/cli/main.ts'
import { openOutput } from '../../src/cli/output.ts'

/**
 * Runs one command line after the other in one process, since starting one takes longer than most commands do: each with
 * its own folder and environment, and with the two streams of output as a person has them.
 */
interface Asked {
  readonly words: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** What is said at the end on both streams. */
  readonly end: string
}

process.on('message', async ({ words, cwd, env, end }: Asked) => {
  process.chdir(cwd)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  const code = await main(words)
  delete process.env.GITHUB_ACTIONS
  const output = openOutput({ json: false, quiet: false, cwd: '/' })
  output.talk(end)
  output.result(end)
  process.send!(code)
})
