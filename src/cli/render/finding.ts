import type { Finding } from '../../engine/doctor.ts'
import { printable } from '../../util/text.ts'
import type { Style } from './style.ts'

const signs = { ok: ['✔', 'green'], warning: ['!', 'yellow'], fault: ['✖', 'red'] } as const

/** What doctor found, and the way out. */
export function renderFinding(finding: Finding, style: Style): string {
  const [sign, colour] = signs[finding.state]
  const [first, ...more] = finding.says.split('\n').map(printable)
  return [
    `${style(colour, sign)} ${finding.check}: ${first}`,
    ...more.map((line) => style('dim', `    ${line}`)),
    ...(finding.fix ? [`    → ${finding.fix}`] : []),
  ].join('\n')
}
