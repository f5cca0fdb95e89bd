import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { hashFile } from '../../util/files.ts'
import { scanFailed } from '../broken.ts'
import { databaseIdentity, describeDatabase } from '../database.ts'
import { prepareDatabase } from '../prepare-database.ts'
import { count, oneLine } from '../text.ts'
import { isolated } from '../trivy/isolation.ts'
import { hasJavaDatabase, trivyScanner } from '../trivy/scanner.ts'
import type { Scanner, ScanReport, Subject } from '../types.ts'
import { lookOnce } from './keep.ts'
import type { ImageAccess, LayerContext, Look, Looked } from './types.ts'

/** An image to look at, before anything of it was read. */
type Image =
  | {
      readonly from: 'engine'
      readonly name: string
      readonly reference: string
      readonly id: string
      /** Built by dwf, on Debian. */
      readonly isOfTasks: boolean
    }
  | { readonly from: 'archive'; readonly name: string; readonly path: string; readonly id: string }
  | { readonly from: 'registry'; readonly name: string; readonly reference: string }

/**
 * Looks at the image that tasks run in, or at the images that were named: `registry:REFERENCE`, the path of an archive,
 * or what the engine has. Images of the engine are saved to an archive first: no scanner gets its socket.
 */
export async function lookAtImages(
  names: readonly string[],
  context: LayerContext,
  signal: AbortSignal | undefined,
): Promise<Look> {
  const { guarded, env, now, offline, note } = context
  const trivy = await context.trivy()
  const prepared = await prepareDatabase({ guarded, trivy, env, now, offline, note, ...(signal ? { signal } : {}) })
  const { dir } = prepared.database
  const images =
    names.length > 0 ? await inTurn(names, (name) => named(name, context)) : [await ofTasks(context, signal)]
  const scanner = trivyScanner({ trivy, guarded, databaseDir: dir, env })
  const looks = await inTurn(images, (image) => {
    const look = () => lookAt(image, scanner, context, signal)
    // Nobody knows what a registry has under a name without asking it.
    if (image.from === 'registry') return look().then((looked) => ({ looked, at: now(), isCached: false }))
    const key = ['image', image.name, image.id, trivy.version, trivy.identity, databaseIdentity(dir)]
    return lookOnce(context, key, async () => isSame(image), look)
  })
  const of = looks.map(({ looked }) => looked)
  return {
    looked: {
      findings: of.flatMap((looked) => looked.findings),
      components: of.flatMap((looked) => looked.components),
      scanners: of[0]?.scanners ?? [],
      subjects: images.map((image) => image.name),
      extent: of.map((looked) => looked.extent).join('; '),
      blind: of.flatMap((looked) => looked.blind),
      lines: [
        ...new Set(of.flatMap((looked) => looked.lines)),
        ...(hasJavaDatabase(dir)
          ? []
          : ['jar, war, ear and par files were not looked into: dwf scan db update --java fetches what that needs']),
      ],
    },
    scannedAt: Math.min(...looks.map(({ at }) => at)),
    isCached: looks.every(({ isCached }) => isCached),
    database: describeDatabase(prepared.database),
    lines: prepared.lines,
  }
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}

function accessOf({ images }: Pick<LayerContext, 'images'>): ImageAccess {
  if (images) return images
  throw scanFailed(
    'no-engine',
    'images of an engine cannot be looked at here',
    'name an archive, or registry:REFERENCE',
  )
}

async function ofTasks(context: Pick<LayerContext, 'images'>, signal: AbortSignal | undefined): Promise<Image> {
  const { reference, id } = await accessOf(context).ofTasks(signal)
  return { from: 'engine', name: nameOfTasks, reference, id, isOfTasks: true }
}

/** How the image that tasks run in is called in findings: its tag changes with its contents. */
const nameOfTasks = 'image of tasks'

/** Whether an archive is still the one that was hashed; what the engine has under an id is. */
const isSame = (image: Exclude<Image, { from: 'registry' }>): boolean =>
  image.from === 'engine' || hashFile(image.path) === image.id

/** A name that no engine is asked for: `registry:REFERENCE`, or the path of an archive. */
export const isImageElsewhere = (name: string): boolean =>
  name.startsWith('registry:') || isAbsolute(name) || /^\.{1,2}\//.test(name) || name.endsWith('.tar')

async function named(name: string, context: Pick<LayerContext, 'images' | 'cwd'>): Promise<Image> {
  if (name.startsWith('registry:')) {
    const reference = name.slice('registry:'.length)
    // It becomes an argument: nothing that could be read as an option, or as anything but a reference.
    if (!/^[a-z0-9][A-Za-z0-9._:/@-]*$/.test(reference))
      throw scanFailed(
        'image-name',
        `${oneLine(name)} is no reference of an image`,
        'such as registry:ghcr.io/shop/web:1.2',
      )
    return { from: 'registry', name: reference, reference }
  }
  if (isImageElsewhere(name)) return archive(name, context.cwd)
  const found = /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/.test(name) ? await accessOf(context).find(name) : undefined
  if (found) return { from: 'engine', name, reference: name, id: found.id, isOfTasks: false }
  throw scanFailed(
    'no-image',
    `the engine has no image ${oneLine(name)}`,
    `pull or build it first, or write registry:${oneLine(name)} to look at it in its registry; an archive is named by its path`,
  )
}

function archive(name: string, cwd: string): Image {
  try {
    const path = realpathSync.native(resolve(cwd, name))
    if (!statSync(path).isFile()) throw new Error('not a file')
    const id = hashFile(path)
    if (id === undefined) throw new Error('it may not be read')
    return { from: 'archive', name: oneLine(name), path, id }
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message
    throw scanFailed('no-archive', `the archive ${oneLine(name)} cannot be read: ${why}`, 'podman save writes one')
  }
}

async function lookAt(
  image: Image,
  scanner: Scanner,
  context: LayerContext,
  signal: AbortSignal | undefined,
): Promise<Looked> {
  const scan = (subject: Subject) =>
    scanner.scan({ subject, layer: 'image', timeoutMs: context.timeoutMs, ...(signal ? { signal } : {}) })
  if (image.from === 'registry') return looked(image, await scan({ kind: 'registry', reference: image.reference }))
  if (image.from === 'archive')
    return looked(image, await scan({ kind: 'archive', path: image.path, name: image.name }))
  return saved(image, context, signal, async (path) => {
    const report = await scan({ kind: 'archive', path, name: image.name })
    // The name may have come to mean another image since it was asked for.
    if (report.imageId !== undefined && bare(report.imageId) !== bare(image.id))
      throw scanFailed('report-of-another-scan', `the report is about another image than ${image.name}`, 'run it again')
    return looked(image, report)
  })
}

/** An image of the engine as an archive that is gone afterwards. */
function saved<T>(
  image: { readonly name: string; readonly reference: string },
  context: Pick<LayerContext, 'guarded' | 'images' | 'note'>,
  signal: AbortSignal | undefined,
  use: (path: string) => Promise<T>,
): Promise<T> {
  return isolated(context.guarded, async ({ scratch }) => {
    const path = join(scratch, 'image.tar')
    context.note(`saves ${image.name}, to look into it`)
    await accessOf(context).save(image.reference, path, signal)
    return use(path)
  })
}

/** An image as an archive: the one at a path, one of the engine, or with the name `image` the one that tasks run in. */
export async function withArchive<T>(
  name: string,
  context: Pick<LayerContext, 'guarded' | 'images' | 'cwd' | 'note'>,
  signal: AbortSignal | undefined,
  use: (subject: Subject & { readonly kind: 'archive' }) => Promise<T>,
): Promise<T> {
  const image = name === 'image' ? await ofTasks(context, signal) : await named(name, context)
  if (image.from === 'registry')
    throw scanFailed('image-name', `${image.name} is in a registry`, 'pull it first, and name it without registry:')
  if (image.from === 'archive') return use({ kind: 'archive', path: image.path, name: image.name })
  return saved(image, context, signal, (path) => use({ kind: 'archive', path, name: image.name }))
}

const bare = (id: string): string => id.replace(/^sha256:/, '')

function looked(image: Image, report: ScanReport): Looked {
  const { components } = report
  const hasSystem = report.targets.some(({ file, packages }) => file === 'os-packages' && packages > 0)
  // What dwf builds is Debian: without its packages the report has looked past them, or somebody has hidden them.
  const isBlind = image.from === 'engine' && image.isOfTasks && !hasSystem
  return {
    findings: report.findings,
    components,
    scanners: [report.scanner],
    subjects: [image.name],
    extent: `${count(components.length, 'package')} in ${image.name}`,
    blind: isBlind ? [`${image.name}: the report has not one package of its system`] : [],
    lines:
      hasSystem || isBlind
        ? []
        : [`${image.name}: nothing in it says which packages its system has; what they bring is not judged`],
  }
}
