import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import sqlite from 'node:sqlite'

/**
 * Loaded before dwf (`node --import`): every write of dwf gets a failpoint before it and one after it, by name. It
 * changes no line of dwf, so no write can be forgotten: `test/crash/writes.test.ts` holds the list below against what
 * src/ imports.
 *
 * DWF_FAILPOINTS_TO=FILE  notes the name of each write, a line each
 * DWF_FAILPOINT=NAME      kills dwf with SIGKILL there: `before rename setup.json#1`
 */
export const writes = [
  'appendFileSync',
  'chmodSync',
  'copyFileSync',
  'fchmodSync',
  'ftruncateSync',
  'linkSync',
  'mkdirSync',
  'mkdtempSync',
  'openSync',
  'renameSync',
  'rmSync',
  'rmdirSync',
  'symlinkSync',
  'utimesSync',
  'writeFileSync',
  'writeSync',
] as const

const { DWF_FAILPOINT: killAt, DWF_FAILPOINTS_TO: noteTo } = process.env
const note = noteTo ? fs.openSync(noteTo, 'a') : undefined
const { writeSync } = fs
const counts = new Map<string, number>()
/** Paths of open files. */
const opened = new Map<number, string>()

/** The write between its two failpoints. */
function between<T>(name: string, write: () => T): T {
  const count = (counts.get(name) ?? 0) + 1
  counts.set(name, count)
  const point = `${name}#${count}`
  if (note !== undefined) writeSync(note, `${point}\n`)
  if (killAt === `before ${point}`) process.kill(process.pid, 'SIGKILL')
  const result = write()
  if (killAt === `after ${point}`) process.kill(process.pid, 'SIGKILL')
  return result
}

/** The same name in every run, whatever chance put into the path. */
function named(path: unknown): string {
  return String(path)
    .split('/')
    .slice(-2)
    .join('/')
    .replace(/\d{14}-[0-9a-f]{6}/g, 'RUN')
    .replace(/\b[0-9a-f]{16,64}\b/g, 'HASH')
    .replace(/\d+\.[a-z0-9]{6}$/, 'N')
    .replace(/-[A-Za-z0-9]{6}\b/g, '-N')
    .replace(/\.\d+$/, '.N')
}

/** Node's own cache of compiled code, and what is not kept: no state of dwf. */
const isState = (path: unknown): boolean => typeof path === 'string' && !/compile-cache/.test(path)
const isWriting = (flags: unknown): boolean =>
  typeof flags === 'number'
    ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
    : /[wa+]/.test(String(flags ?? 'r'))

const real = fs as unknown as Record<string, (...words: unknown[]) => unknown>
for (const name of writes) {
  const original = real[name]!
  real[name] = (...words: unknown[]) => {
    const [target, second] = words
    if (name === 'openSync') {
      if (!isWriting(second) || !isState(target)) return original(...words)
      const file = between(`open ${named(target)}`, () => original(...words)) as number
      opened.set(file, String(target))
      return file
    }
    if (typeof target === 'number') {
      const path = opened.get(target)
      return path === undefined
        ? original(...words)
        : between(`${short(name)} ${named(path)}`, () => original(...words))
    }
    return isState(target) ? between(`${short(name)} ${named(target)}`, () => original(...words)) : original(...words)
  }
}
syncBuiltinESMExports()

function short(name: string): string {
  return name.replace(/Sync$/, '')
}

const { exec, prepare } = sqlite.DatabaseSync.prototype
sqlite.DatabaseSync.prototype.exec = function (sql) {
  return /^(COMMIT|VACUUM|PRAGMA journal_mode)/.test(sql)
    ? between(`sql ${sql.split(' ').slice(0, 2).join(' ')}`, () => exec.call(this, sql))
    : exec.call(this, sql)
}
sqlite.DatabaseSync.prototype.prepare = function (sql, ...more) {
  const statement = prepare.call(this, sql, ...more)
  const { run } = statement
  statement.run = (...values) =>
    this.isTransaction
      ? run.apply(statement, values as never)
      : between(`sql ${sql.trim().split(/\s+/).slice(0, 2).join(' ')}`, () => run.apply(statement, values as never))
  return statement
}
