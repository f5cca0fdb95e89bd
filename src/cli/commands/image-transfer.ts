import { resolve } from 'node:path'
import { imageReference, isThere, readSubstitutes, substitutesFor } from '../../image/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { hashFile } from '../../util/files.ts'
import { stateFolder } from '../../util/paths.ts'
import type { Globals } from '../globals.ts'
import { nameOf } from '../image.ts'
import type { Output } from '../output.ts'
import { onSignals } from '../signals.ts'
import { described, openEngine } from './image.ts'

/**
 * `dwf image save|load FILE`, `dwf image fetch IMAGE@DIGEST`: brings the image from one machine to another. What comes in is
 * held against what the files of this repository describe: another image is refused, whatever its tag says.
 */
export async function transferImage(
  action: 'save' | 'load' | 'fetch',
  names: readonly string[],
  options: { readonly sha256?: string },
  globals: Globals,
  output: Output,
): Promise<number> {
  const [name] = names
  if (name === undefined || names.length > 1)
    throw failure(
      'wrong-input',
      'usage',
      `image ${action} takes one name`,
      'dwf image save FILE|load FILE|fetch IMAGE@DIGEST',
    )
  const { workspace, image } = await described(globals)
  const engine = await openEngine(globals)
  const reference = imageReference(nameOf(workspace), image.fingerprint)
  const wanted = {
    engine,
    fingerprint: image.fingerprint,
    substitutes: substitutesFor(image.model, readSubstitutes(stateFolder())),
  }
  const signals = onSignals(undefined)
  try {
    switch (action) {
      case 'save':
        if (!(await isThere(wanted, reference)))
          throw failure('wrong-input', 'no-such-image', `${reference} is not here`, 'dwf image build makes it')
        await engine.saveImage(reference, resolve(globals.cwd, name), signals.signal)
        break
      case 'load':
        requireHash(resolve(globals.cwd, name), options.sha256)
        await engine.loadImage(resolve(globals.cwd, name), signals.signal)
        break
      case 'fetch':
        if (!/@sha256:[0-9a-f]{64}$/.test(name))
          throw failure(
            'wrong-input',
            'usage',
            `${JSON.stringify(name)} has no digest`,
            'a tag can be moved: IMAGE@sha256:…',
          )
        await engine.pullImage(name, signals.signal)
        if (await isThere(wanted, name)) await engine.tagImage(name, reference)
    }
    if (!(await isThere(wanted, reference)))
      throw failure(
        'wrong-input',
        'other-image',
        `${name} is not the image that this repository describes (${reference})`,
        'save it from the same commit; devflow.lock, Dockerfile.devflow and the manifests decide what it is',
      )
    output.result(`${reference} ${action === 'save' ? `saved to ${name}` : 'is there'}`)
    return 0
  } finally {
    signals.dispose()
  }
}

function requireHash(file: string, sha256: string | undefined): void {
  const found = hashFile(file)
  if (found === undefined) throw failure('wrong-input', 'unreadable', `cannot read ${file}`, 'see dwf image save FILE')
  if (sha256 === undefined || found === sha256) return
  throw failure(
    'refused',
    'other-bytes',
    `${file} has the SHA-256 ${found}, not ${sha256}`,
    'somebody changed it on its way: nothing was loaded',
  )
}
