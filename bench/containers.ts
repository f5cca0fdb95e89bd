import { inTurns, type Row, round } from './measure.ts'
import { bin, dwf, env, node, withImage } from './rig.ts'

const count = 20
const names = Array.from({ length: count }, (_, index) => `test:t${index}`)
const toml = `${names.map((name) => `[tasks."${name}"]\nrun = "true"\n`).join('')}[targets]\none = ["test:t0"]\nall = ${JSON.stringify(names)}\n`

/** Twenty trivial tasks of one class beside twenty containers, and beside one. */
export function containerRows(rounds: number): readonly Row[] {
  const { root, image } = withImage('twenty', toml)
  // The flags that dwf itself starts a container with, but for the mounts.
  const flags =
    '--rm --network=none --userns=keep-id:uid=1001,gid=1001 --cap-drop=all --security-opt=no-new-privileges --read-only --tmpfs=/tmp --log-driver=none --pull=never'
  const start = `podman run ${flags} --entrypoint=/bin/true ${image}`
  const times = inTurns(rounds, {
    container: { argv: ['sh', '-c', start], env },
    containers: { argv: ['sh', '-c', `for i in $(seq ${count}); do ${start}; done`], env },
    empty: { argv: [node, '-e', '0'], env },
    one: { argv: [node, bin, 'check:one', '--quiet'], cwd: root, env },
    all: { argv: [node, bin, 'check:all', '--quiet'], cwd: root, env },
  })
  const phases = Array.from({ length: rounds }, () => phasesOf(dwf(['check:all', '--json'], root)))
  const least = (of: keyof Phases) => Math.min(...phases.map((one) => one[of]))
  const perTask = least('tasks') / count
  const allowed = times.container.min + count * 6
  return [
    {
      name: `dwf check, ${count} trivial tasks of one class`,
      baseline: `${count} times podman run --rm, one after the other`,
      unit: 'ms',
      measured: times.all.min,
      compared: times.containers.min,
      goal: `one container start + 6 ms a task`,
      allowed: round(allowed),
      reached: times.all.min <= allowed,
      detail: {
        oneContainer: times.container.min,
        oneTask: times.one.min,
        beforeTheFirstTask: least('before'),
        tasks: least('tasks'),
        afterTheLastTask: least('after'),
        emptyNode: times.empty.min,
        median: times.all.median,
        runs: times.all.runs,
      },
    },
    {
      name: `one of ${count} tasks, first start to last end, by ${count}`,
      baseline: 'podman run --rm, once',
      unit: 'ms',
      measured: round(perTask),
      compared: times.container.min,
      goal: '6 ms a task',
      allowed: 6,
      reached: perTask <= 6,
    },
  ]
}

interface Phases {
  readonly before: number
  readonly tasks: number
  readonly after: number
}

/** Of the events of one run, each with its time: ms before the first task, in tasks, and after the last one. */
function phasesOf(events: string): Phases {
  const all = events
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; at: number })
  const times = (type: string) => all.filter((event) => event.type === type).map(({ at }) => at)
  const [first, last] = [Math.min(...times('task-started')), Math.max(...times('task-ended'))]
  return { before: first - times('run-started')[0]!, tasks: last - first, after: times('run-ended')[0]! - last }
}
