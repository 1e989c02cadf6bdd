import { describe, expect, it } from 'vitest'
import { applyPatch, type KeyedRow } from '../../contracts/ws.ts'
import { diffRows, textRows } from './diff.ts'

describe('the patch between two results', () => {
  it('is nothing when nothing changed', () => {
    expect(patchOf([row('a', 1), row('b', 2)], [row('a', 1), row('b', 2)])).toBeNull()
  })

  it('holds only the changed row when the order stayed', () => {
    expect(patchOf([row('a', 1), row('b', 2)], [row('a', 1), row('b', 3)])).toEqual({
      upsert: ['{"key":"b","n":3}'],
      remove: [],
      order: null,
    })
  })

  it('holds no order when rows only went away', () => {
    expect(patchOf([row('a', 1), row('b', 2), row('c', 3)], [row('a', 1), row('c', 3)])).toEqual({
      upsert: [],
      remove: ['b'],
      order: null,
    })
  })

  it('holds the order when rows changed places', () => {
    expect(patchOf([row('a', 1), row('b', 2)], [row('b', 2), row('a', 1)])).toEqual({
      upsert: [],
      remove: [],
      order: ['b', 'a'],
    })
  })

  it('keeps the first of two rows with one key and says so', () => {
    expect(textRows([row('a', 1), row('a', 2)])).toEqual({
      rows: [{ key: 'a', json: '{"key":"a","n":1}' }],
      duplicateCount: 1,
    })
  })

  it('always leads from the old rows to exactly the new ones', () => {
    const random = seeded(20_261_121)
    for (let round = 0; round < 2_000; round += 1) {
      const before = randomRows(random)
      const after = random() < 0.2 ? randomRows(random) : mutate(before, random)
      const patch = patchOf(before, after)
      const applied = patch
        ? applyPatch(before, { ...patch, upsert: patch.upsert.map(json => JSON.parse(json)) })
        : before
      expect(applied).toEqual(after)
    }
  })
})

function row(key: string, n: number): KeyedRow {
  return { key, n }
}

function patchOf(before: KeyedRow[], after: KeyedRow[]) {
  return diffRows(textRows(before).rows, textRows(after).rows)
}

/** Mulberry32: the same rows in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function randomRows(random: () => number): KeyedRow[] {
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter(() => random() < 0.6)
  return shuffled(keys, random).map(key => row(key, Math.floor(random() * 3)))
}

function mutate(rows: readonly KeyedRow[], random: () => number): KeyedRow[] {
  const kept = rows
    .filter(() => random() < 0.9)
    .map(one => (random() < 0.3 ? { ...one, n: Math.floor(random() * 9) } : one))
  const grown = random() < 0.3 ? [...kept, row('z', 1)] : kept
  return random() < 0.3 ? shuffled(grown, random) : grown
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map(item => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
