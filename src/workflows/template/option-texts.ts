import { type Danger, program } from './danger.ts'
import type { Word } from './words.ts'
import { commandIndex, isAssignment, programName } from './wrappers.ts'

/** Options that many programs take a program by. */
const before = /^(?:-[A-Za-z]{0,2}[ce]|-(?:exec|eval|ex)|-[Cc]ommand|--(?:eval|exec|command|run))$/
/** With the program in the same word. */
const attached = /^(?:-[A-Za-z]{0,2}[ce](?=["'{$\\])|--(?:eval|exec|command|run)=)/

/** Programs to which those options mean something else, and which start no others. */
const plain =
  /^(?:\[\[?|test|echo|printf|[efz]?grep|rg|cut|head|tail|tr|wc|cat|sort|uniq|stat|ls|file|g?cc|[gc]\+\+|clang(?:\+\+)?|go|gzip|bzip2|xz|zstd|pip[\d.]*|\w+sum)$/

/** Programs that run what follows those options, also when it is a value and nothing else. */
const running =
  /^(?:su|sg|runuser|script|npx|npm|tmux|screen|expect|psql|mysql|vim?|emacs|gdb|pwsh|powershell|erl|tclsh)$/

/** Programs of containers: `-e NAME=…` is a variable. */
const containers = /^(?:docker|podman|nerdctl)$/

const isWhole = ({ text, raw }: Word): boolean => text === '\0' || /^"?\$\{?[A-Za-z0-9_]+\}?"?$/.test(raw)

/** Whatever the program is: a value inside of a text that follows `-c`, `-e` and the like. */
export function* optionTexts(words: readonly Word[]): Generator<Danger> {
  const first = words[commandIndex(words)]
  if (!first || plain.test(programName(first))) return
  const isContainer = containers.test(programName(first))
  const isUnknown = /^"?\$/.test(first.raw)
  // `docker run --entrypoint sh image -c …`
  const isEntry = words.some(({ text }, at) => /^--entrypoint(?:=|$)/.test(text) && at > 0)
  const runs = isUnknown || isEntry || words.some((word) => running.test(programName(word)))
  for (const [index, word] of words.entries()) {
    const by = `${programName(first) || 'the program'} ${/^--?[A-Za-z]*/.exec(word.text)?.[0]}`
    if (attached.test(word.raw) && /\0/.test(word.text)) yield program(word, by)
    const next = words[index + 1]
    if (!next || !before.test(word.text)) continue
    // What git is told so is looked at with the rest of git.
    if (programName(first) === 'git' && word.text === '-c') continue
    if (isContainer && word.text === '-e' && isAssignment(next)) continue
    if (runs || !isWhole(next)) yield program(next, by)
  }
}
