import { hashOf } from '../util/canonical.ts'
import type { TaskId } from './types.ts'

/** `test:unit@node`, `test:unit@node:packages/web`. */
export function taskId(command: string, stack: string, dir = ''): TaskId {
  return dir === '' ? `${command}@${stack}` : `${command}@${stack}:${dir}`
}

/**
 * The one escaped form of an id, for paths, job names and reports: letters, digits, dot, dash and underscore stay,
 * everything else is `~` and two hex digits a byte. Different ids have different forms.
 */
export function escapeTaskId(id: TaskId): string {
  const whole = [...Buffer.from(id, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[A-Za-z0-9._-]/.test(char) ? char : `~${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
    .replace(/^\./, '~2e')
  // A file name has at most 255 bytes: a longer one is cut, and told from others by its hash.
  return whole.length <= 200 ? whole : `${whole.slice(0, 160)}~~${hashOf(id).slice(0, 32)}`
}
