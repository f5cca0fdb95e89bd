import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/**
 * Writes THIRD-PARTY-NOTICES.md: name, version and licence text of every package whose code is in the bundle.
 * @param modules the files that the bundler put in, as it names them: what is bundled and what is credited are one list
 */
export function writeNotices(modules: readonly string[]): void {
  const names = new Set(
    modules.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(file)?.[1] ?? []),
  )
  if (names.size === 0) throw new Error('no bundled package was found')
  const parts = [...names].sort().map((name) => {
    const folder = join(root, 'node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
    const text = file
      ? readFileSync(join(folder, file), 'utf8').trim()
      : `(no licence file in the package; its manifest says ${license})`
    return `## ${name} ${version} (${license})\n\n${text}\n`
  })
  writeFileSync(
    join(root, 'THIRD-PARTY-NOTICES.md'),
    `# Third-party notices\n\nThe bundle of dwf contains code of these packages.\n\n${parts.join('\n')}`,
  )
}
