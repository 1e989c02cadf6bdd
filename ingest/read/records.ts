import { AppError } from '../../contracts/errors.ts'
import type { Item } from '../../contracts/samples.ts'
import {
  type CsvFormat,
  type JsonObject,
  type ObjectFormat,
  type ReadContext,
  sourceName,
  type UnpackedDocument,
} from '../formats/format.ts'
import { formatById, isObject, type Recognised } from '../formats/recognise.ts'
import { dlq, type StepResult } from '../pipeline.ts'
import type { KeptRecord, Source, SourceEvents, SourceRecord } from '../source.ts'
import { CsvReader, type CsvRecord, recordCharsMax } from './csv.ts'
import { type FileHead, readText } from './file-text.ts'
import { readParquetSlices } from './parquet.ts'

/** The largest JSON document, in characters: it has to be parsed whole. Larger ones come as JSON lines. */
const documentCharsMax = 128 * 1024 * 1024

/** A file that is ready to be read. */
export interface OpenFile {
  readonly head: FileHead
  readonly recognised: Recognised
  /** Of the container `json`: the whole document. */
  readonly document: UnpackedDocument | null
  readonly context: ReadContext
}

/** A file as a source of rows: polling it reads it once from its start. */
export function fileSource(file: OpenFile): Source {
  return {
    name: sourceName(file.recognised.format.source, file.context.region),
    poll(events, signal) {
      const { recognised } = file
      if ('delimiter' in recognised) return readTable(file, recognised, events, signal)
      const { format } = recognised
      if (format.container === 'jsonl') return readLines(file, format, events, signal)
      if (format.container === 'parquet') return readParquet(file, format, events, signal)
      return readDocument(file, format, events)
    },
  }
}

/** The latest instant that the records of a snapshot mention; see `instantOf` of the formats. Null when there is none. */
export async function latestInstant(file: Omit<OpenFile, 'context'>, signal?: AbortSignal): Promise<number | null> {
  const { head, recognised, document } = file
  let latestMs: number | null = null
  const note = (ms: number | null) => {
    if (ms !== null && (latestMs === null || ms > latestMs)) latestMs = ms
  }
  if ('delimiter' in recognised) {
    const { format, delimiter, eol, columns } = recognised
    const instantOf = format.instantOf?.(columns)
    if (!instantOf) return null
    let isHeader = format.fixedColumns === null
    const reader = new CsvReader({ delimiter, eol }, record => {
      if (!isHeader && record.fields.length === columns.length) note(instantOf(record.fields))
      isHeader = false
    })
    for await (const { text } of readText(head, signal)) reader.push(text)
    reader.end()
    return latestMs
  }
  const { format } = recognised
  if (!format.instantOf) return null
  if (document) {
    for (const record of document.records) note(format.instantOf(record))
    return latestMs
  }
  const lines = new LineReader(line => {
    const value = parseJson(line.text)
    if (isObject(value)) note(format.instantOf?.(value) ?? null)
  })
  for await (const { text } of readText(head, signal)) lines.push(text)
  lines.end()
  return latestMs
}

/**
 * Reads one kept record again, with the format it was read with.
 * @throws NOT_FOUND when the format does not exist any more
 */
export function rereadRecord(formatId: string, kept: KeptRecord, region: string): StepResult<readonly Item[]> {
  const format = formatById(formatId)
  if (!format) throw new AppError('NOT_FOUND', `There is no format named ${formatId} any more.`)
  const context = { region, snapshotAtMs: kept.snapshotAtMs }
  if (format.container !== 'csv') {
    const value = parseJson(kept.record)
    return isObject(value) ? format.open(context)(value) : badJson
  }
  const table = kept.table ?? { columns: [], delimiter: ',' }
  let result: StepResult<readonly Item[]> = fieldCount(0, table.columns.length)
  const read = format.open(table.columns, context)
  const reader = new CsvReader({ delimiter: table.delimiter }, record => {
    const { length } = record.fields
    result = length === table.columns.length ? read(record.fields) : fieldCount(length, table.columns.length)
  })
  reader.push(kept.record)
  reader.end()
  return result
}

const badJson = dlq('bad_json', 'The record is not a whole JSON object.')
const nulByte = dlq('nul_byte', 'The record holds a NUL byte.')
const badBytes = dlq('bad_encoding', 'The record holds bytes that are not UTF-8.')
const unclosedQuote = dlq('unclosed_quote', 'A quote opens in this line and never closes.')
const tooLong = dlq('record_too_long', `The record is longer than ${recordCharsMax} characters.`)

function fieldCount(count: number, expected: number): StepResult<never> {
  return dlq('field_count', `The record has ${count} fields; the header has ${expected}.`)
}

async function readTable(
  file: OpenFile,
  table: { format: CsvFormat; delimiter: string; eol: '\n' | '\r'; columns: readonly string[] },
  events: SourceEvents,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { format, delimiter, eol, columns } = table
  const read = format.open(columns, file.context)
  let isHeader = format.fixedColumns === null
  let current: CsvRecord | null = null
  const marks = { isSuspect: false }
  const keep = (): KeptRecord => ({
    record: current?.raw() ?? '',
    table: { columns, delimiter },
    snapshotAtMs: file.context.snapshotAtMs,
  })
  const step = (record: CsvRecord): StepResult<readonly Item[]> => {
    const { fields, state } = record
    if (marks.isSuspect) {
      const damage = damageOf(record.raw())
      if (damage) return damage
    }
    if (state === 'unclosed') return unclosedQuote
    if (fields.length !== columns.length) return fieldCount(fields.length, columns.length)
    return read(fields)
  }
  const out: SourceRecord = { line: 0, result: badJson, keep }
  const reader = new CsvReader({ delimiter, eol }, record => {
    if (isHeader) {
      isHeader = false
      return
    }
    current = record
    out.line = record.line
    out.result = step(record)
    if (record.state === 'torn') events.onNote(tornNote(record.line, record.fields.length === columns.length))
    events.onRecord(out)
  })
  for await (const chunk of readText(file.head, signal)) {
    // A record can reach over the end of a piece, so what was suspect stays so for one piece more.
    const isSuspect = chunk.hasBadBytes || chunk.text.includes('\0')
    marks.isSuspect ||= isSuspect
    reader.push(chunk.text)
    marks.isSuspect = isSuspect
    await events.afterPiece(chunk.bytesRead)
  }
  reader.end()
  await events.afterPiece(file.head.sizeBytes)
}

function tornNote(line: number, isComplete: boolean): string {
  return isComplete
    ? `The file ends in the middle of the record on line ${line}. All of its fields are there, so it counts as a row.`
    : `The file ends in the middle of the record on line ${line}. Fields are missing, so it went to the dead letters.`
}

function damageOf(raw: string): StepResult<never> | null {
  if (raw.includes('\0')) return nulByte
  if (raw.includes('\ufffd')) return badBytes
  return null
}

async function readLines(
  file: OpenFile,
  format: ObjectFormat,
  events: SourceEvents,
  signal: AbortSignal | undefined,
): Promise<void> {
  const read = format.open(file.context)
  let isSuspect = false
  let current = ''
  const keep = () => keepJson(current, file)
  const lines = new LineReader(line => {
    current = line.text
    const damage = isSuspect ? damageOf(line.text) : null
    const value = line.isTooLong || damage ? null : parseJson(line.text)
    const result = line.isTooLong ? tooLong : (damage ?? (isObject(value) ? read(value) : badJson))
    if (line.isLast && result === badJson) events.onNote(tornNote(line.number, false))
    events.onRecord({ line: line.number, result, keep })
  })
  for await (const chunk of readText(file.head, signal)) {
    const isNowSuspect = chunk.hasBadBytes || chunk.text.includes('\0')
    isSuspect ||= isNowSuspect
    lines.push(chunk.text)
    isSuspect = isNowSuspect
    await events.afterPiece(chunk.bytesRead)
  }
  lines.end()
  await events.afterPiece(file.head.sizeBytes)
}

/** Cuts text into lines; blank ones are skipped but counted. */
class LineReader {
  readonly #onLine: (line: { text: string; number: number; isTooLong: boolean; isLast: boolean }) => void
  #text = ''
  #number = 1

  constructor(onLine: (line: { text: string; number: number; isTooLong: boolean; isLast: boolean }) => void) {
    this.#onLine = onLine
  }

  push(chunk: string): void {
    const text = this.#text + chunk
    let pos = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', pos)) {
      this.#emit(text.slice(pos, end), false)
      pos = end + 1
    }
    this.#text = text.slice(pos)
    if (this.#text.length <= recordCharsMax) return
    // Too long already: this much of it is reported, the rest of the line will be a broken record of its own.
    this.#emit(this.#text, false)
    this.#number--
    this.#text = ''
  }

  end(): void {
    this.#emit(this.#text, true)
    this.#text = ''
  }

  #emit(line: string, isLast: boolean): void {
    const text = line.trim()
    if (text !== '') this.#onLine({ text, number: this.#number, isTooLong: text.length > recordCharsMax, isLast })
    this.#number++
  }
}

async function readDocument(file: OpenFile, format: ObjectFormat, events: SourceEvents): Promise<void> {
  const read = format.open(file.context)
  let current: JsonObject = {}
  const keep = () => keepJson(JSON.stringify(current), file)
  let line = 0
  for (const record of file.document?.records ?? []) {
    current = record
    events.onRecord({ line: ++line, result: read(record), keep })
    if (line % 2000 === 0) await events.afterPiece(file.head.sizeBytes)
  }
  await events.afterPiece(file.head.sizeBytes)
}

/**
 * Parses a whole JSON document and unpacks it.
 * @throws BAD_REQUEST when it is too large, torn, or not of the format
 */
export async function parseDocument(
  head: FileHead,
  format: ObjectFormat,
  signal?: AbortSignal,
): Promise<UnpackedDocument> {
  const parts: string[] = []
  let length = 0
  for await (const { text } of readText(head, signal)) {
    parts.push(text)
    length += text.length
    if (length <= documentCharsMax) continue
    throw new AppError(
      'BAD_REQUEST',
      `The file ${head.name} is one JSON document of more than 128 MiB: write it as JSON lines and import that.`,
    )
  }
  const value = parseJson(parts.join(''))
  if (value === undefined) {
    throw new AppError(
      'BAD_REQUEST',
      `The file ${head.name} is not whole JSON: it may be cut short. Nothing was imported.`,
    )
  }
  if (!isObject(value) || !format.unpack || !format.matches(value)) {
    throw new AppError('BAD_REQUEST', `The file ${head.name} is JSON, but not in the format ${format.id}.`)
  }
  return format.unpack(value)
}

async function readParquet(
  file: OpenFile,
  format: ObjectFormat,
  events: SourceEvents,
  signal: AbortSignal | undefined,
): Promise<void> {
  const read = format.open(file.context)
  let current: JsonObject = {}
  const keep = () =>
    keepJson(
      JSON.stringify(current, (_key, value) => (typeof value === 'bigint' ? `${value}` : value)),
      file,
    )
  let line = 0
  for await (const slice of readParquetSlices(file.head)) {
    signal?.throwIfAborted()
    if (line === 0 && slice.rows[0] && !format.matches(slice.rows[0])) {
      const names = Object.keys(slice.rows[0]).slice(0, 12).join(', ')
      throw new AppError(
        'BAD_REQUEST',
        `The Parquet file ${file.head.name} has the columns ${names}: the generic format needs observed_at and video_id.`,
      )
    }
    for (const row of slice.rows) {
      current = row
      events.onRecord({ line: ++line, result: read(row), keep })
      if (line % 2000 === 0) await events.afterPiece(Math.round(slice.share * file.head.sizeBytes))
    }
  }
  await events.afterPiece(file.head.sizeBytes)
}

function keepJson(record: string, file: OpenFile): KeptRecord {
  return { record, table: null, snapshotAtMs: file.context.snapshotAtMs }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
