import type { GeneratedFile } from '../../ci/index.ts'
import { integrityParts, type Lock, type PackagePin } from '../../pins/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { version } from '../version.ts'

const usual = 'https://registry.npmjs.org/'
const timeoutMs = 30_000

/**
 * The package lock that jobs install dwf by: `npm ci` takes nothing but the archive with this hash.
 * @throws Failure('machine-cannot') where this version is not published, or its registry gives no hash
 */
export async function fromNpm(
  lock: Pick<Lock, 'packages'>,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly pin: PackagePin; readonly files: readonly GeneratedFile[] }> {
  const known = lock.packages.find(
    (pin) => pin.tool === 'dwf' && pin.version === version && pin.integrity !== undefined,
  )
  const pin: PackagePin = known ?? {
    tool: 'dwf',
    registry: 'npm',
    name: 'dwf',
    version,
    integrity: await publishedIntegrity(env),
  }
  const json = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`
  const manifest = { name: 'dwf-of-this-repository', private: true, dependencies: { dwf: version } }
  const { private: isPrivate, ...root } = manifest
  return {
    pin,
    files: [
      { path: '.github/dwf/package.json', content: json(manifest) },
      {
        path: '.github/dwf/package-lock.json',
        content: json({
          name: root.name,
          lockfileVersion: 3,
          requires: true,
          packages: {
            '': { name: root.name, dependencies: root.dependencies },
            // npm fills in the registry that it is told to use: the hash is what holds.
            'node_modules/dwf': { version, resolved: `${usual}dwf/-/dwf-${version}.tgz`, integrity: pin.integrity },
          },
        }),
      },
    ],
  }
}

async function publishedIntegrity(env: NodeJS.ProcessEnv): Promise<string> {
  const { registry, authorization } = registryOf(env)
  const cannot = (why: string) =>
    failure(
      'machine-cannot',
      'not-published',
      `dwf ${version} cannot be pinned by npm: ${why}`,
      'install = "vendored" under [ci] keeps dwf in the repository',
    )
  let answer: Response
  try {
    answer = await fetch(`${registry}dwf/${version}`, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
      ...(authorization ? { headers: { authorization } } : {}),
    })
  } catch (error) {
    throw cannot(`${registry} does not answer: ${(error as Error).message}`)
  }
  if (!answer.ok) throw cannot(`${registry} answers ${answer.status}: it is not published there`)
  const manifest = (await answer.json().catch(() => undefined)) as { dist?: { integrity?: unknown } } | undefined
  const integrity = manifest?.dist?.integrity
  if (typeof integrity !== 'string' || !integrityParts(integrity)) throw cannot(`${registry} gives no hash of it`)
  return integrity
}

/** Companies have registries whose address holds a password: it goes into a header, and into no message. */
function registryOf(env: NodeJS.ProcessEnv): { readonly registry: string; readonly authorization?: string } {
  const url = URL.parse((env.npm_config_registry || usual).replace(/\/*$/, '/'))
  if (!url) throw failure('wrong-input', 'no-registry', 'npm_config_registry is no address', `it is usually ${usual}`)
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return { registry: url.href }
  const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { registry: url.href, authorization: `Basic ${Buffer.from(words).toString('base64')}` }
}
