import type { Diagnostic } from '../util/diagnostics.ts'
import { printableJson } from '../util/text.ts'
import type { Globals } from './globals.ts'
import { Pipe } from './pipe.ts'
import { renderDiagnostic } from './render/diagnostics.ts'
import { type Style, styleFor } from './render/style.ts'
import { isWorkflowLog, jsonWithoutCommands, withoutCommands } from './render/workflow-log.ts'

/** The two ways out: results on stdout, talk on stderr. Writes are whole and in order, also into a slow pipe. */
export interface Output {
  readonly result: (text: string) => void
  readonly talk: (text: string) => void
  /** A command to GitHub Actions: said whatever is quiet. */
  readonly command: (line: string) => void
  readonly json: (document: { readonly schema: string } & Record<string, unknown>) => void
  readonly diagnostics: (list: readonly Diagnostic[]) => void
  readonly style: Style
  readonly talkStyle: Style
}

export function openOutput(globals: Pick<Globals, 'json' | 'quiet' | 'cwd'>): Output {
  const style = styleFor(process.stdout)
  const talkStyle = styleFor(process.stderr)
  // In a workflow's log some lines are commands to the runner: only `command` may say one.
  const [plain, plainJson] = isWorkflowLog(process.env)
    ? [withoutCommands, jsonWithoutCommands]
    : [(text: string) => text, (text: string) => text]
  const talk = (text: string) => write(2, `${plain(text)}\n`)
  return {
    style,
    talkStyle,
    result: (text) => write(1, `${plain(text)}\n`),
    talk: globals.quiet ? () => {} : talk,
    command: (line) => write(2, `${line}\n`),
    json: (document) =>
      write(
        1,
        `${plainJson(printableJson(JSON.stringify(document, undefined, process.stdout.isTTY ? 2 : undefined)))}\n`,
      ),
    diagnostics: (list) => {
      for (const diagnostic of list) {
        if (!globals.quiet || diagnostic.severity === 'error')
          talk(renderDiagnostic(diagnostic, talkStyle, globals.cwd))
      }
    },
  }
}

const pipes = { 1: new Pipe(1), 2: new Pipe(2) } as const

const write = (file: 1 | 2, text: string): void => pipes[file].write(text)

/** While a reader of dwf's output does not keep up: resolves when it has caught up. */
export const outputPressure = (): Promise<void> | undefined => pipes[1].pressure() ?? pipes[2].pressure()
