import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formats, type HistoryEntry, historyEntry, type ReportFormat, renderReport } from '../report/index.ts'
import { type LayerResult, type ScanDocument, severities } from '../scan/index.ts'
import { failure } from '../util/diagnostics.ts'
import { writeAtomic } from '../util/files.ts'
import { privateFolder, projectStateFolder, stateFolder } from '../util/paths.ts'
import { byCodeUnit } from '../util/text.ts'
import { version } from './version.ts'

/** A file that a person asked for: `--report sarif=results.sarif`. */
export interface WantedReport {
  readonly format: ReportFormat
  /** Absolute. */
  readonly path: string
}

/**
 * The files and the commit statuses of `--report`: a word with `=` names a file, one without the context of a status.
 * @throws Failure('wrong-input') for what names no format, no file or no context
 */
export function readReports(
  words: readonly string[] | undefined,
  cwd: string,
): { readonly files: readonly WantedReport[]; readonly contexts: readonly string[] } {
  const files: WantedReport[] = []
  const contexts = new Set<string>()
  for (const word of words ?? []) {
    const at = word.indexOf('=')
    const format = word.slice(0, Math.max(at, 0)) as ReportFormat
    if (at > 0 && at < word.length - 1 && formats.includes(format))
      files.push({ format, path: resolve(cwd, word.slice(at + 1)) })
    else if (at < 0 && isContext(word)) contexts.add(word)
    else
      throw failure(
        'wrong-input',
        'usage',
        `--report must be FORMAT=FILE, not ${JSON.stringify(word)}`,
        `formats: ${formats.join(', ')}; a word without "=" is the context of a commit status`,
      )
  }
  return { files, contexts: [...contexts] }
}

/** GitHub takes 255 characters. The name of a format is somebody's who forgot the file. */
const isContext = (word: string): boolean =>
  /^[\x21-\x7e][\x20-\x7e]{0,253}[\x21-\x7e]$|^[\x21-\x7e]$/.test(word) &&
  !(formats as readonly string[]).includes(word)

export function scanDocument(options: {
  readonly run: string
  readonly project: string
  readonly commit: string | undefined
  readonly at: number
  readonly layers: readonly LayerResult[]
}): ScanDocument {
  const { commit, layers, ...rest } = options
  return {
    schema: 'dwf.scan/1',
    dwf: version,
    ...rest,
    ...(commit === undefined ? {} : { commit }),
    ok: layers.every(({ verdict }) => verdict === 'passed'),
    layers: [...layers].sort((a, b) => byCodeUnit(a.layer, b.layer)),
  }
}

const documentName = 'scan.json'
const historyLimit = 30

/**
 * Keeps the document with the run, and a line of it for the project's history. What cannot be written, on a full disk, is
 * said and no more: the verdict stands.
 */
export function keepDocument(document: ScanDocument, root: string): readonly string[] {
  try {
    writeAtomic(join(stateFolder(), 'runs', document.run, documentName), JSON.stringify(document), 0o600)
    const folder = historyFolder(root)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeAtomic(join(privateFolder(folder), `${document.run}.json`), JSON.stringify(historyEntry(document)), 0o600)
    const names = historyNames(folder)
    for (const name of names.slice(0, Math.max(0, names.length - historyLimit)))
      rmSync(join(folder, name), { force: true })
    return []
  } catch (error) {
    return [`what the gates found could not be kept: ${(error as Error).message}`]
  }
}

/** Oldest first; not what another dwf is just writing. */
const historyNames = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => /^\d{14}-[0-9a-f]{6}\.json$/.test(name))
    .sort(byCodeUnit)

/** The text of the document that a run kept; undefined where there is no such run, or no gate was in it. */
export function keptDocument(run: string): string | undefined {
  if (!/^[0-9]{14}-[0-9a-f]{6}$/.test(run)) return undefined
  try {
    return readFileSync(join(stateFolder(), 'runs', run, documentName), 'utf8')
  } catch {
    return undefined
  }
}

const historyFolder = (root: string): string => join(projectStateFolder(root), 'scan', 'history')

/** The last runs with gates, oldest first. */
function history(root: string): readonly HistoryEntry[] {
  const folder = historyFolder(root)
  try {
    return historyNames(folder).flatMap((name) => readEntry(join(folder, name)))
  } catch {
    return []
  }
}

/** Nothing for a file that is damaged. */
function readEntry(path: string): readonly HistoryEntry[] {
  try {
    const entry = JSON.parse(readFileSync(path, 'utf8'))
    const isWhole =
      typeof entry?.run === 'string' &&
      typeof entry.at === 'number' &&
      severities.every((severity) => typeof entry.counts?.[severity] === 'number')
    return isWhole ? [entry] : []
  } catch {
    return []
  }
}

/** Writes the reports that were asked for; what a format has to say of itself comes back. */
export async function writeReports(
  document: ScanDocument,
  wanted: readonly WantedReport[],
  root: string,
): Promise<readonly string[]> {
  const notes: string[] = []
  for (const { format, path } of wanted) {
    const report = await renderReport(format, document, history(root))
    try {
      writeAtomic(path, report.text)
    } catch (error) {
      const why = (error as Error).message
      throw failure(
        'machine-cannot',
        'report-not-written',
        `the ${format} report could not be written to ${path}: ${why}`,
        'name a file in a folder that is there',
      )
    }
    notes.push(...report.notes.map((note) => `${format}: ${note}`))
  }
  return notes
}

/** The job summary of GitHub Actions is a file that each step may add to; what went wrong comes back. */
export function addToJobSummary(text: string, env: NodeJS.ProcessEnv): readonly string[] {
  const file = env.GITHUB_STEP_SUMMARY
  if (!file) return []
  try {
    appendFileSync(file, text)
    return []
  } catch (error) {
    return [`the job summary could not be written: ${(error as Error).message}`]
  }
}
