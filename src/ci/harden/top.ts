import { type Addition, addToFlow, blockLines, plainOf } from './additions.ts'
import type { Edit, HardenModel, Step } from './types.ts'

/** Entries of the workflow itself, before its jobs and what is said above them. */
export function addAtTop(model: HardenModel, additions: readonly Addition[]): readonly Step[] {
  const { root } = model.file
  const map = model.layout.mapAt(root.at)
  const { at } = root.entries.get('jobs')!
  return additions.map((addition) => ({
    kind: 'change',
    at,
    change: {
      code: addition.key === 'permissions' ? 'top-permissions' : 'concurrency',
      message:
        addition.key === 'permissions'
          ? 'permissions: {} for the workflow as a whole'
          : 'concurrency: one run for each workflow and ref',
    },
    edits: [map.flow ? addToFlow(model, map, addition) : beforeJobs(model, at, addition)],
    means: [{ map: root.at, key: addition.key, value: plainOf(addition) }],
  }))
}

function beforeJobs(model: HardenModel, jobs: number, addition: Addition): Edit {
  const { text, layout } = model
  const at = startOfJobs(model, jobs)
  const isSpaced = /\n[ \t]*\r?\n$/.test(text.slice(Math.max(0, at - 200), at))
  const lines = blockLines(addition, layout.columnOf(jobs), layout.unit).map((line) => `${line}${layout.eol}`)
  return { at, remove: 0, insert: `${lines.join('')}${isSpaced ? layout.eol : ''}` }
}

/** With the comment right above it, unless that begins the file and is about all of it. */
function startOfJobs({ layout, lineOf, comments }: HardenModel, jobs: number): number {
  const own = layout.lineStart(jobs)
  let at = own
  for (let line = lineOf(jobs) - 1; ; line--) {
    const comment = comments.get(line)
    if (line < 1) return own
    if (!comment?.isAlone || layout.columnOf(comment.at) !== layout.columnOf(jobs)) return at
    at = layout.lineStart(comment.at)
  }
}
