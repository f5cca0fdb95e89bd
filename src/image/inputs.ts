import { basename, isAbsolute, relative } from 'node:path'
import type { ImagePin } from '../pins/types.ts'
import type { ToolchainRequest } from '../project/types.ts'
import { failure } from '../util/diagnostics.ts'
import { byCodeUnit, printable } from '../util/text.ts'
import { contextFrames, fileFrames } from './context-frames.ts'
import { contextReads, parseDockerfile } from './dockerfile.ts'
import type { Frame } from './fingerprint.ts'
import { readIgnore } from './ignore.ts'

export interface FingerprintInput {
  /** Absolute: the build context. */
  readonly root: string
  /** Of the Dockerfile, relative to the root. */
  readonly dockerfile: string
  readonly text: string
  readonly args: Readonly<Record<string, string>>
  /** `[container] fingerprint_inputs` */
  readonly globs: readonly string[]
  readonly requests: readonly ToolchainRequest[]
  readonly pins: readonly ImagePin[]
  /** `linux/amd64` */
  readonly platform: string
  readonly epoch: string
}

/** Manifests change with every dependency; of these only what they ask for counts. The other files say nothing else. */
const manifests =
  /^(package\.json|pyproject\.toml|Cargo\.toml|go\.(mod|work)|pom\.xml|.*\.gradle(\.kts)?|.*\.lock|package-lock\.json)$/

/**
 * Everything that an image depends on, read from the repository. What `.dockerignore` leaves out is left out, since no
 * builder sends it; links are read as links, and the file behind a link that COPY names as well.
 * Not seen: what ADD fetches from a URL, and ONBUILD instructions of a base image.
 * @throws Failure('wrong-input') for a pattern that leaves the repository
 */
export function fingerprintFrames(input: FingerprintInput): readonly Frame[] {
  const value = (name: string, content: string): Frame => ({ kind: 'value', name, content })
  const reads = contextReads(parseDockerfile(input.text))
  const isReading = reads.isEverything || reads.patterns.length > 0
  const ignore = readIgnore(input.root, input.dockerfile)
  return [
    value('dockerfile', input.text),
    value('platform', input.platform),
    value('epoch', input.epoch),
    ...Object.entries(input.args).map(([name, text]) => value(`argument ${name}`, text)),
    ...input.pins.map((pin) => value(`pin ${pin.tool} ${pin.ref}`, pin.digest)),
    ...input.requests.map((request) =>
      value(`request ${request.tool}`, `${request.range}\n${request.integrity ?? ''}`),
    ),
    ...(isReading ? ignore.files.flatMap((name) => fileFrames(input.root, name)) : []),
    ...(isReading ? contextFrames(input.root, reads.isEverything ? [''] : reads.patterns, ignore) : []),
    ...versionFiles(input).flatMap((path) => fileFrames(input.root, path)),
    ...input.globs.map((glob) => value('input', glob)),
    ...contextFrames(input.root, input.globs.map(insideRoot)),
  ]
}

function versionFiles(input: FingerprintInput): readonly string[] {
  const files = input.requests.flatMap((request) => request.where?.file ?? [])
  const paths = files.map((file) => (isAbsolute(file) ? relative(input.root, file) : file))
  return [...new Set(paths)]
    .filter((path) => !path.startsWith('..') && !manifests.test(basename(path)))
    .sort(byCodeUnit)
}

function insideRoot(glob: string): string {
  const parts = glob.split('/').filter((part) => part !== '' && part !== '.')
  if (isAbsolute(glob) || parts.includes('..')) {
    const message = `fingerprint_inputs names ${JSON.stringify(printable(glob))}, which lies outside of the repository`
    throw failure('wrong-input', 'outside-repository', message, 'name files of the repository, relative to its root')
  }
  return parts.join('/')
}
