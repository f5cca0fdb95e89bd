import { failure } from '../util/diagnostics.ts'
import { probeDocker } from './docker.ts'
import { probePodman } from './podman.ts'
import type { Engine } from './types.ts'

/**
 * The engine for container tasks.
 * `auto` takes rootless Podman, then rootless Docker; a daemon that runs as root is taken only when it is named.
 */
export async function chooseEngine(wanted: 'auto' | 'podman' | 'docker'): Promise<Engine> {
  if (wanted !== 'docker') {
    const podman = await probePodman()
    if (podman) return podman
    if (wanted === 'podman') throw missing('podman is not installed')
  }
  const docker = await probeDocker(wanted === 'docker')
  if (!docker)
    throw missing(
      wanted === 'docker'
        ? 'docker is not installed'
        : 'no container engine is here: neither podman nor a rootless docker answers',
    )
  if (wanted === 'auto' && !docker.info.rootless) {
    throw missing('the only engine here is a Docker daemon that runs as root, and auto never picks one')
  }
  return docker
}

function missing(message: string) {
  return failure(
    'machine-cannot',
    'no-engine',
    message,
    'apt-get install podman uidmap slirp4netns (as root), or set [container] engine; dwf doctor looks for more',
  )
}
