#!/usr/bin/env node
// Nothing here may need a newer Node than the check below can name: no named imports of what an old one lacks.
import fs from 'node:fs'
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`dwf needs Node 22.13 or newer; this is ${process.versions.node}\n`)
  process.exit(3)
}
// Asked for often, by scripts and editors: answered before anything is loaded.
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
  const manifest = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`${manifest.version}\n`)
} else {
  // A folder of the person's own: the default one in /tmp could have been made by somebody else.
  const home = process.env.XDG_CACHE_HOME || (process.env.HOME && `${process.env.HOME}/.cache`)
  if (home?.startsWith('/')) module.enableCompileCache?.(`${home}/dwf/compile-cache`)
  await import('../dist/cli.js')
}
