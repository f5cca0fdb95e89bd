import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type CiStart, readStart } from '../../ci/index.ts'
import { failure } from '../../util/diagnostics.ts'
import type { Globals } from '../globals.ts'
import { readPolicy } from '../policy.ts'
import type { Policy } from '../workspace.ts'
import { policyFolder, startFile } from './start.ts'

/** What the first job wrote. @throws Failure('wrong-input') */
export function readFrom(from: string | undefined, globals: Pick<Globals, 'cwd'>): { start: CiStart; folder: string } {
  if (from === undefined)
    throw failure('wrong-input', 'usage', 'it needs --from FOLDER', 'the folder that "dwf ci:start --out" wrote')
  const folder = resolve(globals.cwd, from)
  const file = join(folder, startFile)
  try {
    return { start: readStart(readFileSync(file, 'utf8')), folder }
  } catch (error) {
    throw failure(
      'wrong-input',
      'no-start',
      `${file} cannot be read: ${(error as Error).message}`,
      'the folder that "dwf ci:start --out" wrote',
    )
  }
}

export const policyFrom = (folder: string): Promise<Policy | undefined> => readPolicy(join(folder, policyFolder))
