/**
 * What a person types → what the parser of options reads: `test:unit` becomes `test unit`, and what stands after `--`
 * is kept apart for the task.
 */
export function splitCommandLine(argv: readonly string[]): {
  readonly argv: readonly string[]
  readonly rest: readonly string[]
} {
  const dashes = argv.indexOf('--')
  const own = dashes < 0 ? argv : argv.slice(0, dashes)
  const rest = dashes < 0 ? [] : argv.slice(dashes + 1)
  const takesValue = new Set(['-C', '--config', '-j', '--jobs', '--deadline', '--stack', '--directory'])
  const at = own.findIndex((word, index) => !word.startsWith('-') && !takesValue.has(own[index - 1] ?? ''))
  if (at < 0) return { argv: own, rest }
  const [primary, ...selector] = own[at]!.split(':')
  if (selector.length === 0 || primary === 'plan' || own[at]!.includes('@')) return { argv: own, rest }
  const words = primary === 'init' ? ['init', '--stack', selector.join(':')] : [primary!, selector.join(':')]
  return { argv: [...own.slice(0, at), ...words, ...own.slice(at + 1)], rest }
}
