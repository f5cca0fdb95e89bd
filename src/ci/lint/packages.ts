import { get, textOf, type YamlText } from '../../scan/rules/yaml.ts'
import { oneLine } from '../../scan/text.ts'
import { placesOfScript } from '../reading/script-places.ts'
import { commandsOf } from '../reading/shell.ts'
import { downloadsOf, imagesMade } from './downloads.ts'
import type { LintModel, LintRule, Seen } from './types.ts'

export const packageRules: readonly LintRule[] = [
  {
    id: 'DWF-CI-019',
    severity: 'error',
    title: 'Scripts bring in nothing that no lock fixes',
    hint: 'fix it by a lock file, a checksum or a digest',
    look: (model) => scriptsOf(model).flatMap(({ script, about, made }) => look(model, script, about, made)),
  },
]

/** Each script once, however many steps are an alias of it. */
function scriptsOf({ file }: LintModel) {
  const seen = new Set<YamlText>()
  return file.jobs.flatMap((job) => {
    const scripts = job.steps.flatMap(({ run }) => (run && !seen.has(run) ? [run] : []))
    const built = job.steps.flatMap((step) => (textOf(get(step.with, 'tags')) ?? '').split(/[\s,]+/))
    const texts = scripts.filter((run) => !seen.has(run) && seen.add(run))
    const made = new Set([...built, ...texts.flatMap((run) => imagesMade(commandsOf(run.text)))])
    return texts.map((script) => ({ script, about: `jobs.${job.id}`, made }))
  })
}

function look(model: LintModel, script: YamlText, about: string, made: ReadonlySet<string>): readonly Seen[] {
  const place = placesOfScript(model.text, script)
  return downloadsOf(commandsOf(script.text), made).map(({ command, what, hint, isUnsure }) => ({
    at: place(command.at),
    end: place(Math.max(command.at, command.end - 1)) + 1,
    message: `${about}: ${oneLine(what, 160)}`,
    hint,
    ...(isUnsure ? { severity: 'warning' as const } : {}),
  }))
}
