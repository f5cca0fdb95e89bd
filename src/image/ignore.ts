import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { globTest } from '../util/glob.ts'

export interface IgnoreRules {
  /** Names of the ignore files that were read. */
  readonly files: readonly string[]
  /** True when no builder would send this path. */
  readonly isIgnored: (path: string) => boolean
  /** True when nothing below this folder can be sent either. */
  readonly isClosed: (folder: string) => boolean
}

/**
 * The ignore files of a context. Builders differ in which one they take (BuildKit `<Dockerfile>.dockerignore`, Podman
 * `.containerignore`, both else `.dockerignore`): only what all of them leave out counts as left out.
 */
export function readIgnore(root: string, dockerfile: string): IgnoreRules {
  const names = ['.containerignore', '.dockerignore', `${dockerfile}.dockerignore`].filter((name) =>
    existsSync(join(root, name)),
  )
  const rules = names.map((name) => parseIgnore(readFileSync(join(root, name), 'utf8')))
  const all = (test: (rule: IgnoreRule) => boolean): boolean => rules.length > 0 && rules.every(test)
  return {
    files: names,
    isIgnored: (path) => all((rule) => rule.isIgnored(path)),
    isClosed: (folder) => all((rule) => !rule.hasExceptions && rule.isIgnored(folder)),
  }
}

export interface IgnoreRule {
  readonly isIgnored: (path: string) => boolean
  readonly hasExceptions: boolean
}

/** The last pattern that names the path or a folder above it decides; `!` brings it back. */
export function parseIgnore(text: string): IgnoreRule {
  const patterns = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const isException = line.startsWith('!')
      const parts = line
        .slice(isException ? 1 : 0)
        .trim()
        .split('/')
      return { isException, test: globTest(parts.filter((part) => part !== '' && part !== '.').join('/')) }
    })
  return {
    hasExceptions: patterns.some((pattern) => pattern.isException),
    isIgnored(path) {
      const parts = path.split('/')
      const chain = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
      let isIgnored = false
      for (const { isException, test } of patterns) {
        if (isIgnored === isException && chain.some(test)) isIgnored = !isException
      }
      return isIgnored
    },
  }
}
