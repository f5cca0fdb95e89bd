import { severities } from '../scan/severity.ts'
import type { FindingSeverity, ScanDocument } from '../scan/types.ts'
import { type HistoryEntry, historyEntry } from './history.ts'
import { type Counts, short, timeText } from './text.ts'

/** More would be too thin to read. */
const shown = 30
const height = 96
const step = 22
const barWidth = 14

/** A stacked bar for each run, oldest first, and the same as a table. Lengths are in the units of the drawing. */
export function historyView(document: ScanDocument, history: readonly HistoryEntry[]) {
  const { run } = document
  const others = history.filter((entry) => entry.run !== run)
  const entries = [...others, historyEntry(document)].sort((a, b) => a.at - b.at).slice(-shown)
  const highest = Math.max(1, ...entries.map(({ counts }) => sum(counts)))
  return {
    isShown: entries.length > 1,
    viewBox: `0 0 ${entries.length * step} ${height + 20}`,
    width: String(entries.length * step),
    height: String(height + 20),
    baseline: String(height + 0.5),
    label: `Findings of the last ${entries.length} runs, at most ${highest}. The table below has the same numbers.`,
    highest: String(highest),
    runs: entries.map((entry, index) => ({
      ...about(entry, entry.run === run),
      markX: String(index * step + step / 2),
      markY: String(height + 11),
      bars: bars(entry.counts, index * step + (step - barWidth) / 2, height / highest),
    })),
  }
}

function about({ run, at, commit, ok, counts }: HistoryEntry, isThis: boolean) {
  const numbers = severities.map((severity) => ({ severity, count: String(counts[severity]) }))
  const found = numbers.filter(({ count }) => count !== '0').map(({ severity, count }) => `${count} ${severity}`)
  return {
    run: short(run, 60),
    at: timeText(at),
    commit: short(commit?.slice(0, 12) ?? '–', 12),
    verdict: ok ? 'passed' : 'not passed',
    state: ok ? 'passed' : 'refused',
    isThis,
    isOk: ok,
    numbers,
    title: `${timeText(at)}, ${ok ? 'passed' : 'not passed'}: ${found.join(', ') || 'no findings'}`,
  }
}

/** From the bottom: the worst stands on the ground, where it is compared best. */
function bars(counts: Counts, x: number, unit: number) {
  let top = height
  return severities.flatMap((severity: FindingSeverity) => {
    const length = counts[severity] * unit
    if (length === 0) return []
    top -= length
    return [{ severity, x: String(x), y: top.toFixed(1), width: String(barWidth), height: length.toFixed(1) }]
  })
}

const sum = (counts: Counts): number => severities.reduce((total, severity) => total + counts[severity], 0)
