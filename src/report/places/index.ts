import { go } from './go.ts'
import { kotlin, maven } from './jvm.ts'
import { plain } from './plain.ts'
import { pytest, python } from './python.ts'
import { diff, panic, rust } from './rust.ts'
import type { FileOf, Level, Scene, TaskPlace } from './scene.ts'
import { javascript } from './stack.ts'
import { biome, brackets, eslint } from './typescript.ts'

export type { FileOf, TaskPlace } from './scene.ts'

/** In the order in which they are asked. */
const shapes = [python, pytest, rust, panic, javascript, go, eslint, biome, brackets, maven, kotlin, diff, plain]

/** Longer lines are cut: no tool writes a place beyond. */
const longest = 2000

/** Files that nobody of this repository wrote: what is wrong there is wrong where it is called from. */
const foreign = /(^|\/)(node_modules|site-packages|\.venv|venv|\.cache|\.git)\//

/**
 * The places that the output of compilers, linters and test runners names, each once: errors first, then what has no level,
 * in the order of the output. Warnings only where there is nothing else, since what they are about failed nothing.
 */
export function placesIn(lines: readonly string[], fileOf: FileOf): readonly TaskPlace[] {
  const found = new Map<string, TaskPlace>()
  const known = new Map<string, string | undefined>()
  const inRepository = (written: string) => {
    if (!known.has(written)) {
      const file = written.length > 1000 ? undefined : fileOf(written)
      known.set(written, file === undefined || foreign.test(file) ? undefined : file)
    }
    return known.get(written)
  }
  const all = lines.map((line) => line.slice(0, longest))
  const scene: Scene = {
    fileOf: inRepository,
    lines: all,
    found: ({ file, line, column, ...rest }) => {
      const isPlace = line >= 1 && line <= 10_000_000
      const key = JSON.stringify([file, line, column])
      const before = found.get(key)
      if (!isPlace || (before && (before.level !== 'warning' || rest.level === 'warning'))) return
      found.set(key, { file, line, ...(column !== undefined && column >= 1 ? { column } : {}), ...rest })
    },
  }
  const readers = shapes.map((make) => make(scene))
  for (const [index, line] of all.entries()) readers.some((read) => read(line, index))
  const places = [...found.values()]
  const of = (level: Level) => places.filter((place) => place.level === level)
  const graver = [...of('error'), ...of('unknown')]
  return graver.length > 0 ? graver : of('warning')
}
