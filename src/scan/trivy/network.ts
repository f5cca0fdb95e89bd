/** What the way to a registry needs, and nothing else of the person's environment. */
const names = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const

/** The variables of a call that may talk to a registry; those that are not set take away what isolation set. */
export function networkOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...names, 'ALL_PROXY', 'all_proxy'].map((name) => [name, env[name]]))
}
