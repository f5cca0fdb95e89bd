import type { GateRunner } from '../run/types.ts'
export function openGates(_: object): { run: GateRunner; remarks: () => readonly string[] } {
  return { run: async () => ({ kind: 'passed', summary: 'x', lines: [], diagnostics: [] }), remarks: () => [] }
}
export async function examineScanner(_: object) { return [] }
