import fc from 'fast-check'
import type { ActionPin } from '../../src/pins/types.ts'

export const shaOf = (seed: string): string =>
  [...seed]
    .map((char) => char.charCodeAt(0).toString(16))
    .join('')
    .padEnd(40, '0')
    .slice(0, 40)

export const pin = (name: string, version: string, sha = shaOf(`${name.slice(-4)}${version}`)): ActionPin => ({
  name,
  version,
  sha,
})

/** An action that every workflow uses. */
export const checkoutOf = (version: string): ActionPin => pin('actions/checkout', version)

export const uses = ({ name, version, sha }: ActionPin, indent = '      - '): string =>
  `${indent}uses: ${name}@${sha} # ${version}`

export const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

/** A workflow of some jobs: much of it is the same in each of them. */
export function workflow(
  jobs: number,
  pins: readonly ActionPin[],
  { run = (job: number): string => `make ${job}` }: { readonly run?: (job: number) => string } = {},
): string {
  return text(
    'name: x',
    'jobs:',
    ...Array.from({ length: jobs }, (_, job) => [
      `  job${job}:`,
      '    runs-on: ubuntu-24.04',
      '    permissions:',
      '      contents: read',
      '    steps:',
      ...pins.map((one) => uses(one)),
      '        with:',
      '          persist-credentials: false',
      `      - run: ${run(job)}`,
      '',
    ]).flat(),
  )
}

/** Lines that can be anything but a line break; many are equal. */
export const anyLine = fc.oneof(
  fc.constantFrom('', '    steps:', '  a:', '      - uses: ./x', '\t', '\r', '__proto__', 'constructor'),
  fc.string({ maxLength: 8 }).map((line) => line.replaceAll('\n', ' ')),
  fc
    .tuple(fc.constantFrom('actions/checkout', 'a/b'), fc.nat(3))
    .map(([name, minor]) => uses(pin(name, `v1.${minor}.0`))),
)

/** Texts with any ends of lines, with and without a last one, with and without a byte order mark. */
export const anyText = fc
  .tuple(fc.array(anyLine, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean(), fc.boolean())
  .map(([lines, end, isEnded, hasMark]) => `${hasMark ? '\ufeff' : ''}${lines.join(end)}${isEnded ? end : ''}`)

/** As dwf writes: LF, ended, without a mark, and one version of each action. */
export const dwfText = fc
  .tuple(
    fc.array(
      anyLine.map((line) => line.replaceAll('\r', '')),
      { maxLength: 12 },
    ),
    fc.nat(3),
  )
  .map(([lines, minor]) =>
    text(...lines.map((line) => line.replace(/uses: (\S+)@.*/, (_, name) => uses(pin(name, `v1.${minor}.0`), '')))),
  )
