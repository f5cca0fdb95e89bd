/** Names that can stand in an argv as they are: no option, no variable, no pattern. */
const plain = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/** What is beyond it in a line is not looked at: a hostile line must not take long. */
const lengthLimit = 500

/**
 * The recipes of a justfile that can be run without arguments, in order. Reads headers only: nothing is evaluated, and
 * neither imports nor modules are followed. Private ones (`_name`, `[private]`) are left out.
 */
export function justRecipes(text: string): readonly string[] {
  const names: string[] = []
  let isPrivate = false
  for (const whole of text.split(/\r?\n/)) {
    const line = whole.slice(0, lengthLimit)
    if (/^\s*(?:#|$)/.test(line) || /^\s/.test(line)) continue
    if (line.startsWith('[')) {
      isPrivate ||= /[[,]\s*private\b/.test(line)
      continue
    }
    const alias = /^alias\s+([A-Za-z0-9_-]+)\s*:=/.exec(line)?.[1]
    const header = alias === undefined ? /^@?([A-Za-z_][A-Za-z0-9_-]*)([^:=]*(?:=[^:]*)?):(?!=)/.exec(line) : undefined
    const name = alias ?? header?.[1]
    if (name !== undefined && plain.test(name) && !isPrivate && !needsArguments(header?.[2] ?? '')) names.push(name)
    isPrivate = false
  }
  return [...new Set(names)]
}

/** `a b='x' *rest` needs one argument; `+rest` needs at least one. */
function needsArguments(parameters: string): boolean {
  return parameters
    .replace(/'[^']*'|"[^"]*"|`[^`]*`|\([^()]*\)/g, 'value')
    .replace(/\s*=\s*/g, '=')
    .split(/\s+/)
    .some((word) => word !== '' && !word.startsWith('*') && !word.includes('='))
}

/**
 * The targets of a Makefile, in order. Reads rule lines only: nothing is expanded, includes are not followed. Targets
 * with variables or patterns in their names and the special ones that begin with a dot are left out.
 */
export function makeTargets(text: string): readonly string[] {
  const names: string[] = []
  let isDefine = false
  for (const whole of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const line = whole.slice(0, lengthLimit)
    if (/^\s*define\b/.test(line)) isDefine = true
    if (/^\s*endef\b/.test(line)) isDefine = false
    if (isDefine || line.startsWith('\t') || /^\s*#/.test(line)) continue
    const rule = /^ *([^:=#\t]+?)\s*(?:&?::?)(?![:=])(.*)$/.exec(line)
    // `name: VARIABLE = value` sets a variable for a target and makes none.
    if (!rule || /^[^;#]*[A-Za-z0-9_]\s*[:+?!]?=/.test(rule[2]!.replace(/\$\([^)]*\)/g, ''))) continue
    names.push(...rule[1]!.split(/\s+/).filter((name) => plain.test(name)))
  }
  return [...new Set(names)]
}
