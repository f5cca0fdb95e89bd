import { chooseEngine } from '../../engine/choose.ts'
import { buildBase, imageList, imageRemove, useSubstitute } from '../../image/index.ts'
import { shippedPins } from '../../pins/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { cacheFolder, stateFolder } from '../../util/paths.ts'
import { formatSize } from '../../util/units.ts'
import { caBundleOf } from '../ca-bundle.ts'
import type { Globals } from '../globals.ts'
import { nameOf, prepareImage } from '../image.ts'
import type { Output } from '../output.ts'
import { refuseRoot } from '../place.ts'
import { describeImage, dockerfileName } from '../prepare.ts'
import { onSignals } from '../signals.ts'
import { openWorkspace } from '../workspace.ts'
import { requireTrust } from './trust.ts'

/** `dwf image build|ls|rm|fingerprint|base|use|save|load|fetch`: the image that tasks run in. */
export async function image(
  action: string,
  names: readonly string[],
  options: { readonly from?: string; readonly sha256?: string },
  globals: Globals,
  output: Output,
): Promise<number> {
  switch (action) {
    case 'fingerprint':
      return showFingerprint(globals, output)
    case 'build':
      return build(globals, output)
    case 'ls':
      return list(globals, output)
    case 'rm':
      return remove(names, globals, output)
    case 'base':
      return base(names, options.from, globals, output)
    case 'use':
      return use(names, globals, output)
    case 'save':
    case 'load':
    case 'fetch':
      return (await import('./image-transfer.ts')).transferImage(action, names, options, globals, output)
    default:
      throw failure(
        'wrong-input',
        'usage',
        `unknown action "${action}"`,
        'dwf image build|ls|rm NAME…|fingerprint|base|use REF IMAGE|save FILE|load FILE|fetch IMAGE@DIGEST',
      )
  }
}

export async function described(globals: Globals) {
  const workspace = await openWorkspace(globals)
  const image = describeImage(workspace)
  if (!image)
    throw failure(
      'wrong-input',
      'no-dockerfile',
      `there is no ${dockerfileName} in ${workspace.project.root}`,
      'dwf init writes it',
    )
  return { workspace, image }
}

export async function openEngine(globals: Globals) {
  refuseRoot(globals.allowRoot)
  const { config } = await openWorkspace(globals)
  await requireTrust({ config }, [])
  return chooseEngine(config.container.engine)
}

async function showFingerprint(globals: Globals, output: Output): Promise<number> {
  const { workspace, image } = await described(globals)
  if (globals.json)
    output.json({
      schema: 'dwf.image/1',
      name: nameOf(workspace),
      fingerprint: image.fingerprint,
      recipe: image.recipe,
    })
  else output.result(image.fingerprint)
  return 0
}

async function build(globals: Globals, output: Output): Promise<number> {
  const { workspace, image } = await described(globals)
  await requireTrust(workspace, [])
  if (globals.dryRun) {
    output.result(`would build ${nameOf(workspace)}:${image.fingerprint.slice(0, 16)} unless it is there`)
    return 0
  }
  const engine = await openEngine(globals)
  const signals = onSignals(undefined)
  try {
    const caBundle = await caBundleOf(workspace.config, process.env)
    const { reference, wasBuilt, remarks } = await prepareImage({
      engine,
      prepared: { workspace, image },
      ...(caBundle ? { caBundle } : {}),
      signal: signals.signal,
      note: output.talk,
      env: process.env,
    })
    if (globals.json)
      output.json({ schema: 'dwf.image/1', image: reference, fingerprint: image.fingerprint, built: wasBuilt, remarks })
    else output.result([`${reference} ${wasBuilt ? 'built' : 'is there'}`, ...remarks].join('\n'))
    return 0
  } finally {
    signals.dispose()
  }
}

async function list(globals: Globals, output: Output): Promise<number> {
  const images = await imageList(await openEngine(globals))
  if (globals.json) output.json({ schema: 'dwf.images/1', images })
  else if (images.length === 0) output.result('no image of dwf here')
  else
    for (const { tags, id, created, size } of images)
      output.result(
        `${tags[0] ?? id.slice(0, 12)}  ${created.slice(0, 16).replace('T', ' ')}${size > 0 ? `  ${formatSize(size)}` : ''}`,
      )
  return 0
}

async function remove(names: readonly string[], globals: Globals, output: Output): Promise<number> {
  if (names.length === 0) throw failure('wrong-input', 'usage', 'which image?', 'dwf image ls, then dwf image rm NAME…')
  const removed = await imageRemove(await openEngine(globals), names, { dryRun: globals.dryRun })
  for (const name of removed) output.result(`${globals.dryRun ? 'would remove' : 'removed'} ${name}`)
  return 0
}

/** Without names: the base from Debian packages. With `REF --from IMAGE`: a local image stands in for a pinned one. */
async function base(
  names: readonly string[],
  from: string | undefined,
  globals: Globals,
  output: Output,
): Promise<number> {
  if (from !== undefined || names.length > 0)
    return use([...names, ...(from === undefined ? [] : [from])], globals, output)
  const { lock } = await openWorkspace(globals)
  const pin = (lock?.images ?? shippedPins.images).find(({ tool }) => tool === 'base')!
  if (globals.dryRun) {
    output.result(`would make ${pin.ref} from Debian packages`)
    return 0
  }
  const engine = await openEngine(globals)
  const signals = onSignals(undefined)
  try {
    const made = await buildBase({
      engine,
      base: pin,
      epoch: lock?.epoch ?? shippedPins.date,
      stateFolder: stateFolder(),
      cacheFolder: cacheFolder(),
      onLine: output.talk,
      signal: signals.signal,
      now: new Date().toISOString(),
    })
    output.result(`${made.image} (${made.how}) stands in for ${pin.ref} on this machine; every summary says so`)
    return 0
  } finally {
    signals.dispose()
  }
}

async function use(names: readonly string[], globals: Globals, output: Output): Promise<number> {
  const [ref, local] = names
  if (!ref || !local || names.length > 2)
    throw failure(
      'wrong-input',
      'usage',
      'a pinned reference and a local image are needed',
      'dwf image use docker.io/library/node:24-trixie-slim localhost/my/node',
    )
  const engine = await openEngine(globals)
  if (!(await engine.image(local)))
    throw failure(
      'wrong-input',
      'no-such-image',
      `there is no image ${local} here`,
      `${engine.info.name} images lists them`,
    )
  if (!globals.dryRun)
    useSubstitute(stateFolder(), {
      ref,
      image: local,
      how: 'a local image, named by a person',
      created: new Date().toISOString(),
    })
  output.result(
    `${local} ${globals.dryRun ? 'would stand' : 'stands'} in for ${ref} on this machine; every summary says so`,
  )
  return 0
}
