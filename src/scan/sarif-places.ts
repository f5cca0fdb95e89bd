import { posix } from 'node:path'
import { shownPath } from './text.ts'

type Json = Readonly<Record<string, unknown>>

export interface SarifFolders {
  /** The folder that the scanner saw, absolute: `/workspace`. */
  readonly root: string
  /** Files of the tree, relative to it. */
  readonly files: ReadonlySet<string>
}

/** A file of the tree; or, where it is none, what the report calls it, for a person to read. */
export type SarifFile = { readonly file: string } | { readonly file: '.'; readonly foreign?: string }

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** No path of a file system is as long. */
const uriLimit = 16 * 1024

/** What was found before for a run: thousands of results may name one artifact, or one folder of a megabyte. */
const found = new WeakMap<Json, Map<unknown, Map<string, SarifFile>>>()

/** The file that an `artifactLocation` names. Nothing in it can lead out of the tree: only files of the tree are files. */
export function fileOf(location: unknown, run: Json, folders: SarifFolders): SarifFile {
  const named = withUri(location, run)
  if (!named) return { file: '.' }
  if (named.uri.length > uriLimit) return { file: '.', foreign: shownPath(named.uri.slice(0, 400)) }
  const ofRun = found.get(run) ?? new Map<unknown, Map<string, SarifFile>>()
  const ofBase = ofRun.get(named.uriBaseId) ?? new Map<string, SarifFile>()
  const file = ofBase.get(named.uri) ?? look(named, run, folders)
  found.set(run, ofRun.set(named.uriBaseId, ofBase.set(named.uri, file)))
  return file
}

function look(named: Named, run: Json, { root, files }: SarifFolders): SarifFile {
  const base = baseOf(named.uriBaseId, run, root)
  // %SRCROOT% is by convention the root of the sources, whatever it was called where the scanner ran.
  const bases = new Set(named.uriBaseId === '%SRCROOT%' ? [base, root] : [base])
  // Many producers write paths without encoding them: both readings are tried.
  for (const uri of new Set([decoded(named.uri), named.uri]))
    for (const folder of bases) {
      const file = below(root, folder, pathOf(uri))
      if (file !== undefined && files.has(file)) return { file }
    }
  return { file: '.', foreign: shownPath(named.uri) }
}

function below(root: string, folder: string | undefined, path: string | undefined): string | undefined {
  if (folder === undefined || path === undefined) return undefined
  const whole = posix.resolve(folder, path)
  const prefix = root.endsWith('/') ? root : `${root}/`
  return whole.startsWith(prefix) ? whole.slice(prefix.length) : undefined
}

interface Named {
  readonly uri: string
  readonly uriBaseId: unknown
}

/** A location may only point at an entry of `run.artifacts`. */
function withUri(location: unknown, run: Json): Named | undefined {
  if (!isRecord(location)) return undefined
  if (typeof location.uri === 'string' && location.uri !== '')
    return { uri: location.uri, uriBaseId: location.uriBaseId }
  const artifact =
    Array.isArray(run.artifacts) && typeof location.index === 'number' ? run.artifacts[location.index] : undefined
  const target = isRecord(artifact) ? artifact.location : undefined
  return isRecord(target) && typeof target.uri === 'string' && target.uri !== ''
    ? { uri: target.uri, uriBaseId: target.uriBaseId }
    : undefined
}

/**
 * The folder behind a `uriBaseId`, which may itself be relative to another one. One that nobody defines is the root;
 * undefined for one that is no folder.
 */
function baseOf(id: unknown, run: Json, root: string, depth = 0): string | undefined {
  const all = run.originalUriBaseIds
  if (typeof id !== 'string' || !isRecord(all) || !Object.hasOwn(all, id) || depth > 16) return root
  const base = all[id]
  if (!isRecord(base)) return root
  const parent = baseOf(base.uriBaseId, run, root, depth + 1)
  if (typeof base.uri !== 'string' || base.uri === '') return parent
  if (base.uri.length > uriLimit) return undefined
  const path = pathOf(decoded(base.uri))
  return parent === undefined || path === undefined ? undefined : posix.resolve(parent, path)
}

/** The path of a URI: `file:` with any or no host, or none at all; undefined for another scheme. */
function pathOf(uri: string): string | undefined {
  const file = /^file:(?:\/\/[^/]*)?(.*)$/is.exec(uri)?.[1]
  if (file !== undefined) return file
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(uri) ? undefined : uri
}

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri)
  } catch {
    return uri
  }
}
