import type { ScanConfig } from '../config/types.ts'
import { type Unmarked, withFingerprints } from './fingerprint.ts'
import { classNames, severityOfLicense } from './license-classes.ts'
import {
  baseName,
  type Expression,
  isException,
  isUsable,
  type License,
  parseExpression,
  withoutException,
  wordsOf,
} from './license-expression.ts'
import { severities } from './severity.ts'
import { count, oneLine } from './text.ts'
import type { Component, Finding, FindingSeverity } from './types.ts'

type Lists = ScanConfig['licenses']

/**
 * What the deny list has is refused in every spelling: `GPL-3.0-only` denies GPL-3.0, GPL-3.0+, GPL-3.0-or-later and all
 * of them WITH whatever. A text that cannot be read is refused when one of its words is on the list.
 */
function isDenied(text: string, deny: readonly string[]): boolean {
  if (deny.length === 0) return false
  const names = new Set(deny.map(baseName))
  if (names.has(baseName(text))) return true
  const expression = parseExpression(text)
  if (expression) return !isUsable(expression, (license) => !namesOf(license).some((name) => names.has(name)))
  // A name on the list may have several words.
  const run = (from: string) => ` ${wordsOf(from).map(baseName).join(' ')} `
  const texts = [run(text), run(withoutException(text))]
  return deny.some((entry) => run(entry).trim() !== '' && texts.some((words) => words.includes(run(entry))))
}

/** By each of these a list may mean it. */
function namesOf({ name, exception }: License): readonly string[] {
  const alone = [name, withoutException(name)]
  return (exception === undefined ? alone : [...alone, exception, `${name} WITH ${exception}`]).map(baseName)
}

/**
 * What the allow list has is accepted as it is written there. That `GPL-3.0-or-later` may be used as GPL-3.0-only is not
 * concluded: who wants both lists both, and nothing is accepted that nobody has read. Only other spellings of the same
 * are the same: `GPL-3.0` was GPL-3.0-only, `GPL-3.0+` was GPL-3.0-or-later. What cannot be read has to be listed whole.
 */
function isAllowed(text: string, allow: readonly string[]): boolean {
  const names = new Set(allow.map(spelled))
  if (names.has(spelled(text))) return true
  const expression = parseExpression(text)
  if (!expression) return false
  return isUsable(expression, ({ name, exception }) => {
    if (exception === undefined) return names.has(spelled(name))
    return names.has(spelled(`${name} WITH ${exception}`)) || (isException(exception) && names.has(spelled(name)))
  })
}

const spelled = (text: string): string =>
  text
    .toLowerCase()
    .replace(/-only(?!\S)/g, '')
    .replace(/\+(?!\S)/g, '-or-later')

/** Worst first. Where what nobody knows is only reported, every class that somebody knows counts before it. */
const ordersOf: Readonly<Record<Lists['unknown'], readonly FindingSeverity[]>> = {
  refuse: severities,
  report: ['critical', 'high', 'medium', 'unknown', 'low'],
}

/**
 * How severe a licence is for which Trivy has no class: the worst class of what holds; where one may choose, the best
 * that somebody knows. In a text that cannot be read each word holds, and something that nobody knows.
 */
function severityOf(text: string, unknown: Lists['unknown']): FindingSeverity {
  const worst = (found: readonly FindingSeverity[]) => ordersOf[unknown].find((one) => found.includes(one))!
  const of = (expression: Expression): FindingSeverity => {
    switch (expression.kind) {
      case 'one': {
        const { name, exception } = expression.license
        const added = exception === undefined || isException(exception) ? [] : [ofName(exception)]
        return worst([ofName(name), ...added])
      }
      case 'all':
        return worst(expression.of.map(of))
      case 'any': {
        const found = new Set(expression.of.map(of))
        return ordersOf[unknown].findLast((one) => one !== 'unknown' && found.has(one)) ?? 'unknown'
      }
    }
  }
  const expression = parseExpression(text)
  return expression ? of(expression) : worst([...wordsOf(text).map(ofName), 'unknown'])
}

const ofName = (name: string): FindingSeverity => severityOfLicense(baseName(withoutException(name)))

/**
 * What becomes of the licences of packages. With an allow list everything else is refused; what the deny list has is
 * refused in any case; without lists the scanner's own classes count. The scanner calls each permissive licence a
 * result, too: those are counted, not findings.
 */
export function judgeLicenses(
  reported: readonly Finding[],
  components: readonly Component[],
  lists: Lists,
): { readonly findings: readonly Finding[]; readonly lines: readonly string[] } {
  const findings: Unmarked[] = []
  const classes = new Map(reported.map((finding) => [`${finding.where.package} ${finding.id}`, finding]))
  let silent = 0
  for (const component of components) {
    const { name, version, purl, file } = component
    const licenses = component.licenses.filter((license) => license.trim() !== '')
    const where = { file, package: name, ...(version ? { version } : {}), ...(purl ? { purl } : {}) }
    const add = (id: string, severity: Finding['severity'], title: string, advice?: string) =>
      findings.push({
        ...{ id: oneLine(id), severity, layer: 'licenses', scanner: 'dwf', where, title, references: [] },
        ...(advice ? { advice } : {}),
      })
    if (licenses.length === 0) {
      if (lists.unknown === 'refuse') add('license-unknown', 'critical', 'nobody tells its licence', look)
      else silent++
    }
    for (const license of licenses) {
      // The name of a denied licence may stand in what was cut off.
      const isCut = license.endsWith('…') && lists.deny.length > 0
      if (isDenied(license, lists.deny)) add(license, 'critical', 'licence on the deny list', 'replace the package')
      else if (lists.allow.length > 0 && !isAllowed(license, lists.allow))
        add(license, 'critical', 'licence that is not on the allow list', 'replace the package, or allow its licence')
      else if (isCut) add(license, 'critical', 'licence whose text is too long to be read to its end', look)
      else if (lists.allow.length === 0) {
        const known = classes.get(`${name} ${license}`)?.severity ?? 'unknown'
        const severity = known === 'unknown' ? severityOf(license, lists.unknown) : known
        const title = `${classNames[severity]} licence`
        // A name that nobody has put in a class mostly is a rare licence: that refuses only who asks for it.
        if (severity !== 'unknown') {
          if (severity !== 'low') add(license, severity, title)
        } else if (lists.unknown === 'refuse') add(license, 'unknown', title, look)
        else add(license, 'low', title)
      }
    }
  }
  return {
    findings: withFingerprints(findings),
    lines: silent === 0 ? [] : [`${count(silent, 'package')} whose licence no lock file tells: not judged`],
  }
}

const look = 'look at the package, and accept it with an ignore'
