import { failure } from '../util/diagnostics.ts'
import { listing } from '../util/text.ts'
import { lookAt, type Place } from './place.ts'
import type { PlannedFile } from './planned.ts'
import { type FileWrite, writeFiles } from './write-files.ts'

/** What became of a planned file; with `dryRun` what would. `kept`: it is there, differs, and was left alone. */
export interface ScaffoldResult {
  readonly path: string
  readonly action: 'created' | 'unchanged' | 'kept' | 'replaced'
}

export interface ScaffoldOptions {
  /** Absolute. */
  readonly root: string
  readonly files: readonly PlannedFile[]
  /** What is written with them, and was decided elsewhere. */
  readonly also?: readonly FileWrite[]
  readonly dryRun?: boolean
  /** Ask, file by file, whether one that differs is to be replaced. */
  readonly force?: boolean
  /** Undefined where nobody can be asked. */
  readonly ask?: (file: { readonly path: string; readonly before: string; readonly after: string }) => Promise<boolean>
}

/**
 * Writes files into a repository: all of them or none. What is there is never overwritten without a yes. Everything is
 * written beside its place first and put there whole, so that even a crash leaves no half file; an error takes back
 * what was done, down to the folders. No link is followed.
 * @throws Failure('refused') when a link is in the way, or `force` cannot ask
 */
export async function scaffold(options: ScaffoldOptions): Promise<readonly ScaffoldResult[]> {
  const { root, files } = options
  const places = files.map((file) => ({ file, place: lookAt(root, file.path) }))
  const different = places.filter(
    ({ file, place }) => place.text !== undefined && !place.text.equals(Buffer.from(file.content)),
  )
  if (options.force && different.length > 0 && !options.dryRun && !options.ask) {
    const names = listing(different.map(({ file }) => file.path))
    throw failure(
      'refused',
      'would-overwrite',
      `${names} would be overwritten, and nobody can be asked`,
      'run it in a terminal, or remove them first',
    )
  }
  const results: ScaffoldResult[] = []
  for (const { file, place } of places) {
    if (place.text === undefined) results.push({ path: file.path, action: 'created' })
    else if (!different.some((one) => one.file === file)) results.push({ path: file.path, action: 'unchanged' })
    else
      results.push({
        path: file.path,
        action: options.force && (await isWanted(options, file, place)) ? 'replaced' : 'kept',
      })
  }
  const wanted = places.filter((_, index) => ['created', 'replaced'].includes(results[index]!.action))
  if (!options.dryRun)
    writeFiles(root, [...wanted.map(({ file, place }) => ({ ...file, expected: place.text })), ...(options.also ?? [])])
  return results
}

async function isWanted(options: ScaffoldOptions, file: PlannedFile, place: Place): Promise<boolean> {
  if (options.dryRun) return true
  return (await options.ask?.({ path: file.path, before: place.text!.toString('utf8'), after: file.content })) ?? false
}
