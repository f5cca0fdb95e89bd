import { statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Loosening, loosenings } from '../../ci/index.ts'
import { baselineFile } from '../../config/commands.ts'
import { readRegular } from '../../project/files.ts'
import { filesBelow } from '../../scaffold/index.ts'
import { readBaseline } from '../../scan/index.ts'
import { trustAsk } from '../../trust/requests.ts'
import { judgeOf } from '../gates.ts'
import type { Policy, Workspace } from '../workspace.ts'
import { linkAbove } from './read-own.ts'

/** What a change would let pass, or asks for, that its base does not. */
export function loosenedBy(workspace: Workspace, policy: Policy): readonly Loosening[] {
  const { config, project, lock } = workspace
  const scan = policy.config.scan
  const named = [...scan.vex, ...scan.honor.files, ...scan.honor.semgrep]
  const state = (root: string, of: Pick<Workspace, 'config' | 'lock'>) => ({
    config: of.config,
    ...(of.lock ? { lock: of.lock } : {}),
    baseline: baselineOf(root),
    files: Object.fromEntries(named.map((path) => [path, textAt(root, path) ?? ''])),
  })
  const asked = new Set(
    trustAsk({ ...policy.config, root: config.root }, judgeOf(policy.lock)).requests.map(({ says }) => says),
  )
  return [
    ...loosenings(state(policy.root, policy), state(project.root, workspace)),
    ...changedRules(policy, project.root),
    ...trustAsk(config, judgeOf(lock))
      .requests.filter(({ says }) => !asked.has(says))
      .map(({ says, path }) => ({ says: `asks to ${says}`, path })),
  ]
}

/** What decides how a change is checked, and is the change's own: people have to look at it. */
export function changedDeciders(changed: readonly string[] | undefined): readonly Loosening[] {
  const what: readonly (readonly [RegExp, string])[] = [
    [/^\.github\/workflows\//, 'which decides what runs'],
    [
      /^(Dockerfile\.devflow|docker-bake\.hcl|\.dockerignore)$/,
      'which runs with a network, and brings the programs of all tasks',
    ],
  ]
  return (changed ?? []).flatMap((file) =>
    what.flatMap(([pattern, why]) =>
      pattern.test(file) ? [{ says: `changes ${file}, ${why}`, file, isNow: true }] : [],
    ),
  )
}

/** A rule that is gone or says something else; more of them are welcome. */
function changedRules({ root, config }: Policy, change: string): readonly Loosening[] {
  return config.scan.code.flatMap(({ name, rules }) => {
    if (rules === undefined) return []
    const path = posix.normalize(rules).replace(/\/$/, '')
    const files = statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ? filesBelow(root, path) : [path]
    return files
      .filter((file) => textAt(root, file) !== textAt(change, file))
      .map((file) => ({ says: `changes ${file}, by which the scanner ${name} goes`, file }))
  })
}

/** As much as the gates read; nothing behind a link. */
const sizeLimit = 64 * 1024 * 1024

function textAt(root: string, path: string): string | undefined {
  const plain = posix.normalize(path)
  return linkAbove(root, plain) === undefined ? readRegular(join(root, plain), sizeLimit)?.toString('utf8') : undefined
}

function baselineOf(root: string): readonly string[] {
  const text = textAt(root, baselineFile)
  return text === undefined ? [] : readBaseline(text).entries.map(({ fingerprint, layer }) => `${layer} ${fingerprint}`)
}
