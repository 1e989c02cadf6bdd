import type { Item, Sample, VideoRecord } from '../../contracts/samples.ts'
import { dlq, type StepResult } from '../pipeline.ts'

/** What a reader needs to know beside the record. */
export interface ReadContext {
  /** Country of the table, upper case; empty when neither the file nor the user names one. */
  readonly region: string
  /** For formats without an instant per row: when the snapshot was taken, in epoch milliseconds. */
  readonly snapshotAtMs: number
}

/** Turns one record into items. Items of one record reach the store together or not at all. */
export type RowReader<R> = (record: R) => StepResult<readonly Item[]>

interface FormatBase {
  /** The name for `--as`. */
  readonly id: string
  /** One line for people: what it is and who writes it. */
  readonly title: string
  /** How samples of it are named, before the region: `import:…`. */
  readonly source: string
  /** Each file is the table of one country, which the file's name or `--region` gives. */
  readonly isPerCountry?: true
}

/** A table of delimited text. */
export interface CsvFormat extends FormatBase {
  readonly container: 'csv'
  /** `null`: the file has a header line. Else the columns of a table that comes without one. */
  readonly fixedColumns: readonly string[] | null
  /**
   * @param columns the first record, trimmed and lower case
   * @param first the first record of data (for a table without header: the first record as it stands)
   */
  matches(columns: readonly string[], first: readonly string[]): boolean
  open(columns: readonly string[], context: ReadContext): RowReader<readonly string[]>
  /** For snapshots: the latest instant that a record mentions, or null. The greatest of the file is `snapshotAtMs`. */
  instantOf?(columns: readonly string[]): (fields: readonly string[]) => number | null
}

/** Records that are JSON objects: one a line, the rows of a Parquet file, or unpacked from one JSON document. */
export interface ObjectFormat extends FormatBase {
  readonly container: 'jsonl' | 'json' | 'parquet'
  matches(sample: JsonObject): boolean
  open(context: ReadContext): RowReader<JsonObject>
  instantOf?(record: JsonObject): number | null
  /** For `json`: the records of the document, and its region when it names one. */
  unpack?(document: JsonObject): UnpackedDocument
}

/** A JSON document that was parsed whole. */
export interface UnpackedDocument {
  readonly records: readonly JsonObject[]
  /** Country that the document names, or empty. */
  readonly region: string
  /** A sentence for the import's summary. */
  readonly note?: string
}

export type Format = CsvFormat | ObjectFormat
export type JsonObject = Readonly<Record<string, unknown>>

/** Reads fields of a table by column name. A column that is not there reads as empty. */
export function columnReader(
  columns: readonly string[],
): (...names: string[]) => (fields: readonly string[]) => string {
  return (...names) => {
    const index = columns.findIndex(column => names.includes(column))
    return index === -1 ? () => '' : fields => fields[index] ?? ''
  }
}

/** The source's name for one country's table: each table is a source of its own, so that no country's row is lost. */
export function sourceName(source: string, region: string): string {
  return region === '' ? source : `${source}:${region}`
}

/** A sample without counters; spread and fill in what the source gives. */
export const emptySample = {
  views: null,
  likes: null,
  comments: null,
  shares: null,
  saves: null,
  definitionVersion: 1,
  expiresAtMs: null,
} satisfies Partial<Sample>

/** A video record without anything; spread and fill in what the source gives. */
export const emptyVideo = {
  title: '',
  url: '',
  thumbnailUrl: '',
  publishedAtMs: null,
  endedAtMs: null,
  durationSeconds: null,
  category: '',
} satisfies Partial<VideoRecord>

/** The dead letter of a counter that is not a whole number from 0 to 2^63-1. */
export function badCount(counter: string): StepResult<never> {
  return dlq('bad_number', `The ${counter} of this record are not a whole number from 0 to 9223372036854775807.`)
}

/** The dead letter of an instant that cannot be read. */
export function badInstant(column: string): StepResult<never> {
  return dlq('bad_time', `The ${column} of this record is not a time that can be read (ISO 8601, from 1970 to 2100).`)
}

const youtubeIdPattern = /^[A-Za-z0-9_-]{11}$/
/** An error in place of a formula, or a long number in scientific notation: its digits are gone. */
const spreadsheetPattern = /^(#(NAME|VALUE|NOME|REF|N\/A)[?!]?|\d([.,]\d+)?E\+\d+)$/i

/** Why a text is not the id of a YouTube video, or null when it is one. */
export function checkYoutubeId(id: string): StepResult<never> | null {
  if (youtubeIdPattern.test(id)) return null
  return checkSpreadsheetId(id) ?? dlq('invalid_id', 'The video id is not 11 letters, digits, hyphens or underscores.')
}

/** The dead letter of an id that a spreadsheet destroyed, or null. */
export function checkSpreadsheetId(id: string): StepResult<never> | null {
  if (!spreadsheetPattern.test(id)) return null
  return dlq(
    'spreadsheet_id',
    'A spreadsheet took the id for a formula or a number and wrote something else in its place.',
  )
}

/** Keeps at most `max` things that were seen lately, so that work per video is done once; forgets all when full. */
export class Memo<T> {
  readonly #seen = new Map<string, T>()
  readonly #max: number

  constructor(max = 20_000) {
    this.#max = max
  }

  get(key: string): T | undefined {
    return this.#seen.get(key)
  }

  set(key: string, value: T): void {
    if (this.#seen.size >= this.#max) this.#seen.clear()
    this.#seen.set(key, value)
  }
}

/** A description that did not change is told again after this long, so that the newest source is known as such. */
const tellAgainMs = 7 * 86_400_000

/** Whether a description is to be told with this reading: at its first, then weekly. Remembers that it was. */
export function isDue(known: { toldAtMs: number }, observedAtMs: number): boolean {
  if (observedAtMs < known.toldAtMs + tellAgainMs) return false
  known.toldAtMs = observedAtMs
  return true
}
