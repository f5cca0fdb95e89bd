import { join } from 'node:path'
import type { Engine } from '../engine/types.ts'
import {
  type AppliedSubstitute,
  dockerfileDrift,
  ensureImage,
  imageName,
  readSubstitutes,
  substitutesFor,
} from '../image/index.ts'
import { Failure } from '../util/diagnostics.ts'
import { stateFolder } from '../util/paths.ts'
import { type DescribedImage, dockerfileName, type Prepared } from './prepare.ts'
import type { Workspace } from './workspace.ts'

export interface PrepareImageOptions {
  readonly engine: Engine
  readonly prepared: Pick<Prepared, 'workspace' | 'image'>
  readonly caBundle?: string
  readonly signal: AbortSignal
  readonly note: (text: string) => void
  readonly env: NodeJS.ProcessEnv
}

/** The image that tasks run in, built where it is not there yet; with what every summary must say about it. */
export async function prepareImage(
  options: PrepareImageOptions,
): Promise<{ readonly reference: string; readonly wasBuilt: boolean; readonly remarks: readonly string[] }> {
  const { workspace } = options.prepared
  const image = options.prepared.image!
  refuseDrift(workspace, image)
  const substitutes = substitutesFor(image.model, readSubstitutes(stateFolder(options.env)))
  const { image: reference, wasBuilt } = await ensureImage({
    engine: options.engine,
    model: image.model,
    dockerfile: join(workspace.project.root, dockerfileName),
    context: workspace.project.root,
    name: nameOf(workspace),
    fingerprint: image.fingerprint,
    args: image.args,
    substitutes,
    ...(options.caBundle ? { caBundle: options.caBundle } : {}),
    stateFolder: stateFolder(options.env),
    onLine: options.note,
    signal: options.signal,
  })
  return { reference, wasBuilt, remarks: substitutes.map(remark) }
}

/** What takes the place of pinned images here, in one word: another one makes another image under the same recipe. */
export function standInsOf(image: DescribedImage | undefined, env: NodeJS.ProcessEnv): string {
  if (!image) return ''
  return substitutesFor(image.model, readSubstitutes(stateFolder(env)))
    .map(({ pinned, image: standIn }) => `${pinned}=${standIn}`)
    .join(' ')
}

const remark = ({ pinned, image, how }: AppliedSubstitute) =>
  `stand-in image: ${image} (${how}) in place of ${pinned.replace(/@sha256:([0-9a-f]{12}).*/, '@sha256:$1…')}`

/** `[container] image` without its tag, which is the fingerprint; a bare name is local, never Docker Hub's. */
export function nameOf({ config, project }: Workspace): string {
  const configured = config.container.image?.replace(/:[^/:]*$/, '')
  return imageName(
    project.name,
    configured && !/^(localhost|[^/]*[.:][^/]*)\//.test(configured) ? `localhost/${configured}` : configured,
  )
}

/** A Dockerfile that names other images than devflow.lock is not the one that the plan speaks of. */
function refuseDrift({ lock, project }: Workspace, image: DescribedImage): void {
  const drift = lock ? dockerfileDrift(image.dockerfile, join(project.root, dockerfileName), lock) : []
  if (drift.length > 0) throw new Failure('drift', drift)
}
