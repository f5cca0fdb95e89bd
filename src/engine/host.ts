import { openSession, spawnShell } from './session.ts'
import { slotPrelude } from './slot-script.ts'
import type { Session } from './types.ts'

/** What the environment of a host task starts from: nothing else of the person's environment reaches it. */
const kept = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TERM',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'DWF_WORLD',
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'CI',
]

/**
 * The host without a container: the same kept-open shells, started by /bin/sh. There is no tini around a task here,
 * so what a task starts in a session of its own and then abandons outlives it; docs/limits.md says so.
 */
export function openHost(env: NodeJS.ProcessEnv, slots: number): Promise<Session> {
  const start = () =>
    spawnShell(
      ['/bin/sh'],
      Object.fromEntries(kept.filter((name) => env[name] !== undefined).map((name) => [name, env[name]])),
      '/',
    )
  return openSession(
    { prelude: slotPrelude({ init: '', shell: '/bin/sh' }), first: start, more: start, remove: async () => {} },
    slots,
  )
}
