import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inTurns, type Row, round } from './measure.ts'
import { bin, env, node, repository, world } from './rig.ts'

const trivy = join(world, 'bin/trivy')
const database = join(world, 'trivy-cache')

/** A tree of 2,000 files with a lock file of 400 packages. */
function tree(): string {
  const packages = Object.fromEntries(
    Array.from({ length: 400 }, (_, index) => [`node_modules/p${index}`, { version: '1.0.0', license: 'MIT' }]),
  )
  const root = repository('gates', {
    'package.json': '{"name":"gates","version":"1.0.0","dependencies":{"p0":"1.0.0"}}',
    'package-lock.json': JSON.stringify({ name: 'gates', lockfileVersion: 3, packages: { '': {}, ...packages } }),
    Dockerfile: 'FROM debian:13\nUSER 1001\n',
  })
  for (let folder = 0; folder < 40; folder++) {
    mkdirSync(join(root, `src/${folder}`), { recursive: true })
    for (let file = 0; file < 50; file++)
      writeFileSync(join(root, `src/${folder}/${file}.js`), `export const value = ${folder * 50 + file}\n`.repeat(20))
  }
  return root
}

/** A cold and a warm scan of four layers beside Trivy alone, which looks at the same tree in one call. */
export function gateRows(rounds: number): readonly Row[] {
  const root = tree()
  const results = join(env.XDG_STATE_HOME!, 'dwf/projects')
  const times = inTurns(rounds, {
    trivy: {
      argv: [
        ...[trivy, 'fs', '--quiet', '--cache-dir', database, '--scanners', 'vuln,misconfig,secret,license'],
        ...[
          '--skip-db-update',
          '--skip-check-update',
          '--skip-version-check',
          '--offline-scan',
          '--format',
          'json',
          root,
        ],
      ],
      env,
    },
    plan: { argv: [node, bin, 'plan', 'scan:all'], cwd: root, env },
    cold: {
      argv: [node, bin, 'scan', '--quiet'],
      cwd: root,
      env,
      before: () => rmSync(results, { recursive: true, force: true }),
    },
    warm: { argv: [node, bin, 'scan', '--quiet'], cwd: root, env },
  })
  const { trivy: alone, plan, cold, warm } = times
  return [
    {
      name: 'dwf scan, cold, four layers',
      baseline: 'trivy fs, the same four scanners in one call',
      unit: 'ms',
      measured: cold.min,
      compared: alone.min,
      goal: 'at most 3 times the baseline',
      allowed: round(alone.min * 3),
      reached: cold.min <= alone.min * 3,
      detail: {
        ratio: round(cold.min / alone.min),
        median: cold.median,
        baselineMedian: alone.median,
        runs: cold.runs,
      },
    },
    {
      name: 'dwf scan, nothing changed',
      baseline: 'dwf plan scan:all',
      unit: 'ms',
      measured: warm.min,
      compared: plan.min,
      goal: 'baseline + 100 ms',
      allowed: round(plan.min + 100),
      reached: warm.min <= plan.min + 100,
      detail: {
        ratioToTrivy: round(warm.min / alone.min),
        median: warm.median,
        baselineMedian: plan.median,
        runs: warm.runs,
      },
    },
  ]
}
