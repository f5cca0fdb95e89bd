import { Unreadable } from './types.ts'
import { entriesOf, get, itemsOf, textOf, textsOf, type YamlMap, type YamlText, type YamlValue } from './yaml.ts'

export interface Step {
  readonly map: YamlMap
  /** `jobs.build.steps`, or `runs.steps` in an action. */
  readonly about: string
  readonly uses?: Uses
  readonly run?: YamlText
  readonly with: YamlValue | undefined
}

/** A `uses`, taken apart. */
export interface Uses {
  readonly at: number
  readonly text: string
  readonly kind: 'local' | 'docker' | 'repository'
  /** `owner/name`, lower case; of an image its whole reference. */
  readonly repository: string
  /** What is behind the @; undefined without. */
  readonly ref?: string
  readonly isPinned: boolean
}

export interface Job {
  readonly id: string
  /** Of its key. */
  readonly at: number
  readonly map: YamlMap
  /** A reusable workflow that it calls. */
  readonly calls?: Uses
  readonly steps: readonly Step[]
}

export interface WorkflowFile {
  readonly text: string
  readonly kind: 'workflow' | 'action'
  readonly root: YamlMap
  readonly triggers: ReadonlySet<string>
  readonly jobs: readonly Job[]
  /** All of them: of the jobs, or of the composite action. */
  readonly steps: readonly { readonly step: Step; readonly job?: Job }[]
}

/** Throws `Unreadable` for a workflow without jobs; undefined for a file called action.yml that is no action. */
export function workflowFile(text: string, root: YamlValue, kind: WorkflowFile['kind']): WorkflowFile | undefined {
  if (kind === 'action') {
    const runs = get(root, 'runs')
    if (root.kind !== 'map' || runs?.kind !== 'map') return undefined
    const steps = stepsOf(get(runs, 'steps'), 'runs.steps')
    return { text, kind, root, triggers: new Set(), jobs: [], steps: steps.map((step) => ({ step })) }
  }
  if (root.kind !== 'map') throw new Unreadable('a workflow is a map', root.at)
  const all = get(root, 'jobs')
  if (all?.kind !== 'map') throw new Unreadable('a workflow has jobs', all?.at ?? root.at)
  const jobs = entriesOf(all).map(({ key, at, value }): Job => {
    if (value.kind !== 'map') throw new Unreadable(`jobs.${key} is no map`, at)
    const calls = usesOf(get(value, 'uses'))
    return {
      id: key,
      at,
      map: value,
      ...(calls ? { calls } : {}),
      steps: stepsOf(get(value, 'steps'), `jobs.${key}.steps`),
    }
  })
  return {
    text,
    kind,
    root,
    triggers: new Set(textsOf(get(root, 'on')).map((one) => one.text)),
    jobs,
    steps: jobs.flatMap((job) => job.steps.map((step) => ({ step, job }))),
  }
}

function stepsOf(value: YamlValue | undefined, about: string): readonly Step[] {
  if (value && value.kind !== 'list' && !(value.kind === 'text' && value.isNull))
    throw new Unreadable(`${about} is no list`, value.at)
  return itemsOf(value).flatMap((map): readonly Step[] => {
    if (map.kind !== 'map') throw new Unreadable(`${about} holds something that is no step`, map.at)
    // A group of steps that run at the same time (GitHub, June 2026).
    const group = get(map, 'parallel')
    if (group) return stepsOf(group, about)
    const run = get(map, 'run')
    const uses = usesOf(get(map, 'uses'))
    return [
      {
        map,
        about,
        ...(uses ? { uses } : {}),
        ...(run?.kind === 'text' ? { run } : {}),
        with: get(map, 'with'),
      },
    ]
  })
}

/** `$/` is a path of the workflow's own repository, as `./` is (zizmor 1.32, self-repository). */
function usesOf(value: YamlValue | undefined): Uses | undefined {
  const text = textOf(value)?.trim()
  if (!value || text === undefined || text === '') return undefined
  const { at } = value
  if (/^(\.\.?|\$)\//.test(text)) return { at, text, kind: 'local', repository: text, isPinned: true }
  if (/^docker:\/\//i.test(text)) {
    const repository = text.slice('docker://'.length)
    return { at, text, kind: 'docker', repository, isPinned: /@sha256:[0-9a-f]{64}$/.test(repository) }
  }
  const cut = text.lastIndexOf('@')
  const path = cut < 0 ? text : text.slice(0, cut)
  const ref = cut < 0 ? undefined : text.slice(cut + 1)
  return {
    at,
    text,
    kind: 'repository',
    repository: path.split('/').slice(0, 2).join('/').toLowerCase(),
    ...(ref === undefined ? {} : { ref }),
    // GitHub refuses branches and tags that look like a whole hash.
    isPinned: ref !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(ref),
  }
}

/** Where the text at an offset of a value stands in the file: the n-th `${{` of the value is the n-th of its source. */
export function placesInside(file: string, value: YamlText): (inside: number) => number {
  let places: ReadonlyMap<number, number> | undefined
  return (inside) => {
    places ??= openings(file, value)
    return places.get(inside) ?? value.at
  }
}

function openings(file: string, value: YamlText): ReadonlyMap<number, number> {
  const places = new Map<number, number>()
  let at = value.at - 1
  for (let inside = value.text.indexOf('${{'); inside >= 0; inside = value.text.indexOf('${{', inside + 3)) {
    at = file.indexOf('${{', at + (at < value.at ? 1 : 3))
    if (at < 0 || at >= value.end) break
    places.set(inside, at)
  }
  return places
}
