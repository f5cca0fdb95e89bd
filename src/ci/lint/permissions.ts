import { runsScanner, scannerActions } from '../../scan/rules/scanners.ts'
import type { Job } from '../../scan/rules/workflow-model.ts'
import { entriesOf, get, textOf, type YamlEntry, type YamlValue } from '../../scan/rules/yaml.ts'
import { needsOfJob } from '../reading/job-needs.ts'
import { secretsIn, textsBelow } from '../reading/token.ts'
import type { LintModel, LintRule, Seen } from './types.ts'

export const permissionRules: readonly LintRule[] = [
  {
    id: 'DWF-CI-001',
    severity: 'error',
    title: 'The workflow as a whole grants nothing',
    hint: 'write permissions: {} at the top, and what each job needs in the job',
    look: ({ file: { root } }) => {
      const top = root.entries.get('permissions')
      if (!top) {
        const { at } = root.entries.get('jobs')!
        return [{ at, message: 'permissions: not set at the top, so jobs may get what the repository gives to all' }]
      }
      const isEmpty = top.value.kind === 'map' && top.value.entries.size === 0
      return isEmpty ? [] : [{ at: top.at, message: `permissions: ${granted(top.value)} goes to every job` }]
    },
  },
  {
    id: 'DWF-CI-002',
    severity: 'error',
    title: 'Each job says what it needs',
    hint: 'write what the job needs under permissions, {} for nothing',
    look: ({ file }) => {
      const top = get(file.root, 'permissions')
      const isEmpty = top?.kind === 'map' && top.entries.size === 0
      return file.jobs.flatMap(({ id, at, map }): readonly Seen[] =>
        map.entries.has('permissions')
          ? []
          : [{ at, message: `jobs.${id}.permissions: not set`, ...(isEmpty ? { severity: 'warning' } : {}) }],
      )
    },
  },
  {
    id: 'DWF-CI-003',
    severity: 'warning',
    title: 'A comment says what each grant is for',
    hint: 'put the reason behind the grant: contents: read # to check out the repository',
    look: (model) =>
      grants(model).flatMap(({ about, entry }): readonly Seen[] => {
        const line = model.lineOf(entry.at)
        const above = model.comments.get(line - 1)
        if (model.comments.get(line)?.text || (above?.isAlone && above.text)) return []
        return [{ at: entry.at, message: `${about}.${entry.key}: ${textOf(entry.value)}, and no comment says why` }]
      }),
  },
  {
    id: 'DWF-CI-004',
    severity: 'warning',
    title: 'No job may do more than its steps need',
    hint: 'take the grant away, or give it to the job that needs it',
    look: (model) =>
      model.file.jobs.flatMap((job) => {
        const own = job.map.entries.get('permissions')
        if (own && textOf(own.value) === 'read-all')
          return [{ at: own.value.at, message: `jobs.${job.id}.permissions: read-all opens everything for reading` }]
        return broad(model, job)
      }),
  },
  {
    id: 'DWF-CI-024',
    severity: 'error',
    title: 'Who scans holds nothing that is worth taking',
    hint: 'give secrets and grants to another job, which takes the report as an artifact',
    look: (model) => model.file.jobs.flatMap((job) => loadedScans(model, job)),
  },
]

/** As it is written on one line. */
function granted(value: YamlValue): string {
  const all = entriesOf(value).map((entry) => `${entry.key}: ${textOf(entry.value) ?? ''}`)
  return textOf(value) ?? (all.join(', ') || 'null')
}

interface GrantPlace {
  readonly about: string
  readonly entry: YamlEntry
}

function grants({ file }: LintModel): readonly GrantPlace[] {
  const all = [
    { about: 'permissions', value: get(file.root, 'permissions') },
    ...file.jobs.map(({ id, map }) => ({ about: `jobs.${id}.permissions`, value: get(map, 'permissions') })),
  ]
  return all.flatMap(({ about, value }) => grantsOf(value).map((entry) => ({ about, entry })))
}

const grantsOf = (value: YamlValue | undefined): readonly YamlEntry[] =>
  entriesOf(value).filter((entry) => /^(read|write)$/.test(textOf(entry.value) ?? ''))

/** Programs that ask for an id-token by themselves. */
const signs = /cosign|sigstore|gitsign|oidc|ACTIONS_ID_TOKEN|\b(aws|gcloud|az|vault|npm|twine|uv)\b/i

function broad({ file }: LintModel, job: Job): readonly Seen[] {
  const needs = needsOfJob(file, job)
  if (needs.kind === 'open') return []
  const isSigning = job.steps.some(({ run }) => run && signs.test(run.text))
  return grantsOf(get(job.map, 'permissions')).flatMap((entry): readonly Seen[] => {
    const access = textOf(entry.value)
    const [most] = needs.may.filter(({ scope }) => scope === entry.key)
    if (most?.access === 'write' || most?.access === access) return []
    if (entry.key === 'id-token' && isSigning) return []
    const enough = most ? `, where ${most.access} is enough` : ', which none of its steps needs'
    return [{ at: entry.at, message: `jobs.${job.id}.permissions.${entry.key}: ${access}${enough}` }]
  })
}

/** CodeQL is the exception: what analyzes also uploads. */
function loadedScans({ file }: LintModel, job: Job): readonly Seen[] {
  const scan = job.steps
    .map((step) => ({
      at: step.uses?.at ?? step.run?.at,
      name:
        step.uses && step.uses.repository !== 'github/codeql-action'
          ? scannerActions.get(step.uses.repository)
          : runsScanner(step.run?.text ?? ''),
    }))
    .find(({ name }) => name !== undefined)
  if (!scan) return []
  const texts = [...textsBelow(get(file.root, 'env')), ...textsBelow(job.map)]
  const secrets = new Set(texts.flatMap(({ text }) => secretsIn(text)))
  const writes = grantsOf(get(job.map, 'permissions')).filter(({ value }) => textOf(value) === 'write')
  const held = [
    ...[...secrets].slice(0, 5).map((name) => `the secret ${name}`),
    ...writes.map(({ key }) => `${key}: write`),
  ]
  return held.length === 0
    ? []
    : [{ at: scan.at!, message: `jobs.${job.id} runs ${scan.name}, and holds ${held.join(', ')}` }]
}
