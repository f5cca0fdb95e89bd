import { byCodeUnit } from '../../util/text.ts'

/** What runners may reach, `NAME:PORT`, by what for. Seen in the documentation of each registry, November 2026. */
const github = [
  '*.actions.githubusercontent.com:443',
  // Artifacts.
  '*.blob.core.windows.net:443',
  'api.github.com:443',
  'codeload.github.com:443',
  'github.com:443',
  'objects.githubusercontent.com:443',
  'release-assets.githubusercontent.com:443',
]

const dockerHub = [
  'auth.docker.io:443',
  'docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com:443',
  'production.cloudflare.docker.com:443',
  'production.cloudfront.docker.com:443',
  'registry-1.docker.io:443',
]

const githubRegistry = ['ghcr.io:443', 'pkg-containers.githubusercontent.com:443']

const debian = ['deb.debian.org:80', 'deb.debian.org:443', 'security.debian.org:80']

const npm = ['registry.npmjs.org:443', 'registry.yarnpkg.com:443']
const pypi = ['files.pythonhosted.org:443', 'pypi.org:443']
const crates = ['crates.io:443', 'index.crates.io:443', 'static.crates.io:443']
const maven = [
  'dl.google.com:443',
  'downloads.gradle.org:443',
  'plugins-artifacts.gradle.org:443',
  'plugins.gradle.org:443',
  'repo.maven.apache.org:443',
  'repo1.maven.org:443',
  'services.gradle.org:443',
]

const packages: Readonly<Record<string, readonly string[]>> = {
  node: npm,
  python: pypi,
  rust: crates,
  go: ['proxy.golang.org:443', 'storage.googleapis.com:443', 'sum.golang.org:443'],
  java: maven,
  kotlin: maven,
  tauri: [...npm, ...crates],
}

const sets = {
  github,
  node: ['nodejs.org:443'],
  dockerHub,
  githubRegistry,
  debian,
  /** Where Trivy's databases are published. */
  databases: [...githubRegistry, 'mirror.gcr.io:443', 'public.ecr.aws:443'],
  sigstore: [
    // Of private repositories.
    'fulcio.githubapp.com:443',
    'fulcio.sigstore.dev:443',
    'rekor.sigstore.dev:443',
    'timestamp.githubapp.com:443',
    'tuf-repo-cdn.sigstore.dev:443',
    'tuf-repo.github.com:443',
  ],
} as const

export type HostSet = keyof typeof sets

/** The hosts of a job: of its sets, of the package registries of its stacks, and those that devflow.toml adds. */
export function hostsOf(
  wanted: readonly HostSet[],
  stacks: readonly string[],
  added: readonly string[],
): readonly string[] {
  const all = [
    ...wanted.flatMap((set) => sets[set] as readonly string[]),
    ...stacks.flatMap((stack) => packages[stack] ?? []),
    ...added,
  ]
  return [...new Set(all)].sort(byCodeUnit)
}
