import { imagePin } from '../../scan/rules/images.ts'
import type { Command } from '../reading/shell.ts'

/** What a command of a script brings in that nothing in the repository fixes. */
export interface Download {
  readonly command: Command
  readonly what: string
  readonly hint: string
  /** The program may be one that the repository has locked. */
  readonly isUnsure?: boolean
}

/** @param built names of images that the job makes itself */
export function downloadsOf(commands: readonly Command[], built: ReadonlySet<string>): readonly Download[] {
  let isPiped = false
  return commands.flatMap((command, index): readonly Download[] => {
    const previous = commands[index - 1]
    isPiped = previous?.before === '|' && (isPiped || isFetch(previous))
    const next = commands[index + 1]
    if ((isPiped && readsProgram(command)) || runsFetched(command, next)) {
      const hint = 'download it at a fixed version, check its checksum, then run it'
      return [{ command, what: 'what a server answers is run as it is', hint }]
    }
    const found = byProgram(command.words, built)
    return found ? [{ command, ...found }] : []
  })
}

const isFetch = ({ words }: Command): boolean => /^(curl|wget|iwr|irm|Invoke-(WebRequest|RestMethod))$/i.test(words[0]!)

const shell = /^(?:.*\/)?(sh|bash|zsh|dash|ash|ksh|fish)$/
const interpreter = /^(?:.*\/)?(python[\d.]*|node|perl|ruby|pwsh|powershell|php|deno|bun)$/

/** Takes a program from its standard input: `sh`, `sh -s -- --yes`, `python -`. */
function readsProgram({ words: [program, ...rest] }: Command): boolean {
  if (/^(iex|Invoke-Expression)$/i.test(program!)) return true
  const first = rest.find((word) => !/^-[a-z]*[eux]$/.test(word))
  if (shell.test(program!)) return first === undefined || first === '-' || /^-\w*s/.test(first)
  return interpreter.test(program!) && (rest.length === 0 || rest[0] === '-')
}

/** `bash <(curl …)`, `eval $(curl …)`, `sh -c "$(curl …)"`. */
function runsFetched({ words, before }: Command, next: Command | undefined): boolean {
  const [program, ...rest] = words
  const runs = shell.test(program!) || ['eval', 'source', '.'].includes(program!)
  if (!runs) return false
  if (before !== '' && before !== '|' && next && isFetch(next) && rest.every((word) => word.startsWith('-')))
    return true
  return rest.some((word) => /^(\$\(|`)\s*(curl|wget)\s/.test(word))
}

type Found = Omit<Download, 'command'>

function byProgram(words: readonly string[], built: ReadonlySet<string>): Found | undefined {
  const [path, ...rest] = words
  const program = path!.replace(/^.*\//, '')
  switch (program) {
    case 'npm':
    case 'pnpm':
    case 'yarn':
    case 'bun':
      return node(program, rest)
    case 'npx':
    case 'bunx':
      return runner(program, rest)
    case 'pip':
    case 'pip3':
      return rest[0] === 'install' ? pip(rest.slice(1)) : undefined
    case 'python':
    case 'python3':
    case 'py': {
      const at = rest.indexOf('pip')
      return rest[at - 1] === '-m' && rest[at + 1] === 'install' ? pip(rest.slice(at + 2)) : undefined
    }
    case 'uv':
      if (rest[0] === 'pip' && rest[1] === 'install') return pip(rest.slice(2))
      return rest[0] === 'tool' && /^(install|run)$/.test(rest[1] ?? '') ? pythonTool(rest.slice(2)) : undefined
    case 'uvx':
      return pythonTool(rest)
    case 'pipx':
      return /^(install|run)$/.test(rest[0] ?? '') ? pythonTool(rest.slice(1)) : undefined
    case 'go':
      return /^(install|run)$/.test(rest[0] ?? '') ? go(rest.slice(1)) : undefined
    case 'cargo':
      return /^(install|binstall)$/.test(rest[0] ?? '') ? cargo(rest[0]!, rest.slice(1)) : undefined
    case 'gem':
      return rest[0] === 'install' && !rest.some((word) => /^(-v|--version)(=|$)|:\d/.test(word))
        ? {
            what: `${named(rest.slice(1))} is installed at whatever version is newest`,
            hint: 'name the version, or put it into the Gemfile',
          }
        : undefined
    case 'docker':
    case 'podman':
    case 'nerdctl':
      return image(rest, built)
    default:
      return undefined
  }
}

const named = (words: readonly string[]): string =>
  words
    .filter((word) => !word.startsWith('-'))
    .slice(0, 3)
    .join(' ')
const isOption = (word: string): boolean => word.startsWith('-')
/** A file or folder of the repository. */
const isPath = (word: string): boolean => /^(\.{0,2}\/|\.{1,2}(\[|$)|~|file:)|\.(tgz|whl|tar\.gz|zip)$|^\$/.test(word)

function node(program: string, [verb = '', ...rest]: readonly string[]): Found | undefined {
  if (verb === 'dlx' || (verb === 'x' && program === 'bun') || (verb === 'exec' && program === 'npm'))
    return runner(`${program} ${verb}`, rest)
  const isGlobal = rest.some((word) => word === '-g' || word === '--global')
  const verbs = program === 'yarn' ? /^(add|global)$/ : /^(i|in|ins|install|add)$/
  if (!verbs.test(verb)) return undefined
  const packages = rest.filter((word) => !isOption(word) && !isPath(word) && word !== 'add')
  if (packages.length === 0) return undefined
  const where = isGlobal || verb === 'global' ? ' globally' : ''
  return {
    what: `${named(packages)} is installed${where}, and no lock file fixes what comes with it`,
    hint: 'add it to package.json, and install with the lock file: npm ci',
  }
}

const exactNpm = /^(@[\w.-]+\/)?[\w.-]+@v?\d+\.\d+\.\d+/

function runner(program: string, words: readonly string[]): Found | undefined {
  if (words.some((word) => /^--(no|no-install|offline)$/.test(word))) return undefined
  const given = words.findIndex((word) => word === '-p' || word === '--package')
  const inline = words.find((word) => word.startsWith('--package='))?.slice('--package='.length)
  const name = inline ?? (given >= 0 ? words[given + 1] : words.find((word) => !isOption(word)))
  if (name === undefined || exactNpm.test(name) || isPath(name)) return undefined
  return {
    what: `${program} ${name} takes whatever version is newest where package.json does not name it`,
    hint: `add it to package.json and say npx --no ${name}, or name the version: ${name.replace(/(?<=.)@.*$/, '')}@1.2.3`,
    isUnsure: true,
  }
}

const pipValues =
  /^(-r|--requirement|-c|--constraint|-e|--editable|-i|--index-url|--extra-index-url|--default-index|--index|-f|--find-links|-t|--target|--prefix|--python|--group|--platform|--only-binary|--no-binary)$/

function pip(words: readonly string[]): Found | undefined {
  if (words.some((word) => word === '--require-hashes' || word === '--no-index')) return undefined
  const packages = words.filter(
    (word, index) => !isOption(word) && !isPath(word) && !pipValues.test(words[index - 1] ?? ''),
  )
  if (packages.length === 0) return undefined
  return {
    what: `${named(packages)} is installed, and no lock file fixes what comes with it`,
    hint: 'put it into a lock file with hashes: pip install --require-hashes -r requirements.txt',
  }
}

function pythonTool(words: readonly string[]): Found | undefined {
  const from = words.indexOf('--from')
  const name = from >= 0 ? words[from + 1] : words.find((word) => !isOption(word))
  if (name === undefined || isPath(name) || /(==|@)v?\d/.test(name)) return undefined
  return { what: `${name} is taken at whatever version is newest`, hint: `name the version: ${name}==1.2.3` }
}

function go(words: readonly string[]): Found | undefined {
  const name = words.find((word) => /@(latest|master|main|HEAD|upgrade|patch)$/.test(word))
  if (name === undefined) return undefined
  return {
    what: `${name} is whatever was pushed last`,
    hint: 'name the version, which the checksum database fixes: NAME@v1.2.3',
  }
}

function cargo(verb: string, words: readonly string[]): Found | undefined {
  if (words.some((word) => /^--(path|rev)(=|$)/.test(word))) return undefined
  const packages = words.filter(
    (word, index) =>
      !isOption(word) &&
      !word.startsWith('+') &&
      !/^--(version|vers|git|tag|branch|features|root|target|profile|index|registry|bin|example|jobs)$|^-[Fj]$/.test(
        words[index - 1] ?? '',
      ),
  )
  const isFixed = words.some((word) => /^--vers(ion)?(=|$)/.test(word)) || packages.every((name) => /@\d/.test(name))
  const isLocked = verb === 'binstall' || words.includes('--locked') || words.includes('--frozen')
  if (
    (packages.length === 0 && !words.some((word) => word.startsWith('--git'))) ||
    (isFixed && isLocked && packages.length > 0)
  )
    return undefined
  return {
    what: `${named(packages) || 'a repository'} is built from whatever is newest`,
    hint: 'name the version and keep to its lock file: cargo install --locked NAME@1.2.3',
  }
}

/** Options of `docker run` and `docker create` without a value. */
const switches =
  /^(-[ditPq]{1,5}|--(detach|interactive|tty|rm|init|privileged|publish-all|read-only|no-healthcheck|oom-kill-disable|sig-proxy|quiet|help|disable-content-trust|replace))$|^--?[\w-]+=/

function image([verb, ...rest]: readonly string[], built: ReadonlySet<string>): Found | undefined {
  const words = verb === 'container' || verb === 'image' ? rest.slice(1) : rest
  const name = verb === 'container' || verb === 'image' ? rest[0] : verb
  if (name === 'pull')
    return unfixed(
      words.find((word) => !isOption(word)),
      built,
    )
  if (name !== 'run' && name !== 'create') return undefined
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (!isOption(word)) return unfixed(word, built)
    if (!switches.test(word)) at++
  }
  return undefined
}

function unfixed(reference: string | undefined, built: ReadonlySet<string>): Found | undefined {
  if (reference === undefined || reference.includes('$') || built.has(reference) || imagePin(reference) === 'digest')
    return undefined
  return { what: `the image ${reference} has no digest`, hint: 'put the digest behind it: NAME:VERSION@sha256:…' }
}

/** Names that a script gives to images: those are no downloads. */
export function imagesMade(commands: readonly Command[]): readonly string[] {
  return commands.flatMap(({ words }) => {
    if (!/^(docker|podman|nerdctl|buildah)$/.test(words[0]!)) return []
    if (words[1] === 'tag') return words.slice(-1)
    return words.flatMap((word, index) => {
      const before = words[index - 1]
      if (before === '-t' || before === '--tag') return [word]
      return word.startsWith('--tag=') ? [word.slice('--tag='.length)] : []
    })
  })
}
