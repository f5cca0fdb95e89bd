import type { Problem } from '../config/validate.ts'
import { warningAt } from './problems.ts'
import type { Workflow, WorkflowTask } from './types.ts'

/** Modes of the workflow file and of the folder that it is in. */
export interface Modes {
  readonly file: number
  readonly folder: number
}

const secretName =
  /(?:^|[_.-])(?:TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS?|(?:API|PRIVATE|ACCESS)?[_.-]?KEY)(?:[_.-]|$)/i
/** What is done twice when it is tried twice. */
const sideEffect =
  /(?:^|[\s;&|(])(?:(?:\S*[-_/.])?(?:deploy|publish|release|migrate|rollout|notify)\b|(?:git|docker|podman|npm|cargo|twine|helm|gem)\s+(?:push|publish|upload|upgrade|install)\b|(?:terraform|tofu|kubectl|pulumi|ansible-playbook)\s+(?:apply|up|delete|destroy|create)\b|rm\s|mail\s|sendmail\b|curl\s[^\n]*(?:-X\s*(?:POST|PUT|PATCH|DELETE)|--data|-d\s))/
const pipedShell = /\b(?:curl|wget)\b[^\n;&]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:\S*\/)?(?:ba|da|z|k)?sh\b/

/** wf's advice for workflows that matter, as far as a file can follow it. Of each task of the file once. */
export function harden(workflow: Workflow, modes: Modes): readonly Problem[] {
  const problems: Problem[] = []
  if (workflow.timeoutMs === undefined)
    problems.push(warningAt([], 'key', 'no-run-timeout', 'the run has no time limit', 'add timeout = "1h" at the top'))
  if ((modes.file & 0o022) !== 0)
    problems.push(
      warningAt(
        [],
        'key',
        'writable-file',
        'others may write to this file, and so decide what is run',
        'chmod go-w it',
      ),
    )
  if ((modes.folder & 0o022) !== 0)
    problems.push(
      warningAt(
        [],
        'key',
        'writable-folder',
        'others may write to the folder of this file, and so replace it',
        'chmod go-w the folder',
      ),
    )
  const seen = new Set<string>()
  for (const task of workflow.tasks) {
    if (seen.has(task.base)) continue
    seen.add(task.base)
    problems.push(...hardenTask(task))
  }
  for (const [name, nodes] of Object.entries(workflow.wanted)) {
    if (!secretName.test(name)) continue
    const task = workflow.tasks.find(({ id }) => id === nodes[0])
    if (task)
      problems.push(
        warningAt(
          ['tasks', task.base, 'cmd'],
          'value',
          'secret-in-variable',
          `{{.${name}}} looks like a secret: variables are kept with the run`,
          `name it in secrets = ["${name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')}"] and read it from the environment`,
        ),
      )
  }
  return problems
}

function* hardenTask(task: WorkflowTask): Generator<Problem> {
  const path = ['tasks', task.base]
  if (task.timeoutMs === undefined)
    yield warningAt(path, 'key', 'no-timeout', `"${task.base}" has no time limit`, 'add timeout = "15m"')
  const effect = sideEffect.exec(task.script)?.[0].trim()
  if (task.retries > 0 && effect !== undefined)
    yield warningAt(
      [...path, 'retries'],
      'value',
      'repeated-effect',
      `"${effect.replace(/^[;&|(]\s*/, '')}" may have had its effect when it is tried again`,
      'retry only what can be repeated',
    )
  if (task.cleanEnv === false)
    yield warningAt(
      [...path, 'clean_env'],
      'value',
      'whole-environment',
      'it sees the whole environment, with what other programs keep secret in it',
      'remove it, and name what it needs in env or secrets',
    )
  for (const [name, parts] of Object.entries(task.env)) {
    const isEmpty = parts.every((part) => 'text' in part && part.text === '')
    if (secretName.test(name) && !isEmpty)
      yield warningAt(
        [...path, 'env', name],
        'value',
        'secret-in-env',
        `${name} looks like a secret: what stands here, and each variable, is kept with the run`,
        `name it in secrets = ["${name}"]`,
      )
  }
  if (pipedShell.test(task.script))
    yield warningAt(
      [...path, 'cmd'],
      'value',
      'piped-to-shell',
      'it runs what a server sends, unseen',
      'fetch it, check its digest, then run it',
    )
}
