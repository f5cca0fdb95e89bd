import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Writes THIRD-PARTY-NOTICES.md: name, version and licence text of every package whose code is in the bundle.
 * The bundler names the source of each module in a comment, so that what is bundled and what is credited cannot differ.
 */
const root = join(import.meta.dirname, '..')
const chunks = ['dist', 'dist/chunks'].flatMap((folder) => {
  const path = join(root, folder)
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.js')).map((name) => join(path, name)) : []
})
const names = new Set<string>()
for (const chunk of chunks) {
  for (const [, name] of readFileSync(chunk, 'utf8').matchAll(/^\/\/#region node_modules\/((?:@[^/]+\/)?[^/\n]+)/gm)) names.add(name!)
}
if (names.size === 0) throw new Error('no bundled package was found: is dist/ built, and does the bundler still mark its regions?')

const parts = [...names].sort().map((name) => {
  const folder = join(root, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `(no licence file in the package; its manifest says ${license})`
  return `## ${name} ${version} (${license})\n\n${text}\n`
})
writeFileSync(join(root, 'THIRD-PARTY-NOTICES.md'), `# Third-party notices\n\nThe bundle of dwf contains code of these packages.\n\n${parts.join('\n')}`)
process.stdout.write(`${dirname('dist/x')}: ${names.size} packages credited\n`)
