import { type Danger, program } from './danger.ts'
import { languages, shell } from './languages.ts'
import type { Script, SimpleCommand } from './shell.ts'
import type { Word } from './words.ts'
import { commandIndex, programName, skipOptions, sshOptions } from './wrappers.ts'

const isStdin = ({ text }: Word): boolean => /^(?:-|\/dev\/stdin|\/dev\/fd\/\d+|\/proc\/\S*\/fd\/\d+)$/.test(text)

/**
 * What a program reads as a program from its input, in doubt all of the script.
 * @param texts programs in the words of the command
 */
export function feeding(command: SimpleCommand, script: Script, texts: readonly Danger[]): readonly Danger[] {
  const { words, inputs, fedFrom } = command
  const own = commandIndex(words)
  const isDefined = script.functions.size > 0
  const danger = (by: string, from: number, to: number): Danger => ({
    severity: 'error',
    code: 'fed-program',
    from,
    to,
    by,
  })
  const upstream = (by: string): Danger =>
    // What a function writes stands elsewhere.
    isDefined ? danger(by, 0, Infinity) : danger(by, fedFrom!, command.to)
  const found: Danger[] = []
  for (const [index, word] of words.entries()) {
    const name = programName(word)
    // What follows the program of `sh -c` is its arguments, `sh` as the first of them too.
    if (shell.test(name) && /^-[A-Za-z]*c$/.test(words[index + 1]?.text ?? '')) break
    if (!readsProgram(words, index, name)) continue
    for (const input of inputs) found.push(program(input, name))
    // A program of its own has it in a here-document.
    if (command.hasHeredoc) found.push(...script.bodies.map(({ from, to }) => danger(name, from, to)))
    if (fedFrom !== undefined) found.push(upstream(name))
    else if ((index === own || words[own]?.text === 'coproc') && inputs.length === 0 && !command.hasHeredoc)
      found.push(danger(name, 0, Infinity))
  }
  if (replaces(words, texts)) {
    const by = programName(words[own]!) === 'find' ? 'find' : 'xargs'
    found.push(fedFrom === undefined ? danger(by, command.from, command.to) : upstream(by))
  }
  return found
}

/** The program comes from its input: it has no other. */
function readsProgram(words: readonly Word[], index: number, name: string): boolean {
  const after = words.slice(index + 1)
  if (name === 'ssh') {
    const host = skipOptions(words, index + 1, sshOptions)
    return host === words.length - 1 && !words.slice(index, host).some(({ text }) => /^-[A-Za-z]*[NW]/.test(text))
  }
  if (name === 'source' || name === '.') return after[0] !== undefined && isStdin(after[0])
  if (/^(?:parallel|at|batch)$/.test(name)) return index === commandIndex(words)
  const language = languages.find((one) => one.name.test(name))
  if (!language && !shell.test(name)) return false
  let next = index + 1
  for (; next < words.length && /^[-+]./.test(words[next]!.text); next++) {
    const { text } = words[next]!
    if (language ? language.program.test(text) : /^-[A-Za-z]*c/.test(text)) return false
    if (!language && /^-[a-z]*s/.test(text)) return true
    const takesWord = language
      ? /^-[A-Za-z]$/.test(text) && language.options.includes(text[1]!)
      : /^(?:[-+][A-Za-z]*[oO]|--rcfile|--init-file)$/.test(text)
    if (takesWord) next++
    if (language && /^-m$/.test(text)) return false
  }
  // Without quotes an empty variable is no word at all.
  const certain = words.slice(next).filter(({ raw }) => !/^[$`]/.test(raw))
  return certain.length === 0 || isStdin(words[next]!)
}

/** `xargs` and `find` put what they read into a program: `{}` in its text, or at the end of the line. */
function replaces(words: readonly Word[], texts: readonly Danger[]): boolean {
  const at = words.findIndex((word) => programName(word) === 'xargs')
  const isFind = programName(words[commandIndex(words)] ?? { raw: '', text: '', from: 0, to: 0 }) === 'find'
  if (at < 0 && !isFind) return false
  const marks = words.slice(at + 1).flatMap(({ text }, index, after) => {
    if (text === '-I' || text === '--replace') return [after[index + 1]?.text ?? '']
    return [/^(?:-[Ii]|--replace=)(.+)/s.exec(text)?.[1] ?? '']
  })
  const all = ['{}', ...marks.filter((mark) => mark !== '')]
  const programs = texts.filter(({ code }) => code === 'program-text')
  const inTexts = words.filter(({ from }) => programs.some((one) => one.from <= from && from < one.to))
  if (inTexts.some(({ text }) => all.some((mark) => text.includes(mark)))) return true
  if (at < 0) return false
  const after = words.slice(at + 1)
  if (after.some((word) => /^(?:ssh|eval|su|watch|parallel)$/.test(programName(word)))) return true
  const starts = after.findIndex((word) => {
    const name = programName(word)
    return shell.test(name) || languages.some((one) => one.name.test(name))
  })
  if (starts < 0) return false
  // Without a mark, what is read comes last.
  const [next] = after.slice(starts + 1)
  return !next || all.includes(next.text) || /^-[A-Za-z]*[ce]$/.test(words.at(-1)!.text)
}
