import { type CallJob, type Expression, either, expression, type Job, plain, type Step } from '../model/index.ts'
import type { HostSet } from './hosts.ts'
import { type CiInput, type CiPart, type CiTarget, fileOf } from './input.ts'
import * as scripts from './scripts.ts'
import {
  action,
  cacheOfTrivy,
  checkout,
  database,
  download,
  dwf,
  harden,
  image,
  run,
  setUpNode,
  temp,
  token,
  upload,
} from './steps.ts'

export type Jobs = Readonly<Record<string, Job | CallJob>>

const toCheckOut = { access: 'read', why: 'to check out the repository' } as const

/** What the jobs of one workflow share. */
export interface Frame {
  readonly input: CiInput
  /** Targets whose parts the workflow has. */
  readonly targets: readonly CiTarget[]
  /** Id of the first job. */
  readonly first: 'changes' | 'start'
  /** Target of `[targets]`, as the workflow finds it. */
  readonly target: string | Expression
  /** Id of the last job; two checks of one name on one commit would be mistaken for each other. */
  readonly gate: 'gate' | 'nightly-gate' | 'release-gate'
  /** The image may be one that was published. */
  readonly fetches: boolean
}

export const partsOfFrame = ({ input, targets }: Frame): readonly CiPart[] =>
  input.parts.filter((part) => part.targets.some((target) => targets.includes(target)))

/** From the plan to the verdict: all jobs that a target needs, with `gate` at their end. */
export function checkJobs(frame: Frame): Jobs {
  const parts = partsOfFrame(frame)
  const needsImage = parts.some((part) => part.needsImage)
  const needsDatabase = parts.some((part) => part.needsDatabase)
  const jobs: Record<string, Job> = { [frame.first]: first(frame) }
  if (needsImage) jobs.image = buildImage(frame)
  if (needsDatabase) jobs.database = fetchDatabase(frame)
  for (const part of parts) jobs[part.name] = part.kind === 'gates' ? gates(frame, part) : tasks(frame, part)
  jobs[frame.gate] = gate(frame, jobs)
  return jobs
}

function first(frame: Frame): Job {
  const { input, target } = frame
  const { install } = input.ci
  return {
    about: 'Takes dwf and the policy from the base, checks the configuration, and makes the plan.',
    name: frame.first,
    timeoutMinutes: 10,
    permissions: { contents: toCheckOut },
    outputs: {
      sha256: expression`steps.plan.outputs.sha256`,
      parts: expression`steps.plan.outputs.parts`,
    },
    steps: [
      harden(input, ['node'], install === 'npm' ? ['node'] : undefined),
      checkout(input, 'history'),
      setUpNode(input),
      run('Find the base', scripts.findBase, {
        id: 'base',
        env: {
          EVENT: expression`github.event_name`,
          HEAD_SHA: expression`github.event.pull_request.head.sha`,
          GROUP_BASE: expression`github.event.merge_group.base_sha`,
          BEFORE: expression`github.event.before`,
          REF_TYPE: expression`github.ref_type`,
          DEFAULT: input.ci.defaultBranch,
        },
      }),
      run('Take dwf from the base', install === 'npm' ? scripts.takeFromNpm : scripts.takeVendored, {
        env: { FROM: expression`steps.base.outputs.base` },
      }),
      run('Make the plan', scripts.makePlan, {
        id: 'plan',
        env: {
          TARGET: target,
          BASE: expression`steps.base.outputs.base`,
          BEFORE: expression`steps.base.outputs.before`,
        },
      }),
      upload(input, 'dwf', 'dwf.tar'),
    ],
  }
}

function buildImage(frame: Frame): Job {
  const { input } = frame
  const fetches = frame.fetches && input.ci.publish
  const stacks = input.units.map(({ stack }) => stack)
  const fetched: readonly Step[] = [
    run('Fetch the image, where a release has published it', scripts.fetchImage, {
      env: { GH_TOKEN: token, PUBLISH: fileOf(input, 'publish'), DEFAULT: input.ci.defaultBranch },
    }),
  ]
  return {
    about: 'The image that tasks run in: built once, and passed on by its hash.',
    name: 'image',
    needs: [frame.first],
    ...onlyWhenPlanned(
      frame,
      partsOfFrame(frame).filter((part) => part.needsImage),
    ),
    timeoutMinutes: 45,
    permissions: {
      contents: toCheckOut,
      ...(fetches
        ? {
            attestations: { access: 'read', why: 'to verify who made the published image' },
            packages: { access: 'read', why: 'to look for the published image' },
          }
        : {}),
    },
    outputs: {
      sha256: expression`steps.image.outputs.sha256`,
      fingerprint: expression`steps.image.outputs.fingerprint`,
    },
    steps: [
      harden(
        input,
        ['node', 'dockerHub', 'debian', ...(fetches ? (['githubRegistry', 'sigstore'] as const) : [])],
        stacks,
      ),
      ...ready(frame, { depth: fetches ? 'history' : 'commit' }),
      ...(fetches ? fetched : []),
      run('Build the image', scripts.buildImage, { id: 'image' }),
      upload(input, 'image', 'image.tar'),
    ],
  }
}

function fetchDatabase(frame: Frame): Job {
  const { input } = frame
  const java = input.units.some(({ stack }) => stack === 'java' || stack === 'kotlin')
  return {
    about: 'The vulnerability database: fetched once, and passed on by its hash, so that all gates judge by the same.',
    name: 'database',
    needs: [frame.first],
    ...onlyWhenPlanned(
      frame,
      partsOfFrame(frame).filter((part) => part.needsDatabase),
    ),
    timeoutMinutes: 15,
    permissions: { contents: toCheckOut },
    outputs: { sha256: expression`steps.database.outputs.sha256` },
    steps: [
      harden(input, ['node', 'dockerHub', 'databases']),
      ...ready(frame),
      run('Fetch the database', scripts.fetchDatabase, { id: 'database', env: { JAVA: `${java}`, ...cacheOfTrivy } }),
      upload(input, 'database', 'database.tar'),
    ],
  }
}

/** What not every event has is left out where the plan is without it. */
function onlyWhenPlanned(frame: Frame, parts: readonly CiPart[]): Pick<Job, 'if'> {
  const isAlways = (part: CiPart) =>
    frame.targets.every((target) => part.targets.includes(target) && !part.onChange.includes(target))
  if (parts.some(isAlways)) return {}
  const planned = (part: CiPart) =>
    expression`contains(fromJSON(needs.${plain(frame.first)}.outputs.parts), '${plain(part.name)}')`
  const [head, ...others] = parts.map(planned)
  return { if: others.reduce((all, one) => either(all, one), head!) }
}

/** What every job does that works in a checkout: nothing that needs an approval comes before it. */
export function ready(
  { input, first }: Pick<Frame, 'input' | 'first'>,
  options: { readonly needsTrust?: boolean; readonly depth?: 'commit' | 'history' } = {},
): readonly Step[] {
  const needsTrust = input.needsTrust || options.needsTrust === true
  return [
    checkout(input, options.depth ?? 'commit'),
    ...dwf(input, first),
    run('Set up the runner', scripts.setUp),
    ...(needsTrust ? [run('Approve what the base branch asks for', scripts.approve)] : []),
  ]
}

const report = { report: expression`steps.run.outputs.report` }

function tasks(frame: Frame, part: CiPart): Job {
  const { input } = frame
  return {
    about: aboutTasks(part),
    name: part.name,
    needs: [frame.first, ...(part.needsImage ? ['image'] : [])],
    ...onlyWhenPlanned(frame, [part]),
    timeoutMinutes: 60,
    ...(part.secrets.length > 0 ? { environment: 'dwf' } : {}),
    permissions: { contents: toCheckOut },
    outputs: report,
    steps: [
      harden(input, ['node'], part.stacks.includes('project') ? input.units.map(({ stack }) => stack) : part.stacks),
      ...ready(frame, part),
      ...(part.needsImage ? image(input) : []),
      run('Run the tasks', scripts.runPart, {
        id: 'run',
        env: {
          DWF_PART: part.name,
          ...Object.fromEntries(part.secrets.map((name) => [name, expression`secrets.${plain(name)}`])),
        },
      }),
    ],
  }
}

function aboutTasks({ name, secrets, stacks, needsImage }: CiPart): string {
  if (secrets.length > 0) return 'A task with secrets, apart from all others: approved on the base branch, or refused.'
  if (name.startsWith('task-') && !needsImage) return 'A task on the runner itself, apart from all others.'
  return name === 'project' ? 'The tasks that devflow.toml adds.' : `The tasks of ${stacks.join(' and ')}.`
}

/** No secret, no scope that writes: a scanner that was taken over finds nothing here that it could use. */
function gates(frame: Frame, part: CiPart): Job {
  const { input } = frame
  const sets: readonly HostSet[] = ['node', 'dockerHub']
  return {
    about: aboutGates[part.name] ?? 'Gates.',
    name: part.name,
    needs: [frame.first, ...(part.needsImage ? ['image'] : []), ...(part.needsDatabase ? ['database'] : [])],
    ...onlyWhenPlanned(frame, [part]),
    timeoutMinutes: 30,
    permissions: { contents: toCheckOut },
    outputs: report,
    steps: [
      harden(input, sets),
      ...ready(frame, part),
      ...(part.needsImage ? image(input) : []),
      ...(part.needsDatabase ? database(input) : []),
      run('Judge', scripts.runGates, { id: 'run', env: { DWF_PART: part.name, ...cacheOfTrivy } }),
      upload(input, `reports-${part.name}`, 'reports', 14, {
        if: expression`always() && steps.run.outputs.report != ''`,
      }),
    ],
  }
}

const aboutGates: Readonly<Record<string, string>> = {
  scan: 'The gates that look at files, with the policy of the base branch.',
  'scan-image': 'The gate of the image: of the very one that the tasks run in.',
  'scan-code': 'The scanners of code, in the image and without network.',
}

/** Findings for the Security tab; apart, since it may write there. The verdict is not its business. */
export function sarifJob(frame: Frame): Job | undefined {
  const { input } = frame
  const parts = partsOfFrame(frame).filter(({ kind }) => kind === 'gates')
  if (!input.ci.codeScanning || parts.length === 0) return undefined
  const [head, ...others] = parts.flatMap(({ name }): Step[] => {
    // Without a report the gate came to no verdict: there is nothing to show.
    const isThere = expression`needs.${plain(name)}.result != 'skipped' && needs.${plain(name)}.outputs.report != ''`
    return [
      { ...download(input, `reports-${name}`), if: isThere },
      action(input, 'github/codeql-action', `Upload: ${name}`, {
        folder: 'upload-sarif',
        if: isThere,
        with: { sarif_file: temp(`${name}.sarif`) },
      }),
    ]
  })
  return {
    about:
      'Shows the findings in the Security tab. It is apart since it may write there, and runs no code of the repository.',
    name: 'sarif',
    needs: parts.map(({ name }) => name),
    if: frame.targets.includes('pr')
      ? expression`!cancelled() && github.event_name != 'merge_group' && (github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository)`
      : expression`!cancelled()`,
    timeoutMinutes: 10,
    permissions: {
      actions: { access: 'read', why: 'upload-sarif reads the run in private repositories' },
      contents: { access: 'read', why: 'upload-sarif looks up the commit in private repositories' },
      'security-events': { access: 'write', why: 'to upload findings' },
    },
    steps: [harden(input, []), head!, ...others],
  }
}

/** Says on a pull request from a fork why its findings are not shown. */
export function forkJob({ input }: Pick<Frame, 'input'>): Job {
  return {
    about: 'Says why the findings of a pull request from a fork are not in the Security tab.',
    name: 'sarif-of-fork',
    if: expression`github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name != github.repository`,
    timeoutMinutes: 5,
    permissions: {},
    steps: [harden(input, []), run('Say so', scripts.noUpload)],
  }
}

function gate({ input, first, gate: name }: Frame, others: Readonly<Record<string, Job>>): Job {
  const needs = Object.keys(others)
  const may = needs.filter((id) => others[id]!.if)
  return {
    about: `${name === 'gate' ? 'The one required check' : 'The verdict'}: every job passed, and together they ran the whole plan.`,
    name,
    needs,
    if: expression`always()`,
    timeoutMinutes: 10,
    permissions: {},
    steps: [
      harden(input, ['node']),
      run('Every job passed', scripts.allPassed, {
        env: { NEEDS: expression`toJSON(needs)`, MAY_SKIP: may.join(' ') },
      }),
      ...dwf(input, first),
      run('The whole plan ran', scripts.judge, { env: { NEEDS: expression`toJSON(needs)` } }),
    ],
  }
}
