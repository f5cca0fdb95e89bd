import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { filesFolder } from './host-files.ts'
import { clearing, isStarting, signalBelow } from './host-processes.ts'
import { sessionVariable, shellVariable } from './host-reap.ts'
import { hostPrelude, hostTask } from './host-script.ts'
import { openSession, type SlotSource, spawnShell } from './session.ts'
import type { Session } from './types.ts'

/**
 * What of the person's environment a shell has, and every task in it. clean: PATH, HOME, LANG; usual: what programs that
 * fetch and build need beside it; whole: all of it.
 */
export type HostEnvironment = 'clean' | 'usual' | 'whole'

const clean = ['PATH', 'HOME', 'LANG', sessionVariable, shellVariable]
const usual = [
  ...clean,
  'USER',
  'LOGNAME',
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

/** How long a shell that has not begun its task yet may take until a signal is sent again, ms. */
const again = 5

/**
 * The host without a container: the same kept-open shells, started by /bin/sh. What a task leaves in the session of its
 * shell is killed when it ends; what has started a session of its own outlives it; docs/limits.md says so.
 */
export function openHost(env: NodeJS.ProcessEnv, slots: number, which: HostEnvironment = 'usual'): Promise<Session> {
  return openSession(hostSource(env, { which }), slots)
}

/** @param options.shell its command line; it reads its script from standard input */
export function hostSource(
  env: NodeJS.ProcessEnv,
  {
    which = 'usual',
    shell = ['/bin/sh'],
  }: { readonly which?: HostEnvironment; readonly shell?: readonly string[] } = {},
): SlotSource {
  const shells = new Set<ChildProcess>()
  const names = which === 'whole' ? Object.keys(env) : which === 'clean' ? clean : usual
  const variables = Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
  const start = () => {
    const child = spawnShell(shell, variables, '/')
    shells.add(child)
    // It has ended this moment, so that nobody else has its id yet.
    child.once('exit', () => {
      shells.delete(child)
      signalBelow(child.pid!, 'SIGKILL')
    })
    return child
  }
  let folder: string | undefined
  const files = () => {
    folder ??= filesFolder(env)
    return folder
  }
  let clear = clearing('')
  return {
    prelude: hostPrelude,
    task: hostTask(files),
    standsAlone: true,
    first: start,
    more: start,
    began: (said) => {
      clear = clearing(said)
    },
    signal({ pid }, name, isRunning) {
      const send = () => {
        if (!isRunning()) return
        if ((name === 'TERM' && isStarting(pid!)) || !signalBelow(pid!, `SIG${name}`)) setTimeout(send, again)
      }
      send()
    },
    clear: ({ pid }) => clear(pid!),
    // A task that kills its own process group kills the shell with it.
    lost(reason, signal, name) {
      if (folder !== undefined) rmSync(join(folder, name), { recursive: true, force: true })
      return signal ? { kind: 'code', code: 128 + constants.signals[signal] } : { kind: 'lost', reason }
    },
    async remove() {
      for (const { pid } of shells) if (pid !== undefined) signalBelow(pid, 'SIGKILL')
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
