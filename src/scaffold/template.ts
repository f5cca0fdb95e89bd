import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Handlebars from 'handlebars'
import * as quote from './quote.ts'

const list = (each: (value: unknown) => string, between: string) => (values: unknown) =>
  (values as readonly unknown[]).map((value) => each(value)).join(between)

/** Every value that enters a file goes through one of these; their names say the language of the place. */
const helpers: Readonly<Record<string, (value: unknown) => string>> = {
  toml: quote.toml,
  tomlKey: quote.tomlKey,
  tomlList: (values) => `[${list(quote.toml, ', ')(values)}]`,
  hcl: quote.hcl,
  hclList: (values) => `[${list(quote.hcl, ', ')(values)}]`,
  value: quote.dockerfileValue,
  word: quote.dockerfileWord,
  words: list(quote.dockerfileWord, ' '),
  wordRows: list(quote.dockerfileWord, ' \\\n      '),
  lines: list(quote.shellLine, ' \\\n && '),
  comment: quote.comment,
  html: quote.html,
}

const blocks = new Set(['if', 'unless', 'each'])

interface Statement {
  readonly type: string
  readonly path?: { readonly original: string }
  readonly params?: readonly unknown[]
  readonly escaped?: boolean
  readonly program?: { readonly body: readonly Statement[] }
  readonly inverse?: { readonly body: readonly Statement[] }
  readonly loc: { readonly start: { readonly line: number } }
}

/**
 * A template as a function of its values.
 * @throws Error for a mustache that no quoting helper guards: it is a bug of the template, found when it is loaded
 */
export function compileTemplate(name: string, source: string): (values: object) => string {
  const environment = Handlebars.create()
  for (const [helper, run] of Object.entries(helpers))
    environment.registerHelper(helper, (value: unknown) => run(value))
  check(name, (Handlebars.parse(source) as unknown as { body: readonly Statement[] }).body)
  const render = environment.compile(source, {
    noEscape: true,
    strict: true,
    knownHelpersOnly: true,
    knownHelpers: known,
  })
  return (values) => render(values)
}

const known = Object.fromEntries([...Object.keys(helpers), ...blocks].map((name) => [name, true]))

function check(name: string, body: readonly Statement[]): void {
  for (const statement of body) {
    const at = `${name}:${statement.loc.start.line}`
    const what = statement.path?.original ?? ''
    if (statement.type === 'MustacheStatement') {
      const isGuarded = Object.hasOwn(helpers, what) && statement.params?.length === 1 && statement.escaped !== false
      if (!isGuarded) throw new Error(`${at}: {{${what}}} needs a quoting helper: ${Object.keys(helpers).join(', ')}`)
    } else if (statement.type === 'BlockStatement') {
      if (!blocks.has(what)) throw new Error(`${at}: only the blocks ${[...blocks].join(', ')} are known`)
      check(name, statement.program?.body ?? [])
      check(name, statement.inverse?.body ?? [])
    } else if (statement.type !== 'ContentStatement' && statement.type !== 'CommentStatement') {
      throw new Error(`${at}: ${statement.type} has no place in a template`)
    }
  }
}

/** Renders a file of templates/ with values. */
export function renderTemplate(name: string, values: object): string {
  let render = compiled.get(name)
  if (!render) {
    render = compileTemplate(name, readTemplate(name))
    compiled.set(name, render)
  }
  return render(values)
}

const compiled = new Map<string, (values: object) => string>()

/** Put in by the bundler where dwf is one file. */
declare const DWF_TEMPLATES: Readonly<Record<string, string>> | undefined

/** The text of a file of templates/. */
export function readTemplate(name: string): string {
  if (typeof DWF_TEMPLATES !== 'undefined') return DWF_TEMPLATES[name]!
  return readFileSync(join(templatesFolder(), name), 'utf8')
}

/** The package's templates/, from the sources as well as from the bundle. */
function templatesFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'templates', 'Dockerfile.devflow.hbs'))) return join(folder, 'templates')
  }
  throw new Error('the templates of dwf are missing from its package')
}
