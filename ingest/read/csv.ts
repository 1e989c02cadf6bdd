/**
 * A streaming reader of delimited text.
 *
 * Why our own: the pipeline has to keep up with a quarter of what the engine itself takes in, and nearly all tables of
 * counters have few quoted fields. A record without a quote is cut with `indexOf` and `split`, which run at memory
 * speed; only records that hold a quote are walked field by field. csv-parse visits every byte in JavaScript.
 *
 * Which dialect: that of Python's `csv` module, because the public tables were written and counted with it. A quote
 * opens a quoted field only at the field's start; inside, two quotes are one; text after the closing quote belongs to
 * the field as it stands. Blank lines are no records.
 *
 * A record whose quote never closes is a danger of its own: it would swallow the rest of the file. Two rules bound it.
 * A record longer than `recordCharsMax` is given up: its first line is reported as broken and reading goes on with the
 * next line. The same happens at the end of the file when the lines that were swallowed are records by themselves;
 * else it is the torn last record of a cut file, and counts with the fields it has.
 */

/** One record. `fields` and `raw()` are slices of the chunk: copy what is kept (`ownText`). */
export interface CsvRecord {
  fields: string[]
  /** Line on which the record begins, from 1. */
  line: number
  /** The record as it stands in the file, without its line end. Valid only inside the callback. */
  raw(): string
  /** `torn`: the file ends inside its quotes. `unclosed`: a quote never closed, only this line was given up. */
  state: 'whole' | 'torn' | 'unclosed'
}

/** The longest record, in characters: a description has at most 5,000. */
export const recordCharsMax = 1 << 20

const quote = '"'

export class CsvReader {
  readonly #delimiter: string
  readonly #eol: string
  readonly #onRecord: (record: CsvRecord) => void
  #text = ''
  #line = 1
  #start = 0
  #end = 0
  readonly #record: CsvRecord

  /** @param options.eol `\n` (which takes `\r\n` too) or a lone `\r` */
  constructor(options: { delimiter: string; eol?: '\n' | '\r' }, onRecord: (record: CsvRecord) => void) {
    this.#delimiter = options.delimiter
    this.#eol = options.eol ?? '\n'
    this.#onRecord = onRecord
    this.#record = { fields: [], line: 1, raw: () => this.#text.slice(this.#start, this.#end), state: 'whole' }
  }

  /** Reads all records that are complete by now; calls back synchronously for each. */
  push(chunk: string): void {
    this.#text = this.#text === '' ? chunk : this.#text + chunk
    this.#drain(false)
  }

  /** Reads what is left: the last record needs no line end. */
  end(): void {
    this.#drain(true)
    this.#text = ''
  }

  #drain(isEnd: boolean): void {
    const text = this.#text
    const eol = this.#eol
    let pos = 0
    let nextQuote = text.indexOf(quote)
    while (pos < text.length) {
      if (nextQuote !== -1 && nextQuote < pos) nextQuote = text.indexOf(quote, pos)
      let lineEnd = text.indexOf(eol, pos)
      if (lineEnd === -1) {
        if (!isEnd && text.length - pos <= recordCharsMax) break
        lineEnd = text.length
      }
      if (nextQuote === -1 || nextQuote > lineEnd) {
        this.#plain(text, pos, lineEnd)
        pos = lineEnd + 1
        continue
      }
      const next = this.#quoted(text, pos, isEnd)
      if (next === -1) break
      pos = next
    }
    this.#text = pos === 0 ? text : text.slice(pos)
  }

  #plain(text: string, start: number, lineEnd: number): void {
    const end = trimReturn(text, start, lineEnd)
    if (end > start) this.#emit(text.slice(start, end).split(this.#delimiter), start, end, 'whole')
    this.#line++
  }

  /** Returns where the next record begins, or -1 when the record is not complete yet. */
  #quoted(text: string, start: number, isEnd: boolean): number {
    const fields: string[] = []
    const end = splitQuoted(text, start, { delimiter: this.#delimiter, eol: this.#eol }, fields)
    const isComplete = end.type === 'line' || (end.type === 'end' && isEnd)
    if (isComplete) {
      this.#emit(fields, start, trimReturn(text, start, end.at), 'whole')
      this.#line += countOf(text, this.#eol, start, end.at) + 1
      return end.at + 1
    }
    if (!isEnd && text.length - start <= recordCharsMax) return -1
    const lineEnd = text.indexOf(this.#eol, start)
    if (lineEnd === -1 || (isEnd && !this.#swallowsRecords(text, lineEnd + 1, fields.length))) {
      this.#emit(fields, start, text.length, end.type === 'open' ? 'torn' : 'whole')
      this.#line += countOf(text, this.#eol, start, text.length)
      return text.length
    }
    this.#emit(text.slice(start, lineEnd).split(this.#delimiter), start, lineEnd, 'unclosed')
    this.#line++
    return lineEnd + 1
  }

  /** Whether a line among the swallowed ones is a record of as many fields (two at least) by itself. */
  #swallowsRecords(text: string, from: number, fieldCount: number): boolean {
    if (fieldCount < 2) return false
    const probe = text.slice(from, from + recordCharsMax).split(this.#eol)
    return probe.some(line => {
      const fields: string[] = []
      const end = splitQuoted(line, 0, { delimiter: this.#delimiter, eol: this.#eol }, fields)
      return end.type !== 'open' && fields.length >= fieldCount
    })
  }

  #emit(fields: string[], start: number, end: number, state: CsvRecord['state']): void {
    this.#start = start
    this.#end = end
    this.#record.fields = fields
    this.#record.line = this.#line
    this.#record.state = state
    this.#onRecord(this.#record)
  }
}

/** Where a record ended: at a line end, at the end of the text, or there with its quotes still open. */
type RecordEnd = { type: 'line' | 'end' | 'open'; at: number }

/** Cuts the record at `start` into `fields`, field by field. */
export function splitQuoted(
  text: string,
  start: number,
  dialect: { delimiter: string; eol: string },
  fields: string[],
): RecordEnd {
  const { delimiter, eol } = dialect
  let pos = start
  let lineEnd = -1
  for (;;) {
    let value = ''
    if (text[pos] === quote) {
      let from = pos + 1
      for (;;) {
        const close = text.indexOf(quote, from)
        if (close === -1) {
          fields.push(value + text.slice(from))
          return { type: 'open', at: text.length }
        }
        value += text.slice(from, close)
        from = close + 1
        if (text[from] !== quote) break
        value += quote
        from++
      }
      pos = from
    }
    if (lineEnd < pos) {
      lineEnd = text.indexOf(eol, pos)
      if (lineEnd === -1) lineEnd = text.length
    }
    let stop = text.indexOf(delimiter, pos)
    if (stop === -1 || stop > lineEnd) stop = lineEnd
    const isLast = stop === lineEnd
    const tail = text.slice(pos, isLast ? trimReturn(text, pos, stop) : stop)
    fields.push(value === '' ? tail : tail === '' ? value : value + tail)
    if (isLast) return { type: stop === text.length ? 'end' : 'line', at: stop }
    pos = stop + 1
  }
}

function trimReturn(text: string, start: number, end: number): number {
  return end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end
}

function countOf(text: string, character: string, start: number, end: number): number {
  let count = 0
  for (let at = text.indexOf(character, start); at !== -1 && at < end; at = text.indexOf(character, at + 1)) count++
  return count
}
