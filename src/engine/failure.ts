import { userInfo } from 'node:os'
import { Failure } from '../util/diagnostics.ts'
import { explain, withoutNoise } from './faults.ts'

/** An engine's message → the failure that a person is shown: what it means and the fix, where dwf knows it. */
export function engineFailure(what: string, output: string): Failure {
  const said = withoutNoise(output).split('\n').slice(-6).join('\n').trim()
  const { username, uid } = userInfo()
  const fault = explain(output, { user: username, uid })
  return new Failure('machine-cannot', {
    severity: 'error',
    code: fault?.code ?? 'engine',
    message: `${what}: ${fault ? fault.means : 'the engine says'}${said ? `\n${indent(said)}` : ''}`,
    hint: fault?.fix ?? 'dwf doctor looks for what is wrong',
  })
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}
