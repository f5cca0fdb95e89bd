import type { Finding } from '../types.ts'

/** `CVE-2021-23337`, `GHSA-35jh-r3h4-6jhm`, `RUSTSEC-2021-0003`, `MAL-2024-1`, `RHSA-2021:1234`. */
const advisory = /^(?:GHSA(?:-[0-9a-z]{4}){3}|[a-z]{2,12}-\d{4}[-:]\d+)$/i

/** A name of a vulnerability, as opposed to that of a rule or licence. */
export function isAdvisory(id: string): boolean {
  return advisory.test(id)
}

/**
 * What two names are compared by. Vulnerabilities are written in either case, GHSA mostly in small letters; for rules
 * of scanners the case may be all that tells two apart.
 */
export function nameKey(id: string): string {
  return isAdvisory(id) ? id.toUpperCase() : id
}

/** Keys of all names of a finding, its id first, each once. */
export function nameKeys({ id, aliases = [] }: Pick<Finding, 'id' | 'aliases'>): readonly string[] {
  return [...new Set([id, ...aliases].map(nameKey))]
}

/** A known vulnerability of a package: what a newer version may cure. Licences have packages too. */
export function isVulnerability({ layer, where }: Pick<Finding, 'layer' | 'where'>): boolean {
  return where.package !== undefined && (layer === 'deps' || layer === 'image')
}

/** A package that was written to do harm, as the OpenSSF's list of malicious packages names them. */
export function isMalicious(finding: Pick<Finding, 'id' | 'aliases'>): boolean {
  return nameKeys(finding).some((name) => name.startsWith('MAL-'))
}

/** A file that could not be read as what it is named: what is in it may change without its finding changing. */
export function isUnread({ id, severity }: Pick<Finding, 'id' | 'severity'>): boolean {
  return /^DWF-(?:COMPOSE|BAKE|ACTIONS)-000$/.test(id) || (severity === 'unknown' && id.endsWith('-000'))
}

/** What no baseline accepts: a package that was written to do harm, and what nobody has read. */
export function isNeverBaselined(finding: Pick<Finding, 'id' | 'aliases' | 'severity'>): boolean {
  return isMalicious(finding) || isUnread(finding)
}
