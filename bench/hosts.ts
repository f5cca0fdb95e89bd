import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, inTurns, type Row, round, type Times } from './measure.ts'
import { peers } from './peers.ts'
import { bin, dwf, env, node, repository } from './rig.ts'

const jobs = 2

/**
 * Trivial tasks on the host beside those who run such tasks, and beside a floor: the same programs started by nobody.
 * @param workflow arguments of dwf that run workflows/trivial.toml
 */
export function hostRows(rounds: number, workflow: readonly string[]): readonly Row[] {
  const programs = peers(jobs)
  const floor = compiledFloor()
  return [10, 100, 1000].flatMap((count) => {
    const root = repository(`trivial-${count}`, {})
    for (const { file, text } of Object.values(programs)) writeFileSync(join(root, file), text(count))
    prepare(root, count)
    const script = (name: string) => [node, join(import.meta.dirname, name), String(count), String(jobs)]
    const commands: Record<string, Command> = {
      empty: { argv: [node, '-e', '0'], env },
      floor: { argv: floor ? [floor, String(count), String(jobs)] : script('spawns.ts'), env },
      shells: { argv: script('shells.ts'), env, saysItself: true },
      dwf: { argv: [node, bin, ...workflow], cwd: root, env },
    }
    for (const [name, { argv }] of Object.entries(programs)) commands[name] = { argv, cwd: root, env }
    const times = inTurns(rounds, commands)
    return rowsOf(count, floor ? 'posix_spawn from C' : 'spawn from Node', times)
  })
}

function rowsOf(count: number, floor: string, times: Readonly<Partial<Record<string, Times>>>): readonly Row[] {
  const { empty, shells, make, dwf } = times as Record<string, Times>
  const against = (
    name: string,
    measured: Times,
    baseline: string,
    compared: Times,
    goal: string,
    allowed: number,
  ) => ({
    name: `${name}, ${count} trivial tasks on the host`,
    baseline,
    unit: 'ms' as const,
    measured: measured.min,
    compared: compared.min,
    goal,
    allowed: round(allowed),
    reached: measured.min <= allowed,
    detail: {
      ...Object.fromEntries(
        Object.entries(times).flatMap(([other, time]) => [
          [other, time!.min],
          [`ratioTo-${other}`, Math.round((100 * measured.min) / time!.min) / 100],
        ]),
      ),
      median: measured.median,
      baselineMedian: compared.median,
      runs: measured.runs,
    },
  })
  // What Node itself takes to start is lost in a thousand tasks, and most of all in ten.
  const start = count < 1000 ? empty!.min : 0
  const overMake = 1.6 * (make ?? times.floor)!.min + 0.2 * count + start
  const goal = `1.6 times the baseline + 0.2 a task${start ? ' + an empty Node' : ''}`
  return [
    ...(dwf ? [against('dwf', dwf, make ? 'make' : floor, (make ?? times.floor)!, goal, overMake)] : []),
    ...['just', 'task'].flatMap((name) => {
      const peer = times[name]
      return dwf && peer ? [against('dwf', dwf, name, peer, 'less than the baseline', peer.min)] : []
    }),
    against(
      'of that, the shells',
      shells!,
      floor,
      times.floor!,
      'twice the baseline + an empty Node',
      2 * times.floor!.min + empty!.min,
    ),
  ]
}

/** A repository whose workflow has so many tasks, approved. */
function prepare(root: string, count: number): void {
  mkdirSync(join(root, 'workflows'), { recursive: true })
  const tasks = Array.from({ length: count }, (_, index) => `[tasks.t${index}]\ncmd = "/bin/true"\n`)
  writeFileSync(join(root, 'workflows/trivial.toml'), `name = "trivial"\nruntime = "host"\n${tasks.join('')}`)
  dwf(['trust', '--ci'], root)
}

/** The floor's program, where there is a C compiler. */
function compiledFloor(): string | undefined {
  const program = join(repository('floor', {}), 'floor')
  const { status } = spawnSync('cc', ['-O2', '-o', program, join(import.meta.dirname, 'floor.c')], { stdio: 'inherit' })
  return status === 0 ? program : undefined
}
