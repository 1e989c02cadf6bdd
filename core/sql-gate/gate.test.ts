import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import { type QueryFormat, QueryResultSchema, QueryStreamMessageSchema } from '../../contracts/queries.ts'
import type { QueryLimits } from './gate.ts'
import { canaries, type GateRig, openGateRig } from './gate-rig.ts'

let rig: GateRig
beforeAll(async () => {
  rig = await openGateRig()
})
afterAll(() => rig.close())

const ask = (sql: string, o: { params?: Record<string, unknown>; userId?: UserId } = {}) => ({
  sql,
  userId: o.userId ?? rig.user,
  limits: rig.limits,
  tag: 'test',
  ...(o.params ? { params: o.params } : {}),
})
const rowsOf = async (...asked: Parameters<typeof ask>) => (await rig.gate.run(ask(...asked))).rows
const errorOf = async (...asked: Parameters<typeof ask>) => {
  const error: unknown = await rig.gate.run(ask(...asked)).then(
    () => null,
    (failed: unknown) => failed,
  )
  if (!(error instanceof AppError)) throw new Error(`Expected a refusal of ${asked[0]}, got ${error}`)
  return { code: error.code, message: error.message, details: error.details }
}

describe('who asks', () => {
  const ownQueries = [
    'SELECT video_id FROM mine.samples ORDER BY video_id',
    'SELECT m.video_id FROM mine.samples AS m ORDER BY 1',
    'WITH m AS (SELECT * FROM mine.samples) SELECT video_id FROM m ORDER BY 1',
    'SELECT video_id FROM (SELECT * FROM mine.samples) ORDER BY 1',
    "SELECT arrayJoin(['a', 'own', 'CANARY-OTHER']) AS video_id WHERE video_id IN (SELECT video_id FROM mine.samples) ORDER BY 1",
    'SELECT a.video_id FROM mine.samples AS a JOIN mine.samples AS b USING (video_id) ORDER BY 1',
    'SELECT video_id FROM v.samples WHERE 0 UNION ALL SELECT video_id FROM mine.samples ORDER BY 1',
  ]

  it.each(ownQueries)('sees their own rows and nobody else’s: %s', async sql => {
    const mine = (await rowsOf(sql)).flat().sort()
    expect(mine).toEqual(['a', 'own'])
    expect((await rowsOf(sql, { userId: rig.other })).flat()).toEqual([canaries.other])
  })

  it('sees nothing of anybody when they have nothing', async () => {
    const userId = '33333333-3333-4333-8333-333333333333' as UserId
    for (const view of ['samples', 'videos', 'creators', 'topics', 'creator_samples']) {
      expect(await rowsOf(`SELECT * FROM mine.${view}`, { userId })).toEqual([])
    }
  })

  it('is told apart in every view of mine', async () => {
    for (const view of ['samples', 'videos', 'creators', 'topics', 'creator_samples']) {
      const user = JSON.stringify(await rowsOf(`SELECT * FROM mine.${view}`))
      expect(user, view).not.toContain(canaries.other)
      expect(user.length, view).toBeGreaterThan(2)
    }
  })

  it('never reads private rows through v', async () => {
    for (const view of ['samples', 'videos', 'topics', 'trends', 'creator_samples']) {
      expect(JSON.stringify(await rowsOf(`SELECT * FROM v.${view}`)), view).not.toContain(canaries.other)
    }
    expect(await rowsOf("SELECT views FROM v.samples WHERE video_id = 'own'")).toEqual([])
  })

  it('cannot pass an owner, however it is written', async () => {
    for (const call of [`mine.samples(owner = '${rig.other}')`, `\`mine.samples\`(owner = '${rig.other}')`]) {
      expect((await errorOf(`SELECT * FROM ${call}`)).code).toBe('QUERY_REFUSED')
    }
    const params = { owner: rig.other }
    expect((await errorOf('SELECT * FROM mine.samples', { params })).code).toBe('BAD_REQUEST')
    expect((await errorOf('SELECT * FROM mine.samples(owner = {owner:UUID})', { params })).code).toBe('QUERY_REFUSED')
  })

  // Each of these fails at a row that is not theirs, and would name it, if the engine came to see one.
  it.each([
    'SELECT count() FROM mine.samples WHERE toUInt64(ID) = 1',
    'SELECT count() FROM (SELECT * FROM mine.samples) WHERE toUInt64(ID) = 1',
    'SELECT count() FROM (SELECT ID AS x FROM mine.samples GROUP BY x HAVING toUInt64(x) > 0)',
    'WITH m AS (SELECT * FROM mine.samples WHERE toUInt64(ID) = 1) SELECT count() FROM m',
    "SELECT count() FROM mine.samples AS m LEFT JOIN v.videos AS d ON m.video_id = concat('x', d.video_id) WHERE toUInt64(ID) = 1",
    'SELECT count() FROM mine.samples AS m JOIN (SELECT 1 AS one) AS o ON toUInt64(ID) = o.one',
    'SELECT count() FROM mine.samples WHERE toUInt64(ID) = 1 UNION ALL SELECT 2 WHERE 0',
    'SELECT count() FROM mine.samples WHERE intDiv(1, toUInt64(ID)) = 1',
  ])('never has a condition of theirs looked at with the rows of others: %s', async template => {
    const sql = template.replaceAll('ID', "replaceRegexpOne(video_id, '^(a|own)', '1')")
    expect(await rowsOf(sql)).toEqual([[template.includes('HAVING') ? 1 : 2]])
  })

  it('reads mine as the set of IN like any other table', async () => {
    const sql = "SELECT (toLowCardinality('youtube'), 'a') IN (SELECT platform, video_id FROM mine.samples)"
    expect(await rowsOf(sql)).toEqual([[1]])
    expect(await rowsOf(sql, { userId: rig.other })).toEqual([[0]])
    expect(await rig.gate.check('SELECT 1 IN mine.samples')).toMatchObject({ tables: ['mine.samples'] })
  })
})

describe('a refusal', () => {
  it.each([
    ["SELECT file('/etc/passwd')", 'The function file is not allowed.'],
    ["SELECT * FROM url('http://x', 'CSV')", 'The table function url is not allowed.'],
    [
      'SELECT * FROM system.tables',
      'The table system.tables is not one of ours: only the views of v and mine can be read, e.g. v.samples.',
    ],
    [
      'SELECT * FROM v.clips',
      'There is no view v.clips: v has creator_samples, creators, samples, topic_samples, topics, trends, videos.',
    ],
    [
      'SELECT 1 SETTINGS max_threads = 8',
      'SETTINGS is not allowed (if it is a name of yours, write it in lower case).',
    ],
    ['DROP TABLE cliptape.samples_v1', 'Only one SELECT is allowed.'],
    ['SELECT x.y', 'x.y is not allowed: this SQL has no table, alias or column x.'],
  ])('names what is refused: %s', async (sql, message) => {
    const refusal = await errorOf(sql)
    expect(refusal.code).toBe('QUERY_REFUSED')
    expect(refusal.message.replace(/ \(line \d+, column \d+\)/, '')).toBe(message)
  })

  it('says where a syntax error is, without our own part of the statement', async () => {
    const { code, message } = await errorOf('SELECT video_id FORM v.samples WHERE')
    expect(code).toBe('QUERY_FAILED')
    expect(message).toContain('line 1, column 22')
    expect(message).not.toContain('formatQuery')
    expect((await errorOf('SELECT (1')).message).not.toContain('formatQuery')
  })

  it('comes for text that is too long or no text', async () => {
    expect((await errorOf(`SELECT '${'a'.repeat(20_000)}'`)).code).toBe('QUERY_REFUSED')
    expect((await errorOf("SELECT 'a\0b'")).code).toBe('QUERY_REFUSED')
    expect((await errorOf("SELECT '\ud800'")).code).toBe('QUERY_REFUSED')
    expect((await errorOf('')).code).toBe('QUERY_FAILED')
  })

  it('comes for nesting that would exhaust the parser', async () => {
    const { code } = await errorOf(`SELECT ${'('.repeat(5_000)}1${')'.repeat(5_000)}`)
    expect(['QUERY_LIMIT', 'QUERY_FAILED']).toContain(code)
    expect(await rowsOf('SELECT 1')).toEqual([[1]])
  })
})

describe('limits', () => {
  it('end a query that reads, returns or lasts too much', async () => {
    const endless = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'
    const limits = { ...rig.limits, timeSecMax: 1, readRowsMax: 0 }
    await expect(rig.gate.run({ ...ask(endless), limits })).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
    await expect(rig.gate.run(ask('SELECT number FROM numbers(100000)'))).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
  })

  it('are named when a query goes over one', async () => {
    const tellOf = async (sql: string, limits: Partial<QueryLimits>) => {
      const asked = rig.gate.run({ ...ask(sql), limits: { ...rig.limits, ...limits } })
      return await asked.then(
        () => 'It ran.',
        (error: unknown) => (error instanceof AppError ? error.message : String(error)),
      )
    }
    const slow = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'
    expect(await tellOf(slow, { timeSecMax: 1, readRowsMax: 0 })).toContain('It took longer than 1 seconds')
    expect(await tellOf('SELECT number FROM numbers(101)', { resultRowsMax: 100 })).toContain('more than 100 rows')
    expect(await tellOf('SELECT count() FROM numbers(2000)', { readRowsMax: 1000 })).toContain(
      'read more than 1,000 rows',
    )
    const large = 'SELECT length(groupArray(number)) FROM numbers(900000)'
    expect(await tellOf(large, { memoryBytesMax: 2 ** 22 })).toContain('more than 4 MiB of memory')
  })

  it('end a query whose asker is gone', async () => {
    const signal = AbortSignal.abort()
    await expect(rig.gate.run({ ...ask('SELECT 1'), signal })).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
  })
})

describe('parameters', () => {
  it.each([
    ['{x:String}', 'youtube', 'youtube'],
    ['{x:String}', "it's {y:String} \\ `", "it's {y:String} \\ `"],
    ['{x:String}', 5, '5'],
    ['{x:String}', '007', '007'],
    ['{x:UInt8}', '007', 7],
    ['toString({x:DateTime})', '1704096000000', '2024-01-01 08:00:00'],
    ['{x:UInt8}', 255, 255],
    ['{x:UInt64}', '18446744073709551615', '18446744073709551615'],
    ['{x:Int64}', '-5', -5],
    ['{x:Float64}', '1.5', 1.5],
    ['{x:Bool}', 'true', true],
    ['{x:Nullable(UInt8)}', null, null],
    ['{x:Array(String)}', ['a', "b'"], ['a', "b'"]],
    ['{x : Array( UInt8 )}', [], []],
    ['toString({x:Date})', '2024-02-29', '2024-02-29'],
    ['toString({x:DateTime})', '2024-01-01T10:00:00+02:00', '2024-01-01 08:00:00'],
    ['toString({x:DateTime64(3)})', '2024-01-01 10:00:00.5', '2024-01-01 10:00:00.500'],
    ['toString({x:DateTime64(3)})', 0, '1970-01-01 00:00:00.000'],
    ['toString({x:UUID})', '11111111-1111-4111-8111-111111111111', '11111111-1111-4111-8111-111111111111'],
  ])('%s takes %j', async (expression, x, expected) => {
    expect(await rowsOf(`SELECT ${expression}`, { params: { x } })).toEqual([[expected]])
  })

  it.each([
    ['{x:UInt8}', 300],
    ['{x:UInt8}', 'five'],
    ['{x:UInt8}', 1.5],
    ['{x:UInt8}', null],
    ['{x:String}', { a: 1 }],
    ['{x:Array(String)}', 'a'],
    ['{x:Date}', 'yesterday'],
    ['{x:DateTime}', '2024-13-01'],
    ['{x:Float64}', Number.NaN],
    ['{x:Identifier}', 'v'],
    ['{x:AggregateFunction(sum, UInt8)}', ''],
    ['{y:String}', 'a'],
    ['1', 'left over'],
  ])('%s does not take %j', async (expression, x) => {
    expect((await errorOf(`SELECT ${expression}`, { params: { x } })).code).toBe('BAD_REQUEST')
  })

  it('stay as they are inside strings, quoted names and comments', async () => {
    const sql = "SELECT '{x:String}' AS `{x:String}`, {x:String} AS y /* {x:String} */ -- {x:String}"
    const { columns, rows } = await rig.gate.run(ask(sql, { params: { x: "'" } }))
    expect(columns.map(({ name }) => name)).toEqual(['{x:String}', 'y'])
    expect(rows).toEqual([['{x:String}', "'"]])
  })

  it('cannot carry SQL', async () => {
    const x = "') UNION ALL SELECT secret FROM cliptape.canary_v1 --"
    expect(await rowsOf('SELECT {x:String}', { params: { x } })).toEqual([[x]])
    expect((await errorOf("SELECT '{x:String}' FROM {x:String}", { params: { x } })).code).toMatch(/^QUERY_/)
  })

  it('need no values to be checked', async () => {
    const sql =
      'SELECT * FROM v.samples JOIN mine.videos USING (video_id) WHERE views > {n:UInt64} AND platform IN {p:Array(String)}'
    expect(await rig.gate.check(sql)).toMatchObject({ tables: ['v.samples', 'mine.videos'] })
  })
})

describe('a stream', () => {
  const sql = "SELECT video_id, views, likes FROM v.samples WHERE video_id = 't1' ORDER BY observed_at"
  const odd = "SELECT 'a\"b|c' AS `x,y_z`, NULL AS n, ['c'] AS list, 1.5 AS f"
  const streamOf = async (asked: string, format: QueryFormat) =>
    await text(await rig.gate.stream({ ...ask(asked), format }))

  it('is one object a line, with integers as numbers where those are exact', async () => {
    expect(await streamOf(sql, 'jsonl')).toBe(
      '{"video_id":"t1","views":7,"likes":0}\n{"video_id":"t1","views":"18446744073709551615","likes":"9007199254740993"}\n',
    )
  })

  it('is JSON with columns first and statistics last', async () => {
    const answer = QueryResultSchema.parse(JSON.parse(await streamOf(sql, 'json')))
    expect(answer.columns.map(({ name }) => name)).toEqual(['video_id', 'views', 'likes'])
    expect(answer.rows).toEqual([
      ['t1', 7, 0],
      ['t1', '18446744073709551615', '9007199254740993'],
    ])
    expect(answer.statistics.rowsRead).toBeGreaterThan(0)
    expect(JSON.parse(await streamOf(`${sql} LIMIT 0`, 'json'))).toMatchObject({ rows: [] })
  })

  it('is CSV with quoted text and empty NULLs', async () => {
    expect(await streamOf(odd, 'csv')).toBe('"x,y_z","n","list","f"\n"a""b|c",,"[""c""]",1.5\n')
  })

  it('is a Markdown table whose cells end nowhere else', async () => {
    expect(await streamOf(odd, 'markdown')).toBe(
      '| x,y_z | n | list | f |\n| --- | --- | --- | ---: |\n| a"b\\|c |  | \\["c"\\] | 1.5 |\n',
    )
  })

  it('is a Parquet file', async () => {
    const file = await buffer(await rig.gate.stream({ ...ask(sql), format: 'parquet' }))
    expect([file.subarray(0, 4).toString(), file.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1'])
  })

  it('keeps columns that have the same name', async () => {
    const twice = 'SELECT a.n, b.n FROM (SELECT 1 AS n) AS a, (SELECT 2 AS n) AS b'
    expect(await streamOf(twice, 'csv')).toBe('"n","b.n"\n1,2\n')
  })

  it('is empty for no rows', async () => {
    expect(await streamOf(`${sql} LIMIT 0`, 'jsonl')).toBe('')
  })

  it('is refused before its first byte', async () => {
    await expect(streamOf("SELECT file('x')", 'csv')).rejects.toMatchObject({ code: 'QUERY_REFUSED' })
    await expect(streamOf('SELECT unknown_name FROM v.samples', 'stream')).rejects.toMatchObject({
      code: 'QUERY_FAILED',
    })
  })

  it('tells as its last message what went wrong after rows were sent', async () => {
    const late = "SELECT number, toUInt8(if(number = 200000, 'x', '1')) FROM numbers(300000)"
    const limits = { ...rig.limits, resultRowsMax: 1_000_000 }
    const lines = await text(await rig.gate.stream({ ...ask(late), limits, format: 'stream' }))
    const messages = lines
      .trimEnd()
      .split('\n')
      .map(line => QueryStreamMessageSchema.parse(JSON.parse(line)))
    expect(messages.map(({ type }) => type)).toContain('rows')
    expect(messages.at(-1)).toMatchObject({ type: 'error', code: 'QUERY_FAILED' })
    await expect(rig.gate.stream({ ...ask(late), limits, format: 'csv' }).then(text)).rejects.toMatchObject({
      code: 'QUERY_FAILED',
    })
  })

  it('begins before the query has ended, and ends it when nobody reads on', async () => {
    const endless = 'SELECT number FROM numbers(100000000000)'
    const limits = { ...rig.limits, readRowsMax: 10 ** 12, resultRowsMax: 10 ** 12, resultBytesMax: 10 ** 12 }
    const stream = await rig.gate.stream({ ...ask(endless), limits, tag: 'endless', format: 'csv' })
    await once(stream, 'readable')
    stream.destroy()
    await expect.poll(() => running(' endless '), { timeout: 5000 }).toBe(0)
  })

  it('stops within a second while the engine works out a subquery before the first row', async () => {
    const slow = 'SELECT (SELECT sum(sipHash64(number)) FROM numbers(100000000000))'
    const gone = new AbortController()
    const limits = { ...rig.limits, readRowsMax: 10 ** 12 }
    const asked = rig.gate.stream({ ...ask(slow), limits, tag: 'subquery', signal: gone.signal, format: 'csv' })
    asked.catch(() => {})
    await expect.poll(() => running(' subquery '), { timeout: 5000 }).toBe(1)
    gone.abort()
    await expect(asked).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
    await expect.poll(() => running(' subquery '), { timeout: 1000 }).toBe(0)
    expect(rig.store.status().restartCount).toBe(0)
  })
})

describe('the place of what is wrong', () => {
  const placeOf = async (sql: string, params?: Record<string, unknown>) => {
    const { details } = await errorOf(sql, params ? { params } : {})
    return [details.line, details.column]
  }

  it('is where the engine cannot read on, in the text as it was sent', async () => {
    expect(await placeOf('SELECT views\n  FROM v.samples\n  WHERE (1')).toEqual([3, 9])
    expect(await placeOf("SELECT 'é' frm x")).toEqual([1, 16])
    expect(await placeOf('SELECT {a:String},\n {b:UInt64} frm x', { a: 'long '.repeat(20), b: 1 })).toEqual([2, 17])
  })

  it('is where a name stands that the engine does not know', async () => {
    expect(await placeOf("SELECT 'viewz', -- viewz\n  viewz FROM v.samples")).toEqual([2, 3])
    expect(await placeOf('SELECT s.unknown_name FROM v.samples AS s')).toEqual([1, 10])
  })

  it('is where a name stands that the gate refuses', async () => {
    expect(await placeOf("SELECT 1,\n  file('x')")).toEqual([2, 3])
    expect(await placeOf('SELECT 1 FROM v.samples, system.tables')).toEqual([1, 26])
  })

  it('is said in the sentence', async () => {
    expect((await errorOf('SELECT 1,\n  hostName()')).message).toBe(
      'The function hostName is not allowed (line 2, column 3).',
    )
    expect((await errorOf('SELECT 1 FROM')).message).toMatch(
      /^The SQL cannot be read at line 1, column 14, at end of query: expected table, /,
    )
  })
})

describe('turns', () => {
  it('are as many for each user as their plan has', async () => {
    const limits = { ...rig.limits, readRowsMax: 10 ** 12, resultRowsMax: 10 ** 12, atOnceMax: 1 }
    const first = await rig.gate.stream({ ...ask('SELECT number FROM numbers(100000000)'), limits, format: 'csv' })
    await expect(rig.gate.run({ ...ask('SELECT 1'), limits })).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    expect((await rig.gate.run({ ...ask('SELECT 1'), limits, userId: rig.other })).rows).toEqual([[1]])
    first.destroy()
    const again = () =>
      rig.gate.run({ ...ask('SELECT 1'), limits }).then(
        ({ rows }) => rows,
        () => null,
      )
    await expect.poll(again, { timeout: 5000 }).toEqual([[1]])
  })
})

describe('an explanation', () => {
  it('has the steps of the engine and nothing of how much lies there', async () => {
    const found = await rig.gate.explain(
      ask('SELECT platform, count() FROM mine.samples WHERE views > {n:UInt64} GROUP BY 1'),
    )
    expect(found).toMatchObject({ tables: ['mine.samples'], parameters: [{ name: 'n', type: 'UInt64' }] })
    expect(found.plan.join('\n')).toContain('Aggregating')
    expect(found.plan.join('\n')).not.toMatch(/Parts:|Granules:/)
  })
})

/** How many statements with this text run in the engine. */
async function running(mark: string): Promise<number> {
  const rows = await rig.store.query(
    `SELECT 1 FROM system.processes WHERE position(query, '${mark}') > 0 AND position(query, 'system.processes') = 0`,
  )
  return rows.length
}
