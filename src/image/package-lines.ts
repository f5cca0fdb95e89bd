import { posix } from 'node:path'
import gte from 'semver/functions/gte.js'
import { integrityParts } from '../pins/lock-shape.ts'
import type { PackagePin } from '../pins/types.ts'
import { shellQuote } from '../util/text.ts'

/** The shell lines that install a tool of a package registry, and check its archive where a hash of it is known. */
export function packageLines(pin: PackagePin): readonly string[] {
  return pin.registry === 'npm' ? npmLines(pin) : pypiLines(pin)
}

function npmLines(pin: PackagePin): readonly string[] {
  const spec = `${pin.name}@${pin.version}`
  const options = ['--global', '--cache=/tmp/npm', '--no-audit', '--no-fund', '--no-update-notifier', ...scripts(pin)]
  const install = (what: string): string => `npm install ${[...options, shellQuote(what)].join(' ')}`
  const parts = pin.integrity ? integrityParts(pin.integrity) : undefined
  const steps: string[] = []
  if (parts) {
    const archive = posix.join('/tmp', `${pin.name.replace(/^@/, '').replace('/', '-')}-${pin.version}.tgz`)
    steps.push(
      `npm pack --silent --cache=/tmp/npm --pack-destination=/tmp ${shellQuote(spec)}`,
      `echo ${shellQuote(`${parts.hex}  ${archive}`)} > /tmp/${pin.tool}.sum`,
      `${parts.algorithm}sum --check --quiet /tmp/${pin.tool}.sum`,
      install(archive),
      `rm -rf ${shellQuote(archive)} /tmp/${pin.tool}.sum /tmp/npm`,
    )
  } else {
    steps.push(install(spec), 'rm -rf /tmp/npm')
  }
  return steps
}

/** bun, and pnpm from 12 on, are native programs that their install script puts in place; nothing else needs one. */
function scripts(pin: PackagePin): readonly string[] {
  const isNative = pin.name === 'bun' || (pin.name === 'pnpm' && gte(pin.version, '12.0.0-0'))
  return isNative ? [] : ['--ignore-scripts']
}

/** A folder of its own: what the tool depends on must not meet what the project depends on. */
function pypiLines(pin: PackagePin): readonly string[] {
  const folder = `/opt/${pin.tool}`
  return [
    `python3 -m venv ${folder}`,
    `${folder}/bin/pip install --no-cache-dir --disable-pip-version-check --quiet ${shellQuote(`${pin.name}==${pin.version}`)}`,
    `ln -s ${folder}/bin/${pin.tool} /usr/local/bin/${pin.tool}`,
  ]
}
