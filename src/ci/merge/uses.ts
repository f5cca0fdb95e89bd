import type { ActionPin } from '../../pins/types.ts'

/** A line of a text. Its key is what is merged: the line without the value of its pin. */
export interface Line {
  readonly text: string
  readonly key: string
  readonly pin?: ActionPin
}

/** `- uses: owner/name/folder@<commit> # v1.2.3`, and whatever stands behind it. A version that is not exact is no pin. */
const usesLine =
  /^(\s*(?:-\s+)?uses:\s+["']?([\w.-]+\/[\w.-]+)(?:\/[\w.-]+)*@)([0-9a-f]{40})(["']?\s+#\s*)(v?(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){2})(?=\s|$)([\s\S]*)$/

export function readLine(text: string): Line {
  const parts = usesLine.exec(text)
  if (!parts) return { text, key: text }
  const [, before, name, sha, between, version, after] = parts as unknown as readonly string[]
  // NUL: no line that is only text has the same key.
  return {
    text,
    key: `${before}\0${between}\0${after}`,
    pin: { name: name!, version: version!, sha: sha! },
  }
}

/** The line with another pin of the same action. */
export function withPin(line: Line, { version, sha }: ActionPin): string {
  return line.text.replace(usesLine, (_, before, _name, _sha, between, _version, after) => {
    return `${before}${sha}${between}${version}${after}`
  })
}

/** Actions are found whatever the case of their names. */
export function isSameAction(a: ActionPin, b: ActionPin): boolean {
  return a.name.toLowerCase() === b.name.toLowerCase()
}
