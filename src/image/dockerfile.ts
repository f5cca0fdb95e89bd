/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  /** In capitals. */
  readonly name: string
  /** Line on which it begins, from 1. */
  readonly line: number
  /** `--from=x`, `--mount=…` as written. */
  readonly flags: readonly string[]
  readonly rest: string
}

/**
 * Reads a Dockerfile as BuildKit and Buildah do, but tolerantly: what is none is an instruction with an odd name.
 * Bodies of heredocs are skipped.
 */
export function parseDockerfile(text: string): readonly Instruction[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  const continuation = escapeOf(lines)
  const instructions: Instruction[] = []
  for (let index = 0; index < lines.length; index++) {
    if (isIdle(lines[index]!)) continue
    const line = index + 1
    let joined = ''
    for (; index < lines.length; index++) {
      const part = lines[index]!
      // Comments and blank lines inside an instruction do not end it.
      if (joined !== '' && isIdle(part)) continue
      const isContinued = part.trimEnd().endsWith(continuation)
      joined += isContinued ? part.trimEnd().slice(0, -1) : part
      if (!isContinued) break
    }
    const instruction = split(joined, line)
    if (!instruction) continue
    instructions.push(instruction)
    for (const isEnd of heredocs(instruction)) {
      // Without its end it was no heredoc: better to read too much than to lose instructions.
      const end = lines.findIndex((body, at) => at > index && isEnd(body))
      if (end > 0) index = end
    }
  }
  return instructions
}

function isIdle(line: string): boolean {
  return /^\s*(#|$)/.test(line)
}

/** `# escape=` counts only among the comments of the very top. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^\s*#\s*([a-zA-Z]+)\s*=\s*(\S+)\s*$/.exec(line)
    if (!directive) return '\\'
    if (directive[1]!.toLowerCase() === 'escape' && directive[2] === '`') return '`'
  }
  return '\\'
}

function split(joined: string, line: number): Instruction | undefined {
  const match = /^\s*(\S+)\s*([\s\S]*)$/.exec(joined)
  if (!match) return undefined
  const flags: string[] = []
  let rest = match[2]!
  for (let flag = /^(--[a-z]\S*)\s*/.exec(rest); flag; flag = /^(--[a-z]\S*)\s*/.exec(rest)) {
    flags.push(flag[1]!)
    rest = rest.slice(flag[0].length)
  }
  return { name: match[1]!.toUpperCase(), line, flags, rest: rest.trim() }
}

function heredocs(instruction: Instruction): readonly ((line: string) => boolean)[] {
  if (!['RUN', 'COPY', 'ADD'].includes(instruction.name)) return []
  const words = instruction.rest.matchAll(/(?<![<\w])<<(-?)(?:"([^"]+)"|'([^']+)'|([^\s<>"'|;&()]+))/g)
  return [...words].map(([, dash, double, single, bare]) => {
    const word = double ?? single ?? bare
    return (line) => (dash ? line.replace(/^\t+/, '') : line) === word
  })
}

/** What of the build context a Dockerfile can reach: patterns relative to it, or all of it. */
export interface ContextReads {
  readonly patterns: readonly string[]
  readonly isEverything: boolean
}

/**
 * Every source of COPY, ADD and `RUN --mount=type=bind` that does not come from another stage or image. A source with
 * a variable in it may be anything: then it is everything. ADD of a URL reads nothing here.
 */
export function contextReads(instructions: readonly Instruction[]): ContextReads {
  const sources = instructions.flatMap((instruction) => {
    if (instruction.name === 'RUN') return instruction.flags.flatMap(mountSource)
    if (instruction.name !== 'COPY' && instruction.name !== 'ADD') return []
    if (instruction.flags.some((flag) => flag.startsWith('--from='))) return []
    return words(instruction.rest)
      .slice(0, -1)
      .filter((word) => !word.startsWith('<<') && !/^(https?:\/\/|git@|ssh:\/\/)/.test(word))
  })
  const patterns = sources.filter((source) => !source.includes('$')).map(clean)
  return { patterns, isEverything: patterns.length < sources.length || patterns.includes('') }
}

function mountSource(flag: string): readonly string[] {
  const options = /^--mount=(.*)$/
    .exec(flag)?.[1]
    ?.split(',')
    .map((option) => option.split('=') as [string, string?])
  if (!options) return []
  const value = (...names: string[]): string | undefined =>
    options.find(([name]) => names.includes(name.toLowerCase()))?.[1]
  if ((value('type') ?? 'bind').replaceAll('"', '') !== 'bind' || value('from') !== undefined) return []
  return [value('source', 'src') ?? '.']
}

function words(rest: string): readonly string[] {
  if (rest.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(rest)
      if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list
    } catch {
      // Not JSON: then Docker takes it as plain words, too.
    }
  }
  return (rest.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'])+/g) ?? []).map((word) => word.replace(/["']/g, ''))
}

/** Relative to the context, without `.` and `..`, which end at its root. */
function clean(source: string): string {
  const parts: string[] = []
  for (const part of source.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}
