import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export interface InlineIgnore {
  readonly file: string
  readonly line: number
}

/** Files in which Trivy 0.76 looks for misconfigurations, by name. */
const candidates =
  /(^|\/)(dockerfile|containerfile)(\.[^/]*)?$|\.(dockerfile|containerfile|tf|tofu|tfvars|hcl|json|ya?ml|tpl|template|toml|j2)$/i

/** No configuration is larger; a larger file is not copied. */
const sizeLimit = 8 * 1024 * 1024

/**
 * `trivy:ignore:ID` and `tfsec:ignore:ID`, also behind other sections such as `trivy:exp:2030-01-01:ignore:ID`. Trivy
 * splits a line at blanks and looks at the start of each word (pkg/iac/ignore/parse.go, 0.76); this takes them anywhere.
 */
const pattern = /(trivy|tfsec):(?=[^ \n]*ignore)/g

/**
 * The comments with which a file would take itself out of the judgement. Trivy has no option against them and does not
 * report what they hid, and a change that is judged must not bring its own acquittal.
 */
export function findInlineIgnores(root: string, files: readonly string[]): readonly InlineIgnore[] {
  const found: InlineIgnore[] = []
  for (const file of files) {
    if (!candidates.test(file)) continue
    const text = read(join(root, file))
    if (text === undefined) continue
    let line = 1
    let from = 0
    for (const match of text.matchAll(pattern)) {
      for (let at = text.indexOf('\n', from); at >= 0 && at < match.index; at = text.indexOf('\n', at + 1)) {
        line++
        from = at + 1
      }
      found.push({ file, line })
    }
  }
  return found
}

/**
 * A copy of the repository at `to` in which the comments mean nothing: one character of each is replaced, so that lines
 * and columns stay. Other files come along as they are, since configuration refers to them.
 */
export function copyWithoutIgnores(root: string, files: readonly string[], to: string): void {
  for (const file of files) {
    const source = join(root, file)
    const target = join(to, file)
    const stat = lstatSync(source, { throwIfNoEntry: false })
    if (!stat?.isFile() || stat.size > sizeLimit) continue
    mkdirSync(dirname(target), { recursive: true })
    const text = candidates.test(file) ? read(source) : undefined
    if (text === undefined) copyFileSync(source, target, constants.COPYFILE_FICLONE)
    else writeFileSync(target, text.replace(pattern, '$1_'), 'latin1')
  }
}

/** Bytes as characters: whatever the file's encoding, writing them back changes nothing else. */
function read(path: string): string | undefined {
  // It may have become a link or a FIFO since it was listed.
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    return stat.isFile() && stat.size <= sizeLimit ? readFileSync(file, 'latin1') : undefined
  } finally {
    closeSync(file)
  }
}
