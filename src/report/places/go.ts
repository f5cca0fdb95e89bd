import { type FileOf, place, type Reader, type Scene } from './scene.ts'

/**
 * `    a_test.go:7: got 1, want 2` names no folder: that is in the line `FAIL  example.com/shop/pkg` after it, behind the
 * name of the module. Of a panic the first frame of the repository counts.
 */
export function go({ fileOf, found }: Scene): Reader {
  let waiting: { name: string; line: string; says: string }[] = []
  let panics: string | undefined
  return (line) => {
    const bare = /^\s+([^\s:/]+\.go):(\d+): (.+)$/.exec(line)
    if (bare) {
      if (waiting.length < 100) waiting.push({ name: bare[1]!, line: bare[2]!, says: bare[3]! })
      return true
    }
    const end = /^(FAIL|ok) {0,2}\s(\S+)\s/.exec(line)
    if (end) {
      if (end[1] === 'FAIL')
        for (const { name, line, says } of waiting) {
          const file = inPackage(end[2]!, name, fileOf)
          if (file !== undefined) found(place(file, line, undefined, 'error', [says]))
        }
      waiting = []
      return true
    }
    const panicking = /^panic: (.+)$/.exec(line)
    if (panicking) {
      panics = panicking[1]!
      return true
    }
    const frame = panics === undefined ? null : /^\t(\S+\.go):(\d+) \+0x[0-9a-f]+$/.exec(line)
    if (!frame) return false
    const file = fileOf(frame[1]!)
    if (file !== undefined) {
      found(place(file, frame[2]!, undefined, 'error', [`panic: ${panics}`]))
      panics = undefined
    }
    return true
  }
}

function inPackage(name: string, file: string, fileOf: FileOf): string | undefined {
  const parts = name.split('/').slice(0, 30)
  for (let from = 0; from <= parts.length; from++) {
    const found = fileOf([...parts.slice(from), file].join('/'))
    if (found !== undefined) return found
  }
  return undefined
}
