import type { Lock } from '../pins/index.ts'
import { type Diagnostic, Failure } from '../util/diagnostics.ts'
import { version } from './version.ts'

/**
 * Another dwf than the one that devflow.lock names may make another plan: what checks and what generates has to be the same
 * everywhere.
 * @throws Failure('wrong-input')
 */
export function requireVersion(lock: Pick<Lock, 'dwf'> | undefined, anyVersion: boolean): void {
  if (!lock || lock.dwf === version || anyVersion) return
  const diagnostic: Diagnostic = {
    severity: 'error',
    code: 'other-version',
    message: `devflow.lock names dwf ${lock.dwf}, and this is dwf ${version}`,
    hint: `use dwf ${lock.dwf}, or move the lock with "dwf pin update"; --any-version goes on all the same`,
  }
  throw new Failure('wrong-input', diagnostic)
}
