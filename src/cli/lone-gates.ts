import { randomBytes } from 'node:crypto'
import { chooseEngine } from '../engine/choose.ts'
import { failure } from '../util/diagnostics.ts'
import { once } from '../util/once.ts'
import { caBundleOf } from './ca-bundle.ts'
import { requireTrust } from './commands/trust.ts'
import { gateAccess } from './gate-access.ts'
import type { Globals } from './globals.ts'
import { prepareImage, standInsOf } from './image.ts'
import type { Output } from './output.ts'
import { refuseRoot } from './place.ts'
import { describeImage } from './prepare.ts'
import { brief } from './run/brief.ts'
import type { Workspace } from './workspace.ts'

/** Engine and image for what looks at them outside of a run. */
export function loneAccess(workspace: Workspace, globals: Globals, output: Output, signal: AbortSignal) {
  const chosen = once(async () => {
    await requireTrust(workspace)
    refuseRoot(globals.allowRoot)
    return chooseEngine(workspace.config.container.engine)
  })
  const described = describeImage(workspace)
  const image = once(async () => {
    if (!described)
      throw failure('wrong-input', 'no-dockerfile', 'there is no Dockerfile.devflow', 'dwf init writes it')
    const caBundle = await caBundleOf(workspace.config, process.env)
    return prepareImage({
      engine: await chosen(),
      prepared: { workspace, image: described },
      ...(caBundle ? { caBundle } : {}),
      signal,
      note: (text) => {
        const said = globals.verbose ? text : brief(text)
        if (said) output.talk(said)
      },
      env: process.env,
    })
  })
  return gateAccess({
    plan: { limits: workspace.config.container },
    runId: `scan-${randomBytes(6).toString('hex')}`,
    chosen,
    image,
    imageTag: described?.fingerprint ?? '',
    standIns: () => standInsOf(described, process.env),
    reap: () => {},
    note: output.talk,
  })
}
