import type { Item } from '../contracts/samples.ts'
import type { StepResult } from './pipeline.ts'

/**
 * Where rows come from: a file, or later a platform's API. A source only reads: it polls, turns each raw record into
 * items, and tells what became of it. Whoever polls it validates, writes, counts, and keeps the dead letters, so that
 * every source is treated alike.
 */
export interface Source {
  /** As it stands in the samples, e.g. `import:youtube-trending:US`. */
  readonly name: string
  /**
   * Reads what there is now, record by record in order. Bad records never stop it; rejects only when the source itself
   * cannot be read on.
   */
  poll(events: SourceEvents, signal?: AbortSignal): Promise<void>
}

export interface SourceEvents {
  /** Called synchronously for each record, so that a million of them cost no promise each. */
  onRecord(record: SourceRecord): void
  /** After each piece of the source: wait here when the rest is slower. */
  afterPiece(bytesRead: number): Promise<void>
  /** A sentence about the source for people. */
  onNote(note: string): void
}

/** One raw record and the items it became. The same object is used for the next one: copy what is kept. */
export interface SourceRecord {
  /** Line on which it begins, or its number in a JSON document or Parquet file; from 1. */
  line: number
  result: StepResult<readonly Item[]>
  /** What is kept of it when it goes to the dead letters. Valid only inside the callback. */
  keep(): KeptRecord
}

/** A record by itself, with what is needed to read it again. */
export interface KeptRecord {
  /** The record as it stood in the file (of JSON and Parquet: as JSON). */
  record: string
  /** The columns of a table, with its delimiter; null for objects. */
  table: { columns: readonly string[]; delimiter: string } | null
  /** When the file's snapshot was taken, for formats without a time per row. */
  snapshotAtMs: number
}
