import { parseCommand } from '../../config/commands.ts'
import { loadConfig } from '../../config/load.ts'
import { offers } from '../../plan/offers.ts'
import { failure } from '../../util/diagnostics.ts'
import { didYouMean } from '../../util/text.ts'
import { listWorkflows } from '../../workflows/find.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { type RunCommandOptions, readVariables } from '../run/options.ts'
import { workflowFolders } from '../workflow-files.ts'
import { openWorkspace } from '../workspace.ts'
import { runRequest } from './run.ts'

export interface RunNamedOptions extends RunCommandOptions {
  /** The name is that of a workflow, whatever else it fits. */
  readonly workflow?: boolean
  /** The names are those of tasks, whatever else they fit. */
  readonly task?: boolean
}

/** `dwf run NAME…`: a workflow file, or tasks and commands. */
export async function runNamed(
  names: readonly string[],
  options: RunNamedOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  if (await isWorkflow(names, options, globals)) {
    if (options.rest.length > 0)
      throw failure(
        'wrong-input',
        'usage',
        'a workflow takes no arguments after "--"',
        'give variables: --var NAME=VALUE',
      )
    const variables = readVariables(options.var)
    return runRequest({ commands: [], tasks: [], rest: [], workflow: names[0]!, variables }, options, globals, output)
  }
  if (options.var?.length)
    throw failure(
      'wrong-input',
      'usage',
      '--var is for workflows, and tasks have none',
      'see [tasks.X] env in devflow.toml',
    )
  return runRequest(
    {
      commands: names.filter((name) => !name.includes('@')),
      tasks: names.filter((name) => name.includes('@')),
      rest: options.rest,
    },
    options,
    globals,
    output,
  )
}

async function isWorkflow(
  names: readonly string[],
  { workflow, task }: RunNamedOptions,
  globals: Globals,
): Promise<boolean> {
  const { cwd, config: file } = globals
  const [name, ...others] = names as [string, ...string[]]
  if (workflow && task)
    throw failure('wrong-input', 'usage', 'it is a --workflow or a --task, not both', 'leave one out')
  if (task) return false
  const several = failure('wrong-input', 'usage', 'one workflow runs at a time', `dwf run ${name}`)
  if (workflow) {
    if (others.length > 0) throw several
    return true
  }
  const { config } = await loadConfig({ cwd, ...(file ? { file } : {}) })
  const there = listWorkflows(workflowFolders(config, process.env)).map((one) => one.name)
  const found = names.filter((word) => there.includes(word.replace(/\.toml$/, '')))
  const isCommand = (word: string) => word.includes('@') || typeof parseCommand(word) !== 'string'
  const both = found.some(isCommand) ? await offeredOf(found, globals) : undefined
  if (both !== undefined)
    throw failure(
      'wrong-input',
      'ambiguous',
      `${JSON.stringify(both)} is a workflow, and a task too`,
      `dwf run --workflow ${both}, or dwf run --task ${both}`,
    )
  if (found.length > 0 && others.length > 0) throw several
  if (found.length > 0) return true
  if (!isCommand(name)) {
    const near = didYouMean(name, there)
    throw failure(
      'wrong-input',
      'unknown-name',
      `there is no workflow and no task ${JSON.stringify(name)}`,
      near ? `did you mean "${near}"?` : `workflows are files of workflows/; dwf plan shows tasks`,
    )
  }
  return false
}

/** The first of the words that names what this repository offers; a word alone, such as `release`, may name nothing. */
async function offeredOf(words: readonly string[], globals: Globals): Promise<string | undefined> {
  const { config, project } = await openWorkspace(globals)
  const { find, byId } = offers(config, project)
  return words.find((word) => {
    const command = parseCommand(word)
    if (typeof command === 'string') return byId(word) !== undefined
    return ['check', 'scan'].includes(command.primary) || find(command.text).length > 0
  })
}
