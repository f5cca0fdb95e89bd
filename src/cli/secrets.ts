import { placeOf } from '../config/locate.ts'
import { secretOf } from '../config/secrets.ts'
import type { Config, SecretConfig } from '../config/types.ts'
import { Masker, shortestSecret as shortest } from '../run/masker.ts'
import type { Secrets } from '../run/world.ts'
import { canonicalJson } from '../util/canonical.ts'
import { type Diagnostic, Failure, failure } from '../util/diagnostics.ts'
import { byCodeUnit, printable } from '../util/text.ts'
import { readSource, Unreadable } from './secret-sources.ts'

/** A command that asks a person somewhere else gets this long. */
const commandTimeoutMs = 30_000

/**
 * Reads every secret that tasks want: each source once, all at the same time. The values are in memory only.
 * @param tasks those that will run, by the names of their secrets
 * @param options.cwd where commands run
 * @throws Failure for those that cannot be had, each located; no value is in it
 */
export async function readSecrets(
  tasks: readonly Wanting[],
  config: Pick<Config, 'secrets' | 'root' | 'file' | 'text'>,
  env: NodeJS.ProcessEnv,
  options: { readonly signal: AbortSignal; readonly cwd: string; readonly timeoutMs?: number },
): Promise<Secrets> {
  const names = [...new Set(tasks.flatMap(({ secrets }) => secrets))].sort(byCodeUnit)
  const reading = new Map<string, Promise<string>>()
  const read = async (name: string): Promise<Got> => {
    const secret = secretOf(config, name)
    const key = canonicalJson(secret.source)
    const value =
      reading.get(key) ?? readSource(secret.source, config, { env, timeoutMs: commandTimeoutMs, ...options })
    reading.set(key, value)
    try {
      return { name, secret, value: checked(forTask(secret, await value)) }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      return { name, secret, error }
    }
  }
  const all = await Promise.all(names.map(read))
  if (options.signal.aborted)
    throw failure(
      options.signal.reason === 'deadline' ? 'deadline' : 'interrupted',
      'interrupted',
      'reading the secrets was interrupted',
    )
  const got = new Map(
    all.flatMap(({ name, secret, value }) => (value === undefined ? [] : [[name, { secret, value }]])),
  )
  const values = [...new Set([...got.values()].map(({ value }) => value))]
  const failed = all.filter((one) => one.error !== undefined)
  if (failed.length > 0) throw await failureOf(failed, values, config)
  const part = ({ secrets }: Wanting, as: SecretConfig['as']) =>
    Object.fromEntries(
      secrets.flatMap((name) => {
        const { secret, value } = got.get(name)!
        return secret.as === as ? [[name, value]] : []
      }),
    )
  return { of: (task) => ({ env: part(task, 'env'), files: part(task, 'file') }), values }
}

interface Wanting {
  readonly secrets: readonly string[]
}

interface Got {
  readonly name: string
  readonly secret: SecretConfig
  readonly value?: string
  readonly error?: Unreadable
}

/** A file ends with a line break that no token has; whoever wants a file gets it as it is. */
const forTask = ({ source, as }: SecretConfig, value: string): string =>
  source.kind === 'file' && as === 'env' ? value.replace(/\r?\n$/, '') : value

function checked(value: string): string {
  if (value.trim().length >= shortest) return value
  throw new Unreadable(
    'wrong-input',
    'short-secret',
    `is shorter than ${shortest} characters: it could not be told from other text`,
    'use a longer one',
  )
}

/** What weighs most decides, as everywhere. */
const kinds = ['refused', 'machine-cannot', 'wrong-input'] as const

async function failureOf(
  failed: readonly Got[],
  values: readonly string[],
  config: Pick<Config, 'secrets' | 'file' | 'text'>,
): Promise<Failure> {
  const errors = failed.map(({ error }) => error!)
  const masker = new Masker([...values, ...errors.flatMap(({ hide }) => hide)])
  const diagnostics = failed.map(async ({ name, secret, error }): Promise<Diagnostic> => {
    const where = Object.hasOwn(config.secrets, name)
      ? await placeOf(config, ['secrets', name, secret.source.kind])
      : undefined
    const said = lastLines(masker.maskText(error!.said))
    return {
      severity: 'error',
      code: error!.code,
      message: [`the secret ${name} ${error!.message}`, ...said].join('\n'),
      hint: error!.hint,
      ...(where ? { where } : {}),
    }
  })
  return new Failure(kinds.find((kind) => errors.some((error) => error.kind === kind))!, await Promise.all(diagnostics))
}

const shownLines = 10
const shownWidth = 300

function lastLines(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.slice(-shownLines).map((line) => `  ${printable(line).slice(0, shownWidth)}`)
}
