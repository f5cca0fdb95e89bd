import { at, type Manifest, readManifest, stringAt, stringsAt } from '../project/manifest.ts'
import type { Tree } from '../project/types.ts'
import { type Diagnostic, type Span, spanAt } from '../util/diagnostics.ts'
import { listing, printable } from '../util/text.ts'
import { above, inDir, optional, type Requests } from './unit.ts'
import { type Mention, minimumRange, prefixRange, request, toolVersions } from './versions.ts'

/** The compiler: rust-toolchain.toml, else .tool-versions, else the minimum that `rust-version` names. */
export function rustRequests(tree: Tree, dir: string, manifest: Manifest): Requests {
  const file = toolchainFile(tree, dir)
  const mention =
    minimum(manifest, ['package', 'rust-version']) ?? minimum(manifest, ['workspace', 'package', 'rust-version'])
  const requests = request('rust', [...file.mentions, ...toolVersions(tree, dir, 'rust', channelRange), mention])
  return { ...requests, diagnostics: [...file.diagnostics, ...requests.diagnostics] }
}

/** A member that says `rust-version.workspace = true` takes what the workspace says. */
function minimum(manifest: Manifest, path: readonly string[]): Mention | undefined {
  const version = at(manifest, [...path, 'workspace']) === true ? undefined : stringAt(manifest, path)
  return version === undefined
    ? undefined
    : { asked: version, range: minimumRange(version), where: manifest.span(path) }
}

/** `stable` is any; a nightly or beta compiler is not in an official image. */
function channelRange(channel: string): string | undefined {
  return channel === 'stable' ? '*' : prefixRange(channel)
}

interface ToolchainFile {
  readonly mentions: readonly Mention[]
  readonly diagnostics: readonly Diagnostic[]
}

/** The nearest file that rustup would read; the older form without ending may be TOML too, or one word. */
function toolchainFile(tree: Tree, dir: string): ToolchainFile {
  for (const folder of [dir, ...above(dir)]) {
    for (const name of ['rust-toolchain', 'rust-toolchain.toml']) {
      const file = inDir(folder, name)
      const text = tree.text(file)
      if (text === undefined) continue
      const word = /^\s*([A-Za-z0-9._-]+)\s*$/.exec(text)?.[1]
      if (word !== undefined) return fromChannel(word, wordSpan(file, text, word), [])
      const manifest = readManifest(tree, file)
      if (!manifest) continue
      const channel = stringAt(manifest, ['toolchain', 'channel'])
      const targets = stringsAt(manifest, ['toolchain', 'targets']) ?? []
      const notes = targets.length === 0 ? [] : [unusedTargets(targets, manifest.span(['toolchain', 'targets']))]
      const problems = manifest.problems.map((one): Diagnostic => ({ ...one, severity: 'warning' }))
      if (channel === undefined) return { mentions: [], diagnostics: [...problems, ...notes] }
      return fromChannel(channel, manifest.span(['toolchain', 'channel']), [...problems, ...notes])
    }
  }
  return { mentions: [], diagnostics: [] }
}

function wordSpan(file: string, text: string, word: string): Span {
  const before = text.slice(0, text.indexOf(word)).split('\n')
  return spanAt(file, text, before.length, before.at(-1)!.length + 1, word.length)
}

function fromChannel(channel: string, where: Span | undefined, diagnostics: readonly Diagnostic[]): ToolchainFile {
  if (!/^(?:nightly|beta)\b/.test(channel))
    return { mentions: [{ asked: channel, range: channelRange(channel), where }], diagnostics }
  const nightly: Diagnostic = {
    severity: 'warning',
    code: 'rust-channel',
    message: `the channel ${printable(channel)} has no official image; a stable compiler is taken`,
    ...optional('where', where),
    hint: 'name a stable version, or give the commands that need the channel an image of their own',
  }
  return { mentions: [], diagnostics: [...diagnostics, nightly] }
}

function unusedTargets(targets: readonly string[], where: Span | undefined): Diagnostic {
  return {
    severity: 'note',
    code: 'rust-targets',
    message: `the image has the compiler for its own platform only, not for ${listing(targets.map(printable))}`,
    ...optional('where', where),
  }
}
