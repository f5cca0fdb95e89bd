import { type Manifest, stringAt } from '../project/manifest.ts'
import type { Tree } from '../project/types.ts'
import type { FoundManager } from './node-managers.ts'
import { joinRequests, type Requests } from './unit.ts'
import { type Mention, npmRange, prefixRange, request, toolVersions, versionFiles } from './versions.ts'

/** Node's long-term releases by the names that nvm takes. */
const ltsNames: Readonly<Record<string, number>> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
}

/** What .nvmrc and .node-version may hold; `lts/*` is any long-term release that still gets fixes, or a later one. */
export function nodeRange(text: string): string | undefined {
  const word = text.toLowerCase()
  if (word === 'lts/*' || word === 'lts' || word === '--lts') return '22 || 24 || 26'
  if (word === 'node' || word === 'stable' || word === 'current' || word === 'latest') return '*'
  const lts = /^lts\/([a-z]+)$/.exec(word)?.[1]
  if (lts !== undefined) return Object.hasOwn(ltsNames, lts) ? String(ltsNames[lts]) : undefined
  return prefixRange(text)
}

/** Node, and the package manager where it is not the npm that comes with it. */
export function nodeRequests(tree: Tree, dir: string, manifest: Manifest, found: FoundManager): Requests {
  const engine = (name: string): Mention | undefined => mention(manifest, ['engines', name])
  const node = request('node', [
    ...versionFiles(tree, dir, ['.nvmrc', '.node-version'], nodeRange),
    ...toolVersions(tree, dir, 'nodejs', nodeRange),
    ...toolVersions(tree, dir, 'node', nodeRange),
    mention(manifest, ['volta', 'node']),
    mention(manifest, ['devEngines', 'runtime', 'version']),
    engine('node'),
  ])
  // npm comes with Node; a version of its own is not installed, so it is not asked for.
  if (found.manager === 'npm') return node
  const tool = found.manager === 'yarn-berry' ? 'yarn' : found.manager
  const asked = [found.mention, ...toolVersions(tree, dir, tool), mention(manifest, ['volta', tool]), engine(tool)]
  const manager = request(found.manager, asked)
  return joinRequests([node, manager.toolchains[0]?.asked === '' ? withoutVersion(manager, found) : manager])
}

/** Where nothing names a version, the name still says which Yarn. */
function withoutVersion(requests: Requests, found: FoundManager): Requests {
  const range = { yarn: '1', 'yarn-berry': '>=2', npm: '*', pnpm: '*', bun: '*' }[found.manager]
  return { ...requests, toolchains: requests.toolchains.map((one) => ({ ...one, range })) }
}

function mention(manifest: Manifest, path: readonly string[]): Mention | undefined {
  const asked = typeof path[0] === 'string' ? stringAt(manifest, path) : undefined
  return asked === undefined ? undefined : { asked, range: npmRange(asked), where: manifest.span(path) }
}
