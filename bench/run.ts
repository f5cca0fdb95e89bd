import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { commandRows } from './commands.ts'
import { containerRows } from './containers.ts'
import { gateRows } from './gates.ts'
import type { Row } from './measure.ts'
import { outputRows } from './output.ts'

/** Called by scripts/bench: the rows as a table on stderr and as one JSON document on stdout. */
const quick = process.argv.includes('--quick')
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

add(commandRows(quick ? 5 : 30))
add(gateRows(quick ? 3 : 10))
add(containerRows(quick ? 2 : 7))
add(await outputRows(quick ? 100_000_000 : 1_000_000_000))

const podman = execFileSync('podman', ['--version'], { encoding: 'utf8' }).trim()
const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version, podman }
process.stdout.write(`${JSON.stringify({ schema: 'dwf.bench/1', machine, rows }, undefined, 2)}\n`)
