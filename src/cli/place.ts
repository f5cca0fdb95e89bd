import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chooseEngine } from '../engine/choose.ts'
import { openHost } from '../engine/host.ts'
import { sessionMark, sessionVariable, shellVariable } from '../engine/host-reap.ts'
import type { Engine, EngineInfo, Session } from '../engine/types.ts'
import type { PlannedTask } from '../plan/types.ts'
import { type Binding, cacheRootOf, containerSpec, proxiesOf } from '../run/binding.ts'
import { reapDead } from '../run/reap.ts'
import { type CodeRunner, type ImageAccess, isImageElsewhere, type ToolRunner } from '../scan/index.ts'
import { failure } from '../util/diagnostics.ts'
import { once } from '../util/once.ts'
import { caBundleOf, truststoreOf } from './ca-bundle.ts'
import { gateAccess } from './gate-access.ts'
import { prepareImage, standInsOf } from './image.ts'
import { dockerfileName, type Prepared } from './prepare.ts'

export interface PlaceOptions {
  readonly prepared: Prepared
  readonly runId: string
  /** Which session of the run: 1, or more when it goes on. */
  readonly session: number
  readonly runFolder: string
  readonly jobs: number
  readonly allowRoot: boolean
  readonly signal: AbortSignal
  /** Told what the engine does, in as many words as it has. */
  readonly note: (text: string) => void
  readonly env: NodeJS.ProcessEnv
}

export interface Place {
  readonly open: (classId: string, signal: AbortSignal) => Promise<Session>
  readonly engine: () => EngineInfo | undefined
  /** Calls back before the first container is made. */
  readonly onEngine: (listener: (name: string) => void) => void
  readonly remarks: () => readonly string[]
  /** What the gates need of the engine and of the image; asked for only when one of them does. */
  readonly images: ImageAccess
  readonly code: CodeRunner
  readonly tools: ToolRunner
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
  const { config } = workspace
  // Handlers run beside the tasks, whatever -j says.
  const slots = options.jobs + plan.tasks.filter(({ kind }) => kind === 'handler').length
  const remarks: string[] = plan.classes.some((one) => one.runtime === 'host')
    ? plan.workflow
      ? []
      : ['on the host: tasks ran on this machine without a container']
    : []
  let engine: Engine | undefined
  let onEngine: (name: string) => void = () => {}
  const chosen = once(async () => {
    refuseRoot(options.allowRoot)
    if (process.getuid?.() === 0) remarks.push('--allow-root: containers ran as root')
    engine = await chooseEngine(config.container.engine)
    return engine
  })
  const image = once(async () => {
    if (!options.prepared.image)
      throw failure('wrong-input', 'no-dockerfile', `there is no ${dockerfileName}`, 'dwf init writes it')
    const caBundle = await caBundleOf(config, options.env)
    const made = await prepareImage({
      engine: await chosen(),
      prepared: options.prepared,
      ...(caBundle ? { caBundle } : {}),
      signal: options.signal,
      note: options.note,
      env: options.env,
    })
    remarks.push(...made.remarks)
    return { reference: made.reference, ...(caBundle ? { caBundle } : {}) }
  })
  const binding = once(async () => bindingOf(options, await image()))
  let reaped: Promise<void> | undefined
  // Beside the tasks: it would only hold up the first one, and what a dead run left is no reason to fail this one.
  const reap = (engine: Engine) => {
    reaped ??= reapDead(engine).catch(() => {})
  }
  const needsContainers = plan.classes.some((one) => one.runtime !== 'host')
  if (needsContainers || plan.tasks.some(needsEngine)) refuseRoot(options.allowRoot)
  // While the gates look. They may refuse first; then nobody waits for this any more.
  if (needsContainers) binding().catch(() => {})
  return {
    async open(classId, signal) {
      const taskClass = plan.classes.find(({ id }) => id === classId)!
      if (taskClass.runtime === 'host') {
        const mark = sessionMark(options.runId, options.session)
        const env = { ...options.env, [sessionVariable]: mark, [shellVariable]: mark }
        return openHost(env, slots, taskClass.environment)
      }
      const spec = containerSpec(plan, taskClass, await binding())
      const engine = await chosen()
      onEngine(engine.info.name)
      const session = await orAborted(engine.open(spec, slots), signal, async (opening) => {
        await engine.removeContainer(spec.name)
        await opening.then((opened) => opened.close()).catch(() => {})
      })
      reap(engine)
      return session
    },
    engine: () => engine?.info,
    onEngine: (listener) => {
      onEngine = listener
    },
    remarks: () => remarks,
    ...gateAccess({
      plan,
      runId: options.runId,
      chosen,
      image,
      imageTag: options.prepared.imageTag,
      standIns: () => standInsOf(options.prepared.image, options.env),
      reap,
      note: options.note,
    }),
    close: async () => {
      if (needsContainers) await binding().catch(() => {})
      await reaped
    },
  }
}

/** A gate that looks into an image of the engine, or runs in one. */
const needsEngine = ({ layer, argv }: PlannedTask): boolean =>
  layer === 'code' || (layer === 'image' && (argv.length === 0 || argv.some((name) => !isImageElsewhere(name))))

function bindingOf(
  { prepared, runId, runFolder, env }: PlaceOptions,
  image: { readonly reference: string; readonly caBundle?: string },
): Binding {
  const { plan, workspace } = prepared
  const { project, config } = workspace
  const { caBundle } = image
  const empty = join(runFolder, 'empty')
  mkdirSync(empty, { recursive: true, mode: 0o755 })
  return {
    runId,
    root: project.root,
    image: image.reference,
    cacheRoot: cacheRootOf(config, runFolder, env),
    ...(caBundle ? { caBundle } : {}),
    ...(caBundle && plan.classes.some(({ network }) => network === 'egress')
      ? { truststore: truststoreOf(caBundle, runFolder) }
      : {}),
    proxies: proxiesOf(env),
    ...(project.git ? { git: project.git } : {}),
    empty,
    runFolder,
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
