#!/usr/bin/env node
// Nothing here may need a newer Node than the check below can name: no named imports, no top-level syntax of today.
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`dwf needs Node 22.13 or newer; this is ${process.versions.node}\n`)
  process.exit(3)
}
module.enableCompileCache?.()
await import('../dist/cli.js')
