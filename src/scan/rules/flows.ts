import { authorOf, expressionsOf, flowOf } from './expressions.ts'
import type { WorkflowFile } from './workflow-model.ts'
import { entriesOf, get, textOf, type YamlEntry, type YamlValue } from './yaml.ts'

/** The first context that anyone, and the first that only writers can choose, of what is in a text. */
interface Chosen {
  readonly anyone?: string | undefined
  readonly writers?: string | undefined
}

/**
 * Who chooses the text of expressions of one workflow. Everything is worked out once: thousands of expressions may name
 * the same variable of thousands.
 */
export class Flows {
  readonly #file: WorkflowFile
  readonly #variables = new Map<YamlValue, ReadonlyMap<string, YamlEntry>>()
  readonly #texts = new Map<YamlValue, Chosen>()
  #inputs: ReadonlyMap<string, readonly YamlEntry[]> | undefined

  constructor(file: WorkflowFile) {
    this.#file = file
  }

  /** @param scopes the maps of variables that `env.NAME` stands for, the nearest first */
  of(code: string, scopes: readonly (YamlValue | undefined)[]): Chosen {
    return this.#first(flowOf(code), (path) => {
      const name = /^env\.([\w-]+)$/.exec(path)?.[1]
      return name === undefined ? {} : this.#variable(name, scopes)
    })
  }

  #first(paths: readonly string[], through: (path: string) => Chosen): Chosen {
    let anyone: string | undefined
    let writers: string | undefined
    for (const path of paths) {
      const author = authorOf(path)
      if (author === 'anyone') anyone ??= path
      else if (author === 'writers' && writers === undefined && !this.#isHarmlessInput(path)) writers = path
      const inside = through(path)
      anyone ??= inside.anyone
      writers ??= inside.writers
    }
    // For people, and once for each expression that leads there.
    return { anyone: anyone?.slice(0, 200), writers: writers?.slice(0, 200) }
  }

  #variable(name: string, scopes: readonly (YamlValue | undefined)[]): Chosen {
    for (const scope of scopes) {
      const value = scope && this.#named(scope).get(name)?.value
      if (!value) continue
      const known = this.#texts.get(value)
      if (known) return known
      const paths = expressionsOf(textOf(value) ?? '').flatMap(({ code }) => flowOf(code))
      const chosen = this.#first(paths, () => ({}))
      this.#texts.set(value, chosen)
      return chosen
    }
    return {}
  }

  #named(scope: YamlValue): ReadonlyMap<string, YamlEntry> {
    let named = this.#variables.get(scope)
    if (!named) {
      // The first of those that differ in case only, as a look from the start would find it.
      named = new Map(
        entriesOf(scope)
          .map((entry) => [entry.key.toLowerCase(), entry] as const)
          .reverse(),
      )
      this.#variables.set(scope, named)
    }
    return named
  }

  /** An input of a kind that holds no free text, wherever it is declared. */
  #isHarmlessInput(path: string): boolean {
    const name = /^(?:github\.event\.)?inputs\.([\w-]+)$/.exec(path)?.[1]
    if (name === undefined || this.#file.kind === 'action') return false
    this.#inputs ??= declaredInputs(this.#file)
    const declared = this.#inputs.get(name) ?? []
    return (
      declared.length > 0 &&
      declared.every(({ value }) => /^(boolean|number|choice|environment)$/.test(textOf(get(value, 'type')) ?? ''))
    )
  }
}

function declaredInputs({ root }: WorkflowFile): ReadonlyMap<string, readonly YamlEntry[]> {
  const on = get(root, 'on')
  const all = ['workflow_dispatch', 'workflow_call'].flatMap((trigger) => entriesOf(get(get(on, trigger), 'inputs')))
  return Map.groupBy(all, ({ key }) => key.toLowerCase())
}
