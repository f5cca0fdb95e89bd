import { relative } from 'node:path'
import type { Diagnostic } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import type { Style } from './style.ts'

const colours = { error: 'red', warning: 'yellow', note: 'cyan' } as const

/**
 *     devflow.toml:12:1 error: unknown key "retires" in tasks."test:e2e"
 *        12 │ retires = 2
 *           │ ^^^^^^^ did you mean "retries"?
 */
export function renderDiagnostic(diagnostic: Diagnostic, style: Style, cwd = process.cwd()): string {
  const { severity, message, where, hint } = diagnostic
  const word = style([colours[severity], 'bold'], `${severity}:`)
  const said = message.split('\n').map(printable).join('\n')
  if (!where) return `${word} ${said}${hint ? `\n  ${printable(hint)}` : ''}`
  const way = relative(cwd, where.file)
  const file = way === '' || way.startsWith('../..') ? where.file : way
  const number = String(where.line)
  const gutter = ' '.repeat(number.length + 3)
  const bar = style('dim', '│')
  // Tabs stay tabs above and under, so that the caret stands where the text is.
  const lead = where.text.slice(0, where.column - 1).replace(/[^\t]/g, ' ')
  const length = Math.max(1, Math.min(where.endColumn, where.text.length + 1) - where.column)
  return [
    `${style('bold', `${printable(file)}:${where.line}:${where.column}`)} ${word} ${said}`,
    `   ${style('dim', number)} ${bar} ${printable(where.text)}`,
    `${gutter} ${bar} ${lead}${style(colours[severity], '^'.repeat(length))}${hint ? ` ${printable(hint)}` : ''}`,
  ].join('\n')
}
