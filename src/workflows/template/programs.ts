import { type Danger, program } from './danger.ts'
import { whyDenied } from './denied.ts'
import { feeding } from './feeding.ts'
import { languages, shell } from './languages.ts'
import { optionTexts } from './option-texts.ts'
import { readAsOptions } from './read-as-options.ts'
import type { Script, SimpleCommand } from './shell.ts'
import type { Word } from './words.ts'
import { commandIndex, isAssignment, programName, skipOptions, sshOptions } from './wrappers.ts'

/** Builtins whose arguments are names, in which bash runs what stands in `[ ]`. */
const naming = new Set(['unset', 'read', 'mapfile', 'readarray', 'getopts'])
const declaring = new Set(['export', 'declare', 'local', 'readonly', 'typeset'])
/** Every word of theirs is read as a program. */
const evaluating = new Set(['eval', 'trap', 'alias', 'watch', 'parallel', 'compgen', 'complete', 'tmux', 'sg'])
/** Programs that run what their words say wherever they stand: what stands before may start them. */
const anywhere =
  /^(?:eval|source|ssh|su|sg|runuser|script|tmux|parallel|compgen|[gmn]?awk|g?sed|make|gmake|flock|env|git)$/
/** Programs that start none of their words. */
const telling =
  /^(?:echo|printf|which|type|apt|apt-get|apk|dnf|yum|brew|rsync|scp|cat|tee|grep|test|\[\[?|case|for|cd|ls|mkdir|rm|cp|mv|touch)$/

/** What the commands of a script would do with values in their words beside taking them as text. */
export function dangersOf(script: Script): readonly Danger[] {
  const literals = literalsOf(script)
  return script.commands.flatMap((written) => {
    const words = written.words.flatMap((word) => resolved(word, literals))
    const command = { ...written, words }
    const first = commandIndex(words)
    const isTelling = first < words.length && telling.test(programName(words[first]!))
    const texts = [
      ...words.flatMap((word, index) => [...programArguments(command, index, programName(word))]),
      ...optionTexts(words),
      ...[...words.keys()].flatMap((index) => {
        const isStart = index === first || /^-(?:exec|ok)(?:dir)?$/.test(words[index - 1]?.text ?? '')
        if (!isStart && (isTelling || !anywhere.test(programName(words[index]!)))) return []
        return [...byName(command, isStart ? commandIndex(words, index) : index)]
      }),
    ]
    return [
      ...(first < words.length && /^[$`]/.test(words[first]!.raw) ? vanishing(words.slice(first)) : []),
      ...indexes(words),
      ...assignments(words, first),
      ...texts,
      ...readAsOptions(words, isTelling),
      ...(isTelling ? [] : feeding(command, script, texts)),
    ]
  })
}

/** `$tool let …`: without quotes an empty variable is no word at all, and the next one is the program. */
function vanishing([head, ...words]: readonly Word[]): readonly Danger[] {
  return words.map((word) => program(word, `whatever follows an empty ${head!.raw}`))
}

/** `E=eval`: what the script says that a variable is. */
function literalsOf({ commands }: Script): ReadonlyMap<string, string> {
  const literals = new Map<string, string>()
  for (const { words } of commands)
    for (const { text, raw } of words) {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([\w ./-]{1,100})$/.exec(text) ?? []
      if (name !== undefined && value !== undefined && !/[$`]/.test(raw)) literals.set(name, value)
    }
  return literals
}

/** The words that such a variable stands for: `$E`. */
function resolved(word: Word, literals: ReadonlyMap<string, string>): readonly Word[] {
  const name = /^"?\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?"?$/.exec(word.raw)?.[1]
  const literal = name === undefined ? undefined : literals.get(name)
  if (literal === undefined || literal.trim() === '') return [word]
  return literal
    .trim()
    .split(/ +/)
    .map((text) => ({ ...word, text, raw: text }))
}

/** `GIT_SSH_COMMAND=…`, also after `export` and `env`; the words of other programs are theirs, such as `make ENV=…`. */
function assignments(words: readonly Word[], first: number): readonly Danger[] {
  const isNaming = words[first] !== undefined && declaring.has(programName(words[first]!))
  const env = words.findIndex((word) => programName(word) === 'env')
  return words.flatMap(({ text, from, to }, index): readonly Danger[] => {
    const [, option, name] = /^(--env=|-e)?([A-Za-z_][A-Za-z0-9_]*)\+?=/.exec(text) ?? []
    const isOption = option !== undefined || /^(?:-e|--env)$/.test(words[index - 1]?.text ?? '')
    const isSet = index < first || isNaming || isOption || (env >= 0 && env < index)
    if (name === undefined || !isSet) return []
    if (name === 'PATH') return [{ severity: 'warning', code: 'path', from, to, by: name }]
    const why = whyDenied(name, { hasValue: true })
    return why === undefined ? [] : [{ severity: 'error', code: 'denied-variable', from, to, by: `${name}: ${why}` }]
  })
}

/** `a[…]=1`: bash runs what stands in the brackets. */
function indexes(words: readonly Word[]): readonly Danger[] {
  return words.flatMap(({ raw, from }): readonly Danger[] => {
    const to = /^[A-Za-z_][A-Za-z0-9_]*\[/.test(raw) ? from + raw.search(/\]\+?=(?!.*\]\+?=)/s) : -1
    return to < from ? [] : [{ severity: 'error', code: 'name-from-value', from, to, by: 'an index of an array' }]
  })
}

/** `sh -c`, `python -c` and the like, wherever in the command: `docker exec`, `xargs` and others start them too. */
function* programArguments({ words }: SimpleCommand, index: number, name: string): Generator<Danger> {
  if (name === 'flock') {
    const option = skipOptions(words, index + 1, 'wE') + 1
    if (words[option]?.text === '-c' && words[option + 1]) yield program(words[option + 1]!, 'flock -c')
  }
  if (name === 'env')
    for (const one of words.slice(index + 1, skipOptions(words, index + 1, 'uCS')))
      if (/^(?:-[a-z]*S|--split-string)/.test(one.text))
        yield* [one, words[words.indexOf(one) + 1]].flatMap((part) => (part ? [program(part, 'env -S')] : []))
  if (shell.test(name)) {
    let isProgram = false
    let next = index + 1
    for (; next < words.length && /^[-+]./.test(words[next]!.text); next++) {
      const option = words[next]!.text
      if (/^-[A-Za-z]*c/.test(option)) isProgram = true
      if (/^(?:[-+][A-Za-z]*[oO]|--rcfile|--init-file)$/.test(option)) next++
    }
    if (isProgram && words[next]) {
      // Without quotes an empty variable is no word at all, and the next one is the program.
      while (words[next + 1] && /^[$`]/.test(words[next]!.raw)) yield program(words[next++]!, `${name} -c`)
      yield program(words[next]!, `${name} -c`)
    }
    if (!isProgram && words[next]?.raw.includes('<(')) yield program(words[next]!, name)
    return
  }
  const language = languages.find((one) => one.name.test(name))
  if (!language) return
  let next = index + 1
  for (; next < words.length && /^-./.test(words[next]!.text); next++) {
    const option = words[next]!
    if (language.program.test(option.text)) {
      yield program(option, `${name} ${option.text.slice(0, 2)}`)
      if (words[next + 1]) yield program(words[next + 1]!, `${name} ${option.text}`)
      return
    }
    if (/^-[A-Za-z]$/.test(option.text) && language.options.includes(option.text[1]!)) next++
  }
}

/** Put together of variables and text: `"$x"eval` may be any program. */
const isUnclear = ({ raw }: Word): boolean => {
  const name = raw.slice(raw.lastIndexOf('/') + 1)
  return /[$`]/.test(raw) && /[$`{}]/.test(name) && !/^"?\$(?:[A-Za-z_]\w*|\d|\{\w+(?::?-[^}$`\\ ]*)?\})"?$/.test(raw)
}

function* byName(command: SimpleCommand, index: number): Generator<Danger> {
  const word = command.words[index]
  if (!word) return
  const name = programName(word)
  const after = command.words.slice(index + 1)
  if (word.text.startsWith('\0')) {
    yield { severity: 'warning', code: 'command-from-value', from: word.from, to: word.to, by: 'the shell' }
  } else if (isUnclear(word)) {
    for (const one of [word, ...after]) yield program(one, 'the command that it starts')
  } else if (evaluating.has(name)) {
    for (const one of after) yield program(one, name)
  } else if (name === 'ssh') yield* remote(command.words, index)
  else if (name === 'source' || name === '.') yield* sourced(after, name)
  else if (name === 'git') yield* ofGit(after)
  else if (/^(?:su|runuser|script)$/.test(name)) yield* afterOption(after, /^(?:-[a-z]*c$|--command)/, name)
  else if (/^[gmn]?awk$/.test(name)) yield* firstOr(after, 'Ffv', /^(?:-e|--source)/, name)
  else if (/^g?sed$/.test(name)) yield* firstOr(after, 'fl', /^(?:-[A-Za-z]*e|--expression)/, name)
  else if (name === 'deno' && after[0]?.text === 'eval') yield* after.slice(1).map((one) => program(one, 'deno eval'))
  else if (/^g?make$/.test(name)) yield* making(after)
  else yield* ofShell(after, name)
}

/** The rest of the line is a program for the shell over there. */
function* remote(words: readonly Word[], index: number): Generator<Danger> {
  const host = skipOptions(words, index + 1, sshOptions)
  for (let at = index + 1; at < host; at++)
    if (/^-o/.test(words[at]!.text)) {
      yield program(words[at]!, 'ssh -o')
      if (words[at]!.text === '-o' && words[at + 1]) yield program(words[at + 1]!, 'ssh -o')
    }
  for (const one of words.slice(host + 1)) yield program(one, 'ssh')
}

function* sourced(after: readonly Word[], name: string): Generator<Danger> {
  const [file] = after
  if (file?.raw.includes('<(') || (file && /^\0|\0$/.test(file.text))) yield program(file, name)
}

/** Parts of git that run a program which one of their words is. */
function* ofGit(after: readonly Word[]): Generator<Danger> {
  const runs = after.findIndex(({ text }) => /^(?:foreach|alias\..*)$/.test(text))
  if (runs >= 0) for (const one of after.slice(runs + 1)) yield program(one, `git ${after[runs]!.text}`)
  for (const [index, one] of after.entries()) {
    if (/^(?:--exec|-x|--extcmd|--upload-pack|--receive-pack|-u|--[a-z]+-filter)(?:=|$)/.test(one.text)) {
      yield program(one, `git ${one.text.replace(/=.*/s, '')}`)
      if (!one.text.includes('=') && one.text !== '-u' && after[index + 1])
        yield program(after[index + 1]!, `git ${one.text}`)
    }
    const setting = after[index + 1]
    if (one.text === '-c' && setting && !/^user\.(?:name|email)=/.test(setting.text)) yield program(setting, 'git -c')
  }
}

function* afterOption(after: readonly Word[], option: RegExp, name: string): Generator<Danger> {
  for (const [index, one] of after.entries()) {
    if (!option.test(one.text)) continue
    yield program(one, `${name} -c`)
    if (after[index + 1]) yield program(after[index + 1]!, `${name} -c`)
  }
}

/** The program is what follows an option, or the first argument that is none. */
function* firstOr(after: readonly Word[], withValue: string, option: RegExp, name: string): Generator<Danger> {
  let hasProgram = false
  for (const [index, one] of after.entries()) {
    if (/^(?:-f|--file)/.test(one.text)) hasProgram = true
    if (!option.test(one.text)) continue
    hasProgram = true
    yield program(one, name)
    if (after[index + 1]) yield program(after[index + 1]!, name)
  }
  const first = after[skipOptions(after, 0, withValue)]
  if (!hasProgram && first) yield program(first, name)
}

/** make expands what stands in its variables: `$(shell …)` too. */
function* making(after: readonly Word[]): Generator<Danger> {
  for (const one of after)
    if (isAssignment(one)) yield { severity: 'warning', code: 'expanded-again', from: one.from, to: one.to, by: 'make' }
}

/** What the shell itself reads as a name or as arithmetic. */
function* ofShell(after: readonly Word[], name: string): Generator<Danger> {
  const naive = (one: Word, to = one.to): Danger => ({
    severity: 'error',
    code: 'name-from-value',
    from: one.from,
    to,
    by: name,
  })
  if (naming.has(name)) for (const one of after) yield naive(one)
  if (name === 'let') for (const one of after) yield naive(one)
  const isSpecial = after.some(({ text }) => /^-[A-Za-z]*[aAin]/.test(text))
  if (declaring.has(name) && isSpecial) for (const one of after) yield naive(one)
  else if (declaring.has(name))
    for (const one of after) yield naive(one, one.raw.includes('=') ? one.from + one.raw.indexOf('=') : one.to)
  if (name === 'printf' && after[0]?.text === '-v' && after[1]) yield naive(after[1])
  if (name === 'printf') {
    const format = after[after[0]?.text === '-v' ? 2 : after[0]?.text === '--' ? 1 : 0]
    if (format) yield { severity: 'warning', code: 'format', from: format.from, to: format.to, by: 'printf' }
  }
  if (name === '[' || name === 'test' || name === '[[')
    for (const [index, one] of after.entries())
      if (one.text === '-v' && after[index + 1]) yield naive(after[index + 1]!)
  if (name === '[[' && after.some(({ text }) => /^-(?:eq|ne|lt|le|gt|ge)$/.test(text)))
    for (const one of after) yield naive(one)
  // In the list of a loop a value is one round, whatever blanks it has.
  if (name === 'for' && after[1]?.text === 'in')
    for (const one of after.slice(2))
      if (one.raw.startsWith('{{'))
        yield { severity: 'warning', code: 'one-word', from: one.from, to: one.to, by: 'for' }
}
