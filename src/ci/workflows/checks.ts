import { expression, type Job, type Workflow } from '../model/index.ts'
import { type CiInput, fileOf, partsOfTarget } from './input.ts'
import { checkJobs, type Frame, forkJob, ready, sarifJob } from './jobs.ts'
import * as scripts from './scripts.ts'
import { cacheOfTrivy, database, harden, run, token } from './steps.ts'

/** ci.yml: what a change must pass before it is merged, and the default branch after. */
export function ciWorkflow(input: CiInput): Workflow {
  const hasMain = partsOfTarget(input, 'main').length > 0
  const frame: Frame = {
    input,
    targets: hasMain ? ['pr', 'main'] : ['pr'],
    first: 'changes',
    target: hasMain ? expression`github.event_name == 'push' && 'main' || 'pr'` : 'pr',
    gate: 'gate',
    fetches: true,
  }
  const sarif = sarifJob(frame)
  return {
    file: fileOf(input, 'ci'),
    name: `${input.ci.prefix}ci`,
    about: ['', 'The one check to require is "gate".'],
    on: {
      // Also when somebody gives it another base: what it was judged by is no longer what it is merged into.
      pull_request: ['opened', 'synchronize', 'reopened', 'edited'],
      merge_group: true,
      push: { branches: [input.ci.defaultBranch] },
      workflow_dispatch: true,
    },
    concurrency: {
      group: expression`format('dwf-ci-{0}', github.event_name == 'pull_request' && github.ref || github.sha)`,
      cancel: expression`github.event_name == 'pull_request'`,
    },
    jobs: {
      ...checkJobs(frame),
      ...(sarif ? { sarif, 'sarif-of-fork': forkJob(frame) } : {}),
      'nightly-age': nightlyAge(input),
    },
  }
}

function nightlyAge(input: CiInput): Job {
  return {
    about: 'Warns where the nightly has stopped: a schedule ends by itself in a quiet repository.',
    name: 'nightly-age',
    if: expression`github.event_name == 'push'`,
    timeoutMinutes: 5,
    permissions: { actions: { access: 'read', why: 'to see when the nightly last passed' } },
    steps: [
      harden(input, []),
      run('Look at the last nightly', scripts.nightlyAge, {
        env: { GH_TOKEN: token, BRANCH: input.ci.defaultBranch, NIGHTLY: fileOf(input, 'nightly') },
      }),
    ],
  }
}

/** nightly.yml: the default branch, judged again by what the world has learned since. */
export function nightlyWorkflow(input: CiInput): Workflow {
  const frame: Frame = {
    input,
    targets: ['nightly'],
    first: 'start',
    target: 'nightly',
    gate: 'nightly-gate',
    fetches: false,
  }
  const checks = checkJobs(frame)
  const sarif = sarifJob(frame)
  const published = input.hasImage && input.ci.publish
  return {
    file: fileOf(input, 'nightly'),
    name: `${input.ci.prefix}nightly`,
    about: [],
    on: { schedule: '23 2 * * *', workflow_dispatch: true },
    concurrency: { group: expression`format('dwf-nightly-{0}', github.ref)`, cancel: false },
    jobs: {
      ...checks,
      ...(published ? { published: scanPublished(frame) } : {}),
      ...(sarif ? { sarif } : {}),
      report: report(input, ['nightly-gate', ...(published ? ['published'] : [])]),
    },
  }
}

function scanPublished(frame: Frame): Job {
  const { input } = frame
  return {
    about: 'The image as the last release published it.',
    name: 'published',
    needs: ['start', 'database'],
    timeoutMinutes: 30,
    permissions: {
      actions: { access: 'read', why: 'to see whether a release has published one' },
      contents: { access: 'read', why: 'to check out the repository' },
      packages: { access: 'read', why: 'to fetch the published image' },
    },
    steps: [
      harden(input, ['node', 'dockerHub', 'githubRegistry']),
      ...ready(frame),
      ...database(input),
      run('Fetch the published image', scripts.fetchPublished, {
        id: 'fetch',
        env: { GH_TOKEN: token, RELEASE: fileOf(input, 'release') },
      }),
      run('Judge the published image', scripts.scanPublished, {
        if: expression`steps.fetch.outputs.image != ''`,
        env: { IMAGE: expression`steps.fetch.outputs.image`, ...cacheOfTrivy },
      }),
    ],
  }
}

function report(input: CiInput, needs: readonly string[]): Job {
  return {
    about: 'Opens an issue when a nightly does not pass, or adds to the one that is open.',
    name: 'report',
    needs,
    if: expression`failure() || cancelled()`,
    timeoutMinutes: 5,
    permissions: { issues: { access: 'write', why: 'to open or update the issue' } },
    steps: [
      harden(input, []),
      run('Report', scripts.reportNightly, {
        env: {
          GH_TOKEN: token,
          TITLE: 'The nightly check does not pass',
          NEEDS: expression`toJSON(needs)`,
          RUN: expression`format('{0}/{1}/actions/runs/{2}', github.server_url, github.repository, github.run_id)`,
        },
      }),
    ],
  }
}
