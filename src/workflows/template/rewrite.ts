import type { Reference } from '../types.ts'
import type { Danger } from './danger.ts'
import { type Misuse, misuses, numbersAssigned } from './held-values.ts'
import { dangersOf } from './programs.ts'
import { type Found, findReferences, strayTemplates, type TextProblem } from './references.ts'
import { readScript } from './shell.ts'
import type { Place } from './words.ts'

export interface Rewritten {
  /** For `sh -c`: no character of a value ever stands in it. */
  readonly script: string
  readonly references: readonly Reference[]
  readonly problems: readonly TextProblem[]
}

const envName = (index: number): string => `DWF_VALUE_${index + 1}`

/**
 * Puts a reference to an environment variable in the place of each `{{.name}}`, quoted for where it stands, so that the
 * value arrives as it is and the shell reads nothing in it. What cannot be done safely is an error.
 * @param isKnown whether a name is that of a variable of the workflow
 */
export function rewrite(command: string, isKnown: (name: string) => boolean): Rewritten {
  const found = findReferences(command)
  const stray = strayTemplates(command, isKnown)
  if (found.length === 0) return { script: command, references: [], problems: stray }
  const read = readScript(command, found)
  const { places } = read
  const dangers = [...dangersOf(read), ...numbersAssigned(read)]
  const names: string[] = []
  const problems: TextProblem[] = [...stray]
  if (command.includes('DWF_VALUE_')) {
    const place = { at: command.indexOf('DWF_VALUE_'), length: 'DWF_VALUE_'.length }
    problems.push({ severity: 'error', code: 'reserved-name', message: 'DWF_VALUE_ is dwf’s own', ...place })
  }
  let script = ''
  let from = 0
  for (const reference of found) {
    const place = places.get(reference.at) ?? 'lost'
    const danger = dangers
      .filter((one) => one.from <= reference.at && reference.at < one.to)
      .sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'))[0]
    problems.push(...problemsAt(reference, place, danger))
    if (place !== 'comment' && !names.includes(reference.name)) names.push(reference.name)
    script += command.slice(from, reference.at) + standIn(place, envName(names.indexOf(reference.name)))
    from = reference.at + reference.length
  }
  problems.push(...misuses(command, found, read, dangers).map(misused))
  return {
    script: script + command.slice(from),
    references: names.map((variable, index) => ({ variable, env: envName(index) })),
    problems,
  }
}

function standIn(place: Place, name: string): string {
  switch (place) {
    case 'double':
      return `\${${name}}`
    case 'single':
      return `'"\${${name}}"'`
    case 'comment':
      return '...'
    default:
      return `"\${${name}}"`
  }
}

const throughEnv = 'set env = { NAME = "…" } with it and write "$NAME" here'

const throughCase =
  "assign it, check with case that it is a number, and use the variable: case $n in ''|*[!0-9]*) exit 1;; esac"

/** Why no quotes help, and what to write instead. */
const refused: Readonly<Record<Exclude<Place, 'bare' | 'double' | 'single' | 'comment'>, readonly [string, string]>> = {
  arithmetic: ['in $(( )) a shell may run what a value says', throughCase],
  backtick: ['in backticks quotes mean something else in every shell', 'write $( … )'],
  'dollar-quote': ["$'…' is no string for every shell", 'use "…", or printf for its escapes'],
  escaped: ['the backslash before it would undo its quotes', 'remove the backslash, or write it twice'],
  expansion: ['inside of this ${…} a value cannot be quoted', throughEnv],
  heredoc: ['in a here-document a value cannot be quoted', "write it with printf: printf '%s\\n' {{.name}}"],
  index: ['as the index of an array a shell may run what a value says', throughCase],
  name: ['the $ before it would make the name of another variable of it', 'remove the $'],
  lost: ['it is not clear how a shell reads this script', throughEnv],
}

const dangerous: Readonly<Record<Danger['code'], readonly [(by: string) => string, string]>> = {
  'program-text': [
    (by) => `it would become part of a program that ${by} runs`,
    'pass it as an argument, such as sh -c \'… "$1"\' sh {{.name}}, or set it in env and read that variable there',
  ],
  'fed-program': [
    (by) => `it may become part of the program that ${by} reads from the pipe`,
    'give the program as a file or an argument, and pass the value beside it',
  ],
  'name-from-value': [
    (by) => `${by} would read it as a name or as arithmetic, in which a shell may run what it says`,
    'use it as a value only',
  ],
  'command-from-value': [() => 'the value decides which program is run', 'write the program, and pass the value to it'],
  'denied-variable': [(by) => `a value cannot be that of ${by}`, 'write what it is to be'],
  'option-from-value': [
    (by) => `a value that begins with - would be read as an option of ${by}`,
    'put -- before it, or check with case how it begins and pass it from a variable of env',
  ],
  format: [
    (by) => `${by} would read it as a format, in which % and \\ mean something`,
    "pass it as an argument: printf '%s\\n' {{.name}}",
  ],
  path: [() => 'the value decides in which folders programs are looked for', 'name programs by their path'],
  'expanded-again': [
    (by) => `${by} expands it once more: a value with $(shell …) would be run`,
    'pass only values that you know',
  ],
  'one-word': [
    () => 'a value is one word here, also when it has blanks in it',
    "to split it: printf '%s\\n' {{.name}} | while read -r item; do …",
  ],
}

function misused({ name, from, to, danger }: Misuse): TextProblem {
  const why = danger ? dangerous[danger.code][0](danger.by) : 'in arithmetic a shell may run what it says'
  return {
    severity: 'error',
    code: danger?.code ?? 'value-in-arithmetic',
    message: `${name} holds a value: ${why}`,
    hint: danger
      ? 'check it with case first, or pass it as an argument'
      : `check with case that it is a number: case $${name} in ''|*[!0-9]*) exit 1;; esac`,
    at: from,
    length: to - from,
  }
}

function problemsAt(reference: Found, place: Place, danger: Danger | undefined): TextProblem[] {
  const written = `{{.${reference.name}}}`
  const at = { at: reference.at, length: reference.length }
  const say = (severity: 'error' | 'warning', code: string, why: string, hint: string): TextProblem[] => [
    { severity, code, message: `${written}: ${why}`, hint: hint.replace('{{.name}}', written), ...at },
  ]
  if (place === 'comment') return say('warning', 'in-comment', 'nothing reads it in a comment', 'remove it')
  if (place !== 'bare' && place !== 'double' && place !== 'single') {
    const [why, hint] = refused[place]
    return say('error', 'unsafe-place', why, hint)
  }
  if (!danger) return []
  const [why, hint] = dangerous[danger.code]
  return say(danger.severity, danger.code, why(danger.by), hint)
}
