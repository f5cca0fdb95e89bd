import { isAlias, isCollection, isMap, isScalar, type Pair, parseDocument, type Scalar, visit, YAMLMap } from 'yaml'
import type { WorkflowText } from '../reading/workflow.ts'

/** How a text is laid out: where its maps and scalars stand, how far it indents, how its lines end. */
export interface Layout {
  readonly eol: '\n' | '\r\n'
  /** Blanks of one level. */
  readonly unit: number
  readonly mapAt: (at: number) => YAMLMap
  readonly scalarAt: (at: number) => Scalar | undefined
  /** From 0. */
  readonly columnOf: (at: number) => number
  readonly lineStart: (at: number) => number
  /** Before the line end. */
  readonly lineEnd: (at: number) => number
  /** The end of a line is inside of a text that goes on. */
  readonly isOpenLine: (line: number) => boolean
}

/** Where something stands that stands for something else: what is changed here would change elsewhere, too. */
export interface Shared {
  readonly sharedAt: number
}

export function layoutOf({ text, lineOf, file }: WorkflowText): Layout | Shared {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  const maps = new Map<number, YAMLMap>()
  const scalars = new Map<number, Scalar>()
  const openLines = new Set<number>()
  let sharedAt: number | undefined
  visit(document, {
    Node(_, node) {
      const range = node.range
      if (isAlias(node) || ((isScalar(node) || isCollection(node)) && node.anchor !== undefined)) {
        sharedAt ??= range?.[0] ?? 0
        return visit.BREAK
      }
      if (!range) return undefined
      if (isMap(node)) maps.set(range[0], node)
      if (!isScalar(node) || range[1] === range[0]) return undefined
      scalars.set(range[0], node)
      if (!node.type?.startsWith('BLOCK'))
        for (let line = lineOf(range[0]); line < lineOf(range[1]); line++) openLines.add(line)
      return undefined
    },
  })
  if (sharedAt !== undefined) return { sharedAt }
  const lineStart = (at: number) => text.lastIndexOf('\n', at - 1) + 1
  const columnOf = (at: number) => at - lineStart(at)
  const [first] = file.jobs
  const jobs = file.root.entries.get('jobs')!
  const indent = first ? columnOf(first.at) - columnOf(jobs.at) : 2
  return {
    eol: text.includes('\r\n') ? '\r\n' : '\n',
    unit: indent >= 1 && indent <= 8 ? indent : 2,
    mapAt: (at) => maps.get(at) ?? new YAMLMap(),
    scalarAt: (at) => scalars.get(at),
    columnOf,
    lineStart,
    lineEnd: (at) => {
      const end = text.indexOf('\n', at)
      const line = end < 0 ? text.length : end
      return text[line - 1] === '\r' && line > at ? line - 1 : line
    },
    isOpenLine: (line) => openLines.has(line),
  }
}

/** The entry of a key. */
export function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)
}
