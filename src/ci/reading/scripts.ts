import { commandsOf } from './shell.ts'

/** What a script may do with the token of the run. */
export type TokenUse =
  /** Nothing that anybody can see. */
  | { readonly kind: 'none' }
  /** `gh release`: it writes, or only reads. */
  | { readonly kind: 'release'; readonly access: 'read' | 'write' }
  /** Something that only its author knows; `what` shows where. */
  | { readonly kind: 'open'; readonly what: string }

/** Words of scripts that push, release or deploy: often with a program that takes the token from where it lies. */
const telling =
  /(?<![\w.-])(?:(?:\w+[:_-])?(?:publish|deploy|release|push|bump)(?:[:_-]\w+)?|publish\w+|deploy\w+|gh-pages|gh-deploy|semantic-release|changesets?|release-it|lerna|goreleaser|release-plz|GITHUB_TOKEN|GH_TOKEN)(?![\w/-])/

/** What does nothing with a token, so that a script of it and `gh release` does nothing else. */
const harmless: ReadonlySet<string> = new Set(
  'gh set echo printf cd ls cat mkdir cp mv rm test [ [[ ]] ] fi done esac for case in true false : sha256sum shasum sort tar zip unzip gzip shopt ls basename dirname date read sleep exit return local export'.split(
    ' ',
  ),
)

/** @param hasToken the step gives it the token */
export function tokenUseOf(script: string, hasToken: boolean): TokenUse {
  const commands = commandsOf(script)
  const gh = commands.filter(({ words }) => words[0] === 'gh')
  const isOnlyReleases =
    gh.length > 0 &&
    gh.every(({ words }) => words[1] === 'release') &&
    commands.every(({ words }) => harmless.has(words[0]!))
  if (isOnlyReleases) {
    const reads = gh.every(({ words }) => /^(view|list|download|verify|verify-asset)$/.test(words[2] ?? ''))
    return { kind: 'release', access: reads ? 'read' : 'write' }
  }
  if (gh.length > 0) return { kind: 'open', what: `gh ${gh[0]!.words[1] ?? ''}`.trim() }
  if (hasToken) return { kind: 'open', what: 'the token' }
  const pushes = commands.some(({ words }) => words[0] === 'git' && words.includes('push'))
  const word = pushes ? 'git push' : wordOf(script)
  return word === undefined ? { kind: 'none' } : { kind: 'open', what: word }
}

/** Whether a script talks to a remote of git: what a checkout left in .git/config may be needed. */
export function gitRemoteIn(script: string): string | undefined {
  for (const { words } of commandsOf(script)) {
    const [program, ...rest] = words
    if (program === 'gh') return `gh ${rest[0] ?? ''}`.trim()
    if (program !== 'git') continue
    const verb = rest.find((one, index) => !one.startsWith('-') && !/^-[Cc]$/.test(rest[index - 1] ?? ''))
    if (/^(push|fetch|pull|clone|submodule|lfs|ls-remote|remote|send-email|subtree|svn)$/.test(verb ?? ''))
      return `git ${verb}`
  }
  return wordOf(script)
}

/** Options and paths that only sound like it: `--release`, `target/release`. */
function wordOf(script: string): string | undefined {
  for (const line of script.split('\n')) {
    if (/^\s*#/.test(line)) continue
    const found = telling.exec(line.slice(0, 4000).replace(/(?<=^|\s)--?[\w-]+|target\/\w+/g, ' '))
    if (found) return found[0]
  }
  return undefined
}
