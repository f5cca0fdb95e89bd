import type { Config } from '../config/types.ts'
import type { Workflow, WorkflowTask } from '../workflows/types.ts'
import { secretRequests, surroundings, type TrustRequest } from './requests.ts'

/** What the tasks of a workflow go by where commands are meant. */
export const workflowCommand = (name: string): string => `workflow:${name}`

/**
 * What a workflow file asks for and needs trust for: commands on this machine, network, secrets. Pure.
 * @param isHost its tasks run without a container: it says so, or the whole project does
 */
export function workflowRequests(
  config: Pick<Config, 'secrets'>,
  workflow: Workflow,
  isHost: boolean,
): readonly TrustRequest[] {
  const command = workflowCommand(workflow.name)
  return workflow.tasks.flatMap((task) => {
    const runs = described(workflow, task, isHost)
    const isNetworked = (task.network ?? workflow.network) === 'egress'
    const ask = (kind: string, says: string, key: string): TrustRequest => ({
      kind,
      says,
      path: ['tasks', task.base, key],
      task: command,
    })
    return [
      ...(isHost ? [ask('host-command', `run on this machine, without a container: ${runs}`, 'cmd')] : []),
      ...(isNetworked && !isHost ? [ask('network', `give outbound network to ${runs}`, 'network')] : []),
      ...task.secrets.flatMap((name, index) =>
        secretRequests(config, name, {
          task: command,
          runs,
          network: isNetworked || isHost,
          path: ['tasks', task.base, 'secrets', index],
        }),
      ),
    ]
  })
}

/** All that decides what the task does: its variables stand in the script as names of the environment. */
function described({ name }: Workflow, task: WorkflowTask, isHost: boolean): string {
  const { id, script, dir, env, references } = task
  const more = [
    ...surroundings({ dir, env, cleanEnv: !isHost || task.cleanEnv !== false }),
    ...references.map(({ variable, env: as }) => `${as} is ${variable}`),
  ]
  return [`the task ${id} of workflow ${name}, which runs ${JSON.stringify(script)}`, ...more].join(', ')
}
