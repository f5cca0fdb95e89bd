import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './rig.ts'

/** How a program that runs tasks is told to run them: its file, and its arguments in the folder of that file. */
export interface Peer {
  readonly file: string
  readonly text: (count: number) => string
  readonly argv: readonly string[]
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`)

/** The programs that dwf is compared with, from their registries, and those of this machine. One that cannot be had is left out. */
export function peers(jobs: number): Readonly<Record<string, Peer>> {
  const folder = repository('peers', {})
  const install = (command: string, args: readonly string[], made: string) => {
    spawnSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    return existsSync(join(folder, made)) ? join(folder, made) : undefined
  }
  const just = install('npm', ['install', '--no-audit', '--no-fund', '--prefix', '.', 'rust-just'], justProgram)
  const task = install(
    'python3',
    ['-m', 'pip', 'install', '--quiet', '--target', 'task', 'go-task-bin'],
    'task/bin/task',
  )
  const make = spawnSync('make', ['--version']).status === 0
  return {
    ...(make && {
      make: {
        file: 'Makefile',
        text: (count) => `all: ${names(count).join(' ')}\n${names(count).join(' ')}:\n\t@/bin/true\n`,
        argv: ['make', '--silent', `--jobs=${jobs}`],
      },
    }),
    ...(just && {
      just: {
        file: 'justfile',
        text: (count) =>
          `[parallel]\nall: ${names(count).join(' ')}\n${names(count)
            .map((name) => `${name}:\n    @/bin/true\n`)
            .join('')}`,
        argv: [just, '--quiet', 'all'],
      },
    }),
    ...(task && {
      task: {
        file: 'Taskfile.yml',
        text: (count) =>
          `version: '3'\ntasks:\n  default:\n    deps: [${names(count).join(', ')}]\n${names(count)
            .map((name) => `  ${name}:\n    cmd: /bin/true\n`)
            .join('')}`,
        argv: [task, '--silent', '--concurrency', String(jobs)],
      },
    }),
  }
}

/** The program itself: what npm links is a script that starts it from Node. */
const justProgram = `node_modules/rust-just-linux-${process.arch}/bin/just`
