import assert from 'node:assert/strict'
import { ownRules } from '../../../src/scan/rules/index.ts'
import type { Finding } from '../../../src/scan/types.ts'

export async function look(path: string, text: string): Promise<readonly Finding[]> {
  return (await ownRules([{ path, text }])).findings
}

/** `ID LINE:COLUMN`, in the order of the report. */
export function marks(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ id, where }) => `${id} ${where.line}:${where.column}`)
}

/**
 * One rule: a text in which `‹` stands where the finding has to be, and one in which the rule finds nothing. Other rules
 * may find what they like.
 */
export async function holds(path: string, id: string, bad: string, good: string): Promise<void> {
  const at = bad.indexOf('‹')
  assert.ok(at >= 0, `${id}: no mark`)
  const before = bad.slice(0, at).split('\n')
  const expected = `${id} ${before.length}:${before.at(-1)!.length + 1}`
  const found = await look(path, bad.replaceAll('‹', ''))
  assert.deepEqual(
    marks(found).filter((mark) => mark.startsWith(id)),
    [expected],
    `${id}\n${bad}`,
  )
  const passed = await look(path, good)
  assert.deepEqual(
    marks(passed).filter((mark) => mark.startsWith(id) || / DWF-\w+-000/.test(` ${mark}`)),
    [],
    `${id}\n${good}`,
  )
  for (const finding of [...found, ...passed]) {
    assert.equal(finding.scanner, 'dwf')
    assert.equal(finding.layer, 'config')
    assert.doesNotMatch(finding.title, /[\u0000-\u001f\u007f]/)
    assert.match(finding.references.join(), /^https:\/\/[^,]+$/)
  }
}
