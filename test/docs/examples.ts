import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const project = join(import.meta.dirname, '../..')

/**
 * Fenced blocks of the language `console` are examples: each command, after `$ `, is run and what it says compared with
 * the lines below it. `…` stands for any text in a line, and alone in a line for any lines; durations,
 * hashes and ids of runs may differ. A comment before says where:
 *
 *     <!-- example: node-passing -->                  a copy of that sample repository; `empty` is an empty folder
 *     <!-- example: node-passing, in the world -->    the same, with a container engine: test/world/docs.test.ts
 *     <!-- example: goes on -->                       where the one before it ended
 *     <!-- example: not run, REASON -->
 *
 * A block after `<!-- file: PATH -->` is written, or appended where the path is there, before the next example runs.
 */
export interface Example {
  readonly page: string
  readonly line: number
  readonly where: string
  readonly inWorld: boolean
  readonly notRun?: string
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly steps: readonly { readonly command: string; readonly expected: readonly string[] }[]
}

export interface Block {
  readonly line: number
  readonly language: string
  readonly directive: string | undefined
  readonly text: string
}

/** README.md and the like, and every page of docs/. */
export const pages: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(project, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
]

export const readPage = (page: string): string => readFileSync(join(project, page), 'utf8')

export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/(?:^<!-- (.*) -->\n\s*)?^```([a-z]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length + (match[1] ? 1 : 0),
    directive: match[1],
    language: match[2]!,
    text: match[3]!,
  }))
}

/** The examples of a page; throws for a block that does not say where it runs. */
export function examplesOf(page: string, text = readPage(page)): readonly Example[] {
  const examples: Example[] = []
  let files: Example['files'][number][] = []
  for (const block of blocksOf(text)) {
    const file = /^file: (.+)$/.exec(block.directive ?? '')?.[1]
    if (file !== undefined) files.push({ path: file, text: block.text })
    if (['sh', 'bash', 'shell'].includes(block.language))
      throw new Error(`${page}:${block.line}: commands go into a console block`)
    if (block.language !== 'console') continue
    const said = /^example: (not run, (?<reason>.+)|(?<where>[a-z-]+|goes on)(?<world>, in the world)?)$/.exec(
      block.directive ?? '',
    )?.groups
    if (!said) throw new Error(`${page}:${block.line}: an example that does not say where it runs`)
    const before = examples.at(-1)
    const goesOn = said.where === 'goes on'
    const inWorld = goesOn ? (before?.inWorld ?? false) : said.world !== undefined
    const base = { page, line: block.line, where: said.where ?? '', inWorld, files, steps: stepsOf(block.text) }
    files = []
    const reason = goesOn ? before?.notRun : said.reason
    examples.push(reason === undefined ? base : { ...base, notRun: reason })
  }
  return examples
}

function stepsOf(text: string): Example['steps'] {
  const steps: { command: string; expected: string[] }[] = []
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), expected: [] })
    else steps.at(-1)?.expected.push(line)
  }
  return steps
}

/** Writes a program `dwf` into a folder: the sources as they are, or the built bundle. */
export function shim(folder: string, entry: string): string {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'dwf')
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`)
  chmodSync(file, 0o755)
  return folder
}

/** Runs the steps of an example in a folder; what differs, in words, or nothing. */
export function differences(example: Example, cwd: string, env: NodeJS.ProcessEnv): readonly string[] {
  for (const { path, text } of example.files) {
    const to = join(cwd, path)
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, text, { flag: 'a' })
  }
  return example.steps.flatMap(({ command, expected }) => {
    const { stdout, status } = spawnSync('bash', ['-c', `{ ${command}\n} 2>&1`], { cwd, env, encoding: 'utf8' })
    const said = stdout.replace(/\n+$/, '')
    if (matches(expected, said)) return []
    return [
      `${example.page}:${example.line}: $ ${command}\n(exit ${status}) said:\n${said}\n\nand the page has:\n${expected.join('\n')}`,
    ]
  })
}

/** What no two runs have alike: durations, hashes of plans and images, ids of runs, dates. A recorded page may keep its own. */
const recorded = (text: string): string =>
  text
    .replace(/\b\d+(\.\d+)? (ms|s|min)\b/g, '0 s')
    .replace(/\b(plan|image|audit) [0-9a-f]{12}\b/g, '$1 0')
    .replace(/\b[0-9a-f]{64}\b/g, '0')
    .replace(/(localhost\/dwf\/[a-z-]+):[0-9a-f]{16}\b/g, '$1:0')
    .replace(/\b20\d\d-\d\d-\d\d\b/g, 'today')
    .replace(/\brun \d{14}-[0-9a-f]{6}\b/g, 'run 0')

/** Without expected lines anything fits. */
export function matches(page: readonly string[], output: string): boolean {
  const [expected, said] = [page.map(recorded), recorded(output)]
  if (expected.every((line) => line.trim() === '')) return true
  const rows = expected.map((line) =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${line.trimEnd().split('…').map(literal).join('.*')}[ \\t]*\\n`,
  )
  return new RegExp(`^${rows.join('')}$`).test(`${said}\n`)
}

const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
