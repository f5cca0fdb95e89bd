import type { Config, SecretConfig, SecretSource } from './types.ts'
import type { Problem } from './validate.ts'

/** `[secrets.NAME]` as the definition describes it. */
export interface RawSecret {
  readonly env?: string
  readonly file?: string
  readonly command?: readonly string[]
  readonly as?: 'env' | 'file'
}

const sources = ['env', 'file', 'command'] as const

/** What the shape alone does not say. */
export function checkSecrets(raw: Readonly<Record<string, RawSecret>>): readonly Problem[] {
  return Object.entries(raw).flatMap(([name, secret]): readonly Problem[] => {
    const said = sources.filter((key) => secret[key] !== undefined)
    if (said.length === 1) return []
    return [
      {
        severity: 'error',
        code: 'secret-source',
        path: said.length === 0 ? ['secrets', name] : ['secrets', name, said[1]!],
        at: 'key',
        message: `the secret ${name} comes from ${said.length === 0 ? 'nowhere' : said.join(' and ')}: it needs one of env, file and command`,
        ...(said.length === 0 ? { hint: `for the environment variable of its name, write env = "${name}"` } : {}),
      },
    ]
  })
}

/** `[secrets]`, validated → Config. */
export function secretsConfig(raw: Readonly<Record<string, RawSecret>>): Config['secrets'] {
  return Object.fromEntries(
    Object.entries(raw).map(([name, secret]) => [name, { source: sourceOf(secret), as: secret.as ?? 'env' }]),
  )
}

function sourceOf({ env, file, command }: RawSecret): SecretSource {
  if (env !== undefined) return { kind: 'env', name: env }
  return file === undefined ? { kind: 'command', argv: command! } : { kind: 'file', path: file }
}

/** A secret that a task names: without a table of its own it is the environment variable of its name. */
export function secretOf({ secrets }: Pick<Config, 'secrets'>, name: string): SecretConfig {
  return Object.hasOwn(secrets, name) ? secrets[name]! : { source: { kind: 'env', name }, as: 'env' }
}
