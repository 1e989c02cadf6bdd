import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, describe, expect, test } from 'vitest'
import type { Item, Sample } from '../contracts/samples.ts'
import { openFile, regionOf } from './open-file.ts'
import { fileSource } from './read/records.ts'
import { sampleFile } from './replay.ts'

const folder = mkdtempSync(join(tmpdir(), 'cliptape-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Everything that a file gives: items, broken records as `line reason`, notes. */
async function read(path: string, options: { as?: string; region?: string } = {}) {
  const opened = await openFile(path, options)
  const items: Item[] = []
  const broken: string[] = []
  const notes = [...opened.notes]
  await fileSource(opened).poll({
    onRecord({ line, result }) {
      if (result.type === 'ok') items.push(...result.value)
      else broken.push(`${line} ${result.reason}`)
    },
    afterPiece: async () => undefined,
    onNote: note => notes.push(note),
  })
  const samples = items.flatMap(item => (item.kind === 'sample' ? [item.row] : []))
  return { format: opened.recognised.format.id, region: opened.context.region, samples, items, broken, notes }
}

const generic = 'platform,video_id,observed_at,views\nyoutube,dQw4w9WgXcQ,2026-01-01T00:00:00Z,10\n'
const refusal = (path: string, options?: { as?: string }) =>
  read(path, options).then(
    () => 'was read',
    error => `${error.code}: ${error.message}`,
  )

describe('encodings and packing', () => {
  const expected = [{ videoId: 'dQw4w9WgXcQ', views: 10 }]
  const brief = (samples: readonly Sample[]) => samples.map(({ videoId, views }) => ({ videoId, views }))

  test.each([
    ['UTF-8', Buffer.from(generic)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${generic}`)],
    ['UTF-16 LE with a byte order mark', Buffer.from(`\ufeff${generic}`, 'utf16le')],
    ['UTF-16 BE with a byte order mark', Buffer.from(`\ufeff${generic}`, 'utf16le').swap16()],
    ['gzip, whatever its name', gzipSync(generic)],
    ['CRLF', Buffer.from(generic.replaceAll('\n', '\r\n'))],
    ['lone carriage returns', Buffer.from(generic.replaceAll('\n', '\r'))],
    ['semicolons', Buffer.from(generic.replaceAll(',', ';'))],
    ['tabs', Buffer.from(generic.replaceAll(',', '\t'))],
  ])('reads %s', async (_name, content) => {
    const { format, samples, broken } = await read(file('a.csv', content))
    expect({ format, samples: brief(samples), broken }).toEqual({
      format: 'generic-csv',
      samples: expected,
      broken: [],
    })
  })

  test('names Latin-1, its line, and how to convert it', async () => {
    const path = file('latin.csv', Buffer.from(generic.replace('dQw4w9WgXcQ', 'caf\u00e9'), 'latin1'))
    expect(await refusal(path)).toMatch(
      /^BAD_REQUEST: The file latin\.csv is not UTF-8 \(line 2\): it looks like Latin-1.*iconv/,
    )
  })

  test('names UTF-16 without a byte order mark, and binary files', async () => {
    expect(await refusal(file('u.csv', Buffer.from(generic, 'utf16le')))).toMatch(/UTF-16 without a byte order mark/)
    const noise = Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 37) % 256))
    expect(await refusal(file('noise.csv', noise))).toMatch(/is not text/)
  })

  test('refuses a gzip that is cut short after the part by which its format is recognised', async () => {
    const gz = readFileSync(sampleFile)
    const cut = file('USvideos.csv.gz', gz.subarray(0, 200_000))
    await expect(openFile(cut, {})).rejects.toThrow(/gzip file USvideos\.csv\.gz is damaged/)
  })

  test('refuses a gzip that is cut short before a row of it is read', async () => {
    const gz = gzipSync(generic.repeat(50))
    expect(await refusal(file('cut.csv.gz', gz.subarray(0, gz.length - 12)))).toMatch(
      /gzip file cut\.csv\.gz is damaged/,
    )
    const wrong = Buffer.from(gz)
    wrong[gz.length - 6] = (wrong[gz.length - 6] ?? 0) ^ 0xff
    expect(await refusal(file('crc.csv.gz', wrong))).toMatch(/gzip file crc\.csv\.gz is damaged/)
  })

  test('sends only the records with bad bytes or NULs to the dead letters', async () => {
    const filler = 'youtube,dQw4w9WgXcQ,2026-01-01T00:00:00Z,10\n'.repeat(6000)
    const bad = Buffer.concat([Buffer.from(generic + filler), Buffer.from('youtube,\xe9,2026-01-01,1\n', 'latin1')])
    const tail = Buffer.from('youtube,dQw4w9\0gXcQ,2026-01-01,1\nyoutube,dQw4w9WgXcQ,2026-01-02,11\n')
    const { broken, samples } = await read(file('mixed.csv', Buffer.concat([bad, tail])))
    expect(broken).toEqual(['6003 bad_encoding', '6004 nul_byte'])
    expect(samples.at(-1)?.views).toBe(11)
  })
})

describe('recognition', () => {
  test.each([
    ['INvideos.csv.gz', 'IN'],
    ['USvideos_75days_joined.csv', 'US'],
    ['18.01.11_JP_videos.csv', 'JP'],
    ['BR_youtube_trending_data.csv', 'BR'],
    ['KR-2025-11-04.json', 'KR'],
    ['videos.csv', ''],
  ])('takes the country of %s from its name: %j', (name, region) => expect(regionOf(name)).toBe(region))

  test('tells the generations of the trending tables apart by their columns and days', async () => {
    const id = 'dQw4w9WgXcQ'
    const old = `video_id,title,channel_title,category_id,tags,views,likes,dislikes,comment_total,thumbnail_link,date\n${id},t,c,10,a|b,5,4,3,2,x,13.09\n`
    const kaggle = `video_id,trending_date,channel_title,views,likes,comment_count\n${id},17.14.11,c,5,4,2\n`
    const header =
      'video_id,title,publishedAt,channelId,channelTitle,categoryId,trending_date,tags,view_count,likes,dislikes,comment_count,thumbnail_link,comments_disabled,ratings_disabled,description\n'
    const row = (day: string) =>
      `${id},t,2018-10-31T14:17:10Z,UCSugZEYrWbzqIWGD195V-YA,c,10,${day},a|b,5,4,1,2,x,True,False,d\n`
    const found = await Promise.all([
      read(file('USvideos.csv', old)),
      read(file('FRvideos.csv', kaggle)),
      read(file('18.01.11_US_videos.csv', header + row('18.01.11'))),
      read(file('US_2020.csv', header + row('2020-08-12T00:00:00Z'))),
      read(file('US_2024.csv', row('2024-04-10T00:00:00Z'))),
    ])
    expect(found.map(({ format, samples }) => [format, new Date(samples[0]?.observedAtMs ?? 0).toISOString()])).toEqual(
      [
        ['youtube-trending-2017', '2017-09-13T00:00:00.000Z'],
        ['youtube-trending-2018', '2017-11-14T00:00:00.000Z'],
        ['youtube-scraper-2018', '2018-11-01T00:00:00.000Z'],
        ['youtube-trending-2020', '2020-08-12T00:00:00.000Z'],
        ['youtube-trending-2024', '2024-04-10T00:00:00.000Z'],
      ],
    )
    expect(found[1]?.samples[0]).toMatchObject({ creatorId: 'name:c', source: 'import:youtube-trending:FR' })
    expect(found[3]?.samples[0]).toMatchObject({ creatorId: 'UCSugZEYrWbzqIWGD195V-YA', likes: 4, comments: null })
  })

  test('says what it read when it knows no such table, and where', async () => {
    const path = file('odd.csv', 'name;age\nx;1\n')
    expect(await refusal(path)).toMatch(
      /^BAD_REQUEST: The file odd\.csv is in no known format: line 1 has 2 columns: name, age\./,
    )
    expect(await refusal(file('one.csv', generic), { as: 'tiktok-discover' })).toMatch(
      /is not in the format tiktok-discover: line 1 has 4 columns/,
    )
    expect(await refusal(file('two.csv', generic), { as: 'nonsense' })).toMatch(
      /no format named nonsense\. Known: generic/,
    )
    expect(await refusal(join(folder, 'absent.csv'))).toMatch(/^NOT_FOUND: The file absent\.csv cannot be opened/)
    expect(await refusal(file('empty.csv', ''))).toMatch(/is empty/)
    expect(await refusal(file('twice.csv', 'platform,video_id,observed_at,views,views\n'))).toMatch(
      /column views twice/,
    )
  })

  test('refuses tables of Twitch and chat replays with the reason', async () => {
    expect(await refusal(file('t.csv', 'Channel,Watch_time_minutes,Peak_viewers\nx,1,2\n'))).toMatch(
      /Twitch is not among them/,
    )
    expect(await refusal(file('chat.json', '[{"author":"a","message":"b","time_in_seconds":1}]'))).toMatch(
      /chat replay/,
    )
    expect(await refusal(file('c.json', '{"kind":"youtube#videoCategoryListResponse"}'))).toMatch(/list of categories/)
  })

  test('keeps the country of the first snapshots, which name none', async () => {
    const item = {
      videoId: 'dQw4w9WgXcQ',
      title: 'T',
      channelName: 'C',
      channelId: '',
      viewCount: 7,
      categoryKey: 'music',
    }
    const document = {
      date: '2025-11-03',
      timestamp: '2025-11-03T08:35:51.363Z',
      categories: { music: [item], travel: [] },
    }
    const found = await read(file('2025-11-03.json', JSON.stringify(document, null, 2)))
    expect(found).toMatchObject({ format: 'youtube-snapshots-2025', region: 'KR', broken: [] })
    expect(found.samples[0]).toMatchObject({ views: 7, likes: null, source: 'import:youtube-trending:KR' })
    expect(found.notes).toEqual([
      'The snapshot names no region: those of the first format are of Korea, so KR is used.',
    ])
    expect(await refusal(file('torn.json', JSON.stringify(document).slice(0, -20)))).toMatch(/is not whole JSON/)
  })
})

describe('broken records', () => {
  test('go to the dead letters one by one, each with its reason', async () => {
    const lines = [
      'platform,video_id,observed_at,views,likes',
      'youtube,dQw4w9WgXcQ,2026-01-01,10,1',
      'youtube,#NAME?,2026-01-01,10,1',
      'youtube,short,2026-01-01,10,1',
      'vimeo,123,2026-01-01,10,1',
      'tiktok,123,soon,10,1',
      'tiktok,123,2026-01-01,-5,1',
      'tiktok,123,2026-01-01,10',
      'tiktok,123,2026-01-01,,',
      'tiktok,124,2026-01-01,18446744073709551616,1',
      'tiktok,125,2026-01-01,9223372036854775807,1',
    ]
    const { broken, samples } = await read(file('bad.csv', lines.join('\n')))
    expect(broken).toEqual([
      '3 spreadsheet_id',
      '4 invalid_id',
      '5 invalid_platform',
      '6 bad_time',
      '7 bad_number',
      '8 field_count',
      '9 no_counter',
      '10 bad_number',
    ])
    expect(samples.map(sample => sample.views)).toEqual([10, 9223372036854775807n])
  })

  test('count a torn last record when its fields are complete, and say so either way', async () => {
    const header = 'platform,video_id,observed_at,views,title\n'
    const whole = await read(file('whole.csv', `${header}tiktok,1,2026-01-01,5,"cut of`))
    expect(whole.samples).toHaveLength(1)
    expect(whole.notes[0]).toMatch(/record on line 2\. All of its fields are there, so it counts/)
    const torn = await read(file('torn.csv', `${header}tiktok,1,"2026-01`))
    expect(torn.broken).toEqual(['2 field_count'])
    expect(torn.notes[0]).toMatch(/record on line 2\. Fields are missing, so it went to the dead letters/)
  })

  test('of JSON lines are the lines that are not objects', async () => {
    const good = '{"platform":"tiktok","video_id":"7","observed_at":"2026-01-01T00:00:00Z","views":3,"tags":["a"]}'
    const { broken, samples, notes } = await read(file('a.jsonl', `${good}\n[1]\n\n{"platform":\n${good.slice(0, 40)}`))
    expect(samples).toHaveLength(1)
    expect(broken).toEqual(['2 bad_json', '4 bad_json', '5 bad_json'])
    expect(notes[0]).toMatch(/middle of the record on line 5/)
  })
})

describe('rows of the generic format without a video', () => {
  test('are of a creator or a topic, and broken when they describe a video after all', async () => {
    const header = 'platform,video_id,creator_id,topic,observed_at,views,followers,title\n'
    const rows = [
      'youtube,,UC1,,2026-01-01,5,7,',
      'tiktok,,,#FYP,2026-01-01,9,,',
      'tiktok,,,,2026-01-01,9,,',
      'tiktok,,c,,2026-01-01,9,,A title',
      'tiktok,,c,,2026-01-01,,,',
    ]
    const { items, broken } = await read(file('others.csv', header + rows.join('\n')))
    expect(items.map(item => item.kind)).toEqual(['creatorSample', 'topicSample'])
    expect(items[0]?.row).toMatchObject({ creatorId: 'UC1', followers: 7, views: 5, videos: null })
    expect(items[1]?.row).toMatchObject({ topic: 'fyp', views: 9 })
    expect(broken).toEqual(['4 no_subject', '5 no_subject', '6 no_counter'])
  })
})

describe('ids that have lost digits', () => {
  test('are never taken for other ids', async () => {
    const table = 'platform,video_id,observed_at,views\ntiktok,6.90723E+18,2026-01-01,1\ntiktok,#NAME?,2026-01-01,1\n'
    expect((await read(file('excel.csv', table))).broken).toEqual(['2 spreadsheet_id', '3 spreadsheet_id'])
    const line = '{"platform":"tiktok","video_id":6907228749016714497,"observed_at":"2026-01-01","views":1}'
    expect((await read(file('numbers.jsonl', line))).broken).toEqual(['1 invalid_id'])
  })
})

describe('Parquet', () => {
  const path = join(folder, 'history.parquet')
  parquetWriteFile({
    filename: path,
    columnData: [
      { name: 'platform', data: ['youtube', 'tiktok'], type: 'STRING' },
      { name: 'video_id', data: ['dQw4w9WgXcQ', '99'], type: 'STRING' },
      {
        name: 'observed_at',
        data: [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:00Z')],
        type: 'TIMESTAMP',
      },
      { name: 'views', data: [5n, 9007199254740993n], type: 'INT64' },
    ],
  })

  test('gives the same rows as a table', async () => {
    const { format, samples } = await read(path)
    expect(format).toBe('generic-parquet')
    expect(
      samples.map(({ platform, videoId, observedAtMs, views }) => [platform, videoId, observedAtMs, views]),
    ).toEqual([
      ['youtube', 'dQw4w9WgXcQ', Date.UTC(2026, 0, 1), 5],
      ['tiktok', '99', Date.UTC(2026, 0, 2), 9007199254740993n],
    ])
  })

  test('that is not one, or is cut short, is refused by name', async () => {
    expect(await refusal(file('fake.parquet', generic))).toMatch(/fake\.parquet is not a Parquet file/)
    expect(await refusal(file('cut.parquet', Buffer.from('PAR1 and then nothing')))).toMatch(/cut\.parquet is damaged/)
    expect(await refusal(file('p.parquet.gz', gzipSync('PAR1xxxx')))).toMatch(/Parquet file inside gzip/)
  })
})
