import * as yaml from 'yaml'
import { placesOf } from '../../scan/rules/places.ts'
import { Unreadable } from '../../scan/rules/types.ts'
import { type WorkflowFile, workflowFile } from '../../scan/rules/workflow-model.ts'
import { readYamlWith } from '../../scan/rules/yaml.ts'
import { oneLine } from '../../scan/text.ts'
import type { Diagnostic, Span } from '../../util/diagnostics.ts'
import { type Comment, commentsOf } from './comments.ts'
import { spansOf } from './spans.ts'

/** A workflow with everything that rules ask about its text. */
export interface WorkflowText {
  readonly path: string
  readonly text: string
  readonly file: WorkflowFile
  /** From 1. */
  readonly lineOf: (at: number) => number
  readonly comments: ReadonlyMap<number, Comment>
  readonly span: (at: number, end?: number) => Span
}

/** A text that is no workflow is a diagnostic. */
export function readWorkflow(path: string, text: string): WorkflowText | Diagnostic {
  const span = spansOf(path, text)
  try {
    const documents = readYamlWith(yaml, text)
    const [root, second] = documents
    if (!root) throw new Unreadable('it is empty', 0)
    if (second) throw new Unreadable('it holds more than one document', second.at)
    const file = workflowFile(text, root, 'workflow')!
    const places = placesOf(text)
    return { path, text, file, lineOf: (at) => places(at).line, comments: commentsOf(text), span }
  } catch (error) {
    // No room left on the stack is the one way in which a text can break what reads it.
    const why = error instanceof RangeError ? new Unreadable('it is nested too deep', 0) : error
    if (!(why instanceof Unreadable)) throw error
    return {
      severity: 'error',
      code: 'DWF-ACTIONS-000',
      message: oneLine(`cannot be read: ${why.message}`),
      where: span(Math.min(why.at, text.length)),
      hint: 'correct it, or write it in a simpler way',
    }
  }
}

export function isDiagnostic(one: WorkflowText | Diagnostic): one is Diagnostic {
  return 'code' in one
}
