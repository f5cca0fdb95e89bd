import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOfRequests } from '../../src/trust/requests.ts'
import { workflowRequests } from '../../src/trust/workflows.ts'
import type { Workflow, WorkflowTask } from '../../src/workflows/types.ts'

const task: WorkflowTask = {
  id: 'a',
  base: 'a',
  name: '',
  description: '',
  script: 'echo "${DWF_VALUE_1}"',
  references: [{ variable: 'v', env: 'DWF_VALUE_1' }],
  needs: [],
  dir: '',
  env: {},
  ignoreFailure: false,
  retries: 0,
  retryDelay: { delayMs: 0, factor: 1, maxDelayMs: 0, jitter: 0 },
  isHandler: false,
  weight: 1,
  secrets: [],
  inputs: [],
}

const workflow = (more: Partial<WorkflowTask>) =>
  ({ name: 'w', network: 'none', tasks: [{ ...task, ...more }] }) as unknown as Workflow
const hashOf = (more: Partial<WorkflowTask>, isHost = true) =>
  hashOfRequests(workflowRequests({ secrets: {} }, workflow(more), isHost))

test('everything that decides what a task does on the host is another request when it changes', () => {
  const changes: readonly Partial<WorkflowTask>[] = [
    { script: 'echo other' },
    { dir: 'sub' },
    { env: { PATH: [{ text: '/evil' }] } },
    { env: { PATH: [{ variable: 'v' }] } },
    { cleanEnv: false },
    { references: [{ variable: 'other', env: 'DWF_VALUE_1' }] },
    { secrets: ['TOKEN'] },
  ]
  const hashes = [{}, ...changes].map((change) => hashOf(change))
  assert.equal(new Set(hashes).size, hashes.length)
})

test('in a container it asks for what leads out of it only', () => {
  const says = (more: Partial<WorkflowTask>) =>
    workflowRequests({ secrets: {} }, workflow(more), false).map(({ kind, says: text }) => `${kind}: ${text}`)
  assert.deepEqual(says({}), [])
  const runs = 'the task a of workflow w, which runs "echo \\"${DWF_VALUE_1}\\"", DWF_VALUE_1 is v'
  assert.deepEqual(says({ network: 'egress' }), [`network: give outbound network to ${runs}`])
  assert.deepEqual(says({ secrets: ['TOKEN'] }), [`secret: give the secret TOKEN to ${runs}`])
})
