import type { FailureKind } from '../util/diagnostics.ts'

export const exitCodes = {
  ok: 0,
  failed: 1,
  'wrong-input': 2,
  'machine-cannot': 3,
  refused: 4,
  drift: 5,
  deadline: 124,
  interrupted: 130,
} as const satisfies Record<FailureKind | 'ok', number>

export const exitCodeHelp = `Exit codes
  0      it worked
  1      a task failed (also by its own timeout) or a gate refused
  2      wrong input: usage, configuration
  3      this machine cannot: no engine, no scanner, no space, no network
  4      refused by policy: not trusted, running as root, would overwrite
  5      drift: generated files differ from what dwf would write
  124    the deadline of the run ended it
  128+n  a signal ended it (130 for Ctrl-C)
With several: signal, then 124, 4, 3, 1.`
