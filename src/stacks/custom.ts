import { readSource } from '../project/manifest.ts'
import type { Argv, OfferedTask, StackUnit, Tree } from '../project/types.ts'
import { justRecipes, makeTargets } from './recipes.ts'
import type { Stack } from './types.ts'
import { bareUnit, inDir, isBelow } from './unit.ts'
import { request, toolVersions } from './versions.ts'
import { commandOf, missingOf } from './vocabulary.ts'

/** Whatever a justfile or Makefile names like a command: one unit, at the top; the ones below are mostly parts of it. */
export const custom: Stack = {
  name: 'custom',
  detect: (tree, folders) => {
    const units: StackUnit[] = []
    for (const dir of folders) {
      if (units.some((unit) => isBelow(dir, unit.dir))) continue
      const unit = justUnit(tree, dir) ?? makeUnit(tree, dir)
      // A Makefile for the documents offers nothing that dwf has a word for.
      if (unit && (dir === '' || unit.tasks.length > 0)) units.push(unit)
    }
    return units
  },
}

/** Other names that people give to a recipe of a command, the plainest first. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  'fmt:check': ['fmt-check', 'format-check', 'check-fmt', 'check-format', 'check-formatting', 'fmtcheck'],
  'fmt:fix': ['fmt-fix', 'fmt', 'format', 'format-fix'],
  'lint:static': ['lint-static', 'lint', 'lint-check', 'check-lint', 'vet', 'clippy'],
  'build:debug': ['build-debug', 'build-dev', 'build', 'compile', 'all'],
  'build:release': ['build-release', 'release-build', 'build-prod', 'build'],
  'test:unit': ['test-unit', 'unit-test', 'unit-tests', 'unittest', 'test', 'tests', 'check'],
  'test:integration': ['test-integration', 'integration-test', 'integration-tests', 'integration'],
  'test:e2e': ['test-e2e', 'e2e', 'e2e-test'],
  'package:artifact': ['package-artifact', 'package', 'dist'],
}

function recipeTasks(names: readonly string[], run: (name: string) => Argv): readonly OfferedTask[] {
  const tasks = new Map<string, string>()
  for (const [command, words] of Object.entries(aliases)) {
    const name = words.flatMap((word) => names.find((one) => one.replaceAll('_', '-') === word) ?? [])[0]
    if (name !== undefined) tasks.set(command, name)
  }
  for (const name of names) {
    const command = commandOf(name.replaceAll('_', '-'), '-')
    if (command !== undefined && !tasks.has(command) && aliases[command] === undefined) tasks.set(command, name)
  }
  return [...tasks].map(([command, name]) => ({ command, argv: run(name) }))
}

function justUnit(tree: Tree, dir: string): StackUnit | undefined {
  const name = tree.list(dir).find((one) => /^\.?justfile$/i.test(one))
  return name === undefined ? undefined : build(tree, dir, name, 'just', justRecipes)
}

function makeUnit(tree: Tree, dir: string): StackUnit | undefined {
  const name = ['GNUmakefile', 'makefile', 'Makefile'].find((one) => tree.has(inDir(dir, one)))
  return name === undefined ? undefined : build(tree, dir, name, 'make', makeTargets)
}

function build(
  tree: Tree,
  dir: string,
  name: string,
  tool: 'just' | 'make',
  parse: (text: string) => readonly string[],
): StackUnit | undefined {
  const manifest = inDir(dir, name)
  const source = readSource(tree, manifest)
  if (!source) return undefined
  const tasks = recipeTasks(parse(source.text), (recipe) => [tool, recipe])
  const requests = request(tool, toolVersions(tree, dir, tool))
  const kind = tool === 'just' ? 'recipe' : 'target'
  const hint = (recipe: string): string => `add a ${kind} "${recipe}" to ${manifest}`
  return {
    ...bareUnit('custom', dir, manifest),
    manager: tool,
    toolchains: requests.toolchains,
    tasks,
    missing: missingOf(tasks, {
      'fmt:check': hint('fmt-check'),
      'fmt:fix': hint('fmt'),
      'lint:static': hint('lint'),
      'build:debug': hint('build'),
      'build:release': hint('build-release'),
      'test:unit': hint('test'),
      'test:integration': hint('test-integration'),
      'package:artifact': hint('package'),
    }),
    diagnostics: [...(source.problem ? [source.problem] : []), ...requests.diagnostics],
  }
}
