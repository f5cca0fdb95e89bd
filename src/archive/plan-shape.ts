/** Why a value is not what it should be, with the place in it before; undefined where it is. */
type Shape = (value: unknown) => string | undefined

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text: Shape = (value) => (typeof value === 'string' ? undefined : 'is no text')
const count: Shape = (value) => (Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'is no count')
const flag: Shape = (value) => (typeof value === 'boolean' ? undefined : 'is neither true nor false')
const texts: Shape = (value) =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? undefined : 'is no list of texts'
const textTable: Shape = (value) =>
  isFields(value) && Object.values(value).every((one) => typeof one === 'string') ? undefined : 'is no table of texts'
const anyTable: Shape = (value) => (isFields(value) ? undefined : 'is no table')
const list: Shape = (value) => (Array.isArray(value) ? undefined : 'is no list')
const oneOf =
  (...words: readonly string[]): Shape =>
  (value) =>
    words.includes(value as string) ? undefined : `is none of ${words.join(', ')}`

/** A table with these members; one whose name ends with `?` may be absent, and others are nobody's business. */
const table =
  (members: Readonly<Record<string, Shape>>): Shape =>
  (value) => {
    if (!isFields(value)) return 'is no table'
    for (const [member, shape] of Object.entries(members)) {
      const name = member.replace('?', '')
      const has = Object.hasOwn(value, name) ? value[name] : undefined
      if (has === undefined && member.endsWith('?')) continue
      const why = shape(has)
      if (why !== undefined) return why.startsWith('is ') ? `${name} ${why}` : `${name}.${why}`
    }
    return undefined
  }

const task = table({
  id: text,
  command: text,
  stack: text,
  dir: text,
  kind: oneOf('fetch', 'setup', 'task', 'gate', 'handler'),
  argv: texts,
  env: textTable,
  path: texts,
  needs: texts,
  after: texts,
  class: text,
  timeoutMs: count,
  retries: count,
  secrets: texts,
  hash: text,
  'note?': text,
  'workflow?': table({
    references: list,
    templates: anyTable,
    ignoreFailure: flag,
    'matrix?': table({ base: text, values: textTable }),
    'register?': text,
    'onFailure?': text,
  }),
})

const workflow = table({
  name: text,
  file: text,
  tags: texts,
  variables: textTable,
  matrices: list,
  'onFailure?': text,
  'onCancel?': text,
  'always?': text,
})

/**
 * What does not look like a plan that dwf made, as far as anything reads it that looks at a run: `task 2: argv is no list
 * of texts`; undefined where all of it does.
 */
export function planMisshape(plan: unknown): string | undefined {
  if (!isFields(plan) || !Array.isArray(plan.tasks)) return 'tasks is no list'
  for (const [index, one] of plan.tasks.entries()) {
    const why = task(one)
    if (why !== undefined) return `task ${index + 1}${why.startsWith('is ') ? ' ' : ': '}${why}`
  }
  return table({ 'workflow?': workflow })(plan)
}
