/** What a value can be: every variable is text; a number is text that reads as one. */
export type Operand =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'starts_with' | 'ends_with' | 'matches'

/** How the tasks before this one ended; they make a condition that is asked also when something failed. */
export type StatusFunction = 'success' | 'failure' | 'cancelled' | 'always'

/** A condition that was parsed and checked. JSON-serialisable, so that it can stand in a plan. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'compare'; readonly left: Operand; readonly operator: Comparison; readonly right: Operand }
  /** A variable alone: true unless it is empty, `false` or `0`. */
  | { readonly kind: 'truth'; readonly of: Operand }
  | { readonly kind: 'status'; readonly name: StatusFunction }
