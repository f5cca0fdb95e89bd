import { visible } from './text.ts'

/**
 * One command of the GitHub Actions runner, a line of stdout. Escaped as the runner unescapes it (actions/toolkit,
 * packages/core/src/command.ts): `%` and line ends in the message, `:` and `,` too in properties.
 */
export function workflowCommand(
  name: 'error' | 'warning' | 'notice' | 'group' | 'endgroup',
  properties: Readonly<Record<string, string | number | undefined>>,
  message = '',
): string {
  const list = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${data(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`)
  return `::${name}${list.length > 0 ? ` ${list.join(',')}` : ''}::${message.split('\n').map(data).join('%0A')}`
}

/** After `visible` no line end is left that would need an escape. */
const data = (text: string): string => visible(text).replaceAll('%', '%25')
