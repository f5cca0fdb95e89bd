import { githubTags, type NotRefreshed, type Refreshed, refreshActions } from '../../pins/index.ts'
import { type Diagnostic, failure } from '../../util/diagnostics.ts'
import { listing } from '../../util/text.ts'
import { parseDuration } from '../../util/units.ts'
import { onSignals } from '../signals.ts'
import type { PinWork } from './work.ts'

/** Asks for newer versions of actions; a code instead when a signal ended it. */
export async function askForActions(
  { lock, options, output }: PinWork,
  names?: readonly string[],
): Promise<Refreshed | number> {
  const cooldownMs = cooldownOf(options.cooldown)
  const signals = onSignals(undefined)
  const warn = (diagnostic: Diagnostic) => output.diagnostics([diagnostic])
  const token = tokenOf(process.env)
  try {
    const refreshed = await refreshActions({
      actions: lock.actions,
      ...(names ? { names } : {}),
      ...(options.offline ? {} : { remote: githubTags({ env: process.env, warn, ...(token ? { token } : {}) }) }),
      now: Date.now(),
      cooldownMs,
      signal: signals.signal,
    })
    return signals.exitCode() ?? refreshed
  } finally {
    signals.dispose()
  }
}

function cooldownOf(text = '7d'): number {
  const duration = /^0[a-z]*$/.test(text) ? 0 : parseDuration(text)
  if (duration === undefined)
    throw failure('wrong-input', 'usage', `--cooldown must be a duration such as 7d, not "${text}"`)
  return duration
}

/** The token of this machine, unless it is one for another server than the one that is asked. */
function tokenOf({ GITHUB_TOKEN, GITHUB_API_URL }: NodeJS.ProcessEnv): string | undefined {
  return GITHUB_API_URL === undefined || GITHUB_API_URL === 'https://api.github.com' ? GITHUB_TOKEN : undefined
}

/** One diagnostic for each reason, with all whom it befell. */
export function sayNotRefreshed(
  list: readonly NotRefreshed[],
  severity: 'error' | 'warning' | 'note',
): readonly Diagnostic[] {
  return [...new Set(list.map(({ why }) => why))].map((why) => {
    const names = list.filter((one) => one.why === why).map(({ name }) => name)
    return { severity, code: 'not-refreshed', message: `${listing(names)} could not be refreshed: ${why}` }
  })
}
