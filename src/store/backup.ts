import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { failure } from '../util/diagnostics.ts'
import { newFile } from '../util/new-file.ts'

/**
 * Copies the database as it is at one moment into a new file of mode 0600, also while runs are written, and looks at
 * every page of the copy.
 * @throws Failure('refused') when the file is there, 'machine-cannot' when the copy is damaged
 */
export function backupDatabase(database: DatabaseSync, file: string): Promise<{ readonly bytes: number }> {
  return newFile(file, (temporary) => {
    database.prepare('VACUUM INTO ?').run(temporary)
    checkCopy(database, temporary)
    return { bytes: statSync(temporary).size }
  })
}

export function checkCopy(database: DatabaseSync, copy: string): void {
  const damaged = (why: string) =>
    failure('machine-cannot', 'damaged-copy', `the copy is damaged: ${why}`, 'dwf health looks at the store')
  database.prepare('ATTACH ? AS copy').run(copy)
  try {
    const [{ integrity_check: says }] = database.prepare('PRAGMA copy.integrity_check(1)').all() as unknown as [
      { integrity_check: string },
    ]
    if (says !== 'ok') throw damaged(says)
    const orphans = database.prepare('PRAGMA copy.foreign_key_check').all()
    if (orphans.length > 0) throw damaged('it has rows that belong to no run')
  } catch (error) {
    const { code, errcode, message } = error as { code?: string; errcode?: number; message: string }
    throw code === 'ERR_SQLITE_ERROR' && [11, 26].includes((errcode ?? 0) & 0xff) ? damaged(message) : error
  } finally {
    database.exec('DETACH copy')
  }
}
