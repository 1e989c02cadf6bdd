import type { QueryDiff } from '../../../contracts/queries.ts'

type Line = QueryDiff['lines'][number]

/** Beyond so many pairs of lines that differ, all of them are shown as replaced. */
const pairsMax = 4_000_000

/** How one text becomes another, line by line, with as many lines kept as can be. */
export function diffLines(before: string, after: string): Line[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  let head = 0
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head += 1
  let tail = 0
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1
  return [
    ...lines('same', old.slice(0, head)),
    ...changedLines(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...lines('same', old.slice(old.length - tail)),
  ]
}

function changedLines(old: readonly string[], now: readonly string[]): Line[] {
  if (old.length * now.length > pairsMax) return [...lines('removed', old), ...lines('added', now)]
  const width = now.length + 1
  // Of each pair of ends of the two texts: the most lines that they have in common, in order.
  const common = new Uint16Array((old.length + 1) * width)
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const found: Line[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    const [gone, come] = [old[i], now[j]]
    if (gone !== undefined && gone === come) {
      found.push({ kind: 'same', text: gone })
      i += 1
      j += 1
    } else if (gone !== undefined && (come === undefined || at(i + 1, j) >= at(i, j + 1))) {
      found.push({ kind: 'removed', text: gone })
      i += 1
    } else if (come !== undefined) {
      found.push({ kind: 'added', text: come })
      j += 1
    }
  }
  return found
}

function lines(kind: Line['kind'], texts: readonly string[]): Line[] {
  return texts.map(text => ({ kind, text }))
}
