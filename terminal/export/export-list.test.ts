import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { toCsv } from './csv.ts'
import { type ExportedList, exportList } from './export-list.ts'

const list: ExportedList = {
  title: 'TOP clips 24h',
  columns: ['key', 'views'],
  rows: [
    { key: 'youtube:a', views: 12 },
    { key: 'youtube:b', views: null },
  ],
  asOf: '2017-11-14T06:30:00.000Z',
  notice: 'Sample replay. Not live data.',
}

function disk() {
  const files = new Map<string, string>()
  const saveFile = async (name: string, text: string) => {
    files.set(name, text)
    return `/home/me/${name}`
  }
  return { files, saveFile }
}

describe('toCsv', () => {
  it('quotes what RFC 4180 wants quoted, and nothing else', () => {
    expect(toCsv(['a', 'b'], [{ a: 'x,"y"\nz', b: 'plain' }])).toBe('a,b\r\n"x,""y""\nz",plain\r\n')
  })

  it('leaves missing values empty and keeps numbers as they are', () => {
    const row = { a: null, b: -3.5, c: 0, d: Number.NaN, e: true, f: ['x', 'y'], g: {}, h: { views: 'stale' } }
    expect(toCsv(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'], [row]).split('\r\n')[1]).toBe(
      ',-3.5,0,,true,x; y,,"{""views"":""stale""}",',
    )
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '\u0000=1'])('disarms %j', text => {
    const [row] = parse(toCsv(['a'], [{ a: text }]), { from_line: 2 })
    expect(row).toEqual([`'${text}`])
  })

  it('reads back as it was, whatever the text', () => {
    const texts = ['', ' a ', '"', ',', 'a\r\nb', 'naïve 🎬', 'a\tb', "it's", '1e5', 'x'.repeat(5000)]
    const rows = texts.map(a => ({ a, b: 1 }))
    expect(parse(toCsv(['a', 'b'], rows), { from_line: 2 }).map(row => row[0])).toEqual(texts)
  })
})

describe('exportList', () => {
  it('saves CSV under a name that says what and when', async () => {
    const { files, saveFile } = disk()
    expect(await exportList(saveFile, list, 'csv')).toBe(
      'Saved 2 rows to /home/me/cliptape-top-clips-24h-20171114T063000Z.csv',
    )
    expect([...files.values()]).toEqual(['key,views\r\nyoutube:a,12\r\nyoutube:b,\r\n'])
  })

  it('saves JSON with the notice, so that a replay stays a replay', async () => {
    const { files, saveFile } = disk()
    await exportList(saveFile, list, 'json')
    expect(JSON.parse([...files.values()][0] ?? '')).toEqual({
      title: list.title,
      asOf: list.asOf,
      notice: list.notice,
      columns: list.columns,
      rows: list.rows,
    })
    await exportList(saveFile, { ...list, title: 'empty', rows: [] }, 'json')
    expect(JSON.parse([...files.values()][1] ?? '').rows).toEqual([])
  })

  it('makes no path of a title', async () => {
    const { files, saveFile } = disk()
    await exportList(saveFile, { ...list, title: '../../etc/passwd\u0000 #Ünïcode', asOf: null }, 'csv')
    expect([...files.keys()]).toEqual(['cliptape-etc-passwd-n-code.csv'])
  })

  it('says so when the file cannot be written', async () => {
    const full = async () => Promise.reject(new Error('the disk is full.'))
    expect(await exportList(full, list, 'csv')).toBe('The list was not saved: the disk is full.')
  })
})
