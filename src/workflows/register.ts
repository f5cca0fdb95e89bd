import { reservedNames } from '../conditions/parse.ts'
import { listing } from '../util/text.ts'
import { handlerVariables } from './handlers.ts'
import type { Cell } from './matrix.ts'
import type { Families, Family } from './nodes.ts'
import { errorAt, type FileProblem } from './problems.ts'
import { findReferences } from './template/references.ts'

/** What can be asked for as `{{.name}}` and does not look like `task[a=b].name`. */
const name = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$/

export interface Registers {
  /** Node → the variable that it sets. */
  readonly names: ReadonlyMap<string, string>
  /** Variable → the node that sets it. */
  readonly owners: ReadonlyMap<string, string>
  readonly problems: readonly FileProblem[]
}

/** The variables that tasks set. Each has one owner: with two, a value would depend on who ends last. */
export function readRegisters(families: Families, variables: ReadonlySet<string>): Registers {
  const names = new Map<string, string>()
  const owners = new Map<string, string>()
  const problems: FileProblem[] = []
  for (const family of families.values()) {
    const { base, raw, nodes, cells } = family
    if (raw.register === undefined) continue
    const path = ['tasks', base, 'register']
    const found = [...new Set(nodes.map((_, index) => interpolated(raw.register!, cells?.[index])))]
    const wrong = checkReferences(family) ?? found.map((one) => checkName(one, family, families)).find(Boolean)
    if (wrong) {
      problems.push(errorAt(path, 'value', 'wrong-register', ...wrong))
      continue
    }
    for (const [index, node] of nodes.entries()) {
      const variable = interpolated(raw.register, cells?.[index])
      const owner = owners.get(variable)
      if (owner !== undefined || variables.has(variable)) {
        problems.push(
          errorAt(
            path,
            'value',
            'registered-twice',
            `"${variable}" is set by ${owner === undefined ? '--var' : owner} and by ${node}`,
            cells
              ? `give each node its own: ${raw.register}_{{.${Object.keys(cells[0] ?? {})[0]}}}`
              : 'give one of them another name',
          ),
        )
        break
      }
      owners.set(variable, node)
      names.set(node, variable)
    }
  }
  return { names, owners, problems }
}

function interpolated(text: string, cell: Cell | undefined): string {
  let result = ''
  let from = 0
  for (const { name, at, length } of findReferences(text)) {
    const value = cell && Object.hasOwn(cell, name) ? cell[name]! : text.slice(at, at + length)
    result += text.slice(from, at) + value
    from = at + length
  }
  return result + text.slice(from)
}

type Wrong = readonly [message: string, hint?: string]

function checkReferences({ raw, cells }: Family): Wrong | undefined {
  const unknown = findReferences(raw.register!).find(
    (found) => !cells || cells.length === 0 || cells.some((cell) => !Object.hasOwn(cell, found.name)),
  )
  if (!unknown) return undefined
  const axes = Object.keys(cells?.[0] ?? {})
  return [
    `the name of a variable can have values of the task's matrix in it, and {{.${unknown.name}}} is none of them`,
    axes.length > 0 ? `there are ${listing(axes.map((axis) => `{{.${axis}}}`))}` : 'write a name',
  ]
}

function checkName(one: string, { cells }: Family, families: Families): Wrong | undefined {
  if (!name.test(one))
    return [
      `"${one}" cannot be the name of a variable`,
      'a name is letters, digits, "_", ".", "+" and "-", at most 100',
    ]
  if (handlerVariables.has(one)) return [`"${one}" is what handlers are told; a task cannot set it`]
  if (reservedNames.has(one)) return [`"${one}" means something in a condition, and cannot be a variable`]
  if (cells?.some((cell) => Object.hasOwn(cell, one)))
    return [`"${one}" is an axis of the task's matrix: its value is fixed`, 'give the variable another name']
  const task = one.slice(0, Math.max(0, one.indexOf('.')))
  if (families.has(task)) return [`"${one}" would be read as a value of the task "${task}"`, 'use "_" for the dot']
  return undefined
}
