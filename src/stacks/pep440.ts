/** A half-open interval of final versions of three numbers. */
interface Interval {
  readonly from: Version
  /** Undefined: no upper end. */
  readonly to: Version | undefined
}
type Version = readonly [number, number, number]

const zero: Version = [0, 0, 0]

/**
 * A list of PEP 440 version specifiers (`>=3.9,<4,!=3.10.*`) as an npm range that the same final versions satisfy.
 * Poetry's `^`, `~`, bare versions and `||` are understood too. Undefined when it is neither. An empty list is `*`; one
 * that no version satisfies becomes a range that no version satisfies. Pre-releases count as their final version.
 */
export function pep440Range(text: string): string | undefined {
  if (text.length > 200) return undefined
  let union: readonly Interval[] = []
  for (const part of text.split(/\s*\|\|?\s*/)) {
    let intervals: readonly Interval[] = [{ from: zero, to: undefined }]
    const specifiers = part.split(',').map((one) => one.trim())
    for (const specifier of specifiers) {
      if (specifier === '' && specifiers.length === 1 && text.trim() === '') break
      const allowed = specifier === '' ? undefined : intervalsOf(specifier)
      if (allowed === undefined) return undefined
      intervals = intersect(intervals, allowed)
    }
    union = [...union, ...intervals]
  }
  return union.length === 0 ? '<0.0.0-0' : union.map(render).join(' || ')
}

function intervalsOf(specifier: string): readonly Interval[] | undefined {
  if (specifier === '*') return [{ from: zero, to: undefined }]
  const match =
    /^(===|==|~=|!=|<=|>=|<|>|\^|~|=)?\s*v?(\d{1,9}(?:\.\d{1,9})*)(\.\*)?((?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview|post|dev)[-_.]?\d*)*)$/i.exec(
      specifier,
    )
  if (!match) return undefined
  const [, operator = '', release, wildcard] = match
  const numbers = release!.split('.').map(Number)
  // Python and its tools number with three parts: a fourth that is not 0 lies between two of them.
  if (numbers.slice(3).some((number) => number !== 0)) return undefined
  const version: Version = [numbers[0]!, numbers[1] ?? 0, numbers[2] ?? 0]
  const whole = { from: version, to: after(version, Math.min(numbers.length, 3) - 1) }
  const exact = { from: version, to: after(version, 2) }
  if (wildcard && !['==', '!=', '=', '', '~', '^'].includes(operator)) return undefined
  switch (operator) {
    case '>=':
      return [{ from: version, to: undefined }]
    case '>':
      return [{ from: after(version, 2), to: undefined }]
    case '<':
      return below(version)
    case '<=':
      return below(after(version, 2))
    case '!=':
      return wildcard ? outside(whole) : outside(exact)
    case '~=':
      return numbers.length < 2 ? undefined : [{ from: version, to: after(version, Math.min(numbers.length, 3) - 2) }]
    case '~':
      return [{ from: version, to: after(version, numbers.length === 1 ? 0 : 1) }]
    case '^':
      return [{ from: version, to: after(version, Math.max(0, caretPart(numbers))) }]
    default:
      return [wildcard ? whole : exact]
  }
}

/** The first part that is not 0, or the last that is written. */
function caretPart(numbers: readonly number[]): number {
  const part = numbers.slice(0, 3).findIndex((number) => number !== 0)
  return part < 0 ? Math.min(numbers.length, 3) - 1 : part
}

/** The next version that differs in the part at `index`. */
function after(version: Version, index: number): Version {
  return version.map((number, at) => (at < index ? number : at === index ? number + 1 : 0)) as unknown as Version
}

function below(version: Version): readonly Interval[] {
  return compare(zero, version) < 0 ? [{ from: zero, to: version }] : []
}

function outside(hole: { from: Version; to: Version }): readonly Interval[] {
  return [...below(hole.from), { from: hole.to, to: undefined }]
}

function intersect(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  return a.flatMap((one) =>
    b.flatMap((other) => {
      const from = compare(one.from, other.from) >= 0 ? one.from : other.from
      const to = !one.to ? other.to : !other.to || compare(one.to, other.to) <= 0 ? one.to : other.to
      return to && compare(from, to) >= 0 ? [] : [{ from, to }]
    }),
  )
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}

function render({ from, to }: Interval): string {
  const start = compare(from, zero) === 0 ? [] : [`>=${from.join('.')}`]
  const end = to ? [`<${to.join('.')}`] : []
  return [...start, ...end].join(' ') || '*'
}
