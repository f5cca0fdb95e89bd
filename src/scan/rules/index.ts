import { byCodeUnit } from '../../util/text.ts'
import { type Unmarked, withFingerprints } from '../fingerprint.ts'
import { oneLine } from '../text.ts'
import { isFixture } from '../tree.ts'
import type { Finding, ScanTarget } from '../types.ts'
import { bakeRules } from './bake.ts'
import { readBake } from './bake-model.ts'
import { composeRules } from './compose.ts'
import { composeFile, type FindCompose } from './compose-model.ts'
import { placesOf } from './places.ts'
import { type FileRule, type Found, Unreadable } from './types.ts'
import { workflowFile } from './workflow-model.ts'
import { workflowRules } from './workflows.ts'
import { readYaml, type YamlValue } from './yaml.ts'

interface RuledFile {
  readonly path: string
  readonly text: string
}

type Kind = 'compose' | 'bake' | 'workflow' | 'action'

const kinds: readonly { readonly kind: Kind; readonly path: RegExp }[] = [
  { kind: 'workflow', path: /^\.github\/workflows\/[^/]+\.ya?ml$/ },
  { kind: 'action', path: /(^|\/)action\.ya?ml$/ },
  { kind: 'compose', path: /(^|\/)(compose(\.[^/]+)?|docker-compose[^/]*)\.ya?ml$/ },
  { kind: 'bake', path: /(^|\/)(docker-bake(\.override)?\.(hcl|json)|[^/]*\.bake\.hcl)$/ },
]

const kindOf = (path: string): Kind | undefined => kinds.find((one) => one.path.test(path))?.kind

/** Whether `ownRules` looks at a file of this path, from the root of the repository. */
export function isRuled(path: string): boolean {
  return kindOf(path) !== undefined
}

const unreadableIds: Readonly<Record<Kind, string>> = {
  compose: 'DWF-COMPOSE-000',
  bake: 'DWF-BAKE-000',
  workflow: 'DWF-ACTIONS-000',
  action: 'DWF-ACTIONS-000',
}
const unreadableReferences: Readonly<Record<Kind, string>> = {
  compose: 'https://docs.docker.com/reference/compose-file/',
  bake: 'https://docs.docker.com/build/bake/reference/',
  workflow: 'https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax',
  action: 'https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax',
}

/**
 * dwf's own rules on what Trivy 0.76 has no checks for: Compose files, bake files, workflows and composite actions. A
 * file that cannot be read is a finding of unknown severity, which every limit refuses. Throws for no text.
 * @param files those for which `isRuled` is true; any other is passed over
 */
export async function ownRules(
  files: readonly RuledFile[],
): Promise<{ readonly targets: readonly ScanTarget[]; readonly findings: readonly Finding[] }> {
  const ruled = files.flatMap((file) => {
    const kind = kindOf(file.path)
    return kind ? [{ ...file, kind }] : []
  })
  const sorted = [...ruled].sort((a, b) => byCodeUnit(a.path, b.path))
  const findCompose = await composeFinder(sorted.filter(({ kind }) => kind === 'compose'))
  const findings: Unmarked[] = []
  for (const file of sorted) findings.push(...(await judge(file, findCompose)))
  return {
    targets: sorted.map(({ path, kind }): ScanTarget => ({ file: path, kind: 'config', type: kind, packages: 0 })),
    findings: withFingerprints(findings),
  }
}

async function judge(file: RuledFile & { readonly kind: Kind }, findCompose: FindCompose) {
  const places = placesOf(file.text)
  try {
    return report(file, await look(file, findCompose), places)
  } catch (error) {
    // No room left on the stack is the one way in which a text can break what reads it.
    const why =
      error instanceof Unreadable
        ? error
        : error instanceof RangeError
          ? new Unreadable('it is nested too deep', 0)
          : undefined
    if (!why) throw error
    return [unreadable(file, why, places)]
  }
}

interface Seen {
  readonly rule: FileRule<never>
  readonly found: Found
}

async function look(
  { path, text, kind }: RuledFile & { readonly kind: Kind },
  findCompose: FindCompose,
): Promise<readonly Seen[]> {
  if (kind === 'bake') return apply(bakeRules, await readBake(path, text))
  const documents = await readYaml(text)
  return documents.flatMap((document) => {
    if (kind === 'compose') {
      const model = composeFile(path, document, findCompose)
      return model ? apply(composeRules, model) : []
    }
    const model = workflowFile(text, document, kind)
    return model ? apply(workflowRules, model) : []
  })
}

function apply<Model>(rules: readonly FileRule<Model>[], model: Model): readonly Seen[] {
  return rules.flatMap((rule) => [...rule.look(model)].map((found) => ({ rule, found })))
}

type Places = ReturnType<typeof placesOf>

/** What several services share through an anchor is one finding at the place where it is written. */
function report({ path }: RuledFile, seen: readonly Seen[], places: Places): readonly Unmarked[] {
  const once = new Map(seen.map((one) => [`${one.rule.id} ${one.found.at}`, one] as const).reverse())
  return [...once.values()]
    .sort((a, b) => a.found.at - b.found.at || byCodeUnit(a.rule.id, b.rule.id))
    .map(({ rule, found }) => ({
      id: rule.id,
      severity: found.severity ?? rule.severity,
      layer: 'config',
      scanner: 'dwf',
      where: { file: path, ...places(found.at) },
      title: oneLine(`${oneLine(`${cut(found.about)}${cut(found.detail ?? '')}`, 120)}: ${rule.title}`),
      advice: rule.advice,
      references: [rule.reference],
      about: cut(found.about),
    }))
}

/** An image may be named by a megabyte. */
const cut = (text: string): string => text.slice(0, 1000)

function unreadable(
  { path, kind }: RuledFile & { readonly kind: Kind },
  { message, at }: Unreadable,
  places: Places,
): Unmarked {
  return {
    id: unreadableIds[kind],
    // Files for tests may be broken on purpose.
    severity: isFixture(path) ? 'low' : 'unknown',
    layer: 'config',
    scanner: 'dwf',
    where: { file: path, ...places(at) },
    title: oneLine(`cannot be read, so nobody knows what is in it: ${message}`),
    advice: 'correct it, or write it in a simpler way',
    references: [unreadableReferences[kind]],
  }
}

/** Finds what Compose files extend or include. One that cannot be read is a finding of its own. */
async function composeFinder(files: readonly RuledFile[]): Promise<FindCompose> {
  const values = new Map<string, YamlValue>()
  if (!files.some(({ text }) => /\b(extends|include)\b/.test(text))) return () => undefined
  for (const { path, text } of files) {
    try {
      const [first] = await readYaml(text)
      if (first) values.set(path, first)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
    }
  }
  return (path) => values.get(path)
}
