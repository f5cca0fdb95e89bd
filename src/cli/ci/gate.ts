import { missingFrom, type Needs, readNeeds } from '../../ci/index.ts'
import { markdown, workflowCommand } from '../../report/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { addToJobSummary } from '../scan-document.ts'
import { readFrom } from './from.ts'

/** `dwf ci:gate`: the last job. Passes only when the jobs together ran the whole plan. Needs no repository. */
export function ciGate(options: { readonly from?: string }, globals: Globals, output: Output): number {
  const { start } = readFrom(options.from, globals)
  const missing = missingFrom(start, needsOf(process.env.NEEDS))
  if (globals.json)
    output.json({ schema: 'dwf.gate/1', ok: missing.length === 0, plan: start.plan, missing, loosened: start.loosened })
  else {
    for (const sentence of missing) output.result(`${output.style('red', '✖')} ${printable(sentence)}`)
    const count = `${start.tasks.length} task${start.tasks.length === 1 ? '' : 's'}`
    output.result(
      missing.length === 0
        ? `${output.style('green', '✔')} the whole plan ran: ${count}, plan ${start.plan.slice(0, 12)}`
        : `plan ${start.plan.slice(0, 12)} did not pass`,
    )
  }
  if (process.env.GITHUB_ACTIONS === 'true')
    for (const sentence of missing.slice(0, 10)) output.command(workflowCommand('error', { title: 'gate' }, sentence))
  const lines = [
    `## ${missing.length === 0 ? '✔ the whole plan ran' : '✖ the plan did not pass'}`,
    '',
    `plan ${markdown(start.plan.slice(0, 12))}: ${markdown(start.commands.join(', '))}`,
    '',
    ...missing.slice(0, 200).map((sentence) => `- ${markdown(sentence)}`),
    ...(start.loosened.length > 0 ? ['', '### Loosens the policy, once it is merged', ''] : []),
    ...start.loosened.map((sentence) => `- this change ${markdown(sentence, 500)}`),
    '',
  ]
  for (const note of addToJobSummary(lines.join('\n'), process.env)) output.talk(note)
  return missing.length === 0 ? exitCodes.ok : exitCodes.failed
}

function needsOf(text: string | undefined): Needs {
  try {
    return readNeeds(text ?? '')
  } catch (error) {
    throw failure(
      'wrong-input',
      'no-needs',
      `the variable NEEDS cannot be read: ${(error as Error).message}`,
      `in the job: env: NEEDS: \${{ toJSON(needs) }}`,
    )
  }
}
