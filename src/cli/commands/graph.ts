import { resolve } from 'node:path'
import { loadConfig } from '../../config/load.ts'
import {
  drawGraph,
  type Graph,
  type GraphFormat,
  graphFormats,
  graphJson,
  type Paint,
} from '../../report/graph/index.ts'
import { readPlan, readTasks } from '../../store/read.ts'
import { failure } from '../../util/diagnostics.ts'
import { writeAtomic } from '../../util/files.ts'
import { listWorkflows } from '../../workflows/find.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { graphOf } from '../looks/graph-of.ts'
import { oneOf } from '../looks/options.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../render/events.ts'
import type { Style } from '../render/style.ts'
import { terminalWidth } from '../render/table.ts'
import { findRun } from '../run/find-run.ts'
import { openRunsIfAny } from '../run/store.ts'
import { workflowFolders } from '../workflow-files.ts'

export interface GraphOptions {
  readonly format?: string
  /** A file instead of standard output. */
  readonly output?: string
  /** The graph of a run, with the states of its tasks. */
  readonly run?: string
}

/** `dwf graph [NAMES]`: what runs after what, of a plan or of a run. */
export async function graph(
  names: readonly string[],
  options: GraphOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const format = readFormat(options.format, globals.json)
  if (options.run !== undefined && names.length > 0)
    throw failure('wrong-input', 'usage', 'a graph is that of a run or of names, not of both', 'leave one out')
  const drawn =
    options.run === undefined ? await planned(names, globals, output) : await ran(options.run, globals, output)
  if (options.output !== undefined) {
    const file = resolve(globals.cwd, options.output)
    if (!globals.dryRun) write(file, `${drawGraph(drawn, format)}\n`)
    output.talk(oneLine(`${globals.dryRun ? 'would write' : 'wrote'} ${file}`))
  } else if (format === 'json') output.json(graphJson(drawn))
  else output.result(drawGraph(drawn, format, { paint: painter(output.style), width: terminalWidth() }))
  return exitCodes.ok
}

function write(file: string, text: string): void {
  try {
    writeAtomic(file, text)
  } catch (error) {
    throw failure(
      'machine-cannot',
      'graph-not-written',
      `the graph could not be written to ${file}: ${(error as Error).message}`,
      'name a file in a folder that is there',
    )
  }
}

async function planned(names: readonly string[], globals: Globals, output: Output): Promise<Graph> {
  const { prepare } = await import('../prepare.ts')
  const workflow = await workflowAmong(names, globals)
  const words = names.length === 0 ? ['check:pr'] : names
  const { plan, workspace } = await prepare(
    workflow === undefined
      ? {
          commands: words.filter((word) => !word.includes('@')),
          tasks: words.filter((word) => word.includes('@')),
          rest: [],
        }
      : { commands: [], tasks: [], rest: [], workflow },
    globals,
  )
  output.diagnostics(workspace.warnings)
  return graphOf(plan, plan.requested.join(' '))
}

/** One workflow is drawn at a time. */
async function workflowAmong(
  names: readonly string[],
  { cwd, config: file }: Pick<Globals, 'cwd' | 'config'>,
): Promise<string | undefined> {
  const { config } = await loadConfig({ cwd, ...(file ? { file } : {}) })
  const there = new Set(listWorkflows(workflowFolders(config, process.env)).map(({ name }) => name))
  const found = names.find((word) => there.has(word.replace(/\.toml$/, '')))
  if (found !== undefined && names.length > 1)
    throw failure('wrong-input', 'usage', 'one workflow is drawn at a time', `dwf graph ${found}`)
  return found
}

async function ran(word: string, globals: Globals, output: Output): Promise<Graph> {
  const store = await openRunsIfAny(output)
  try {
    const { id, title } = await findRun(store, word, globals)
    const { plan } = readPlan(store!.database, id)
    const states = new Map(readTasks(store!.database, id).map((task) => [task.id, task.state]))
    return graphOf(plan, `${title}, run ${id}`, states)
  } finally {
    store?.close()
  }
}

function readFormat(word: string | undefined, json: boolean): GraphFormat {
  if (word === undefined) return json ? 'json' : 'ascii'
  const found = oneOf('--format', word, graphFormats)
  if (json && found !== 'json')
    throw failure('wrong-input', 'usage', `--json and --format ${found} are two formats`, 'leave one out')
  return found
}

const colours = { good: 'green', bad: 'red', warn: 'yellow', busy: 'cyan', quiet: 'dim' } as const

const painter =
  (style: Style): Paint =>
  (tone, text) =>
    style(colours[tone], text)
