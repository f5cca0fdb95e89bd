import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { inTurns, type Row, round } from './measure.ts'
import { bin, dwf, env, node, repository, sample } from './rig.ts'

const names = Array.from({ length: 10 }, (_, index) => `test:t${index}`)
const tenTasks = `${names.map((name) => `[tasks."${name}"]\nrun = "true"\n`).join('')}[targets]\npr = ${JSON.stringify(names)}\n`

/** Start, plan and init beside an empty Node. */
export function commandRows(rounds: number): readonly Row[] {
  const ten = repository('ten', { 'devflow.toml': tenTasks })
  dwf(['init'], ten)
  const small = sample('node-passing')
  const written = ['devflow.toml', 'devflow.lock', 'Dockerfile.devflow', 'docker-bake.hcl', '.dockerignore', '.github']
  const generated = sample('node-passing')
  dwf(['init'], generated)
  const times = inTurns(rounds, {
    empty: { argv: [node, '-e', '0'], env },
    version: { argv: [node, bin, '--version'], env },
    plan: { argv: [node, bin, 'plan'], cwd: ten, env },
    ciCheck: { argv: [node, bin, 'ci:check'], cwd: generated, env },
    init: {
      argv: [node, bin, 'init'],
      cwd: small,
      env,
      before: () => {
        for (const file of written) rmSync(join(small, file), { recursive: true, force: true })
      },
    },
  })
  const row = (name: string, key: 'version' | 'plan' | 'init' | 'ciCheck', over: number): Row => ({
    name,
    baseline: 'node -e 0',
    unit: 'ms',
    measured: times[key].min,
    compared: times.empty.min,
    goal: `baseline + ${over} ms`,
    allowed: round(times.empty.min + over),
    reached: times[key].min <= times.empty.min + over,
    detail: { median: times[key].median, baselineMedian: times.empty.median, runs: times[key].runs },
  })
  return [
    row('dwf --version', 'version', 5),
    row('dwf plan, ten tasks', 'plan', 25),
    row('dwf init, a small repository', 'init', 100),
    row('dwf ci:check, a small repository', 'ciCheck', 150),
  ]
}
