import { entriesOf, type YamlValue } from '../../scan/rules/yaml.ts'

/** An expression that gives the token of the run, or might: every secret, or one whose name is only known when it runs. */
const token =
  /\bsecrets\s*(?:\.\s*GITHUB_TOKEN\b|\[)|\bgithub\s*(?:\.\s*token\b|\[)|\bto_?json\s*\(\s*(?:secrets|github)\s*\)/i

export function namesToken(text: string): boolean {
  return text.includes('${{') && token.test(text)
}

/** Names of the secrets in a text; the token of the run is none of them. */
export function secretsIn(text: string): readonly string[] {
  if (!text.includes('${{')) return []
  return [...text.matchAll(/\bsecrets\s*\.\s*([A-Za-z_]\w*)|\bto_?json\s*\(\s*secrets\s*\)/gi)]
    .map(([, name]) => name ?? 'all of them')
    .filter((name) => name.toUpperCase() !== 'GITHUB_TOKEN')
}

/** Every text below a value, with its place; of keys in `except` nothing. */
export function* textsBelow(
  value: YamlValue | undefined,
  except: ReadonlySet<string> = new Set(),
): Generator<{ readonly text: string; readonly at: number }> {
  if (value?.kind === 'text') yield value
  else if (value?.kind === 'list') for (const item of value.items) yield* textsBelow(item)
  else for (const { key, value: below } of entriesOf(value)) if (!except.has(key)) yield* textsBelow(below)
}
