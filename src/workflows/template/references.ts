/** One `{{.name}}` in a text. */
export interface Found {
  readonly name: string
  readonly at: number
  readonly length: number
}

/** The characters of a name are wf's (v0.2.0), which has no escapes and no blanks in the braces. */
const pattern = /\{\{\.([A-Za-z0-9_.+\-[\]=,]+)\}\}/g

export function findReferences(text: string): readonly Found[] {
  if (!text.includes('{{.')) return []
  return [...text.matchAll(pattern)].map((match) => ({
    name: match[1]!,
    at: match.index,
    length: match[0].length,
  }))
}

/** A problem of a text that stands in the file as one value; `at` counts from the start of the value. */
export interface TextProblem {
  readonly severity: 'error' | 'warning'
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly at: number
  readonly length: number
}

/** Braces that are no reference. */
const stray = /\{\{(?!\.[A-Za-z0-9_.+\-[\]=,]+\}\})([^\n{}]{0,200})\}\}/g

/**
 * What looks like a template and is none of dwf's: `{{json .}}` is for docker and stays; `{{ .version }}` was meant for
 * dwf when there is such a variable.
 */
export function strayTemplates(text: string, isKnown: (name: string) => boolean): readonly TextProblem[] {
  return [...text.matchAll(stray)].map((match) => {
    const place = { at: match.index, length: match[0].length }
    const name = /^\s*(?:\.([A-Za-z0-9_.+\-[\]=,]+)(?=\s|$)|([A-Za-z_][A-Za-z0-9_.-]*)\s*$)/.exec(match[1]!)
    const meant = name?.[1] ?? name?.[2]
    if (meant !== undefined && isKnown(meant))
      return {
        severity: 'error' as const,
        code: 'bad-reference',
        message: `"${match[0]}" is not how a variable is written`,
        hint: `write {{.${meant}}}`,
        ...place,
      }
    return {
      severity: 'warning' as const,
      code: 'other-template',
      message: `"${match[0]}" stays as it is: it names no variable of the workflow`,
      hint: 'a variable is written {{.name}}',
      ...place,
    }
  })
}
