import { type Failure, failure } from '../util/diagnostics.ts'

/** The scanner did not do its work, or its report cannot be believed. Never a pass. */
export function scanFailed(code: string, message: string, hint: string): Failure {
  return failure('machine-cannot', code, message, hint)
}
