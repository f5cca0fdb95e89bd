/** The variables by which programs are told of a proxy: some read one spelling, some the other. */
export const proxyVariables = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
] as const

/** fetch takes no proxy from the environment unless it is told to (Node 24). */
export function proxyHint(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const hasProxy = proxyVariables.some((name) => /^https/i.test(name) && env[name])
  return hasProxy && !env.NODE_USE_ENV_PROXY ? 'NODE_USE_ENV_PROXY=1 makes it go through the proxy' : undefined
}

/** Of an error of fetch: `fetch failed` says nothing; its cause does. */
export function fetchReason(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message ? cause.message : message
}
