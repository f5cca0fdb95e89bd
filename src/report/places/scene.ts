/** A path as a task wrote it → that of a file of the repository, from its root; undefined where there is none. */
export type FileOf = (written: string) => string | undefined

export type Level = 'error' | 'unknown' | 'warning'

/** A place in the repository that the output of a task names. */
export interface TaskPlace {
  readonly file: string
  readonly line: number
  readonly column?: number
  readonly level: Level
  /** Lines. */
  readonly message: readonly string[]
}

export interface Scene {
  readonly fileOf: FileOf
  readonly lines: readonly string[]
  readonly found: (place: TaskPlace) => void
}

/** Takes a line of the output; true where it was of its shape, and no other has to look at it. */
export type Reader = (line: string, index: number) => boolean

export const levelOf = (word: string | undefined): Level =>
  /^(fatal |internal compiler )?error$|^e$/i.test(word ?? '')
    ? 'error'
    : /^warn(ing)?$|^w$/i.test(word ?? '')
      ? 'warning'
      : 'unknown'

export const place = (
  file: string,
  line: string,
  column: string | undefined,
  level: Level,
  message: readonly string[],
): TaskPlace => ({ file, line: Number(line), ...(column ? { column: Number(column) } : {}), level, message })
