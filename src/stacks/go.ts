import { readSource } from '../project/manifest.ts'
import type { OfferedTask, Setup, StackUnit, Tree } from '../project/types.ts'
import type { Diagnostic, Span } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { type GoMod, readGoMod } from './go-mod.ts'
import type { Stack } from './types.ts'
import { above, bareUnit, inDir, optional } from './unit.ts'
import { minimumRange, prefixRange, request, toolVersions, versionFiles } from './versions.ts'
import { missingOf } from './vocabulary.ts'

/** Go: one unit for each module. A go.work joins them for the compiler, but `./...` still ends at each go.mod. */
export const go: Stack = {
  name: 'go',
  detect: (tree, folders) =>
    folders.flatMap((dir) => {
      const manifest = inDir(dir, 'go.mod')
      const source = readSource(tree, manifest)
      if (!source) return []
      const { module, problems } = source.problem
        ? { module: undefined, problems: [source.problem] }
        : readGoMod(manifest, source.text)
      return [
        module
          ? unit(tree, dir, manifest, module, problems)
          : { ...bareUnit('go', dir, manifest), diagnostics: problems },
      ]
    }),
}

/** gofmt exits 0 whatever it lists, and would look into folders that hold other people's code or broken samples. */
const goFiles =
  "find . -name '.?*' -prune -o -name vendor -prune -o -name node_modules -prune -o -name testdata -prune -o -type f -name '*.go' -print0"
const formatCheck = `files=$(${goFiles} | xargs -0 -r gofmt -l) || exit 1
[ -z "$files" ] && exit 0
printf 'gofmt would change these files:\\n%s\\n' "$files"
exit 1`

function unit(tree: Tree, dir: string, manifest: string, module: GoMod, problems: readonly Diagnostic[]): StackUnit {
  const isVendored = tree.has(inDir(dir, 'vendor/modules.txt'))
  const requests = request('go', mentions(tree, dir, module))
  const tasks: readonly OfferedTask[] = [
    { command: 'fmt:check', argv: ['sh', '-c', formatCheck] },
    { command: 'fmt:fix', argv: ['sh', '-c', `${goFiles} | xargs -0 -r gofmt -w`] },
    { command: 'lint:static', argv: ['go', 'vet', './...'] },
    { command: 'build:debug', argv: ['go', 'build', './...'] },
    { command: 'build:release', argv: ['go', 'build', '-trimpath', './...'] },
    { command: 'test:unit', argv: ['go', 'test', './...'] },
  ]
  return {
    stack: 'go',
    dir,
    manifest,
    manager: 'go',
    ...optional(
      'name',
      module.path
        ?.split('/')
        .filter((part) => !/^v\d+$/.test(part))
        .at(-1),
    ),
    toolchains: requests.toolchains,
    // cgo: the standard library's net and os/user, and drivers such as sqlite3, are built with it where gcc is there.
    packages: ['gcc', 'libc6-dev'],
    caches: [
      { name: 'go-mod', env: { GOMODCACHE: '/cache/go-mod' } },
      { name: 'go-build', env: { GOCACHE: '/cache/go-build' } },
    ],
    env: { GOTOOLCHAIN: 'local', GOFLAGS: isVendored ? '-mod=vendor' : '-mod=readonly' },
    ...optional('setup', isVendored ? undefined : setup(tree, dir, manifest, module)),
    tasks,
    missing: missingOf(tasks, {
      'test:integration': 'add [tasks."test:integration"] with what starts it, such as go test -tags=integration ./...',
      'package:artifact': 'add [tasks."package:artifact"] with what makes the release archive',
    }),
    diagnostics: [...problems, ...requests.diagnostics],
  }
}

function mentions(tree: Tree, dir: string, module: GoMod): Parameters<typeof request>[1] {
  const work = workFile(tree, dir)
  const minimum = (one: { text: string; where: Span } | undefined): Parameters<typeof request>[1] =>
    one === undefined ? [] : [{ asked: one.text, range: goRange(one.text), where: one.where }]
  return [
    ...versionFiles(tree, dir, ['.go-version'], prefixRange),
    ...toolVersions(tree, dir, 'golang'),
    ...toolVersions(tree, dir, 'go'),
    ...minimum(work?.toolchain),
    ...minimum(work?.go),
    ...minimum(module.toolchain),
    ...minimum(module.go),
  ]
}

/** A module of a workspace is built with what go.work asks for, which is at least what each go.mod does. */
function workFile(tree: Tree, dir: string): GoMod | undefined {
  for (const folder of [dir, ...above(dir)]) {
    const text = tree.text(inDir(folder, 'go.work'))
    if (text !== undefined) return readGoMod(inDir(folder, 'go.work'), text).module
  }
  return undefined
}

/** `1.26`, `1.26.1`, `go1.26.1`, `1.26rc1`: at least that. */
function goRange(text: string): string | undefined {
  return minimumRange(
    text
      .replace(/^go/, '')
      .replace(/(?:rc|beta)\d+$/, '')
      .replace(/-.*$/, ''),
  )
}

/** Undefined when the module depends on nothing: then there is no go.sum either. */
function setup(tree: Tree, dir: string, manifest: string, module: GoMod): Setup | undefined {
  if (module.requires === undefined) return undefined
  const sum = inDir(dir, 'go.sum')
  const folders = [dir, ...above(dir)]
  const work = folders
    .flatMap((folder) => [inDir(folder, 'go.work'), inDir(folder, 'go.work.sum')])
    .filter((file) => tree.has(file))
  const missingLock = {
    severity: 'error',
    code: 'missing-lock',
    message: `${printable(manifest)} requires modules but there is no go.sum with their hashes`,
    where: module.requires,
    hint: 'run "go mod tidy" and commit go.sum',
  } as const
  return {
    lockFiles: [...(tree.has(sum) ? [sum] : []), manifest, ...work],
    // Go runs nothing of a module when it fetches or builds it: there is no second half.
    fetch: ['go', 'mod', 'download'],
    online: ['go', 'mod', 'download'],
    split: true,
    outputs: ['/cache/go-mod/cache/download'],
    ...(tree.has(sum) || work.length > 0 ? {} : { missingLock }),
  }
}
