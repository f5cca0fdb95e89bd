import { userInfo } from 'node:os'
import { Failure } from '../util/diagnostics.ts'
import { explain, withoutNoise } from './faults.ts'

/** An engine's message → the failure that a person is shown: what it means and the fix, where dwf knows it. */
export function engineFailure(what: string, output: string): Failure {
  const { username, uid } = userInfo()
  const fault = explain(output, { user: username, uid })
  return new Failure('machine-cannot', {
    severity: 'error',
    code: fault?.code ?? 'engine',
    message: `${what}: ${fault ? fault.means : 'the engine says'}${tail(output, 6)}`,
    hint: fault?.fix ?? 'dwf doctor looks for what is wrong',
  })
}

/** How Podman (Buildah 1.28) and BuildKit say that a command of the Dockerfile failed, not the engine. */
const stepFailed = /building at STEP|executor failed running|did not complete successfully/

/** What may be wrong with the machine when a command of the Dockerfile failed; other words in its output are its own. */
const stepFaults = ['no-space', 'tls', 'clock', 'no-network']

/** Why an image was not built: the machine, or a command of the Dockerfile. */
export function buildFailure(output: string): Failure {
  if (!stepFailed.test(output)) return engineFailure('the image could not be built', output)
  const { username, uid } = userInfo()
  const fault = explain(output, { user: username, uid }, stepFaults)
  return new Failure(fault ? 'machine-cannot' : 'failed', {
    severity: 'error',
    code: fault?.code ?? 'build-step-failed',
    message: `a command of Dockerfile.devflow failed${fault ? `: ${fault.means}` : ''}${tail(output, 12)}`,
    hint: fault?.fix ?? 'dwf image build --verbose shows all that it said',
  })
}

/** The last lines that say something, each once. */
function tail(output: string, count: number): string {
  const lines = withoutNoise(output).split('\n')
  const said = lines.filter(
    (line, at) => !lines.slice(at + 1).some((later) => later.includes(line.replace(/^ERROR: /, ''))),
  )
  const text = said.slice(-count).join('\n').trim()
  return text ? `\n${text.replace(/^/gm, '    ')}` : ''
}
