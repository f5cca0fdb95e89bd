import type { Config } from '../config/types.ts'
import type { Finding } from '../engine/doctor.ts'
import { type Lock, shippedPins } from '../pins/index.ts'
import type { Plan } from '../plan/types.ts'
import type { GateRunner } from '../run/types.ts'
import { databaseFolder, databaseState, describeDatabase, findTrivy, gateRunner, isStale } from '../scan/index.ts'
import { Failure } from '../util/diagnostics.ts'

export interface Gates {
  readonly run: GateRunner
  /** What every summary must say: above all that the database is a small one for tests. */
  readonly remarks: () => readonly string[]
}

const trivyPin = (lock: Lock | undefined) =>
  (lock?.tools ?? shippedPins.tools).find(({ name }) => name === 'trivy') ??
  shippedPins.tools.find(({ name }) => name === 'trivy')!

export function openGates(options: {
  readonly plan: Plan
  readonly config: Config
  readonly root: string
  readonly lock: Lock | undefined
  readonly offline: boolean
  readonly env: NodeJS.ProcessEnv
}): Gates {
  const { plan, config, root, lock, offline, env } = options
  return {
    run: gateRunner({ root, severity: config.scan.severity, pin: trivyPin(lock), env, offline }),
    remarks: () => {
      if (!plan.tasks.some((task) => task.layer === 'deps')) return []
      const database = databaseState(databaseFolder(root, env), Date.now())
      return [
        ...(database.kind === 'ready' && database.test ? [describeDatabase(database)] : []),
        ...(offline ? ['--offline: the age of the vulnerability database was accepted'] : []),
      ]
    },
  }
}

/** The scanner and its database, for doctor. */
export async function examineScanner(env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const root = process.cwd()
  const findings: Finding[] = []
  try {
    const { path, version } = await findTrivy(env, { root, pin: trivyPin(undefined) })
    findings.push({ check: 'trivy', state: 'ok', says: `${version}, ${path}` })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { message, hint } = error.diagnostics[0]!
    findings.push({ check: 'trivy', state: 'fault', says: message, ...(hint ? { fix: hint } : {}) })
  }
  const database = databaseState(databaseFolder(root, env), Date.now())
  const usable = database.kind === 'ready' && !isStale(database)
  findings.push({
    check: 'vulnerability database',
    state: usable ? (database.test ? 'warning' : 'ok') : 'warning',
    says: describeDatabase(database),
    ...(usable ? {} : { fix: 'the next scan:deps fetches it, where there is network' }),
  })
  return findings
}
