import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import * as scripts from '../../../src/ci/workflows/scripts.ts'

export type ScriptName = keyof typeof scripts

const texts = new Map(Object.entries(scripts))

/** The scripts that some test ran. */
export const ran = new Set<ScriptName>()

/** Why the scripts cannot be run here; nothing where they can. */
export const lacking = ['bash', 'git', 'jq', 'tar', 'sha256sum', 'gunzip'].filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
)
export const skip = lacking.length > 0 ? `no ${lacking.join(', no ')}` : false

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** What the step set as outputs. */
  readonly outputs: Readonly<Record<string, string>>
}

export interface Runner {
  /** The checkout: where the script runs. */
  readonly root: string
  /** RUNNER_TEMP. */
  readonly temp: string
  readonly env: Readonly<Record<string, string>>
  /** A file that is only there when somebody's text was run as a command. */
  readonly marker: string
  /** A program of this name, before all others in PATH: it notes how it was called and then does this, in bash. */
  standIn(name: string, body?: string): void
  /** How the stand-ins were called, each with its name first. */
  readonly calls: () => readonly (readonly string[])[]
  /** What a call of the stand-in `dwf` was given, without the path of the program. */
  readonly dwfCalls: () => readonly (readonly string[])[]
  run(name: ScriptName, env?: Readonly<Record<string, string>>): Promise<Finished>
  git(...args: readonly string[]): string
  write(files: Readonly<Record<string, string | Buffer>>): void
  /** In RUNNER_TEMP. */
  passOn(files: Readonly<Record<string, string | Buffer>>): void
  has(path: string): boolean
  read(path: string): string
}

/** A job of GitHub Actions as far as a script sees it. */
export function runner(t: TestContext): Runner {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-script-')))
  t.after(() => {
    spawnSync('chmod', ['-R', 'u+rwX', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const [root, temp, bin, home] = ['checkout', 'temp', 'bin', 'home'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const one of [root, temp, bin, home]) mkdirSync(one)
  const [log, output, marker] = [join(folder, 'calls'), join(folder, 'output'), join(folder, 'marker')]
  const env = {
    PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: home,
    LANG: 'C.UTF-8',
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: output,
    GITHUB_REPOSITORY: 'Octo/Shop',
    GITHUB_ACTOR: 'octocat',
    GITHUB_REF_NAME: 'v1.2.3',
    GITHUB_SHA: 'c'.repeat(40),
    RUNNER_TEMP: temp,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, 'test'],
        [`GIT_${who}_EMAIL`, 'test@example.org'],
      ]),
    ),
  }
  const write = (below: string) => (files: Readonly<Record<string, string | Buffer>>) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(below, path)), { recursive: true })
      writeFileSync(join(below, path), content)
    }
  }
  const calls = () =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\u001e')
          .slice(0, -1)
          .map((call) => call.split('\u001f').slice(0, -1))
      : []
  const dwf = join(temp, 'dwf/dwf.mjs')
  return {
    root,
    temp,
    env,
    marker,
    standIn(name, body = 'true') {
      const file = join(bin, name)
      writeFileSync(
        file,
        `#!/usr/bin/env bash\nprintf '%s\\037' ${name} "$@" >> '${log}'\nprintf '\\036' >> '${log}'\n${body}\n`,
      )
      chmodSync(file, 0o755)
    },
    calls,
    dwfCalls: () => calls().flatMap(([name, program, ...args]) => (name === 'node' && program === dwf ? [args] : [])),
    async run(name, more = {}) {
      ran.add(name)
      const file = join(folder, 'script.sh')
      writeFileSync(file, texts.get(name)!)
      writeFileSync(output, '')
      const finished = await bash(file, root, { ...env, ...more })
      assert.ok(!existsSync(marker), `${name}: a text was run as a command`)
      const outputs = readFileSync(output, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
      return {
        ...finished,
        outputs: Object.fromEntries(
          outputs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
        ),
      }
    },
    git(...args) {
      const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, env, encoding: 'utf8' })
      if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
      return stdout.trim()
    },
    write: write(root),
    passOn: write(temp),
    has: (path) => existsSync(join(temp, path)),
    read: (path) => readFileSync(join(temp, path), 'utf8'),
  }
}

/** As GitHub runs `shell: bash`. */
function bash(file: string, cwd: string, env: Readonly<Record<string, string>>): Promise<Omit<Finished, 'outputs'>> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text
      })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })
}

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** What a stand-in for `gh` does with `--jq`: the same filter on an answer of ours. */
export const ghAnswers = (json: unknown): string => `filter=.
while [ $# -gt 0 ]; do if [ "$1" = --jq ]; then filter=$2; fi; shift; done
jq --raw-output "$filter" <<'ANSWER'
${JSON.stringify(json)}
ANSWER`
