import type { YamlText } from '../../scan/rules/yaml.ts'

/**
 * Where the text at an offset of a script stands in the file: its lines are looked for one after another. Where a line
 * is written in another way (folded, escaped), the place of the script.
 */
export function placesOfScript(file: string, script: YamlText): (offset: number) => number {
  const source = file.slice(script.at, script.end)
  const lines: { readonly from: number; readonly at: number | undefined }[] = []
  let cursor: number | undefined = 0
  let from = 0
  for (const line of script.text.split('\n')) {
    const content = line.trim()
    const found: number = cursor === undefined ? -1 : source.indexOf(content, cursor)
    if (found < 0) cursor = undefined
    else cursor = found + content.length
    const indent = line.length - line.trimStart().length
    lines.push({ from, at: found < 0 ? undefined : script.at + found - indent })
    from += line.length + 1
  }
  return (offset) => {
    let [low, high] = [0, lines.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (lines[middle]!.from <= offset) low = middle
      else high = middle
    }
    const { from, at } = lines[low]!
    return at === undefined ? script.at : at + offset - from
  }
}
