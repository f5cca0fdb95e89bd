import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/**
 * Packs dwf as one file, with the licences of what is in it, as repositories keep it beside their workflows: compressed,
 * so that no formatter, linter or scanner of that repository takes it for its own source.
 */
const root = join(import.meta.dirname, '..')
const file = join(root, 'standalone', 'dwf.mjs')
const notices = readFileSync(join(root, 'THIRD-PARTY-NOTICES.md'), 'utf8').replaceAll('*/', '* /')
writeFileSync(`${file}.gz`, gzipSync(`${readFileSync(file, 'utf8')}\n/*\n${notices}*/\n`, { level: 9 }))
rmSync(file)
