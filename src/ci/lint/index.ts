import type { KnownActions } from '../../pins/types.ts'
import { oneLine } from '../../scan/text.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import { byCodeUnit } from '../../util/text.ts'
import { isDiagnostic, readWorkflow } from '../reading/workflow.ts'
import { levelOf, lintRules, sharedRules } from './rules.ts'
import type { LintModel } from './types.ts'

export { lintRules } from './rules.ts'
export { lintSarif } from './sarif.ts'

/** One finding with what its order needs. */
interface Found {
  readonly at: number
  readonly diagnostic: Diagnostic
}

/**
 * What is wrong in a workflow: by the rules of the gates, and by those of the house. In the order of the text. Pure; a
 * text that is no workflow is one error.
 * @param path from the root of the repository
 */
export function lintWorkflow(path: string, text: string, known: KnownActions): readonly Diagnostic[] {
  const read = readWorkflow(path, text)
  if (isDiagnostic(read)) return [read]
  const model = { ...read, known }
  // What is reached by several aliases is one finding, at the place where it is written.
  const once = new Map<string, Found>()
  for (const found of [...byGates(model), ...byHouse(model)]) {
    const key = `${found.diagnostic.code} ${found.at} ${found.diagnostic.message}`
    if (!once.has(key)) once.set(key, found)
  }
  return [...once.values()]
    .sort((a, b) => a.at - b.at || byCodeUnit(a.diagnostic.code, b.diagnostic.code))
    .map(({ diagnostic }) => diagnostic)
}

function byGates({ file, span }: LintModel): readonly Found[] {
  return sharedRules.flatMap((rule) =>
    [...rule.look(file)].map(({ at, about, detail = '', severity = rule.severity }) => ({
      at,
      diagnostic: {
        severity: levelOf(rule.id, severity),
        code: rule.id,
        message: oneLine(`${oneLine(`${about.slice(0, 1000)}${detail.slice(0, 1000)}`, 120)}: ${rule.title}`),
        where: span(at),
        hint: rule.advice,
      },
    })),
  )
}

function byHouse(model: LintModel): readonly Found[] {
  return lintRules.flatMap((rule) =>
    [...rule.look(model)].map(({ at, end, message, severity = rule.severity, hint = rule.hint }) => ({
      at,
      diagnostic: {
        severity,
        code: rule.id,
        message: oneLine(message),
        where: model.span(at, end),
        hint: oneLine(hint),
      },
    })),
  )
}
