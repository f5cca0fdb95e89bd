import { appendFileSync } from 'node:fs'
import { failure } from '../../util/diagnostics.ts'

/**
 * An output of a step of GitHub Actions; nothing outside of it.
 * @param value on one line: another one could be read as another output
 */
export function setOutput(name: string, value: string, env: NodeJS.ProcessEnv): void {
  const file = env.GITHUB_OUTPUT
  if (!file) return
  if (/[\r\n]/.test(value)) throw new Error('an output of a step has one line')
  try {
    appendFileSync(file, `${name}=${value}\n`)
  } catch (error) {
    throw failure('machine-cannot', 'no-output', `the output ${name} could not be set: ${(error as Error).message}`)
  }
}
