import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { placeOf } from '../config/locate.ts'
import type { Config } from '../config/types.ts'
import type { Finding } from '../engine/doctor.ts'
import { type Lock, shippedPins, type ToolPin, tightened } from '../pins/index.ts'
import type { Plan } from '../plan/types.ts'
import {
  databaseFolder,
  databaseState,
  describeDatabase,
  findTrivy,
  type Gates,
  isStale,
  openGates,
} from '../scan/index.ts'
import { Failure } from '../util/diagnostics.ts'
import type { Place } from './place.ts'
import { version } from './version.ts'

/** The image of Trivy that devflow.lock names: the repository's choice, which needs trust. */
export const judgeOf = (lock: Lock | undefined): string | undefined =>
  lock?.tools.find(({ name }) => name === 'trivy')?.image

/** What may judge: what devflow.lock says, and never less than what this version of dwf asks for. */
export function trivyPin(lock: Lock | undefined): ToolPin {
  const shipped = shippedPins.tools.find(({ name }) => name === 'trivy')!
  const own = lock?.tools.find(({ name }) => name === 'trivy')
  return own ? tightened(own, shipped) : shipped
}

export interface GatesOfRun extends Gates {
  /** What every summary must say: above all that the database is a small one for tests. */
  readonly remarks: () => readonly string[]
}

/** The gates of a run: policy and pins of the repository, engine and image of its place. */
export function gatesOfRun(options: {
  readonly plan: Plan
  readonly config: Config
  readonly root: string
  readonly lock: Lock | undefined
  readonly offline: boolean
  /** What names of archives are relative to. */
  readonly cwd: string
  readonly signal: AbortSignal
  readonly note: (text: string) => void
  readonly env: NodeJS.ProcessEnv
  readonly place: Pick<Place, 'images' | 'code' | 'tools'>
}): GatesOfRun {
  const { plan, config, root, lock, offline, cwd, signal, note, env, place } = options
  const gates = openGates({
    root,
    policy: config.scan,
    pin: trivyPin(lock),
    dwf: version,
    lineOfIgnore: async (index) => (await placeOf(config, ['scan', 'ignore', index]))?.line,
    env,
    offline,
    cwd,
    signal,
    note,
    images: place.images,
    code: place.code,
    tools: place.tools,
  })
  return {
    ...gates,
    remarks: () => {
      if (!plan.tasks.some((task) => task.layer === 'deps' || task.layer === 'image')) return []
      const database = databaseState(databaseFolder([root], env), Date.now())
      return [
        ...(database.kind === 'ready' && database.test ? [describeDatabase(database)] : []),
        ...(offline ? ['--offline: the age of the vulnerability database was accepted'] : []),
      ]
    },
  }
}

/** What the policy of a repository is made of, to be read without judging anything. */
export function lonePolicy(config: Config, lock: Lock | undefined): Pick<Gates, 'ready'> {
  return openGates({ root: config.root, policy: config.scan, pin: trivyPin(lock), dwf: version })
}

/** The scanner and its database, for doctor. */
export async function examineScanner(env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  // The repository of the working directory, wherever in it that is: what lies in it is not run.
  const guarded = [enclosingRoot(process.cwd())]
  const findings: Finding[] = []
  try {
    const found = await findTrivy(env, { guarded, pin: trivyPin(undefined) })
    findings.push({ check: 'trivy', state: 'ok', says: `${found.version}, ${found.place}` })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { message, hint } = error.diagnostics[0]!
    findings.push({ check: 'trivy', state: 'fault', says: message, ...(hint ? { fix: hint } : {}) })
  }
  const database = databaseState(databaseFolder(guarded, env), Date.now())
  const usable = database.kind === 'ready' && !isStale(database)
  findings.push({
    check: 'vulnerability database',
    state: usable ? (database.test ? 'warning' : 'ok') : 'warning',
    says: describeDatabase(database),
    ...(usable ? {} : { fix: 'the next scan:deps fetches it, where there is network' }),
  })
  return findings
}

function enclosingRoot(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git')) || existsSync(join(folder, 'devflow.toml'))) return folder
    if (dirname(folder) === folder) return cwd
  }
}
