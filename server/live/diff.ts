import type { KeyedRow } from '../../contracts/ws.ts'

/** A row beside its own JSON: made once, compared and sent many times. */
export interface TextRow {
  readonly key: string
  readonly json: string
}

/** What makes `applyPatch(before, patch)` equal the rows after; every row is its JSON text. */
export interface TextPatch {
  /** Rows that are new or changed, in their new order. */
  readonly upsert: string[]
  readonly remove: string[]
  /** All keys in their new order; `null` when nothing was added and what stays kept its order. */
  readonly order: string[] | null
}

/**
 * Rows as text. A key that came twice would make patches ambiguous: the first row wins, and `duplicateCount` tells.
 * Values that JSON does not know (dates, undefined, NaN) become what JSON makes of them.
 */
export function textRows(rows: readonly KeyedRow[]): { rows: TextRow[]; duplicateCount: number } {
  const seen = new Set<string>()
  const kept: TextRow[] = []
  for (const row of rows) {
    if (seen.has(row.key)) continue
    seen.add(row.key)
    kept.push({ key: row.key, json: JSON.stringify(row) })
  }
  return { rows: kept, duplicateCount: rows.length - kept.length }
}

/** The smallest keyed patch from `before` to `after`, or `null` when they are equal. Keys are unique in both. */
export function diffRows(before: readonly TextRow[], after: readonly TextRow[]): TextPatch | null {
  const oldJson = new Map(before.map(row => [row.key, row.json]))
  const newKeys = new Set(after.map(row => row.key))
  const upsert = after.filter(row => oldJson.get(row.key) !== row.json).map(row => row.json)
  const remove = before.filter(row => !newKeys.has(row.key)).map(row => row.key)
  const stayed = before.filter(row => newKeys.has(row.key))
  const isSameOrder = stayed.length === after.length && stayed.every((row, at) => row.key === after[at]?.key)
  if (upsert.length === 0 && remove.length === 0 && isSameOrder) return null
  return { upsert, remove, order: isSameOrder ? null : after.map(row => row.key) }
}
