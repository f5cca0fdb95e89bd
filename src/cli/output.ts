import { writeSync } from 'node:fs'
import type { Diagnostic } from '../util/diagnostics.ts'
import type { Globals } from './globals.ts'
import { renderDiagnostic } from './render/diagnostics.ts'
import { type Style, styleFor } from './render/style.ts'

/** The two ways out: results on stdout, talk on stderr. Writes are whole and in order, also into a slow pipe. */
export interface Output {
  readonly result: (text: string) => void
  readonly talk: (text: string) => void
  readonly json: (document: { readonly schema: string } & Record<string, unknown>) => void
  readonly diagnostics: (list: readonly Diagnostic[]) => void
  readonly style: Style
  readonly talkStyle: Style
}

export function openOutput(globals: Pick<Globals, 'json' | 'quiet' | 'cwd'>): Output {
  const style = styleFor(process.stdout)
  const talkStyle = styleFor(process.stderr)
  const talk = (text: string) => write(2, `${text}\n`)
  return {
    style,
    talkStyle,
    result: (text) => write(1, `${text}\n`),
    talk: globals.quiet ? () => {} : talk,
    json: (document) => write(1, `${JSON.stringify(document, undefined, process.stdout.isTTY ? 2 : undefined)}\n`),
    diagnostics: (list) => {
      for (const diagnostic of list) {
        if (!globals.quiet || diagnostic.severity === 'error')
          talk(renderDiagnostic(diagnostic, talkStyle, globals.cwd))
      }
    },
  }
}

function write(file: 1 | 2, text: string): void {
  const bytes = Buffer.from(text, 'utf8')
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(file, bytes, done)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // The reader went away (`dwf … | head`): what it wanted it has.
      if (code === 'EPIPE') return
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}
