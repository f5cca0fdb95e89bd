import { type Span, spanAt } from './diagnostics.ts'

type Path = readonly (string | number)[]

/** Shape of what toml-eslint-parser gives; only what is used. */
interface AstNode {
  readonly type: string
  readonly loc: { readonly start: { line: number; column: number }; readonly end: { line: number; column: number } }
  readonly body?: readonly AstNode[]
  readonly key?: AstNode
  readonly value?: unknown
  readonly keys?: readonly AstNode[]
  readonly elements?: readonly AstNode[]
  readonly resolvedKey?: Path
  readonly name?: string
}

/** The places of every key and value in a TOML text. Loaded only where an error or a request for trust has to point. */
export class TomlPlaces {
  readonly #file: string
  readonly #text: string
  readonly #keys = new Map<string, AstNode>()
  readonly #values = new Map<string, AstNode>()

  private constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
  }

  /** Throws the parser's own error (with lineNumber and column) where the text is not TOML 1.0. */
  static async read(file: string, text: string): Promise<TomlPlaces> {
    const { parseTOML } = await import('toml-eslint-parser')
    const places = new TomlPlaces(file, text)
    places.#walk((parseTOML(text, { tomlVersion: '1.0' }) as unknown as AstNode).body![0]!, [])
    return places
  }

  key(path: Path): Span | undefined {
    return this.#span(this.#keys.get(JSON.stringify(path)))
  }

  value(path: Path): Span | undefined {
    return this.#span(this.#values.get(JSON.stringify(path))) ?? this.key(path)
  }

  /** The first key that has one of these names, as a whole or in one of its parts. */
  keyNamed(names: ReadonlySet<string>): Span | undefined {
    for (const [path, node] of this.#keys)
      if ((JSON.parse(path) as Path).some((part) => names.has(String(part)))) return this.#span(node)
    return undefined
  }

  #span(node: AstNode | undefined): Span | undefined {
    if (!node) return undefined
    const { start, end } = node.loc
    return spanAt(
      this.#file,
      this.#text,
      start.line,
      start.column + 1,
      end.line === start.line ? end.column - start.column : undefined,
    )
  }

  #walk(node: AstNode, at: Path): void {
    if (node.type === 'TOMLTable') {
      const path = node.resolvedKey!
      this.#name(node.key!, path)
      for (const child of node.body!) this.#walk(child, path)
    } else if (node.type === 'TOMLKeyValue') {
      const path = [...at, ...node.key!.keys!.map((part) => part.name ?? String(part.value))]
      this.#name(node.key!, path)
      this.#walk(node.value as AstNode, path)
    } else {
      if (at.length > 0) this.#values.set(JSON.stringify(at), node)
      for (const [index, child] of (node.elements ?? []).entries()) this.#walk(child, [...at, index])
      for (const child of node.body ?? []) this.#walk(child, at)
    }
  }

  #name(key: AstNode, path: Path): void {
    const parts = key.keys!
    for (let index = 0; index < parts.length; index++) {
      const prefix = JSON.stringify(path.slice(0, path.length - (parts.length - 1 - index)))
      if (!this.#keys.has(prefix) || index === parts.length - 1) this.#keys.set(prefix, parts[index]!)
    }
  }
}
