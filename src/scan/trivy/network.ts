import { proxyVariables } from '../../util/proxies.ts'

/** What the way to a registry needs, and nothing else of the person's environment. */
const names = [...proxyVariables, 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const

/** The variables of a call that may talk to a registry; those that are not set take away what isolation set. */
export function networkOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(names.map((name) => [name, env[name]]))
}
