import { linkOf, short, visible } from './text.ts'

/**
 * Text for a cell of a table of GitHub's Markdown, one line. Every character that could be structure is written as a
 * reference, which Markdown reads as a character and nothing else. Addresses, mentions and numbers of issues are found
 * in the finished text: a zero-width space after what begins them keeps them from becoming links.
 */
export function markdown(text: string, limit = 300): string {
  return short(text, limit)
    .replace(/[@#](?=\S)|:(?=\/\/)|www(?=\.)/gi, '$&\u200b')
    .replace(/[^\p{L}\p{N} ,;/.:()+='%–—…→-]/gu, (char) => `&#${char.codePointAt(0)};`)
}

/** The same in the type of code. */
export const markdownCode = (text: string, limit?: number): string => `<code>${markdown(text, limit)}</code>`

/** A link where the address may be one, else only the text. */
export function markdownLink(text: string, reference: string | undefined): string {
  const address = reference === undefined ? undefined : linkOf(reference)
  if (address === undefined || address.length > 500) return markdown(text)
  return `[${markdown(text)}](<${address.replace(/[<>\\|`&\s]/g, (char) => encodeURIComponent(char))}>)`
}

/** Lines to copy, as they are: in a block of code nothing is structure but a fence, and this one is longer than any in it. */
export function markdownBlock(lines: readonly string[]): string {
  const shown = lines.map(visible)
  const longest = Math.max(2, ...shown.flatMap((line) => [...line.matchAll(/`+/g)].map(([ticks]) => ticks.length)))
  const fence = '`'.repeat(longest + 1)
  return [`${fence}text`, ...shown, fence].join('\n')
}
