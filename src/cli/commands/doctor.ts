import { examine, type Finding } from '../../engine/doctor.ts'
import { failure } from '../../util/diagnostics.ts'
import { run } from '../../util/process.ts'
import { examineScanner } from '../gates.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { renderFinding } from '../render/finding.ts'

/** `dwf doctor [--fix]`: what keeps rootless containers and scans from working, and how to mend it. */
export async function doctor(options: { readonly fix?: boolean }, globals: Globals, output: Output): Promise<number> {
  let findings: readonly Finding[] = [...(await examine()), ...(await examineScanner(process.env))]
  if (options.fix && (await applyFixes(findings, globals, output)))
    findings = [...(await examine()), ...(await examineScanner(process.env))]
  const bad = findings.filter((finding) => finding.state === 'fault')
  if (globals.json) output.json({ schema: 'dwf.doctor/1', ok: bad.length === 0, findings })
  else for (const finding of findings) output.result(renderFinding(finding, output.style))
  return bad.length === 0 ? 0 : 3
}

/** Shows each command, asks, and runs it; what needs root is only shown to a person who is not. */
async function applyFixes(findings: readonly Finding[], globals: Globals, output: Output): Promise<boolean> {
  const commands = findings.filter((finding) => finding.state !== 'ok').flatMap((finding) => finding.commands ?? [])
  const isRoot = process.getuid?.() === 0
  const [mine, roots] = [
    commands.filter((argv) => isRoot || argv[0] === 'podman'),
    commands.filter((argv) => !isRoot && argv[0] !== 'podman'),
  ]
  if (roots.length > 0) {
    output.talk('These need root:')
    for (const argv of roots) output.talk(`  ${argv.join(' ')}`)
  }
  if (mine.length === 0) return false
  output.talk('These would mend what dwf can mend:')
  for (const argv of mine) output.talk(`  ${argv.join(' ')}`)
  if (globals.dryRun) return false
  if (!globals.yes) {
    if (!globals.input)
      throw failure('refused', 'no-terminal', 'changing the machine needs a yes', 'add --yes, or run it in a terminal')
    const { confirm } = await import('@clack/prompts')
    if ((await confirm({ message: 'Run them?', initialValue: false, output: process.stderr })) !== true) return false
  }
  for (const argv of mine) {
    const { code, stderr } = await run(argv, { timeoutMs: 10 * 60_000, onLine: output.talk })
    if (code !== 0)
      throw failure(
        'machine-cannot',
        'fix-failed',
        `${argv.join(' ')} ended with ${code}${stderr ? `: ${stderr.trim().split('\n').at(-1)}` : ''}`,
      )
  }
  return true
}
