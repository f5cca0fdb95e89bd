import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { commandRows } from './commands.ts'
import { containerRows } from './containers.ts'
import { gateRows } from './gates.ts'
import { hostRows } from './hosts.ts'
import type { Row } from './measure.ts'
import { outputRows } from './output.ts'

/**
 * Called by scripts/bench: the rows as a table on stderr and as one JSON document on stdout.
 * [--quick] [--only commands|gates|containers|hosts|output] [--workflow 'run trivial -j 2']
 */
const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, workflow: { type: 'string' } },
})
const quick = values.quick === true
const rows: Row[] = []
const add = (more: readonly Row[]): void => {
  for (const row of more) {
    rows.push(row)
    const { name, measured, unit, baseline, compared, goal, allowed, reached } = row
    process.stderr.write(
      `${reached ? '✔' : '✖'} ${name}: ${measured} ${unit}; ${baseline}: ${compared}; goal ${goal}${goal === 'all' ? '' : ` = ${allowed}`}\n`,
    )
  }
}

const cases: Readonly<Record<string, () => readonly Row[] | Promise<readonly Row[]>>> = {
  commands: () => commandRows(quick ? 5 : 30),
  gates: () => gateRows(quick ? 3 : 10),
  containers: () => containerRows(quick ? 2 : 7),
  hosts: () => hostRows(quick ? 3 : 10, (values.workflow ?? 'run trivial -j 2 -q').split(' ')),
  output: () => outputRows(quick ? 100_000_000 : 1_000_000_000),
}
for (const [name, rowsOf] of Object.entries(cases))
  if (values.only === undefined || values.only === name) add(await rowsOf())

const podman = execFileSync('podman', ['--version'], { encoding: 'utf8' }).trim()
const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version, podman }
process.stdout.write(`${JSON.stringify({ schema: 'dwf.bench/1', machine, rows }, undefined, 2)}\n`)
