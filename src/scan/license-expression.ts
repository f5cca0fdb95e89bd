export interface License {
  readonly name: string
  /** What stands behind WITH. */
  readonly exception?: string
}

/** `any`: whoever uses the package may choose; `all`: each of them holds. */
export type Expression =
  | { readonly kind: 'one'; readonly license: License }
  | { readonly kind: 'any' | 'all'; readonly of: readonly Expression[] }

const nameShape = /^(DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9][A-Za-z0-9.+-]*$/
const operator = /^(AND|OR|WITH)$/i

/**
 * A licence as SPDX writes it: names with AND, OR, WITH and parentheses, in whatever case. People also write `A/B` and
 * `A, B` without saying whether one is enough: then all of them hold. Undefined for what cannot be read.
 */
export function parseExpression(text: string): Expression | undefined {
  const words = text.match(/[(),/]|[^\s(),/]+/g) ?? []
  let at = 0
  const takes = (word: RegExp): boolean => {
    if (!word.test(words[at] ?? '')) return false
    at++
    return true
  }
  const name = (): string => {
    const word = words[at++] ?? ''
    if (!nameShape.test(word) || operator.test(word)) throw new SyntaxError()
    return word
  }
  const term = (): Expression => {
    if (takes(/^\($/)) {
      const inner = either()
      if (!takes(/^\)$/)) throw new SyntaxError()
      return inner
    }
    const license = name()
    return { kind: 'one', license: takes(/^WITH$/i) ? { name: license, exception: name() } : { name: license } }
  }
  const list = (kind: 'any' | 'all', item: () => Expression, separator: RegExp): Expression => {
    const of = [item()]
    while (takes(separator)) of.push(item())
    return of.length === 1 ? of[0]! : { kind, of }
  }
  const both = () => list('all', term, /^AND$/i)
  const either = () => list('any', both, /^OR$/i)
  try {
    const whole = list('all', either, /^[,/]$/)
    return at === words.length ? whole : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Whether what `accepts` a licence is enough to use the package: one of `any`, each of `all`. */
export function isUsable(expression: Expression, accepts: (license: License) => boolean): boolean {
  switch (expression.kind) {
    case 'one':
      return accepts(expression.license)
    case 'any':
      return expression.of.some((one) => isUsable(one, accepts))
    case 'all':
      return expression.of.every((one) => isUsable(one, accepts))
  }
}

/** What could be a name in a text that is no expression. */
export function wordsOf(text: string): readonly string[] {
  return text.match(/[A-Za-z0-9](?:[A-Za-z0-9.+-]*[A-Za-z0-9+])?/g) ?? []
}

/**
 * What is left of each name when `-only`, `-or-later` and `+` are taken off, in small letters; `GPLv3` and `GPL-3` are
 * `gpl-3.0`, as Trivy 0.76 reads them.
 */
export function baseName(text: string): string {
  return text
    .toLowerCase()
    .replace(
      /(?<!\S)([al]?gpl)-?v?(\d)(\.\d)?(?![\d.])/g,
      (_, family, major, minor = '.0') => `${family}-${major}${minor}`,
    )
    .replace(/(?:-only|-or-later|\+)+(?!\S)/g, '')
}

/** Without `-with-classpath-exception` and the like, which older versions of SPDX had in the name of a licence. */
export const withoutException = (text: string): string => text.replace(/-with-[a-z0-9.-]+/gi, '')

/** The exceptions of SPDX give more rights. Anything else behind WITH, such as Commons-Clause, may take some. */
export const isException = (name: string): boolean => /(^|-)exception(-|$)|^Linux-syscall-note$/i.test(name)
