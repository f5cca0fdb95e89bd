import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf } from '../util/canonical.ts'
import { writeAtomic } from '../util/files.ts'
import { privateFolder } from '../util/paths.ts'

/** How many results are kept of one project: a few branches of all layers. */
const limit = 48

/** What a scanner found, kept by everything that decides it: never a verdict, since policy and day are looked at anew. */
export interface KeptResults<T> {
  readonly get: (key: string) => Promise<T | undefined>
  readonly put: (key: string, value: T) => Promise<void>
}

/** The key of a result: contents, scanner, database, dwf, and what the scanner was told. */
export const resultKey = (parts: readonly unknown[]): string => hashOf(['dwf.result/1', ...parts])

/**
 * Results kept in a folder of the state folder, which no task can write. One that cannot be read, or names another key,
 * is none.
 * @param isBelieved false where somebody else may write the folder: then nothing is read and nothing kept
 */
export function keptResults<T extends object>(folder: string, isBelieved: () => Promise<boolean>): KeptResults<T> {
  const fileOf = (key: string) => join(folder, `${key}.json`)
  return {
    async get(key) {
      if (!(await isBelieved())) return undefined
      try {
        const value = JSON.parse(readFileSync(fileOf(key), 'utf8'))
        if (value?.schema !== 'dwf.result/1' || value.key !== key) return undefined
        const now = new Date()
        utimesSync(fileOf(key), now, now)
        return value.result as T
      } catch {
        return undefined
      }
    },
    async put(key, result) {
      if (!(await isBelieved())) return
      try {
        privateFolder(folder)
        writeAtomic(fileOf(key), JSON.stringify({ schema: 'dwf.result/1', key, result }), 0o600)
        forget(folder)
      } catch {
        // A full disk: it is scanned again next time.
      }
    },
  }
}

function forget(folder: string): void {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  if (files.length <= limit) return
  const aged = files.map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs })).sort((a, b) => b.at - a.at)
  for (const { name } of aged.slice(limit)) rmSync(join(folder, name), { force: true })
}
