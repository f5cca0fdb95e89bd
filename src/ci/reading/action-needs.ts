import type { Job, Step } from '../../scan/rules/workflow-model.ts'
import { get, textOf } from '../../scan/rules/yaml.ts'
import { namesToken } from './token.ts'

export interface Need {
  readonly scope: string
  readonly access: 'read' | 'write'
  /** Goes on after "# ". */
  readonly why: string
}

/** A step in its place. */
export interface StepOf {
  readonly step: Step
  readonly job: Job
  readonly triggers: ReadonlySet<string>
}

/** What is known of an action: what its documentation asks for, November 2026. */
export interface ActionFacts {
  /** Undefined where its inputs make it do something that is not known here. */
  readonly needs: (place: StepOf) => readonly Need[] | undefined
  /** What it may be given beyond that: for private repositories, or for something that it can do. */
  readonly may?: readonly Need[]
  /** Inputs and variables by which it takes another token than that of the run, and then needs nothing of it. */
  readonly token?: readonly string[]
  /** It takes what a checkout left in .git/config. */
  readonly usesGit?: true
}

const need = (scope: string, access: Need['access'], why: string): Need => ({ scope, access, why })
const input = ({ step }: StepOf, name: string): string => textOf(get(step.with, name)) ?? ''
const isOn = (text: string): boolean => text !== '' && !/^(false|no|off|0)$/i.test(text)

const fixed = (...needs: readonly Need[]): ActionFacts => ({ needs: () => needs })
const withToken = (names: readonly string[], ...needs: readonly Need[]): ActionFacts => ({
  needs: () => needs,
  token: names,
})
/** Nothing, as long as an input is not set. */
const nothingUnless = (...names: readonly string[]): ActionFacts => ({
  needs: (place) => (names.some((name) => isOn(input(place, name))) ? undefined : []),
})

const contents = {
  read: need('contents', 'read', 'to check out the repository'),
  release: need('contents', 'write', 'to publish a release'),
  push: need('contents', 'write', 'to push commits'),
}
const sarif = need('security-events', 'write', 'to upload findings')
const idToken = need('id-token', 'write', 'to prove to others which run this is')
const tokens = ['token', 'github-token', 'github_token', 'repo-token', 'GITHUB_TOKEN'] as const

const codeql: ActionFacts = {
  needs: () => [need('actions', 'read', 'to read the run in a private repository'), contents.read, sarif],
  may: [need('packages', 'read', '')],
}

const attest: ActionFacts = {
  needs: (place) => [
    need('attestations', 'write', 'to store attestations'),
    need('id-token', 'write', 'to sign attestations'),
    ...(isOn(input(place, 'push-to-registry')) && hasGitHubRegistry(place)
      ? [need('packages', 'write', 'to push attestations to the registry')]
      : []),
  ],
  may: [need('artifact-metadata', 'write', ''), need('contents', 'read', ''), need('packages', 'read', '')],
}

const bump: ActionFacts = { ...withToken(tokens, contents.push), usesGit: true }

const table: Readonly<Record<string, ActionFacts>> = {
  'actions/checkout': withToken(['token'], contents.read),
  'actions/download-artifact': {
    // Of another run; its own needs no token of the repository.
    needs: (place) =>
      isOn(input(place, 'run-id')) ? [need('actions', 'read', 'to download artifacts of another run')] : [],
    token: ['github-token'],
  },
  'actions/attest': attest,
  'actions/attest-build-provenance': attest,
  'actions/attest-sbom': attest,
  'actions/configure-pages': {
    needs: (place) =>
      isOn(input(place, 'enablement')) ? undefined : [need('pages', 'read', 'to read the settings of Pages')],
    token: ['token'],
    may: [need('pages', 'write', '')],
  },
  'actions/deploy-pages': withToken(
    ['token'],
    need('id-token', 'write', 'to prove which run deploys'),
    need('pages', 'write', 'to deploy to Pages'),
  ),
  'actions/labeler': withToken(
    ['repo-token'],
    need('contents', 'read', 'to read the configuration of the labels'),
    need('pull-requests', 'write', 'to label pull requests'),
  ),
  'actions/dependency-review-action': {
    needs: (place) => [
      need('contents', 'read', 'to compare dependencies'),
      ...(/^(always|on-failure|true)$/.test(input(place, 'comment-summary-in-pr'))
        ? [need('pull-requests', 'write', 'to comment on pull requests')]
        : []),
    ],
    token: ['repo-token'],
  },
  'actions/stale': {
    needs: (place) => [
      need('actions', 'write', 'to remember where it stopped'),
      ...(isOn(input(place, 'delete-branch')) ? [need('contents', 'write', 'to delete branches')] : []),
      need('issues', 'write', 'to mark and close issues'),
      need('pull-requests', 'write', 'to mark and close pull requests'),
    ],
    token: ['repo-token'],
  },
  'actions/first-interaction': withToken(
    ['repo-token', 'repo_token'],
    need('issues', 'write', 'to answer issues'),
    need('pull-requests', 'write', 'to answer pull requests'),
  ),
  'dessant/lock-threads': withToken(
    ['github-token'],
    need('discussions', 'write', 'to lock discussions'),
    need('issues', 'write', 'to lock issues'),
    need('pull-requests', 'write', 'to lock pull requests'),
  ),
  'github/codeql-action/init': codeql,
  'github/codeql-action/autobuild': codeql,
  'github/codeql-action/analyze': codeql,
  'github/codeql-action/upload-sarif': codeql,
  'ossf/scorecard-action': {
    needs: (place) => [
      need('actions', 'read', 'to read the runs of a private repository'),
      contents.read,
      ...(isOn(input(place, 'publish_results')) ? [idToken] : []),
    ],
    token: ['repo_token'],
    may: [
      ...['checks', 'issues', 'pull-requests', 'attestations', 'packages'].map((scope) => need(scope, 'read', '')),
      sarif,
    ],
  },
  'zizmorcore/zizmor-action': {
    needs: (place) => [
      need('actions', 'read', 'to read the run in a private repository'),
      contents.read,
      ...(/^false$/i.test(input(place, 'advanced-security')) ? [] : [sarif]),
    ],
  },
  'docker/login-action': { needs: registry },
  'docker/build-push-action': { needs: (place) => (isOn(input(place, 'context')) ? [] : [contents.read]) },
  'docker/bake-action': { needs: (place) => (isOn(input(place, 'source')) ? [] : [contents.read]) },
  'softprops/action-gh-release': { ...withToken(tokens, contents.release), may: [need('discussions', 'write', '')] },
  'ncipollo/release-action': withToken(tokens, contents.release),
  'release-drafter/release-drafter': {
    ...withToken(
      tokens,
      need('contents', 'write', 'to draft a release'),
      need('pull-requests', 'read', 'to read what was merged'),
    ),
    may: [need('pull-requests', 'write', '')],
  },
  'googleapis/release-please-action': withToken(
    ['token'],
    need('contents', 'write', 'to prepare releases'),
    need('issues', 'write', 'to label what is released'),
    need('pull-requests', 'write', 'to open the pull request of the release'),
  ),
  'peter-evans/create-pull-request': {
    ...withToken(['token'], contents.push, need('pull-requests', 'write', 'to open a pull request')),
    usesGit: true,
  },
  'stefanzweifel/git-auto-commit-action': bump,
  'endbug/add-and-commit': bump,
  'peaceiris/actions-gh-pages': {
    ...withToken(['github_token', 'personal_token', 'deploy_key'], contents.push),
    usesGit: true,
  },
  'jamesives/github-pages-deploy-action': { ...withToken(['token', 'ssh-key'], contents.push), usesGit: true },
  'amannn/action-semantic-pull-request': {
    needs: (place) => [
      need('pull-requests', 'read', 'to read titles'),
      ...(isOn(input(place, 'wip')) ? [need('statuses', 'write', 'to set the status of the commit')] : []),
    ],
    token: tokens,
  },
  'dorny/paths-filter': {
    // On other events it asks git, which may have to fetch.
    needs: ({ triggers }) =>
      ['pull_request', 'pull_request_target'].some((name) => triggers.has(name))
        ? [contents.read, need('pull-requests', 'read', 'to see what a pull request changes')]
        : [contents.read],
    token: ['token'],
    usesGit: true,
  },
  'enricomi/publish-unit-test-result-action': {
    needs: () => [
      need('checks', 'write', 'to report tests'),
      need('pull-requests', 'write', 'to comment on pull requests'),
    ],
    token: ['github_token'],
    may: ['contents', 'issues', 'actions'].map((scope) => need(scope, 'read', '')),
  },
  'marocchino/sticky-pull-request-comment': withToken(
    ['GITHUB_TOKEN'],
    need('pull-requests', 'write', 'to comment on pull requests'),
  ),
  'pypa/gh-action-pypi-publish': {
    needs: (place) =>
      isOn(input(place, 'password')) ? [] : [need('id-token', 'write', 'to publish to PyPI without a password')],
  },
  'rust-lang/crates-io-auth-action': fixed(need('id-token', 'write', 'to publish to crates.io without a password')),
  'codecov/codecov-action': {
    needs: (place) => (isOn(input(place, 'use_oidc')) ? [idToken] : []),
  },
  'aws-actions/configure-aws-credentials': {
    needs: (place) =>
      isOn(input(place, 'role-to-assume')) && !isOn(input(place, 'aws-access-key-id')) ? [idToken] : [],
    may: [idToken],
  },
  'google-github-actions/auth': {
    needs: (place) => (isOn(input(place, 'workload_identity_provider')) ? [idToken] : []),
  },
  'azure/login': { needs: (place) => (isOn(input(place, 'creds')) ? [] : [idToken]) },
  'golangci/golangci-lint-action': {
    needs: (place) =>
      isOn(input(place, 'only-new-issues'))
        ? [contents.read, need('pull-requests', 'read', 'to see what a pull request changes')]
        : [],
    may: [contents.read, need('checks', 'write', '')],
  },
  'gradle/actions/setup-gradle': nothingUnless('dependency-graph', 'add-job-summary-as-pr-comment'),
  'graalvm/setup-graalvm': nothingUnless('native-image-pr-reports'),
}

/** Set up tools, or work on files: they ask nothing of the repository but to be asked less often. */
const needNothing: ReadonlySet<string> = new Set(
  `actions/cache actions/cache/restore actions/cache/save actions/create-github-app-token actions/setup-dotnet
  actions/setup-go actions/setup-java actions/setup-node actions/setup-python actions/upload-artifact
  actions/upload-pages-artifact actions-rust-lang/setup-rust-toolchain anchore/scan-action android-actions/setup-android
  aquasecurity/setup-trivy aquasecurity/trivy-action arduino/setup-protoc astral-sh/ruff-action astral-sh/setup-uv
  azure/setup-helm azure/setup-kubectl coursier/cache-action coursier/setup-action crate-ci/typos denoland/setup-deno
  docker/metadata-action docker/setup-buildx-action docker/setup-qemu-action dtolnay/rust-toolchain
  easimon/maximize-build-space emscripten-core/setup-emsdk erlef/setup-beam goto-bus-stop/setup-zig
  gradle/actions/wrapper-validation gradle/wrapper-validation-action hadolint/hadolint-action hashicorp/setup-terraform
  helm/kind-action homebrew/actions/setup-homebrew ilammy/msvc-dev-cmd ilammy/setup-nasm jlumbroso/free-disk-space
  julia-actions/setup-julia ludeeus/action-shellcheck maxim-lobanov/setup-xcode microsoft/setup-msbuild mlugg/setup-zig
  oven-sh/setup-bun pdm-project/setup-pdm pnpm/action-setup pre-commit/action pyo3/maturin-action re-actors/alls-green
  ruby/setup-ruby shivammathur/setup-php sigstore/cosign-installer snok/install-poetry step-security/harden-runner
  streetsidesoftware/cspell-action supercharge/mongodb-github-action swatinem/rust-cache taiki-e/install-action`.split(
    /\s+/,
  ),
)

const nothing = fixed()

/** Known actions by `owner/name` or `owner/name/folder`, lower case; undefined for all others. */
export function factsOf(step: Step): ActionFacts | undefined {
  if (step.uses?.kind !== 'repository') return undefined
  const path = step.uses.text.replace(/@[^@]*$/, '').toLowerCase()
  if (needNothing.has(path)) return nothing
  return Object.hasOwn(table, path) ? table[path] : undefined
}

/** Whether a step brings a token of its own, so that what the run's may do does not matter to it. */
export function hasOwnToken({ step }: StepOf, facts: ActionFacts): boolean {
  const env = get(step.map, 'env')
  return (facts.token ?? []).some((name) => {
    const given = textOf(get(step.with, name)) ?? textOf(get(env, name)) ?? ''
    return given !== '' && !namesToken(given) && /secrets\s*\.|steps\s*\./.test(given)
  })
}

/** GitHub's registry takes the token of the run as a password. */
function registry(place: StepOf): readonly Need[] {
  if (!isGitHubRegistry(place.step) || !namesToken(input(place, 'password'))) return []
  const pushes = place.job.steps.some(
    ({ uses, with: inputs, run }) =>
      run !== undefined ||
      (uses !== undefined &&
        /^docker\/(build-push|bake)-action$/.test(uses.repository) &&
        (isOn(textOf(get(inputs, 'push')) ?? '') || /push=true/.test(textOf(get(inputs, 'outputs')) ?? ''))),
  )
  return [pushes ? need('packages', 'write', 'to push the image') : need('packages', 'read', 'to fetch images')]
}

const isGitHubRegistry = (step: Step): boolean =>
  step.uses?.repository === 'docker/login-action' && /\bghcr\.io\b/.test(textOf(get(step.with, 'registry')) ?? '')

const hasGitHubRegistry = ({ job }: StepOf): boolean => job.steps.some(isGitHubRegistry)
