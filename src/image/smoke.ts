import type { ContainerSpec, Engine } from '../engine/types.ts'
import { failure } from '../util/diagnostics.ts'
import { shellQuote } from '../util/text.ts'
import type { SmokeCommand } from './types.ts'

export const smokeLabel = 'dev.dwf.smoke'

/**
 * Runs every smoke command as tasks will run: as 1001, on the read-only root, without a network, in one container. It
 * also makes Podman map the layers to this account now (it copies them at the first run), not at the first task.
 * @param options.name of the container, unique on this machine
 * @throws Failure('failed') with the output, when one ends non-zero
 */
export async function smokeRun(
  engine: Engine,
  options: { readonly image: string; readonly name: string; readonly commands: readonly SmokeCommand[] },
): Promise<void> {
  const { code, stdout } = await engine.runProgram(smokeSpec(options.image, options.name), [
    '/bin/sh',
    '-c',
    script(options.commands),
  ])
  if (code === 0) return
  const command = [...stdout.matchAll(/^\$ (.*)$/gm)].at(-1)?.[1] ?? 'the first command'
  const said = stdout
    .trim()
    .split('\n')
    .slice(-20)
    .map((line) => `    ${line}`)
    .join('\n')
  throw failure(
    'failed',
    'smoke-failed',
    `the image was built, but in it ${command} ended with ${code}:\n${said}`,
    'the image is not used; look at Dockerfile.devflow and at what the tool needs',
  )
}

/** One line a command, each said before it runs, so that the last one said is the one that failed. */
function script(commands: readonly SmokeCommand[]): string {
  const lines = commands.map(({ argv }) => {
    const line = argv.map(shellQuote).join(' ')
    return `echo ${shellQuote(`$ ${line}`)}; ${line} || exit`
  })
  return ['exec 2>&1', 'cd /workspace || exit', ...lines, ':'].join('\n')
}

function smokeSpec(image: string, name: string): ContainerSpec {
  return {
    name,
    labels: { [smokeLabel]: '1' },
    image,
    mounts: [],
    network: 'none',
    memory: 2 * 1024 ** 3,
    pids: 1024,
    cpus: 2,
    tmp: 512 * 1024 ** 2,
    env: {},
    workdir: '/workspace',
  }
}
