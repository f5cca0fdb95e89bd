import { type Expression, expressionsOf } from './expressions.ts'
import { Flows } from './flows.ts'
import { imagePin } from './images.ts'
import { codeInputs, lines, runsScanner, scannerActions, swallowed } from './scanners.ts'
import type { FileRule, Found } from './types.ts'
import { type Job, placesInside, type Step, type Uses, type WorkflowFile } from './workflow-model.ts'
import { entriesOf, get, isTrue, textOf, textsOf, type YamlText, type YamlValue } from './yaml.ts'

type WorkflowRule = FileRule<WorkflowFile>

const hardening = 'https://docs.github.com/en/actions/reference/security/secure-use'
const syntax = 'https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax'

/** Workflows and composite actions. Severities are near those of zizmor 1.32, which has many more rules. */
export const workflowRules: readonly WorkflowRule[] = [
  {
    id: 'DWF-ACTIONS-001',
    severity: 'high',
    title: 'not pinned: its owner, or who takes over the account, can put other code under the same name',
    advice: 'name the full commit SHA, with the version in a comment: OWNER/NAME@SHA # v1.2.3',
    reference: `${hardening}#using-third-party-actions`,
    look: (file) => unpinned(file, (uses) => uses.kind === 'repository' && !isGitHubs(uses)),
  },
  {
    id: 'DWF-ACTIONS-002',
    severity: 'medium',
    title: "not pinned; it is GitHub's own, but a tag can be moved",
    advice: 'name the full commit SHA, with the version in a comment: OWNER/NAME@SHA # v1.2.3',
    reference: `${hardening}#using-third-party-actions`,
    look: (file) => unpinned(file, isGitHubs),
  },
  {
    id: 'DWF-ACTIONS-003',
    severity: 'medium',
    title: 'an image without a digest runs as a step: its tag can be moved to another',
    advice: 'put the digest behind it: docker://NAME@sha256:…',
    reference: `${hardening}#using-third-party-actions`,
    look: (file) => [
      ...unpinned(file, (uses) => uses.kind === 'docker'),
      ...textsOf(get(get(file.root, 'runs'), 'image')).flatMap(({ text, at }) =>
        file.kind === 'action' && /^docker:\/\//i.test(text) && !/@sha256:[0-9a-f]{64}$/.test(text)
          ? [{ at, about: 'runs.image', detail: ` ${text}` }]
          : [],
      ),
    ],
  },
  {
    id: 'DWF-ACTIONS-004',
    severity: 'low',
    title: 'an image without a digest: its tag can be moved to another',
    advice: 'put the digest behind it: NAME:VERSION@sha256:…',
    reference: `${hardening}#using-third-party-actions`,
    look: (file) => images(file, 'tag'),
  },
  {
    id: 'DWF-ACTIONS-005',
    severity: 'high',
    title: 'anyone can choose this text, and it becomes part of a program',
    advice: 'give it to the step in env, and use the variable in quotes',
    reference: `${hardening}#good-practices-for-mitigating-script-injection-attacks`,
    look: (file) => injected(file, 'anyone'),
  },
  {
    id: 'DWF-ACTIONS-006',
    severity: 'medium',
    title: 'whoever starts or calls it chooses this text, and it becomes part of a program',
    advice: 'give it to the step in env, and use the variable in quotes',
    reference: `${hardening}#good-practices-for-mitigating-script-injection-attacks`,
    look: (file) => injected(file, 'writers'),
  },
  {
    id: 'DWF-ACTIONS-007',
    severity: 'critical',
    title: 'code of a pull request is checked out where the token can write and secrets are at hand',
    advice: 'run it on pull_request; do what needs rights in a second workflow that runs no code of the first',
    reference: 'https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/',
    look: foreignCheckouts,
  },
  {
    id: 'DWF-ACTIONS-008',
    severity: 'low',
    title: 'it runs with rights and secrets on the word of a pull request',
    advice: 'use pull_request where nothing has to be written',
    reference: 'https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/',
    look: ({ root }) =>
      textsOf(get(root, 'on')).flatMap(({ text, at }) =>
        text === 'pull_request_target' || text === 'workflow_run' ? [{ at, about: `on.${text}` }] : [],
      ),
  },
  {
    id: 'DWF-ACTIONS-009',
    severity: 'high',
    title: 'the token may do everything',
    advice: 'write permissions: {} at the top, and what each job needs in the job',
    reference: `${syntax}#permissions`,
    look: ({ root, jobs }) => [
      ...writesAll(get(root, 'permissions'), 'permissions'),
      ...jobs.flatMap(({ id, map }) => writesAll(get(map, 'permissions'), `jobs.${id}.permissions`)),
    ],
  },
  {
    id: 'DWF-ACTIONS-010',
    severity: 'medium',
    title: "no permissions: the token may do what the repository's settings say",
    advice: 'write permissions: {} at the top, and what each job needs in the job',
    reference: `${syntax}#permissions`,
    look: ({ kind, root, jobs }) => {
      const open = jobs.filter(({ map }) => !map.entries.has('permissions'))
      const first = open[0]
      if (kind !== 'workflow' || root.entries.has('permissions') || !first) return []
      return [{ at: first.at, about: 'permissions', detail: ` of ${shares(open.length, jobs.length)} jobs` }]
    },
  },
  {
    id: 'DWF-ACTIONS-011',
    severity: 'medium',
    title: 'every secret goes to the workflow that it calls',
    advice: 'name the secrets that it needs',
    reference: `${syntax}#jobsjob_idsecretsinherit`,
    look: ({ jobs }) =>
      jobs.flatMap(({ id, map, calls }): readonly Found[] => {
        const secrets = map.entries.get('secrets')
        if (!secrets || textOf(secrets.value) !== 'inherit') return []
        return [
          { at: secrets.at, about: `jobs.${id}.secrets`, ...(calls?.kind === 'local' ? { severity: 'low' } : {}) },
        ]
      }),
  },
  {
    id: 'DWF-ACTIONS-012',
    severity: 'medium',
    title: 'every secret of the repository is put into one text',
    advice: 'name the secrets that it needs',
    reference: `${hardening}#use-secrets-for-sensitive-information`,
    look: (file) =>
      everyExpression(file).flatMap(({ place, expression, about }) =>
        /\btojson\s*\(\s*secrets\s*\)/i.test(expression.code) ? [{ at: place(expression.at), about }] : [],
      ),
  },
  {
    id: 'DWF-ACTIONS-013',
    severity: 'low',
    title: 'no timeout-minutes: one that hangs runs for six hours',
    advice: 'add timeout-minutes to the job',
    reference: `${syntax}#jobsjob_idtimeout-minutes`,
    look: ({ jobs }) => {
      const open = jobs.filter(({ map, calls }) => !calls && !map.entries.has('timeout-minutes'))
      const first = open[0]
      return first ? [{ at: first.at, about: 'jobs', detail: ` ${shares(open.length, jobs.length)}` }] : []
    },
  },
  {
    id: 'DWF-ACTIONS-014',
    severity: 'high',
    title: 'code of a pull request runs on a machine that stays',
    advice: "use GitHub's runners for pull requests, or runners that live for one job",
    reference: `${hardening}#hardening-for-self-hosted-runners`,
    look: ({ triggers, jobs }) =>
      triggers.has('pull_request') || triggers.has('pull_request_target')
        ? jobs.flatMap(({ id, map }) => {
            const runner = map.entries.get('runs-on')
            const labels = textsOf(runner?.value.kind === 'map' ? get(runner.value, 'labels') : runner?.value)
            const matrix = labels.some(({ text }) => text.includes('${{') && /\bmatrix\b/.test(text))
              ? get(get(map, 'strategy'), 'matrix')
              : undefined
            const all = [...labels.map(({ text }) => text), ...(matrix ? allTexts(matrix) : [])]
            return runner && all.some((text) => text.toLowerCase() === 'self-hosted')
              ? [{ at: runner.at, about: `jobs.${id}.runs-on` }]
              : []
          })
        : [],
  },
  {
    id: 'DWF-ACTIONS-015',
    severity: 'medium',
    title: 'an image without a version: what runs changes without a change here',
    advice: 'name a version and its digest: NAME:VERSION@sha256:…',
    reference: `${hardening}#using-third-party-actions`,
    look: (file) => images(file, 'moving'),
  },
  {
    id: 'DWF-ACTIONS-016',
    severity: 'low',
    title: 'the token stays in .git/config, and the job uploads an artifact later',
    advice: 'add persist-credentials: false to the checkout',
    reference: 'https://github.com/actions/checkout#usage',
    look: ({ jobs }) => jobs.flatMap(leftCredentials),
  },
  {
    id: 'DWF-ACTIONS-017',
    severity: 'medium',
    title: 'always true: around the expression there is more text, be it the end of a line',
    advice: 'write the condition without ${{ }}',
    reference: 'https://docs.github.com/en/actions/reference/workflows-and-actions/expressions',
    look: (file) => [
      ...file.jobs.flatMap(({ id, map }) => alwaysTrue(get(map, 'if'), `jobs.${id}.if`)),
      ...file.steps.flatMap(({ step }) => alwaysTrue(get(step.map, 'if'), `${step.about}.if`)),
    ],
  },
  {
    id: 'DWF-ACTIONS-018',
    severity: 'high',
    title: 'a scan whose failure counts for nothing',
    advice: 'let it fail; raise its limit, or accept single findings, where it is too strict',
    reference: `${syntax}#jobsjob_idstepscontinue-on-error`,
    look: ({ steps }) => steps.flatMap(({ step, job }) => deafScan(step, job)),
  },
  {
    id: 'DWF-ACTIONS-019',
    severity: 'medium',
    title: 'a cache that later runs of the default branch read, written on the word of a pull request',
    advice: 'use actions/cache/restore, which writes none',
    reference:
      'https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache',
    look: ({ triggers, steps }) =>
      triggers.has('pull_request_target') ? steps.flatMap(({ step }) => caching(step, true)) : [],
  },
  {
    id: 'DWF-ACTIONS-020',
    severity: 'low',
    title: 'a release made with what another run put into the cache',
    advice: 'build releases without a cache',
    reference:
      'https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache',
    look: ({ triggers, root, steps }) =>
      isRelease(triggers, root) ? steps.flatMap(({ step }) => caching(step, false)) : [],
  },
  {
    id: 'DWF-ACTIONS-021',
    severity: 'high',
    title: 'what a program prints can set variables and paths of later steps',
    advice: 'remove it, and write to $GITHUB_ENV and $GITHUB_OUTPUT',
    reference: 'https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/',
    look: ({ root, jobs, steps }) => {
      const name = 'ACTIONS_ALLOW_UNSECURE_COMMANDS'
      const places = [
        { value: get(root, 'env'), about: 'env' },
        ...jobs.map(({ id, map }) => ({ value: get(map, 'env'), about: `jobs.${id}.env` })),
        ...steps.map(({ step }) => ({ value: get(step.map, 'env'), about: `${step.about}.env` })),
      ]
      return places.flatMap(({ value, about }) => {
        const entry = value?.kind === 'map' ? value.entries.get(name) : undefined
        return entry && /^true$/i.test(textOf(entry.value) ?? '') ? [{ at: entry.at, about: `${about}.${name}` }] : []
      })
    },
  },
  {
    id: 'DWF-ACTIONS-022',
    severity: 'high',
    title: 'a password is written out',
    advice: 'use a secret, and change the password',
    reference: `${syntax}#jobsjob_idcontainercredentials`,
    look: ({ jobs }) =>
      jobs.flatMap((job) =>
        containers(job).flatMap(({ value, about }) => {
          const password = get(get(value, 'credentials'), 'password')
          const text = textOf(password) ?? ''
          return password && text !== '' && !text.includes('${{')
            ? [{ at: password.at, about: `${about}.credentials.password` }]
            : []
        }),
      ),
  },
]

const shares = (some: number, all: number): string => (some === all ? `${all}` : `${some} of ${all}`)

const isGitHubs = (uses: Uses): boolean => uses.kind === 'repository' && /^(actions|github)\//.test(uses.repository)

function unpinned({ jobs, steps }: WorkflowFile, test: (uses: Uses) => boolean): readonly Found[] {
  const all = [
    ...jobs.flatMap(({ id, calls }) => (calls ? [{ uses: calls, about: `jobs.${id}` }] : [])),
    ...steps.flatMap(({ step }) => (step.uses ? [{ uses: step.uses, about: step.about }] : [])),
  ]
  return all.flatMap(({ uses, about }) => {
    if (uses.isPinned || !test(uses)) return []
    const [name, version = ''] =
      uses.kind === 'docker'
        ? [uses.text]
        : [uses.text.replace(/@[^@]*$/, ''), uses.ref === undefined ? '' : `@${uses.ref}`]
    return [{ at: uses.at, about: `${about} ${name}`, detail: version }]
  })
}

function allTexts(value: YamlValue): readonly string[] {
  if (value.kind === 'text') return [value.text]
  return value.kind === 'list'
    ? value.items.flatMap(allTexts)
    : entriesOf(value).flatMap((entry) => allTexts(entry.value))
}

function containers({ id, map }: Job): readonly { readonly value: YamlValue; readonly about: string }[] {
  const container = get(map, 'container')
  return [
    ...(container ? [{ value: container, about: `jobs.${id}.container` }] : []),
    ...entriesOf(get(map, 'services')).map(({ key, value }) => ({ value, about: `jobs.${id}.services.${key}` })),
  ]
}

function images({ jobs }: WorkflowFile, pin: 'tag' | 'moving'): readonly Found[] {
  return jobs.flatMap((job) =>
    containers(job).flatMap(({ value, about }) => {
      const image = value.kind === 'map' ? get(value, 'image') : value
      const text = textOf(image)
      return image && text && imagePin(text) === pin ? [{ at: image.at, about, detail: ` ${text}` }] : []
    }),
  )
}

/** Every expression that ends up in a program: in `run`, and in inputs of actions that run what they are given. */
function injected(file: WorkflowFile, author: 'anyone' | 'writers'): readonly Found[] {
  const flows = new Flows(file)
  return file.steps.flatMap(({ step, job }) => {
    const scopes = [get(step.map, 'env'), get(job?.map, 'env'), get(file.root, 'env')]
    return programs(step).flatMap((program) => {
      const place = placesInside(file.text, program)
      return expressionsOf(program.text).flatMap((expression) => {
        const { anyone, writers } = flows.of(expression.code, scopes)
        const worst = author === 'anyone' ? anyone : anyone === undefined ? writers : undefined
        return worst === undefined ? [] : [{ at: place(expression.at), about: `${step.about} ${worst}` }]
      })
    })
  })
}

function programs(step: Step): readonly YamlText[] {
  const inputs = step.uses ? (codeInputs.get(step.uses.repository) ?? []) : []
  const values = [step.run, ...inputs.map((name) => get(step.with, name))]
  return values.filter((value): value is YamlText => value?.kind === 'text')
}

const headOf =
  /github\.head_ref|pull_request\.head\.(sha|ref|repo)|workflow_run\.(head_(sha|branch|commit|repository)|pull_requests)|refs\/pull\/|pull_request\.(merge_commit_sha|number)|event\.number|issue\.number/i

function foreignCheckouts({ triggers, steps }: WorkflowFile): readonly Found[] {
  const trigger = ['pull_request_target', 'workflow_run', 'issue_comment'].find((name) => triggers.has(name))
  if (!trigger) return []
  return steps.flatMap(({ step, job }): readonly Found[] => {
    // A job that says which event it is for says that it is not for this one.
    const condition = textOf(get(job?.map, 'if')) ?? ''
    if (
      /github\.event_name\s*==\s*'(push|pull_request|schedule|workflow_dispatch|merge_group)'/.test(condition) &&
      !condition.includes(trigger)
    )
      return []
    const worse = trigger === 'issue_comment' ? { severity: 'high' as const } : {}
    if (step.uses?.repository === 'actions/checkout') {
      const [ref, repository] = [get(step.with, 'ref'), get(step.with, 'repository')]
      const found = [ref, repository].find((value) => headOf.test(textOf(value) ?? ''))
      return found ? [{ at: found.at, about: `${step.about} actions/checkout on ${trigger}`, ...worse }] : []
    }
    return step.run && fetchesPull(step.run.text)
      ? [{ at: step.run.at, about: `${step.about} run on ${trigger}`, ...worse }]
      : []
  })
}

/** Line by line, and in two steps: one pattern for both looks for the second half again behind each first half. */
function fetchesPull(script: string): boolean {
  if (/\bgh\s+pr\s+checkout\b/.test(script)) return true
  return lines(script).some((line) => {
    const fetch = /\bgit\s+fetch\b/.exec(line)
    return fetch !== null && /\bpull\//.test(line.slice(fetch.index))
  })
}

function writesAll(value: YamlValue | undefined, about: string): readonly Found[] {
  return value && textOf(value) === 'write-all' ? [{ at: value.at, about }] : []
}

function everyExpression(file: WorkflowFile) {
  const found: { place: (inside: number) => number; expression: Expression; about: string }[] = []
  const walk = (value: YamlValue, about: string): void => {
    if (value.kind === 'text') {
      const place = placesInside(file.text, value)
      for (const expression of expressionsOf(value.text)) found.push({ place, expression, about })
    } else if (value.kind === 'list') for (const item of value.items) walk(item, about)
    else
      for (const entry of value.entries.values())
        walk(entry.value, about === '' ? entry.key : about.length > 400 ? about : `${about}.${entry.key}`)
  }
  walk(file.root, '')
  return found
}

function leftCredentials({ id, steps }: Job): readonly Found[] {
  const isUpload = ({ uses }: Step) => uses?.repository === 'actions/upload-artifact'
  const last = steps.findLastIndex(isUpload)
  const lastWhole = steps.findLastIndex((step) => isUpload(step) && isWholeTree(textOf(get(step.with, 'path')) ?? ''))
  return steps.flatMap((step, index): readonly Found[] => {
    if (step.uses?.repository !== 'actions/checkout' || index > last) return []
    if (/^false$/i.test(textOf(get(step.with, 'persist-credentials')) ?? '')) return []
    const found: Found = { at: step.uses.at, about: `jobs.${id} ${step.uses.repository}` }
    return [index < lastWhole ? { ...found, severity: 'medium' } : found]
  })
}

const isWholeTree = (path: string): boolean =>
  path.split('\n').some((line) => /^(\.\/?|\.git|\*\*?(\/\*)?|\$\{\{\s*github\.workspace\s*\}\}\/?)$/.test(line.trim()))

/** With anything around the expression the whole is a text, put together first, and a text is true. */
function alwaysTrue(value: YamlValue | undefined, about: string): readonly Found[] {
  const text = textOf(value)
  if (!value || !text?.includes('${{')) return []
  const [first] = expressionsOf(text)
  return first!.at === 0 && first!.end === text.length ? [] : [{ at: value.at, about }]
}

function deafScan(step: Step, job: Job | undefined): readonly Found[] {
  const script = step.run?.text ?? ''
  const scanner = (step.uses && scannerActions.get(step.uses.repository)) ?? runsScanner(script)
  if (scanner === undefined) return []
  const own = step.map.entries.get('continue-on-error')
  const ofJob = job?.map.entries.get('continue-on-error')
  const about = `${step.about} ${scanner}`
  return [
    ...[own, ofJob].flatMap((entry) =>
      entry && isAlways(entry.value) ? [{ at: entry.at, about: `${about} continue-on-error` }] : [],
    ),
    ...(step.run && swallowed(script) ? [{ at: step.run.at, about: `${about} || true` }] : []),
  ]
}

const isAlways = (value: YamlValue): boolean =>
  isTrue(value) || /^\$\{\{\s*(true|always\(\))\s*\}\}$/i.test(textOf(value) ?? '')

/**
 * Where a step uses a cache.
 * @param isWriting only what writes a cache; otherwise what reads one too
 */
export function caching(step: Step, isWriting: boolean): readonly Found[] {
  const { uses } = step
  if (uses?.kind !== 'repository') return []
  const found = { at: uses.at, about: `${step.about} ${uses.repository}` }
  if (uses.repository === 'actions/cache') {
    const isRestore = /^[^@]*\/restore(@|$)/.test(uses.text)
    const isSave = /^[^@]*\/save(@|$)/.test(uses.text)
    return (isWriting ? isRestore : isSave) ? [] : [found]
  }
  if (/^actions\/setup-(node|python|java|dotnet)$/.test(uses.repository)) {
    const cache = textOf(get(step.with, 'cache')) ?? ''
    return cache !== '' && !/^false$/i.test(cache) ? [found] : []
  }
  if (/^docker\/(build-push|bake)-action$/.test(uses.repository)) {
    const text = ['cache-to', 'set', ...(isWriting ? [] : ['cache-from'])]
      .map((name) => textOf(get(step.with, name)) ?? '')
      .join('\n')
    return /cache-(to|from)|type=gha/.test(text) && /type=gha/.test(text) ? [found] : []
  }
  return ['swatinem/rust-cache', 'hendrikmuhs/ccache-action', 'mozilla-actions/sccache-action'].includes(
    uses.repository,
  )
    ? [found]
    : []
}

/** Runs when a release is made, or for tags alone. */
export function isRelease(triggers: ReadonlySet<string>, root: YamlValue): boolean {
  if (triggers.has('release')) return true
  const push = get(get(root, 'on'), 'push')
  return push?.kind === 'map' && push.entries.has('tags') && !push.entries.has('branches')
}
