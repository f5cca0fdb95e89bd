import { byCodeUnit } from '../../util/text.ts'
import { list, mapOf, renderYaml } from '../model/index.ts'
import type { CiInput } from './input.ts'

/** What Dependabot calls the package managers. */
const ecosystems: Readonly<Record<string, string>> = {
  npm: 'npm',
  pnpm: 'npm',
  yarn: 'npm',
  bun: 'bun',
  pip: 'pip',
  poetry: 'pip',
  uv: 'uv',
  cargo: 'cargo',
  go: 'gomod',
  maven: 'maven',
  gradle: 'gradle',
}

/**
 * dependabot.yml: every kind of pin that it knows, a week after it was published, one change for all of a kind. Not the
 * digests of Dockerfile.devflow: they stand in devflow.lock too, and Dependabot cannot change both.
 */
export function dependabotConfig(input: CiInput): string {
  const folders = new Map<string, Set<string>>([['github-actions', new Set(['/'])]])
  const add = (ecosystem: string, dir: string) => {
    const known = folders.get(ecosystem) ?? new Set()
    folders.set(ecosystem, known.add(`/${dir}`))
  }
  for (const { manager, dir } of input.units) {
    const ecosystem = manager === undefined ? undefined : ecosystems[manager]
    if (ecosystem) add(ecosystem, dir)
  }
  const updates = [...folders]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([ecosystem, dirs]) =>
      mapOf([
        ['package-ecosystem', ecosystem],
        ['directories', list([...dirs].sort(byCodeUnit))],
        ['schedule', mapOf([['interval', 'weekly']])],
        ['cooldown', mapOf([['default-days', 7]])],
        ['groups', mapOf([[ecosystem, mapOf([['patterns', list(['*'])]])]])],
      ]),
    )
  return renderYaml(
    mapOf([
      ['version', 2],
      ['updates', list(updates)],
    ]),
    { dwf: input.dwf, about: [] },
  )
}
