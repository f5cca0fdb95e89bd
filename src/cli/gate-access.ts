import { randomBytes } from 'node:crypto'
import type { ContainerSpec, Engine } from '../engine/types.ts'
import type { Plan } from '../plan/types.ts'
import { workspace } from '../run/binding.ts'
import type { CodeRunner, ImageAccess, ToolRunner } from '../scan/index.ts'
import { failure } from '../util/diagnostics.ts'
import { holderWord, thisProcess } from '../util/lock.ts'

interface GateAccessOptions {
  readonly plan: Pick<Plan, 'limits'>
  readonly runId: string
  readonly chosen: () => Promise<Engine>
  readonly image: () => Promise<{ readonly reference: string }>
  /** Of the image that tasks run in; empty where there is none. */
  readonly imageTag: string
  /** What takes the place of pinned images here: another one makes another image under the same recipe. */
  readonly standIns: () => string
  readonly reap: (engine: Engine) => void
  /** Told what takes a while. */
  readonly note: (text: string) => void
}

/** The engine as gates may use it: containers as hardened as those of tasks, without caches and without secrets. */
export function gateAccess(options: GateAccessOptions): {
  readonly images: ImageAccess
  readonly code: CodeRunner
  readonly tools: ToolRunner
} {
  const { chosen, image, reap } = options
  const spec = (more: Pick<ContainerSpec, 'image' | 'mounts' | 'network' | 'env' | 'workdir'>): ContainerSpec => ({
    name: `dwf-${options.runId}-gate-${randomBytes(4).toString('hex')}`,
    labels: { 'dev.dwf.run': options.runId, 'dev.dwf.owner': holderWord(thisProcess()) },
    ...options.plan.limits,
    ...more,
  })
  return {
    images: {
      async ofTasks() {
        const { reference } = await image()
        const info = await (await chosen()).image(reference)
        if (!info) throw failure('machine-cannot', 'no-image', `the image ${reference} has gone`, 'run it again')
        return { reference, id: info.id }
      },
      find: async (name) => (await chosen()).image(name),
      save: async (reference, path, signal) => (await chosen()).saveImage(reference, path, signal),
    },
    code: {
      identity: async () => `${options.imageTag} ${options.standIns()}`,
      async run(scanner, tree, signal) {
        const engine = await chosen()
        const { reference } = await image()
        reap(engine)
        const ended = await engine.runProgram(
          spec({
            image: reference,
            mounts: [{ from: tree, to: workspace, readOnly: true }],
            network: 'none',
            env: { LANG: 'C.UTF-8', CI: '1', DWF: '1', DWF_SARIF: '/tmp/report.sarif' },
            workdir: workspace,
          }),
          ['/bin/sh', '-c', collect, 'sh', ...scanner.argv],
          { timeoutMs: scanner.timeoutMs, keep: reportLimit, ...(signal ? { signal } : {}) },
        )
        return { workspace, ended }
      },
    },
    tools: {
      async ready(reference, signal) {
        const engine = await chosen()
        if (!(await engine.image(reference))) {
          options.note(`fetches ${reference}`)
          await engine.pullImage(reference, signal)
        }
        const info = await engine.image(reference)
        if (!info)
          throw failure('machine-cannot', 'no-image', `${reference} was fetched and is not here`, 'run it again')
        return { reference, id: info.id }
      },
      async run({ image: reference, entrypoint, args, mounts, env, cwd, network, timeoutMs, signal, keep }) {
        const engine = await chosen()
        reap(engine)
        return engine.runProgram(
          spec({
            image: reference,
            mounts: mounts.map(({ path, readOnly }) => ({ from: path, to: path, readOnly })),
            network: network ? 'egress' : 'none',
            env,
            workdir: cwd,
          }),
          args,
          { entrypoint, timeoutMs, keep, ...(signal ? { signal } : {}) },
        )
      },
    },
  }
}

/** A report that is longer is cut, and then cannot be read: never taken for a whole one. */
const reportLimit = 256 * 1024 * 1024

/** The report is what the scanner wrote to its file, else what it said on its standard output. */
const collect = `"$@" >/tmp/report.stdout
code=$?
if [ -s "$DWF_SARIF" ]; then cat "$DWF_SARIF"; else cat /tmp/report.stdout; fi
exit "$code"`
