import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chooseEngine } from '../engine/choose.ts'
import { openHost } from '../engine/host.ts'
import type { Engine, EngineInfo, Session } from '../engine/types.ts'
import { type Binding, cacheRootOf, containerSpec, proxiesOf } from '../run/binding.ts'
import { reapDead } from '../run/reap.ts'
import { failure } from '../util/diagnostics.ts'
import { caBundleOf, truststoreOf } from './ca-bundle.ts'
import { prepareImage } from './image.ts'
import type { Prepared } from './prepare.ts'

export interface PlaceOptions {
  readonly prepared: Prepared
  readonly runId: string
  readonly runFolder: string
  readonly jobs: number
  readonly allowRoot: boolean
  readonly signal: AbortSignal
  /** Told what the engine does, in as many words as it has. */
  readonly note: (text: string) => void
  readonly env: NodeJS.ProcessEnv
}

export interface Place {
  readonly open: (classId: string) => Promise<Session>
  readonly engine: () => EngineInfo | undefined
  readonly remarks: () => readonly string[]
  readonly close: () => Promise<void>
}

/** dwf never runs containers as root unless it is told to, each time. */
export function refuseRoot(allowRoot: boolean): void {
  if (process.getuid?.() !== 0 || allowRoot) return
  throw failure(
    'refused',
    'root',
    'dwf does not run containers as root',
    'run it as a person (runuser -u NAME -- dwf …); --allow-root does it all the same, and every summary says so',
  )
}

/** Where the tasks of a run happen: the host, or containers of an image that is made ready while the gates look. */
export function openPlace(options: PlaceOptions): Place {
  const { plan, workspace } = options.prepared
  const { project, config } = workspace
  const onHost = plan.classes.some((one) => one.runtime === 'host')
    ? ['on the host: tasks ran on this machine without a container']
    : []
  if (plan.classes.every((one) => one.runtime === 'host')) {
    return {
      open: () => openHost(options.env, options.jobs),
      engine: () => undefined,
      remarks: () => onHost,
      close: async () => {},
    }
  }
  refuseRoot(options.allowRoot)
  let engine: Engine | undefined
  const remarks: string[] = [...onHost]
  const ready = (async () => {
    engine = await chooseEngine(config.container.engine)
    const caBundle = await caBundleOf(config, options.env)
    const image = await prepareImage({
      engine,
      prepared: options.prepared,
      ...(caBundle ? { caBundle } : {}),
      signal: options.signal,
      note: options.note,
      env: options.env,
    })
    remarks.push(...image.remarks)
    if (process.getuid?.() === 0) remarks.push('--allow-root: containers ran as root')
    const empty = join(options.runFolder, 'empty')
    mkdirSync(empty, { recursive: true, mode: 0o755 })
    const binding: Binding = {
      runId: options.runId,
      root: project.root,
      image: image.reference,
      cacheRoot: cacheRootOf(config, options.runFolder, options.env),
      ...(caBundle ? { caBundle } : {}),
      ...(caBundle && plan.classes.some(({ network }) => network === 'egress')
        ? { truststore: truststoreOf(caBundle, options.runFolder) }
        : {}),
      proxies: proxiesOf(options.env),
      ...(project.git ? { git: project.git } : {}),
      empty,
    }
    return { engine, binding }
  })()
  let reaped: Promise<void> | undefined
  // The gates may refuse first; then nobody waits for this any more.
  ready.catch(() => {})
  return {
    async open(classId) {
      const taskClass = plan.classes.find(({ id }) => id === classId)!
      if (taskClass.runtime === 'host') return openHost(options.env, options.jobs)
      const { engine, binding } = await ready
      const spec = containerSpec(plan, taskClass, binding)
      const session = await orAborted(engine.open(spec, options.jobs), options.signal, async (opening) => {
        await engine.removeContainer(spec.name)
        await opening.then((opened) => opened.close()).catch(() => {})
      })
      // Beside the tasks: it would only hold up the first one, and what a dead run left is no reason to fail this one.
      reaped ??= reapDead(engine).catch(() => {})
      return session
    },
    engine: () => engine?.info,
    remarks: () => remarks,
    close: async () => {
      await ready.catch(() => {})
      await reaped
    },
  }
}

/** A container that does not come up must not hold up the end of the run: it is removed, and nobody waits for it. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal, undo: (work: Promise<T>) => Promise<void>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      undo(work).finally(() => reject(failure('interrupted', 'interrupted', 'the container was not waited for')))
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
