/** Taken before any text was read: what is guarded must not be needed to guard it. */
const { defineProperty, getOwnPropertyDescriptors, getOwnPropertyNames, is } = Object
const { ownKeys } = Reflect

const inherited = getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__')
const mentions = new RegExp(`${inherited.join('|')}|\\\\(?:u00|U000000)[2-7]`)

/** What every object has: its prototype, and the functions of that. */
const shared: readonly object[] = [
  Object.prototype,
  ...inherited.map((name) => (Object.prototype as unknown as Record<string, object>)[name]!),
]

/**
 * Calls a parser that writes where a document says. @iarna/toml 3.0.0 takes `[constructor]` for a table that is there,
 * and writes into the constructor of all objects: such a document is refused, and what it wrote is taken back.
 * @throws Error for such a document; whatever the parser throws
 */
export function guarded<T>(text: string, parse: (text: string) => T): T {
  if (!mentions.test(text)) return parse(text)
  const before = shared.map((target) => getOwnPropertyDescriptors(target))
  try {
    const value = parse(text)
    if (shared.some((target, index) => hasChanged(target, before[index]!)))
      throw new Error('a key has the name of what every object has, such as "constructor"')
    return value
  } finally {
    for (let index = 0; index < shared.length; index++) restore(shared[index]!, before[index]!)
  }
}

type Descriptors = Readonly<Record<PropertyKey, PropertyDescriptor>>

function hasChanged(target: object, before: Descriptors): boolean {
  const keys = ownKeys(target)
  const now = getOwnPropertyDescriptors(target) as Descriptors
  return keys.length !== ownKeys(before).length || keys.some((key) => !is(now[key]!.value, before[key]?.value))
}

function restore(target: object, before: Descriptors): void {
  for (const key of ownKeys(target)) if (!before[key]) delete (target as Record<PropertyKey, unknown>)[key]
  for (const key of ownKeys(before)) {
    const descriptor = before[key]!
    if (descriptor.configurable) defineProperty(target, key, descriptor)
  }
}
