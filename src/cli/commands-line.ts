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
  const takesValue = new Set([
    '-C',
    '--config',
    '-j',
    '--jobs',
    '--deadline',
    '--stack',
    '--directory',
    '--report',
    '--format',
    '--take',
    '--target',
    '--base',
    '--before',
    '--out',
    '--from',
    '--sha256',
    '--cooldown',
    '--var',
    '-w',
    '--status',
    '-s',
    '--kind',
    '--tag',
    '--since',
    '--until',
    '--min-duration',
    '--sort',
    '--limit',
    '--offset',
    '-n',
    '--lines',
    '--stream',
    '--attempt',
    '-o',
    '--output',
    '--head',
    '--keep',
    '--older-than',
  ])
  const first = own.findIndex((word, index) => !word.startsWith('-') && !takesValue.has(own[index - 1] ?? ''))
  if (first < 0) return { argv: own, rest }
  // Options may stand before the command, as with git and make; the parser of options wants them after it.
  const ordered = [own[first]!, ...own.slice(0, first), ...own.slice(first + 1)]
  const [command, ...others] = ordered
  const [primary, ...selector] = command!.split(':')
  if (selector.length === 0 || primary === 'plan' || command!.includes('@')) return { argv: ordered, rest }
  const words = primary === 'init' ? ['init', '--stack', selector.join(':')] : [primary!, selector.join(':')]
  return { argv: [...words, ...others], rest }
}
