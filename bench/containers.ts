import { inTurns, type Row, round } from './measure.ts'
import { bin, env, node, withImage } from './rig.ts'

const count = 20
const names = Array.from({ length: count }, (_, index) => `test:t${index}`)
const toml = `${names.map((name) => `[tasks."${name}"]\nrun = "true"\n`).join('')}[targets]\none = ["test:t0"]\nall = ${JSON.stringify(names)}\n`

/** Twenty trivial tasks of one class beside twenty containers, and beside one. */
export function containerRows(rounds: number): readonly Row[] {
  const { root, image } = withImage('twenty', toml)
  // The flags that dwf itself starts a container with, but for the mounts.
  const flags = '--rm --network=none --userns=keep-id:uid=1001,gid=1001 --cap-drop=all --security-opt=no-new-privileges --read-only --tmpfs=/tmp --log-driver=none --pull=never'
  const start = `podman run ${flags} --entrypoint=/bin/true ${image}`
  const times = inTurns(rounds, {
    container: { argv: ['sh', '-c', start], env },
    containers: { argv: ['sh', '-c', `for i in $(seq ${count}); do ${start}; done`], env },
    empty: { argv: [node, '-e', '0'], env },
    one: { argv: [node, bin, 'check:one', '--quiet'], cwd: root, env },
    all: { argv: [node, bin, 'check:all', '--quiet'], cwd: root, env },
  })
  const perTask = (times.all.min - times.one.min) / (count - 1)
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
        eachFurtherTask: round(perTask),
        emptyNode: times.empty.min,
        median: times.all.median,
        runs: times.all.runs,
      },
    },
    {
      name: 'each task after the first',
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
