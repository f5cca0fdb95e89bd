/** Longest time that Node's own timers know: a longer one would end at once. */
const longest = 2 ** 31 - 1

/** Calls back after a time of any length, ms. @returns what stops it */
export function startTimer(ms: number, action: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (left: number) => {
    timer = setTimeout(() => (left > longest ? wait(left - longest) : action()), Math.min(left, longest))
  }
  wait(ms)
  return () => clearTimeout(timer)
}
