import type { Danger } from './danger.ts'
import type { Word } from './words.ts'
import { commandIndex, isAssignment, programName, skipOptions, sshOptions } from './wrappers.ts'

interface Rule {
  /** Letters of options that take the next word. */
  readonly letters: string
  /** Long ones that do. */
  readonly long: RegExp
  /** With some options of it a program is run. */
  readonly severity: Danger['severity']
}

const rules: Readonly<Record<string, Rule>> = {
  curl: { letters: 'AbcCdDeEFhHKmoPQrTtuUwxXyYz', long: /./, severity: 'warning' },
  git: {
    letters: 'mFCcbBoj',
    long: /^--(?:author|branch|cleanup|date|depth|file|git-dir|jobs|max-count|message|name|namespace|origin|path|prefix|reference|template|work-tree)$/,
    severity: 'error',
  },
  rsync: { letters: 'efBTM', long: /./, severity: 'warning' },
  scp: { letters: 'cDFiJloPSX', long: /./, severity: 'warning' },
  ssh: { letters: sshOptions, long: /(?!)/, severity: 'error' },
  tar: {
    letters: 'fCTXbgKNVHL',
    long: /^--(?:file|directory|exclude|files-from|exclude-from|transform)$/,
    severity: 'error',
  },
}

/** Parts of git that run what one of their options names; a value that stands before any part can be such an option. */
const runningParts = /^(?:fetch|pull|ls-remote|clone|push|submodule|archive|grep|rebase|difftool|\0.*)$/s

/** Values at the start of a word, where a program looks for options: `--upload-pack=…` is one to git. */
export function* readAsOptions(words: readonly Word[], isTelling: boolean): Generator<Danger> {
  const first = commandIndex(words)
  for (const [index, word] of words.entries()) {
    const name = programName(word)
    if (isTelling && index !== first) continue
    if (name === 'env' && index <= first) yield* ofEnv(words, index)
    const rule = Object.hasOwn(rules, name) ? rules[name]! : undefined
    if (!rule) continue
    const part = name === 'git' ? words[skipOptions(words, index + 1, 'Cc')] : undefined
    const severity = name === 'git' && part && !runningParts.test(part.text) ? 'warning' : rule.severity
    yield* ofProgram(words, index, name, { ...rule, severity })
  }
}

function* ofProgram(words: readonly Word[], index: number, by: string, rule: Rule): Generator<Danger> {
  for (let at = index + 1; at < words.length; at++) {
    const { text, from, to } = words[at]!
    if (text === '--' || text === '--end-of-options') return
    const before = at > index + 1 ? words[at - 1]!.text : ''
    const letter = /^-[A-Za-z]*([A-Za-z])$/.exec(before)?.[1]
    const isOldTar = by === 'tar' && at === index + 2 && /^[A-Za-z]*f$/.test(before)
    const isTaken =
      isOldTar ||
      (letter !== undefined ? rule.letters.includes(letter) : before.startsWith('--') && rule.long.test(before))
    if (text.startsWith('\0') && !isTaken) yield { severity: rule.severity, code: 'option-from-value', from, to, by }
    // Behind the host everything is for the other side.
    if (by === 'ssh' && !text.startsWith('-') && !isTaken) return
  }
}

/** Its own options end at the program. */
function* ofEnv(words: readonly Word[], index: number): Generator<Danger> {
  for (const [at, word] of words.entries()) {
    if (at <= index || isAssignment(word)) continue
    if (word.text === '--') return
    if (word.text.startsWith('\0'))
      yield { severity: 'error', code: 'option-from-value', from: word.from, to: word.to, by: 'env' }
    if (!word.text.startsWith('-')) return
  }
}
