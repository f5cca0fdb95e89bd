/** One step of a pattern: a test for one item, or `any`, which stands for any number of items. */
type Step<T> = 'any' | ((item: T) => boolean)

/** Greedy with one way back: linear in the product of the lengths, so that no pattern can make it slow. */
function matches<T>(steps: readonly Step<T>[], items: ArrayLike<T>): boolean {
  let step = 0
  let item = 0
  let back: { step: number; item: number } | undefined
  while (item < items.length) {
    const current = steps[step]
    if (current === 'any') {
      back = { step, item }
      step++
    } else if (current?.(items[item]!)) {
      step++
      item++
    } else if (back) {
      back.item++
      item = back.item
      step = back.step + 1
    } else {
      return false
    }
  }
  return steps.slice(step).every((rest) => rest === 'any')
}

/**
 * A pattern of paths as a test: `*` and `?` within a name, `[a-z]` and `[^a-z]`, a backslash takes the next character
 * as it is, `**` for any number of folders. A leading dot is nothing special. Paths have `/` between their parts.
 */
export function globTest(pattern: string): (path: string) => boolean {
  const steps = pattern.split('/').map((part): Step<string> => {
    if (part === '**') return 'any'
    const name = nameSteps(part)
    return (text) => matches(name, text)
  })
  return (path) => matches(steps, path.split('/'))
}

/** True when a pattern is more than a plain path. */
export function isGlob(pattern: string): boolean {
  return /[*?[\\]/.test(pattern)
}

function nameSteps(part: string): readonly Step<string>[] {
  const steps: Step<string>[] = []
  // Known once: else each bracket that is never closed would be looked for to the end.
  const last = part.lastIndexOf(']')
  for (let at = 0; at < part.length; at++) {
    const char = part[at]!
    const close = char === '[' && at < last ? part.indexOf(']', at + (part[at + 1] === '^' ? 3 : 2)) : -1
    if (char === '*') steps.push('any')
    else if (char === '?') steps.push(() => true)
    else if (close > 0) {
      steps.push(classTest(part.slice(at + 1, close)))
      at = close
    } else {
      const literal = char === '\\' && at + 1 < part.length ? part[++at]! : char
      steps.push((text) => text === literal)
    }
  }
  return steps
}

function classTest(text: string): (char: string) => boolean {
  const isNegated = text.startsWith('^')
  const ranges = [...text.slice(isNegated ? 1 : 0).matchAll(/\\?([\s\S])(?:-\\?([\s\S]))?/g)]
  return (char) => ranges.some(([, from, to]) => char >= from! && char <= (to ?? from!)) !== isNegated
}
