import type { ScanLayer } from '../config/commands.ts'

/** What a layer does not see, for the documentation: a person who relies on a gate has to know where it is blind. */
export interface LeftOut {
  readonly layer: ScanLayer | 'all'
  readonly what: string
  readonly why: string
}

/** Seen with Trivy 0.76.0. The rules on secrets are its built-in allow rules (pkg/fanal/secret/builtin-allow-rules.go). */
export const leftOut: readonly LeftOut[] = [
  { layer: 'all', what: '.git, at any depth', why: 'git’s own data; a secret in the history is not found' },
  { layer: 'all', what: '.cache/devflow', why: 'the caches of dwf' },
  { layer: 'all', what: 'node_modules, at any depth', why: 'the lock file says what is in it' },
  { layer: 'all', what: 'links', why: 'never followed; a lock file that is a link fails the gate' },
  {
    layer: 'deps',
    what: 'packages without an exact version',
    why: 'Trivy judges locked versions; dwf says which manifests have no lock file',
  },
  { layer: 'deps', what: 'the develop packages of Pipfile.lock', why: 'Trivy reads its default packages only' },
  {
    layer: 'deps',
    what: 'what Maven decides: versions of parents and BOMs that are not in the repository',
    why: 'Trivy would have to ask Maven Central',
  },
  { layer: 'deps', what: 'jar files, wheels and other archives', why: 'Trivy looks into them in images only' },
  {
    layer: 'secrets',
    what: 'paths with /test, -test, _test or .test, and paths that begin with test',
    why: 'built-in rule "tests"',
  },
  {
    layer: 'secrets',
    what: 'paths with "example", and matches with "example" in them',
    why: 'built-in rule "examples"',
  },
  { layer: 'secrets', what: '*.md', why: 'built-in rule "markdown"' },
  { layer: 'secrets', what: 'vendor folders below the top level', why: 'built-in rule "vendor"' },
  { layer: 'secrets', what: 'paths with /locale/ or /locales/', why: 'built-in rule "locale-dir"' },
  { layer: 'secrets', what: '*.dist-info folders', why: 'built-in rule "dist-info"' },
  {
    layer: 'secrets',
    what: 'go.mod, go.sum, package-lock.json, yarn.lock, pnpm-lock.yaml, Pipfile.lock, Gemfile.lock',
    why: 'their hashes look like secrets',
  },
  {
    layer: 'secrets',
    what: 'pictures, documents, packages, archives, other binary files and files under 10 bytes',
    why: 'Trivy reads text',
  },
  {
    layer: 'image',
    what: 'jar, war, ear and par files, without the Java database',
    why: 'Trivy fails without it, so dwf has it leave them out and says so: dwf scan db update --java',
  },
  {
    layer: 'image',
    what: 'programs that no package manager put there and that do not tell what they are made of',
    why: 'there is nothing to look up',
  },
  { layer: 'image', what: 'what a container fetches when it runs', why: 'it is not in the image' },
  {
    layer: 'licenses',
    what: 'packages whose lock file tells no licence, as those of Cargo, Go, Python, pnpm and Yarn',
    why: 'nothing is installed when a gate looks; their number is said, and unknown = "refuse" refuses them',
  },
  { layer: 'licenses', what: 'licences of images, and texts of licences in files', why: 'only lock files are read' },
  {
    layer: 'code',
    what: 'everything, where [scan.code.scanners] names nobody',
    why: 'dwf has no scanner of code of its own',
  },
  {
    layer: 'config',
    what: 'Compose files not called compose or docker-compose, and files of other CI systems',
    why: 'dwf has rules for Compose files, bake files, and GitHub workflows and actions, by their names',
  },
  {
    layer: 'config',
    what: 'what variables from outside put into Compose and bake files',
    why: 'only the defaults in the file are known',
  },
  { layer: 'config', what: 'Dockerfiles inside of Compose and bake files', why: 'Trivy reads those that are files' },
  { layer: 'config', what: 'Terraform modules that are not in the repository', why: 'a scan has no network' },
  {
    layer: 'config',
    what: 'comments with trivy:ignore in templates that only come into being when Helm renders them',
    why: 'dwf defuses what stands in the files',
  },
]
