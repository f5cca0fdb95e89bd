import { at, isTable, type Manifest, stringsAt } from '../project/manifest.ts'
import type { DeclaredIn } from './python.ts'
import { normalName, type Requirements } from './python-requirements.ts'

/** Every package that pyproject.toml and the requirements files declare, and where; the place that needs least wins. */
export function declaredPackages(
  project: Manifest | undefined,
  requirements: readonly Requirements[],
): ReadonlyMap<string, DeclaredIn> {
  const found = new Map<string, DeclaredIn>()
  const add = (entries: readonly string[], place: DeclaredIn): void => {
    for (const entry of entries) {
      const name = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(entry)?.[1]
      if (name !== undefined && !found.has(normalName(name))) found.set(normalName(name), place)
    }
  }
  const main: DeclaredIn = { kind: 'main', name: '' }
  for (const one of requirements) add(one.names, main)
  if (!project) return found
  const keys = (path: readonly string[]): readonly string[] => {
    const table = at(project, path)
    return isTable(table) ? Object.keys(table) : []
  }
  add(stringsAt(project, ['project', 'dependencies']) ?? [], main)
  add(keys(['tool', 'poetry', 'dependencies']), main)
  add(keys(['tool', 'poetry', 'dev-dependencies']), main)
  add(stringsAt(project, ['tool', 'uv', 'dev-dependencies']) ?? [], main)
  // uv and Poetry both install the group `dev` without being asked, so it is looked at first.
  const groups = [...keys(['dependency-groups'])].sort((a, b) => Number(b === 'dev') - Number(a === 'dev'))
  for (const name of groups) add(stringsAt(project, ['dependency-groups', name]) ?? [], { kind: 'group', name })
  for (const name of keys(['tool', 'poetry', 'group'])) {
    add(keys(['tool', 'poetry', 'group', name, 'dependencies']), { kind: 'group', name })
  }
  for (const name of keys(['project', 'optional-dependencies'])) {
    add(stringsAt(project, ['project', 'optional-dependencies', name]) ?? [], { kind: 'extra', name })
  }
  return found
}
