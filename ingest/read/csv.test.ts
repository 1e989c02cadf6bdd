import { describe, expect, test } from 'vitest'
import { CsvReader, recordCharsMax } from './csv.ts'

type Seen = { fields: string[]; line: number; state: string; raw: string }

function read(chunks: readonly string[], options: { delimiter?: string; eol?: '\n' | '\r' } = {}): Seen[] {
  const seen: Seen[] = []
  const reader = new CsvReader({ delimiter: ',', ...options }, record =>
    seen.push({ fields: [...record.fields], line: record.line, state: record.state, raw: record.raw() }),
  )
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return seen
}
const fieldsOf = (text: string) => read([text]).map(record => record.fields)

describe('CsvReader', () => {
  test('cuts plain records and needs no line end after the last', () => {
    expect(fieldsOf('a,b\r\n1,\n\n,2')).toEqual([
      ['a', 'b'],
      ['1', ''],
      ['', '2'],
    ])
  })

  test('reads quotes as Python does: doubled ones are one, text after the closing quote stays, inner ones are text', () => {
    expect(fieldsOf('"a""b",c\n"x"|"y",z\np"q",r\n')).toEqual([
      ['a"b', 'c'],
      ['x|"y"', 'z'],
      ['p"q"', 'r'],
    ])
  })

  test('keeps line breaks and delimiters inside quotes and counts lines by them', () => {
    const seen = read(['id,text\n1,"a\nb,\r\nc"\n2,d\n'])
    expect(seen.map(record => [record.line, ...record.fields])).toEqual([
      [1, 'id', 'text'],
      [2, '1', 'a\nb,\r\nc'],
      [5, '2', 'd'],
    ])
    expect(seen[1]?.raw).toBe('1,"a\nb,\r\nc"')
  })

  test('gives the same records wherever the text is cut into pieces', () => {
    const text = 'id,text\r\n1,"a ""quoted"" ⠀ 🎬 word,\r\nnext"\r\n"2",plain\r\n3,"",\r\n4,"x'
    const whole = read([text])
    for (let at = 1; at < text.length; at++) {
      expect(read([text.slice(0, at), text.slice(at)]), `cut at ${at}`).toEqual(whole)
    }
    expect(read([...text])).toEqual(whole)
  })

  test('says that the last record is torn when the file ends inside its quotes', () => {
    expect(read(['a,b\n1,"open\nstill open']).at(-1)).toEqual({
      fields: ['1', 'open\nstill open'],
      line: 2,
      state: 'torn',
      raw: '1,"open\nstill open',
    })
  })

  test('gives up only the line whose quote never closes when records follow', () => {
    const seen = read(['a,b\n1,"stray\n2,x\n3,y\n'])
    expect(seen.map(record => [record.state, ...record.fields])).toEqual([
      ['whole', 'a', 'b'],
      ['unclosed', '1', '"stray'],
      ['whole', '2', 'x'],
      ['whole', '3', 'y'],
    ])
  })

  test('does not let an open quote swallow more than the longest record', () => {
    const rows = 'word word word word\n'.repeat(recordCharsMax / 10)
    const reader: string[] = []
    const csv = new CsvReader({ delimiter: ',' }, record => reader.push(record.state))
    csv.push('1,"open\n')
    for (let at = 0; at < rows.length; at += 100_000) csv.push(rows.slice(at, at + 100_000))
    expect(reader[0]).toBe('unclosed')
    expect(reader.length).toBeGreaterThan(1000)
  })

  test('takes other delimiters and lone carriage returns', () => {
    expect(read(['a;b\n1;"x;y"'], { delimiter: ';' }).map(record => record.fields)).toEqual([
      ['a', 'b'],
      ['1', 'x;y'],
    ])
    expect(read(['a,b\r1,2\r'], { eol: '\r' }).map(record => record.fields)).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ])
  })
})
