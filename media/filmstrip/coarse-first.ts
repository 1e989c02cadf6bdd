/**
 * The numbers below `count` in the order in which a strip is best filled: the middle, then the middles of what is left
 * on either side, and so on.
 */
export function* coarseFirst(count: number): Generator<number> {
  let parts = [{ from: 0, to: count }]
  while (parts.length > 0) {
    const next: typeof parts = []
    for (const { from, to } of parts) {
      if (from >= to) continue
      const middle = (from + to) >> 1
      yield middle
      next.push({ from, to: middle }, { from: middle + 1, to })
    }
    parts = next
  }
}
