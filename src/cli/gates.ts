import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { placeOf } from '../config/locate.ts'
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
import type { Workspace } from './workspace.ts'

const shippedTrivy = shippedPins.tools.find(({ name }) => name === 'trivy')!

/** The image of Trivy that devflow.lock names, where it is the repository's choice and not dwf's own: it needs trust. */
export function judgeOf(lock: Lock | undefined): string | undefined {
  const image = lock?.tools.find(({ name }) => name === 'trivy')?.image
  return image === shippedTrivy.image ? undefined : image
}

/** What may judge: what devflow.lock says, and never less than what this version of dwf asks for. */
export function trivyPin(lock: Lock | undefined): ToolPin {
  const own = lock?.tools.find(({ name }) => name === 'trivy')
  return own ? tightened(own, shippedTrivy) : shippedTrivy
}

export interface GatesOfRun extends Gates {
  /** What every summary must say: above all that the database is a small one for tests. */
  readonly remarks: () => readonly string[]
}

/** The gates of a run: policy and pins of the repository, engine and image of its place. */
export function gatesOfRun(options: {
  readonly plan: Plan
  readonly workspace: Workspace
  readonly offline: boolean
  /** What names of archives are relative to. */
  readonly cwd: string
  readonly signal: AbortSignal
  readonly note: (text: string) => void
  readonly env: NodeJS.ProcessEnv
  readonly place: Pick<Place, 'images' | 'code' | 'tools'>
}): GatesOfRun {
  const { plan, workspace, offline, cwd, signal, note, env, place } = options
  const { root } = workspace.project
  const gates = openGates({
    ...policyOf(workspace),
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
export function lonePolicy(workspace: Workspace): Pick<Gates, 'ready'> {
  return openGates(policyOf(workspace))
}

/** The policy: of the repository itself, or of the base that a change of it is judged by. */
function policyOf({ config, lock, project, policy }: Workspace) {
  const by = policy?.config ?? config
  return {
    root: project.root,
    ...(policy ? { policyRoot: policy.root } : {}),
    policy: config.scan,
    pin: trivyPin(policy ? policy.lock : lock),
    dwf: version,
    lineOfIgnore: async (index: number) => (await placeOf(by, ['scan', 'ignore', index]))?.line,
  }
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
