import type { Lock, LockOptions } from '../../pins/index.ts'
import type { PinOptions } from '../commands/pin.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'

/** What each action of `dwf pin` works on. */
export interface PinWork {
  readonly lock: Lock
  readonly root: string
  readonly wanted: LockOptions
  readonly options: PinOptions
  readonly globals: Globals
  readonly output: Output
}
