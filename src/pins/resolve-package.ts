import valid from 'semver/functions/valid.js'
import type { ToolchainRequest } from '../project/types.ts'
import type { ToolchainRecipe } from '../stacks/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'
import { isFor, type Outcome, type PinSource } from './candidates.ts'
import { integrityOf, integrityParts } from './lock-shape.ts'
import { newest } from './order.ts'
import { noPin, note, problem } from './resolve-words.ts'
import type { PackagePin } from './types.ts'

/**
 * A tool of the npm registry or of PyPI: exactly the version that the repository names, whether it is pinned or not
 * (the name itself is the pin), else the newest pin that satisfies the requests.
 */
export function resolvePackage(
  recipe: ToolchainRecipe,
  requests: readonly ToolchainRequest[],
  sources: readonly PinSource[],
): Outcome {
  const { tool } = recipe
  const known = sources
    .map((source) => newest(source.packages.filter((pin) => pin.tool === tool && isFor(pin.version, requests))))
    .find((pin) => pin !== undefined)
  const exact = requests.find((request) => valid(request.range) !== null)
  const named = exact && isFor(exact.range, requests) ? namedPin(recipe, valid(exact.range)!) : undefined
  const pin = known ?? named
  if (!pin) return { diagnostics: [noPin(recipe, requests, sources)] }
  const checked = withIntegrity(pin, requests)
  return {
    toolchain: { tool, from: 'package', version: pin.version, recipe, requests, pin: checked.pin },
    diagnostics: checked.diagnostics,
  }
}

function namedPin(recipe: ToolchainRecipe, version: string): PackagePin {
  const { tool, npm, pypi } = recipe
  return npm === undefined
    ? { tool, registry: 'pypi', name: pypi!, version }
    : { tool, registry: 'npm', name: npm, version }
}

/** Brings the hash that the repository pins together with the one of the lock. */
function withIntegrity(
  pin: PackagePin,
  requests: readonly ToolchainRequest[],
): { pin: PackagePin; diagnostics: readonly Diagnostic[] } {
  const request = requests.find((one) => one.integrity !== undefined)
  if (!request?.integrity) return { pin, diagnostics: pin.integrity ? [] : [unchecked(pin, requests[0])] }
  if (pin.name === '@yarnpkg/cli-dist') {
    // Corepack hashes the file that repo.yarnpkg.com serves, which differs from the one in the package (seen with 4.9.1).
    const message = `the hash in packageManager is of Yarn's own download; dwf installs ${pin.name} from the npm registry and cannot check it`
    return { pin, diagnostics: [note('hash-not-checked', message, request)] }
  }
  const integrity = integrityOf(request.integrity)
  if (integrity === undefined) {
    const message = `the hash of ${pin.name} is none that dwf can check`
    return {
      pin,
      diagnostics: [
        problem('bad-hash', message, request, 'write sha512 and 128 hexadecimal digits, as "corepack use" does'),
      ],
    }
  }
  const isSameKind = pin.integrity && integrityParts(pin.integrity)?.algorithm === integrityParts(integrity)?.algorithm
  if (isSameKind && pin.integrity !== integrity) {
    const message = `the hash of ${pin.name} ${pin.version} is another one than in devflow.lock`
    return {
      pin,
      diagnostics: [
        problem('hash-differs', message, request, 'find out which of the two is right before you change either'),
      ],
    }
  }
  return { pin: { ...pin, integrity }, diagnostics: [] }
}

function unchecked(pin: PackagePin, request: ToolchainRequest | undefined): Diagnostic {
  const registry = pin.registry === 'npm' ? 'the npm registry' : 'PyPI'
  return note(
    'hash-unknown',
    `${pin.name} ${pin.version} is fixed by its version, not by a hash: ${registry} is believed`,
    request,
  )
}
