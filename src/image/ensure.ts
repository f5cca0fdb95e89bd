import { join } from 'node:path'
import type { Engine } from '../engine/types.ts'
import { Failure, failure } from '../util/diagnostics.ts'
import { withLock } from '../util/lock.ts'
import { privateFolder } from '../util/paths.ts'
import { shellQuote } from '../util/text.ts'
import { fingerprintLabel, imageLabel, imageReference, nameComponent, substitutesLabel } from './names.ts'
import { smokeRun } from './smoke.ts'
import type { AppliedSubstitute } from './substitutes.ts'
import type { ImageModel } from './types.ts'

export interface EnsureOptions {
  readonly engine: Engine
  readonly model: ImageModel
  /** Absolute paths. */
  readonly dockerfile: string
  readonly context: string
  /** Without tag, from imageName. */
  readonly name: string
  /** From fingerprint. */
  readonly fingerprint: string
  readonly args: Readonly<Record<string, string>>
  readonly substitutes: readonly AppliedSubstitute[]
  readonly caBundle?: string
  /** Where the lock lies: `$XDG_STATE_HOME/dwf`. */
  readonly stateFolder: string
  readonly onLine: (line: string) => void
  readonly signal: AbortSignal
}

export interface EnsuredImage {
  /** What containers are started from. */
  readonly image: string
  readonly fingerprint: string
  readonly wasBuilt: boolean
  readonly substitutes: readonly AppliedSubstitute[]
}

/**
 * The image with this fingerprint: the one that is there, or one that is built now and has passed its smoke run. Of two
 * processes that want the same, one builds and the other waits for it.
 * @throws Failure('failed') when the smoke run fails, 'machine-cannot' when it cannot be built, 'interrupted'
 */
export async function ensureImage(options: EnsureOptions): Promise<EnsuredImage> {
  const image = imageReference(options.name, options.fingerprint)
  const result = (wasBuilt: boolean): EnsuredImage => ({
    image,
    fingerprint: options.fingerprint,
    wasBuilt,
    substitutes: options.substitutes,
  })
  if (await isThere(options, image)) return result(false)
  const folder = privateFolder(join(privateFolder(options.stateFolder), 'locks'))
  // The name is part of it: two projects may have the same fingerprint.
  const lock = join(folder, `image-${nameComponent(image).slice(-100)}`)
  const onWait = ({ pid, host }: { pid: number; host: string }): void =>
    options.onLine(`waits for another dwf (process ${pid} on ${host}) that builds the same image`)
  try {
    return await withLock(lock, { signal: options.signal, onWait }, async () => {
      if (await isThere(options, image)) return result(false)
      await buildAndProve(options, image)
      return result(true)
    })
  } catch (error) {
    throw options.signal.aborted && !(error instanceof Failure) ? interrupted() : error
  }
}

function interrupted(): Failure {
  return failure('interrupted', 'interrupted', 'the image build was interrupted')
}

/** The tag alone proves nothing: anyone can set one, and a short fingerprint is a short one. */
export async function isThere(
  options: Pick<EnsureOptions, 'engine' | 'fingerprint' | 'substitutes'>,
  image: string,
): Promise<boolean> {
  const found = await options.engine.image(image)
  return (
    found?.labels[imageLabel] === '1' &&
    found.labels[fingerprintLabel] === options.fingerprint &&
    (found.labels[substitutesLabel] ?? '') === substitutesText(options.substitutes)
  )
}

/** Until its smoke run has passed an image has another tag, so that a crash leaves nothing that looks finished. */
async function buildAndProve(options: EnsureOptions, image: string): Promise<void> {
  const { engine, fingerprint, substitutes } = options
  const unproven = `${image}-unproven`
  for (const { pinned, image: local, how } of substitutes) options.onLine(`in place of ${pinned}: ${local} (${how})`)
  try {
    await engine.build({
      dockerfile: options.dockerfile,
      context: options.context,
      target: 'ci',
      tags: [unproven],
      args: options.args,
      labels: { [imageLabel]: '1', [fingerprintLabel]: fingerprint, [substitutesLabel]: substitutesText(substitutes) },
      substitutes: Object.fromEntries(substitutes.map((one) => [one.pinned, one.image])),
      ...(options.caBundle === undefined ? {} : { caBundle: options.caBundle }),
      onLine: options.onLine,
      signal: options.signal,
    })
  } catch (error) {
    throw withoutRegistry(error, options)
  }
  try {
    const tools = options.model.contents.map(({ tool }) => tool)
    options.onLine(`proves the image: ${['sh', ...tools].join(', ')} as 1001 on a read-only root, without network`)
    if (engine.info.idMapping === 'keep-id') options.onLine('Podman copies its layers for this account now, once')
    const commands = [
      { tool: 'sh', argv: ['/usr/local/libexec/dwf/sh', '-c', 'git --version'] },
      ...options.model.smoke,
    ]
    await smokeRun(engine, { image: unproven, name: `dwf-smoke-${fingerprint.slice(0, 16)}-${process.pid}`, commands })
    if (options.signal.aborted) throw interrupted()
    await engine.tagImage(unproven, image)
  } finally {
    // It takes the tag away; the image itself goes only when this was its last one.
    await engine.removeImage(unproven).catch(() => {})
  }
}

/** Where a registry was not reachable, the ways to do without: for the base, and for each toolchain that has no substitute. */
function withoutRegistry(error: unknown, { model, substitutes }: EnsureOptions): unknown {
  if (!(error instanceof Failure) || error.diagnostics[0]?.code !== 'no-registry') return error
  const isMissing = (ref: string): boolean => !substitutes.some((one) => one.ref === ref)
  const stages = model.stages.filter((stage) => isMissing(stage.pin.ref))
  const ways = [
    ...(isMissing(model.base.ref) ? ['"dwf image base" makes the base image from Debian packages'] : []),
    ...(stages.length > 0
      ? [`toolchains = "debian" in [container] takes ${stages.map((stage) => stage.tool).join(', ')} from Debian`]
      : []),
    ...stages
      .slice(0, 3)
      .map(({ pin }) => `"dwf image use ${shellQuote(pin.ref)} IMAGE" takes a local image for ${pin.tool}`),
  ]
  const [first, ...rest] = error.diagnostics
  const hint = ways.length > 0 ? `check the network; without a registry: ${ways.join('; ')}` : first!.hint
  return new Failure(error.kind, [{ ...first!, ...(hint === undefined ? {} : { hint }) }, ...rest])
}

function substitutesText(substitutes: readonly AppliedSubstitute[]): string {
  return substitutes.map(({ pinned, image, created }) => `${pinned}=${image} ${created}`).join(';')
}
