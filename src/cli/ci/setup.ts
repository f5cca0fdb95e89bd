import { examine, type Finding } from '../../engine/doctor.ts'
import { failure } from '../../util/diagnostics.ts'
import { run } from '../../util/process.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { renderFinding } from '../render/finding.ts'

/** `dwf setup:ci`: makes a runner of CI ready for rootless containers, without asking; nowhere else. */
export async function setUpRunner(globals: Globals, output: Output, env: NodeJS.ProcessEnv): Promise<number> {
  if (!env.CI)
    throw failure(
      'refused',
      'not-in-ci',
      'setup:ci changes a runner, and only where CI is set',
      'dwf doctor --fix, in a terminal',
    )
  let findings = await examine()
  if (globals.dryRun) {
    for (const argv of fixesOf(findings)) output.result(`would run ${argv.join(' ')}`)
    return exitCodes.ok
  }
  for (const argv of fixesOf(findings)) {
    output.talk(argv.join(' '))
    const { code, stderr } = await run(argv, { timeoutMs: 10 * 60_000, onLine: output.talk })
    if (code !== 0) output.talk(`it ended with ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`)
  }
  findings = await examine()
  for (const finding of findings) output.result(renderFinding(finding, output.style))
  return findings.some(({ state }) => state === 'fault') ? exitCodes['machine-cannot'] : exitCodes.ok
}

/** Runners have sudo that asks for no password. */
function fixesOf(findings: readonly Finding[]): readonly (readonly string[])[] {
  const needsSudo = process.getuid?.() !== 0
  return findings
    .filter(({ state }) => state === 'fault')
    .flatMap(({ commands }) => commands ?? [])
    .map((argv) => (needsSudo && argv[0] !== 'podman' ? ['sudo', '--non-interactive', ...argv] : argv))
}
