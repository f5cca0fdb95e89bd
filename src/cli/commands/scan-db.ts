import {
  databaseFolder,
  databaseState,
  describeDatabase,
  downloadDatabase,
  findTrivy,
  isStale,
} from '../../scan/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { exitCodes } from '../exit-codes.ts'
import { trivyPin } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { loneAccess } from '../lone-gates.ts'
import type { Output } from '../output.ts'
import { onSignals } from '../signals.ts'
import { openWorkspace } from '../workspace.ts'

/** `dwf scan db status|update [--java]`: the vulnerability database of this account, shared by all repositories. */
export async function scanDatabase(
  names: readonly string[],
  options: { readonly java?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  const [action, ...more] = names
  if ((action !== 'status' && action !== 'update') || more.length > 0)
    throw failure(
      'wrong-input',
      'usage',
      `unknown action ${JSON.stringify(names.join(' '))}`,
      'dwf scan db status|update',
    )
  const workspace = await openWorkspace(globals)
  const { config, lock } = workspace
  const guarded = [config.root]
  const dir = databaseFolder(guarded)
  if (action === 'update') {
    const signals = onSignals(undefined)
    try {
      output.talk(`fetches the ${options.java ? 'Java' : 'vulnerability'} database into ${dir}`)
      const { tools } = loneAccess(workspace, globals, output, signals.signal)
      await downloadDatabase({
        trivy: await findTrivy(process.env, { guarded, pin: trivyPin(lock), tools, signal: signals.signal }),
        ...{ dir, guarded },
        ...{ env: process.env, now: Date.now, isForced: true, signal: signals.signal },
        ...(options.java ? { kind: 'java' as const } : {}),
      })
    } finally {
      signals.dispose()
    }
  }
  const state = databaseState(dir, Date.now())
  const isUsable = state.kind === 'ready' && !isStale(state)
  if (globals.json) output.json({ schema: 'dwf.scan-db/1', usable: isUsable, ...state })
  else {
    output.result(`${describeDatabase(state)}${isStale(state) ? ', too old to judge' : ''}`)
    output.result(`in ${dir}`)
    if (!isUsable) output.talk('dwf scan db update fetches it')
  }
  return isUsable ? exitCodes.ok : exitCodes['machine-cannot']
}
