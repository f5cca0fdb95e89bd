import type { Danger } from './danger.ts'
import type { Found } from './references.ts'
import type { Script, SimpleCommand } from './shell.ts'
import type { Expansion, Range, Word } from './words.ts'
import { commandIndex, programName } from './wrappers.ts'

/** A variable of the script that holds a value, at a place where somebody runs what it says. */
export interface Misuse extends Range {
  readonly name: string
  /** Undefined: arithmetic. */
  readonly danger?: Danger
}

/** Items of a list in the order of the script that begin in a range. */
function* within<T extends { readonly from: number }>(items: readonly T[], { from, to }: Range): Generator<T> {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (items[middle]!.from < from) low = middle + 1
    else high = middle
  }
  for (let at = low; at < items.length && items[at]!.from < to; at++) yield items[at]!
}

const byPlace = (a: Range, b: Range): number => a.from - b.from

/** What takes a value in a script: a word that gives a variable its value, and the variables it gives it to. */
interface Source extends Range {
  readonly names: readonly string[]
  /** The value comes from elsewhere. */
  readonly isAlways?: boolean
}

const position = /^[0-9@*]$/

function sourcesOf(command: SimpleCommand, script: Script): readonly Source[] {
  const { words, from, to } = command
  const own = commandIndex(words)
  const name = words[own] ? programName(words[own]!) : ''
  const sources: Source[] = words.flatMap((word): readonly Source[] => {
    const assigned = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]]*\])?\+?=/.exec(word.raw)?.[1]
    if (assigned === undefined) return []
    const isAlways = script.functions.size > 0 && /\$\(|`/.test(word.raw)
    return [{ names: [assigned], from: word.from, to: word.to, isAlways }]
  })
  const after = words.slice(own + 1).map(({ text }) => text)
  const whole = { from: command.fedFrom ?? from, to }
  if (/^(?:for|select)$/.test(name)) sources.push({ names: after.slice(0, 1), ...whole })
  if (/^(?:read|mapfile|readarray|getopts)$/.test(name))
    sources.push({
      names: [...after.filter((text) => /^[A-Za-z_]\w*$/.test(text)), 'REPLY', 'MAPFILE', 'OPTARG'],
      ...whole,
      isAlways: true,
    })
  if (name === 'printf' && after[0] === '-v') sources.push({ names: after.slice(1, 2), ...whole })
  if (name === 'set' || script.functions.has(name)) sources.push({ names: ['@'], ...whole })
  return sources
}

/** Variables that got a value, straight or from one another. */
function holding(text: string, found: readonly Found[], script: Script): ReadonlySet<string> {
  const references = found.map(({ at }) => ({ from: at }))
  const expansions = [...script.expansions].sort(byPlace)
  const holds = new Set([...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*):?=/g)].map((match) => match[1]!))
  const waiting = new Map<string, Source[]>()
  const open: Source[] = []
  for (const source of script.commands.flatMap((command) => sourcesOf(command, script))) {
    const isOpen = source.isAlways || !within(references, source).next().done
    if (isOpen) open.push(source)
    else
      for (const { name } of within(expansions, source)) {
        const key = position.test(name) ? '@' : name
        const list = waiting.get(key)
        if (list) list.push(source)
        else waiting.set(key, [source])
      }
  }
  for (const name of holds) open.push(...(waiting.get(name) ?? []))
  for (let source = open.pop(); source; source = open.pop())
    for (const name of source.names) {
      if (holds.has(name)) continue
      holds.add(name)
      open.push(...(waiting.get(name) ?? []))
    }
  return holds
}

/** Where names are read as numbers without a `$` before them. */
function bareArithmetic({ commands }: Script): readonly Word[] {
  return commands.flatMap(({ words }) => {
    const at = words.findIndex(({ text }) => text === 'let' || text === '[[')
    if (at < 0) return []
    const isNumeric = words[at]!.text === 'let' || words.some(({ text }) => /^-(?:eq|ne|lt|le|gt|ge)$/.test(text))
    // A word with a reference is refused as it is.
    return isNumeric ? words.slice(at + 1).filter(({ text }) => !text.includes('\0')) : []
  })
}

/** Variables declared as numbers, or as names of others: to assign is to evaluate. */
function declaredAsNumbers({ commands }: Script): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { words } of commands)
    if (words.some(({ text }) => /^(?:declare|typeset|local|readonly|export)$/.test(text)))
      if (words.some(({ text }) => /^-[A-Za-z]*[in]/.test(text)))
        for (const { text } of words) names.add(text.replace(/\+?=.*/s, ''))
  return names
}

/** Assignments to such variables. */
export function numbersAssigned(script: Script): readonly Danger[] {
  const names = declaredAsNumbers(script)
  if (names.size === 0) return []
  return script.commands.flatMap(({ words }) =>
    words.flatMap(({ text, from, to }): readonly Danger[] => {
      const name = /^([A-Za-z_][A-Za-z0-9_]*)\+?=/.exec(text)?.[1]
      if (name === undefined || !names.has(name)) return []
      return [{ severity: 'error', code: 'name-from-value', from, to, by: `${name}, which is declared as a number,` }]
    }),
  )
}

/** Uses of variables that hold a value, and that no `case` has looked at before. */
export function misuses(
  text: string,
  found: readonly Found[],
  script: Script,
  dangers: readonly Danger[],
): readonly Misuse[] {
  const holds = holding(text, found, script)
  if (holds.size === 0) return []
  const checked = new Map<string, number>()
  for (const { name, from } of script.checked) checked.set(name, Math.min(from, checked.get(name) ?? from))
  const isHeld = (name: string, from: number) =>
    (holds.has(name) || (position.test(name) && holds.has('@'))) && !((checked.get(name) ?? Infinity) < from)
  const expansions = [...script.expansions].sort(byPlace)
  const uses = new Map<number, Misuse>()
  const masked = text.replace(/\{\{\.[^{}]*\}\}/g, (reference) => ' '.repeat(reference.length))
  const add = (use: Expansion, danger?: Danger) => {
    if (isHeld(use.name, use.from) && !uses.has(use.from)) uses.set(use.from, danger ? { ...use, danger } : use)
  }
  for (const danger of dangers)
    if (danger.severity === 'error' && danger.code !== 'option-from-value')
      for (const use of within(expansions, danger)) add(use, danger)
  for (const range of [...script.evaluated, ...bareArithmetic(script)]) {
    const names = /(?<![A-Za-z0-9_])[A-Za-z_][A-Za-z0-9_]*|\$\{?[0-9@*]/g
    for (const match of masked.slice(range.from, range.to).matchAll(names)) {
      const from = range.from + match.index
      add({ name: match[0].replace(/^\$\{?/, ''), from, to: from + match[0].length })
    }
  }
  return [...uses.values()].sort(byPlace)
}
