import type { OfferedTask } from '../project/types.ts'
import type { Manager } from './node-managers.ts'
import { commandOf } from './vocabulary.ts'

type Scripts = Readonly<Record<string, string>>

/** The names that people give to the script of a command, the plainest first. */
const names: Readonly<Record<string, readonly string[]>> = {
  'fmt:check': [
    'fmt:check',
    'format:check',
    'prettier:check',
    'check:format',
    'check:fmt',
    'format-check',
    'fmt-check',
    'check-format',
    'prettier-check',
    'check:prettier',
    'format:ci',
  ],
  'fmt:fix': ['fmt:fix', 'fmt', 'format', 'format:fix', 'format:write', 'prettier:fix', 'prettier:write', 'prettier'],
  'lint:static': ['lint:static', 'lint', 'lint:check', 'lint:ci', 'eslint', 'lint:js', 'lint:code', 'check:lint'],
  'lint:types': [
    'lint:types',
    'typecheck',
    'type-check',
    'check-types',
    'check:types',
    'types:check',
    'test:types',
    'tsc',
  ],
  'build:debug': ['build:debug', 'build:dev', 'build', 'compile'],
  'build:release': ['build:release', 'build:prod', 'build:production', 'build', 'compile'],
  'test:unit': ['test:unit', 'unit', 'test', 'tests', 'unit-test'],
  'test:integration': ['test:integration', 'test:int', 'test-integration', 'integration'],
  'test:e2e': ['test:e2e', 'e2e', 'test-e2e'],
}

/** What `npm init` writes: it is there so that `npm test` says there is none. */
const isPlaceholder = (body: string): boolean =>
  body.trim() === '' || /^echo ["'\\]*Error: no test specified/.test(body.trim())

/** A script named `format` may well be the check. */
const isCheck = (body: string): boolean => /(?:^|\s)(?:--check|--list-different|-c|-l)(?:\s|$)|\bbiome ci\b/.test(body)

/** Scripts that wait for a person or for changes never end in a pipeline. */
const isEndless = (name: string): boolean => /(?:^|[:-])(?:watch|dev|ui|debug|open|serve|headed)$/.test(name)

/** The commands that the scripts of a package.json make. */
export function scriptTasks(scripts: Scripts, manager: Manager): readonly OfferedTask[] {
  const tasks = new Map<string, string>()
  for (const command of Object.keys(names)) {
    const script = scriptFor(command, scripts)
    if (script !== undefined) tasks.set(command, script)
  }
  for (const script of Object.keys(scripts)) {
    const command = commandOf(script, ':')
    const isUsed = command === undefined || tasks.has(command) || names[command] !== undefined || isEndless(script)
    if (!isUsed && !isPlaceholder(scripts[script]!)) tasks.set(command, script)
  }
  return [...tasks].map(([command, script]) => ({ command, argv: manager.run(script) }))
}

function scriptFor(command: string, scripts: Scripts): string | undefined {
  const candidates = names[command]!.filter((name) => Object.hasOwn(scripts, name) && !isPlaceholder(scripts[name]!))
  if (command === 'fmt:fix') return candidates.find((name) => name === 'fmt:fix' || !isCheck(scripts[name]!))
  if (command !== 'fmt:check' || candidates.length > 0) return candidates[0]
  return ['fmt', 'format', 'prettier'].find((name) => isCheck(scripts[name] ?? ''))
}

/**
 * Commands that the workspace root has no script for, but its packages have: run in each of them. Only the plainest
 * names, which packages of one workspace share.
 */
export function everywhere(
  own: readonly OfferedTask[],
  members: readonly Scripts[],
  manager: Manager,
): readonly OfferedTask[] {
  const { everywhere: form } = manager
  if (!form) return []
  return Object.keys(names).flatMap((command) => {
    if (own.some((task) => task.command === command)) return []
    const script = names[command]!.find((name) =>
      members.some((scripts) => scripts[name] !== undefined && scriptFor(command, scripts) === name),
    )
    return script === undefined ? [] : [{ command, argv: form(script) }]
  })
}
