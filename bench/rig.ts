import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

export const project = join(import.meta.dirname, '..')
export const bin = join(project, 'bin/dwf.js')
export const node = process.execPath

/** Made by scripts/world; its database is the small one for tests. */
export const world = process.env.DWF_WORLD ?? '/var/tmp/dwf-world'

const folder = mkdtempSync(join(tmpdir(), 'dwf-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'config'))
symlinkSync(join(homedir(), '.config/containers'), join(folder, 'config/containers'))

/** State and approvals of the benchmark's own; Podman keeps its configuration. */
export const env: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${join(world, 'bin')}:${process.env.PATH}`,
  DWF_TRIVY_CACHE: join(world, 'trivy-cache'),
  XDG_STATE_HOME: join(folder, 'state'),
  XDG_CONFIG_HOME: join(folder, 'config'),
  NO_COLOR: '1',
  CI: '',
}

export function repository(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name)
  mkdirSync(root, { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text)
  return root
}

export function sample(name: string): string {
  const root = join(folder, name)
  cpSync(join(project, 'test/fixtures/samples', name), root, { recursive: true })
  return root
}

export function run(argv: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(argv[0]!, argv.slice(1), { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

export const dwf = (args: readonly string[], cwd: string): string => run([node, bin, ...args], cwd)

/** A repository without a stack, its image built: on a stand-in where there is one, else on the official base. */
export function withImage(name: string, toml: string): { readonly root: string; readonly image: string } {
  const root = repository(name, { 'devflow.toml': toml })
  dwf(['init'], root)
  const standIn = 'localhost/dwf-stand-in/debian:13-slim'
  if (spawnSync('podman', ['image', 'exists', standIn]).status === 0)
    dwf(['image', 'use', 'docker.io/library/debian:13-slim', standIn], root)
  const { image } = JSON.parse(dwf(['image', 'build', '--json'], root)) as { image: string }
  return { root, image }
}
