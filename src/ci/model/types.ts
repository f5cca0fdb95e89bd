/**
 * A workflow of GitHub Actions as types. What must never be forgotten cannot be: a job without a time limit, a grant
 * without a reason and a script with a value in it do not compile.
 */

declare const brand: unique symbol

/** A shell script of dwf's own: `script` makes it from literal text alone, so that no value can become a part of it. */
export type Script = string & { readonly [brand]: 'script' }

/** An expression of GitHub Actions of dwf's own, without its `${{ }}`; `expression` makes it from literal text alone. */
export interface Expression {
  readonly expression: string & { readonly [brand]: 'expression' }
}

/** Words with one blank between them, in a file one a line; none has white space in it. */
export interface Words {
  readonly words: readonly string[]
}

/** Text is data, whatever is in it; GitHub evaluates expressions only. */
export type Value = string | number | boolean | Expression | Words

/** The parts of the token that dwf's workflows need. */
export type Scope = 'actions' | 'attestations' | 'contents' | 'id-token' | 'issues' | 'packages' | 'security-events'

export interface Grant {
  readonly access: 'read' | 'write'
  /** Goes on after "# "; for whoever reviews the workflow. */
  readonly why: string
}

export type Permissions = Readonly<Partial<Record<Scope, Grant>>>

export interface Triggers {
  /** Types of its activity; GitHub's three usual ones when empty. */
  readonly pull_request?: readonly ('opened' | 'synchronize' | 'reopened' | 'edited')[]
  readonly merge_group?: true
  readonly push?: { readonly branches: readonly string[] } | { readonly tags: readonly string[] }
  /** Five fields of cron, UTC. */
  readonly schedule?: string
  readonly workflow_dispatch?: true
  readonly workflow_call?: {
    /** Names only: the caller passes them on one by one. */
    readonly secrets?: readonly string[]
    readonly outputs?: Readonly<Record<string, { readonly description: string; readonly value: Expression }>>
  }
}

interface StepBase {
  /** What the log shows. */
  readonly name: string
  readonly id?: string
  readonly if?: Expression
  readonly env?: Readonly<Record<string, Value>>
}

/** An action fixed by its commit. */
export interface ActionStep extends StepBase {
  readonly uses: { readonly name: string; readonly folder?: string; readonly sha: string; readonly version: string }
  readonly with?: Readonly<Record<string, Value>>
}

export interface ScriptStep extends StepBase {
  readonly run: Script
}

export type Step = ActionStep | ScriptStep

interface JobBase {
  /** One line above the job: what it is for. */
  readonly about: string
  readonly name: string
  readonly needs?: readonly string[]
  readonly if?: Expression
  readonly permissions: Permissions
}

export interface Job extends JobBase {
  readonly timeoutMinutes: number
  /** Deployment environment: its protection rules stand before the secrets of the job. */
  readonly environment?: string
  readonly outputs?: Readonly<Record<string, Expression>>
  readonly steps: readonly [Step, ...Step[]]
}

/** A job that is a reusable workflow of this repository. */
export interface CallJob extends JobBase {
  readonly calls: `./.github/workflows/${string}.yml`
  /** Names of the secrets that it gets. */
  readonly secrets?: readonly string[]
}

export interface Workflow {
  /** Name of its file in .github/workflows. */
  readonly file: string
  readonly name: string
  /** Lines of the header after the usual one. */
  readonly about: readonly string[]
  readonly on: Triggers
  readonly concurrency: { readonly group: Expression; readonly cancel: boolean | Expression }
  readonly jobs: Readonly<Record<string, Job | CallJob>>
}

/** A shell script, from a literal: `script\`…\`` takes no values, they come in by `env`. */
export function script(text: TemplateStringsArray): Script {
  const whole = text.raw.join('').replace(/\\(?=`|\$\{)/g, '')
  const lines = whole.replace(/^\n/, '').trimEnd().split('\n')
  const indent = Math.min(...lines.filter((line) => line.trim()).map((line) => /^ */.exec(line)![0].length))
  return `${lines.map((line) => line.slice(indent)).join('\n')}\n` as Script
}

/** A word that can stand in an expression without becoming a part of it: `plain` makes it. */
export type Plain = string & { readonly [brand]: 'plain' }

/** @throws Error for anything but a name or a path of letters, digits, dots, dashes, underscores and slashes */
export function plain(text: string): Plain {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._/-]*$/.test(text)) throw new Error(`${JSON.stringify(text)} is no plain word`)
  return text as Plain
}

/** An expression, from a literal and plain words: `expression\`needs.${plain(job)}.result\``. */
export function expression(text: TemplateStringsArray, ...words: readonly Plain[]): Expression {
  return { expression: String.raw(text, ...words) as Expression['expression'] }
}

/** Of two conditions at least one. */
export const either = (a: Expression, b: Expression): Expression => ({
  expression: `${a.expression} || ${b.expression}` as Expression['expression'],
})
