import type { Word } from './words.ts'

/** How a program that runs another one reads its arguments. */
interface Wrapper {
  /** Letters of options that take the next word. */
  readonly options: string
  /** Words before the command: the time of `timeout`. */
  readonly words?: number
}

const wrappers: Readonly<Record<string, Wrapper>> = {
  builtin: { options: '' },
  chroot: { options: '', words: 1 },
  command: { options: '' },
  doas: { options: 'uC' },
  env: { options: 'uC' },
  exec: { options: 'a' },
  flock: { options: 'wE', words: 1 },
  ionice: { options: 'cn' },
  nice: { options: 'n' },
  nohup: { options: '' },
  setsid: { options: '' },
  stdbuf: { options: 'ioe' },
  sudo: { options: 'CDRTUghprtu' },
  taskset: { options: '', words: 1 },
  time: { options: 'fo' },
  timeout: { options: 'ks', words: 1 },
  xargs: { options: 'EILPadns' },
}

/** Letters of the options of ssh that take the next word. */
export const sshOptions = 'BbcDEeFIiJLlmOopPQRSWw'

export const isAssignment = (word: Word): boolean => /^[A-Za-z_][A-Za-z0-9_]*(\[[^\]]*\])?\+?=/.test(word.raw)

/** The name of the program that a word starts; of `"$PYTHON"` the name of the variable, in small letters. */
export function programName({ text, raw }: Word): string {
  const variable = /^"?\$\{?([A-Za-z_]+)(?::?-[^}]*)?\}?"?$/.exec(raw)?.[1]?.toLowerCase()
  if (variable !== undefined) return variable === 'shell' ? 'sh' : variable
  return text.slice(text.lastIndexOf('/') + 1)
}

/** The index of the first argument that is no option; `words` when there is none. */
export function skipOptions(words: readonly Word[], from: number, withValue: string): number {
  let index = from
  while (index < words.length && /^[-+]./.test(words[index]!.text)) {
    const option = words[index]!.text
    if (option === '--') return index + 1
    index += /^-[A-Za-z]$/.test(option) && withValue.includes(option[1]!) ? 2 : 1
  }
  return Math.min(index, words.length)
}

/** The index of the word that names the program, behind assignments and the likes of `sudo -u app env A=1`. */
export function commandIndex(words: readonly Word[], from = 0): number {
  let index = from
  // `time -p`, of which the reader takes the first word.
  while (index < words.length && /^-/.test(words[index]!.text)) index++
  for (;;) {
    while (index < words.length && isAssignment(words[index]!)) index++
    const word = words[index]
    const wrapper = word && (Object.hasOwn(wrappers, programName(word)) ? wrappers[programName(word)] : undefined)
    if (!wrapper) return index
    index = skipOptions(words, index + 1, wrapper.options) + (wrapper.words ?? 0)
  }
}
