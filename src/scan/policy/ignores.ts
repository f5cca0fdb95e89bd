import { globTest } from '../../util/glob.ts'
import { oneLine, shownPath } from '../text.ts'
import type { Finding } from '../types.ts'
import { nameKey, nameKeys } from './names.ts'
import { purlMatches } from './purl.ts'
import type { IgnoreRule } from './types.ts'

/** An exception that nobody has to look at again is no exception: the policy changed. */
const longestDays = 365

export type IgnoreState = 'in-force' | 'expired' | 'too-long'

/** Whether it counts on a day, YYYY-MM-DD. Ignore files may have an end as far away as they like, or none. */
export function ignoreState({ of, expires }: IgnoreRule, today: string): IgnoreState {
  if (expires === undefined) return 'in-force'
  // Trivy 0.76 takes the day in an ignore file as its first moment (pkg/result/ignore.go): the entry ends with the day before.
  if (of === 'config' ? expires < today : expires <= today) return 'expired'
  const last = new Date(Date.parse(`${today}T00:00:00Z`) + longestDays * 86_400_000).toISOString().slice(0, 10)
  return of === 'config' && expires > last ? 'too-long' : 'in-force'
}

/** The rules that match a finding, in their order, whatever the day. */
export function ignoreFinder(rules: readonly IgnoreRule[]): (finding: Finding) => readonly IgnoreRule[] {
  const tests = rules.map((rule, index) => ({ rule, index, paths: rule.paths?.map(globTest) }))
  const byName = Map.groupBy(tests, ({ rule }) => nameKey(rule.id))
  return (finding) =>
    nameKeys(finding)
      .flatMap((name) => byName.get(name) ?? [])
      .filter(
        ({ rule, paths }) =>
          rule.layers.includes(finding.layer) &&
          (paths === undefined || paths.some((matches) => matches(finding.where.file))) &&
          (rule.package === undefined || isPackage(rule.package, finding)) &&
          (rule.purls === undefined || rule.purls.some((purl) => purlMatches(purl, finding.where.purl))),
      )
      .sort((a, b) => a.index - b.index)
      .map(({ rule }) => rule)
}

/** `devflow.toml:12` */
export function ignoreSource({ file, line }: IgnoreRule): string {
  return `${shownPath(file)}${line === undefined ? '' : `:${line}`}`
}

/** `CVE-2021-23337 for lodash in web/**` */
export function ignoreSubject(rule: IgnoreRule): string {
  const packages = rule.package === undefined ? (rule.purls ?? []) : [rule.package]
  return oneLine(
    rule.id +
      (packages.length === 0 ? '' : ` for ${packages.join(', ')}`) +
      (rule.paths === undefined ? '' : ` in ${rule.paths.join(', ')}`),
  )
}

function isPackage(wanted: string, { where }: Finding): boolean {
  return where.package !== undefined && (wanted === where.package || wanted === `${where.package}@${where.version}`)
}
