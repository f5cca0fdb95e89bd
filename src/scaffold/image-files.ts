import type { ImageModel } from '../image/types.ts'
import type { ImagePin } from '../pins/types.ts'
import { listing, shellQuote } from '../util/text.ts'
import { renderTemplate } from './template.ts'

/** PATH of Debian's images, which a toolchain's folders stand in front of. */
const debianPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Dockerfile.devflow of an image. Pure. */
export function renderDockerfile(model: ImageModel): string {
  const path = model.path.length > 0 ? [{ name: 'PATH', text: [...model.path, ...debianPath].join(':') }] : []
  return renderTemplate('Dockerfile.devflow.hbs', {
    ...labels(model),
    epoch: model.epoch,
    base: pinned(model.base),
    stages: model.stages.map(({ tool, pin, tighten }) => ({ tool, image: pinned(pin), tighten })),
    packages: model.packages,
    copies: model.stages.flatMap(({ tool, copy }) => copy.map((from) => ({ tool, path: from }))),
    env: [...path, ...Object.entries(model.env).map(([name, text]) => ({ name, text }))],
    links: model.links.map(([link, target]) => `ln -sfn ${shellQuote(target)} ${shellQuote(link)}`),
    run: model.run,
  })
}

/** docker-bake.hcl of an image. Pure. `image` is the name without tag. */
export function renderBake(model: ImageModel, image: string): string {
  return renderTemplate('docker-bake.hcl.hbs', { ...labels(model), image, epoch: model.epoch })
}

/** The reference as it stands in FROM: what a substitute has to name. */
export function pinned(pin: ImagePin): string {
  return `${pin.ref}@${pin.digest}`
}

function labels(model: ImageModel): Readonly<Record<string, string>> {
  const tools = model.contents.map(({ tool, version }) => `${tool} ${version}`)
  return {
    title: model.title,
    description: `Build and test image of ${model.title}: ${listing(['Debian 13', ...tools])}`,
    source: model.source ?? '',
    baseName: model.base.ref,
    baseDigest: model.base.digest,
  }
}
