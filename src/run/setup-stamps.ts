import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { PlannedTask } from '../plan/types.ts'
import { hashOf } from '../util/canonical.ts'
import { hashFile } from '../util/files.ts'

/** Which setups are up to date, kept in the state folder of the project: a task cannot write there. */
export class SetupStamps {
  readonly #file: string
  readonly #root: string
  readonly #image: string
  readonly #cacheRoot: string
  readonly #stamps: Record<string, string>

  /** @param options.image fingerprint of the image, with platform: another toolchain may need another install */
  constructor(file: string, options: { readonly root: string; readonly cacheRoot: string; readonly image: string }) {
    this.#file = file
    this.#root = options.root
    this.#cacheRoot = options.cacheRoot
    this.#image = options.image
    this.#stamps = read(file)
  }

  isCurrent(task: PlannedTask): boolean {
    const outputsThere = (task.outputs ?? []).every((path) =>
      existsSync(
        path.startsWith('/cache/') ? join(this.#cacheRoot, path.slice('/cache/'.length)) : join(this.#root, path),
      ),
    )
    return outputsThere && this.#stamps[task.id] === this.#key(task)
  }

  /** Must be called before a setup runs: if it is killed half-way, what it leaves is not current. */
  clear(task: PlannedTask): void {
    delete this.#stamps[task.id]
    this.#write()
  }

  set(task: PlannedTask): void {
    this.#stamps[task.id] = this.#key(task)
    this.#write()
  }

  #key(task: PlannedTask): string {
    const locks = (task.lockFiles ?? []).map((path) => {
      return [path, hashFile(join(this.#root, path)) ?? 'absent']
    })
    return hashOf({ task: task.hash, locks, image: this.#image })
  }

  #write(): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
    const temporary = `${this.#file}.${process.pid}`
    writeFileSync(temporary, JSON.stringify(this.#stamps), { mode: 0o600 })
    renameSync(temporary, this.#file)
  }
}

function read(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // Absent or damaged: every setup runs again, which is always right.
    return {}
  }
}
