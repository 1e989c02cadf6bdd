import { buffer, text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import type { AnalyticsStore, ReadOnlyLimits, ReadOnlyPart } from './port.ts'

export const testLimits: ReadOnlyLimits = {
  timeSecMax: 5,
  memoryBytesMax: 300_000_000,
  resultRowsMax: 100,
  resultBytesMax: 1_000_000,
  readRowsMax: 10_000_000,
}

/** A query that runs for minutes, reading nothing. */
export const endlessSql = 'SELECT sum(cityHash64(number)) FROM numbers(1000000000000)'

/**
 * What every analytics store must do, embedded or a server.
 * @param open the store to test, the same one at every call; it has a database `cliptape`
 */
export function analyticsStoreSuite(open: () => AnalyticsStore): void {
  const table = 'cliptape.port_suite'

  it('gives 64-bit integers as numbers where they are exact and as strings where not, and leaves texts alone', async () => {
    const [row] = await open().query(
      `SELECT 9007199254740991::UInt64 AS safe, 9007199254740992::UInt64 AS large, -5::Int64 AS negative, '7' AS text,
        [1, 18446744073709551615]::Array(UInt64) AS list, map('1', 2::UInt64) AS map, ('3', 4::UInt64) AS pair,
        CAST(('5', 6), 'Tuple(a String, b Nullable(Int64))') AS named, NULL::Nullable(UInt64) AS nothing, 1e17 AS float`,
    )
    expect(row).toEqual({
      safe: 9007199254740991,
      large: '9007199254740992',
      negative: -5,
      text: '7',
      list: [1, '18446744073709551615'],
      map: { 1: 2 },
      pair: ['3', 4],
      named: { a: '5', b: 6 },
      nothing: null,
      float: 1e17,
    })
  })

  it('brings every kind of text back as it was inserted', async () => {
    const store = open()
    await store.command(`CREATE OR REPLACE TABLE ${table} (id UInt32, text String) ENGINE = MergeTree ORDER BY id`)
    const texts = [
      "it's",
      'a\\b\\n',
      'tab\tline\nreturn\r',
      '\0nul\0',
      '日本語 🎬',
      '`"$$; -- /* {x:String}',
      'x'.repeat(100_000),
    ]
    await store.insert(
      table,
      texts.map((value, id) => ({ id, text: value })),
    )
    const rows = await store.query<{ text: string }>(`SELECT text FROM ${table} ORDER BY id`)
    expect(rows.map(row => row.text)).toEqual(texts)
  })

  it('takes bytes in other formats, for the columns that are named', async () => {
    const store = open()
    await store.command(
      `CREATE OR REPLACE TABLE ${table} (id UInt32, text String DEFAULT 'none') ENGINE = MergeTree ORDER BY id`,
    )
    await store.insertRaw(table, Buffer.from('1\n2\n'), { format: 'TabSeparated', columns: ['id'] })
    await store.insertRaw(table, Buffer.from('[3, "three"]'), { format: 'JSONCompactEachRow' })
    expect(await store.query(`SELECT * FROM ${table} ORDER BY id`)).toEqual([
      { id: 1, text: 'none' },
      { id: 2, text: 'none' },
      { id: 3, text: 'three' },
    ])
  })

  it('refuses a batch with an unknown field or a value of the wrong type, and keeps none of its rows', async () => {
    const store = open()
    await store.command(`CREATE OR REPLACE TABLE ${table} (id UInt32) ENGINE = MergeTree ORDER BY id`)
    await expect(store.insert(table, [{ id: 1 }, { id: 2, extra: 3 }])).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    await expect(store.insert(table, [{ id: 1 }, { id: 'two' }])).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    expect(await store.query(`SELECT count() AS rows FROM ${table}`)).toEqual([{ rows: 0 }])
  })

  it('says in a sentence what the engine could not do', async () => {
    await expect(open().query('SELECT * FROM cliptape.absent')).rejects.toMatchObject({
      code: 'QUERY_FAILED',
      message: expect.stringContaining('The engine could not run this SQL: '),
      details: { engineCode: 60, engineError: 'UNKNOWN_TABLE' },
    })
  })

  it('streams a result of any size in the format asked for, with one header', async () => {
    const sql = 'SELECT number AS n, toString(number) AS "a\nb" FROM numbers(300000)'
    const csv = await text(await open().stream(sql, 'CSVWithNames'))
    expect(csv.slice(0, 20)).toBe('"n","a\nb"\n0,"0"\n1,"1')
    expect(csv.split('\n')).toHaveLength(300_003)
    expect(csv.match(/"n"/g)).toHaveLength(1)
    const rows = await text(await open().stream(sql, 'JSONCompactEachRowWithNamesAndTypes'))
    expect(rows.split('\n')).toHaveLength(300_003)
    const native = await buffer(await open().stream('SELECT 1::UInt8 AS a', 'Native'))
    expect([...native]).toEqual([1, 1, 1, 97, 5, 85, 73, 110, 116, 56, 1])
  })

  it('keeps the settings of one statement away from the next', async () => {
    const store = open()
    const setting = `SELECT value FROM system.settings WHERE name = 'max_block_size'`
    const [before] = await store.query(setting)
    expect(await store.query(setting, { settings: { max_block_size: 1234 } })).toEqual([{ value: '1234' }])
    expect(await store.query(setting)).toEqual([before])
  })

  it('gives nothing of a statement that failed to the ones behind it', async () => {
    const store = open()
    for (let round = 0; round < 5; round += 1) {
      const tooLarge = store.queryReadOnly('SELECT number AS leaked FROM numbers(200)', testLimits)
      await expect(tooLarge).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
      const { columns, rows } = await store.queryReadOnly('SELECT 1 AS mine', testLimits)
      expect({ columns, rows }).toEqual({ columns: [{ name: 'mine', type: 'UInt8' }], rows: [[1]] })
    }
  })

  it('holds a user to reading: no DDL, no insert, no setting', async () => {
    const store = open()
    await store.command(`CREATE OR REPLACE TABLE ${table} (id UInt32) ENGINE = MergeTree ORDER BY id`)
    for (const sql of [
      `INSERT INTO ${table} SELECT 1`,
      `DROP TABLE ${table}`,
      `ALTER TABLE ${table} DELETE WHERE 1`,
      'CREATE TABLE cliptape.other (id UInt32) ENGINE = MergeTree ORDER BY id',
      'SET readonly = 0',
      'SET max_result_rows = 0',
    ]) {
      await expect(store.queryReadOnly(sql, testLimits), sql).rejects.toMatchObject({ code: 'QUERY_REFUSED' })
    }
    await expect(store.queryReadOnly(`SELECT 1; DROP TABLE ${table}`, testLimits)).rejects.toThrow()
    expect(await store.query(`SELECT count() AS rows FROM ${table}`)).toEqual([{ rows: 0 }])
  })

  it('holds a user to time, memory, rows read and the size of the result', async () => {
    const store = open()
    const ask = (sql: string, limits: Partial<ReadOnlyLimits>) => store.queryReadOnly(sql, { ...testLimits, ...limits })
    const limit = { code: 'QUERY_LIMIT' }
    await expect(ask(endlessSql, { timeSecMax: 1, readRowsMax: 1e15 })).rejects.toMatchObject(limit)
    await expect(ask('SELECT number FROM numbers(101)', {})).rejects.toMatchObject(limit)
    await expect(ask("SELECT repeat('x', 900000) FROM numbers(3)", {})).rejects.toMatchObject(limit)
    await expect(ask('SELECT count() FROM numbers(1000)', { readRowsMax: 10 })).rejects.toMatchObject(limit)
    const large = 'SELECT length(groupArray(number)) FROM numbers(9000000)'
    await expect(ask(large, { memoryBytesMax: 20_000_000 })).rejects.toMatchObject(limit)
    await expect(ask('SELECT 1', { timeSecMax: 1 })).resolves.toMatchObject({ rows: [[1]] })
  })

  it("streams a user's answer with what was read, and is held to the same limits", async () => {
    const store = open()
    const read = async (sql: string, limits: Partial<ReadOnlyLimits> = {}) => {
      const parts: ReadOnlyPart[] = []
      for await (const part of store.streamReadOnly(sql, { ...testLimits, ...limits })) parts.push(part)
      const progress = parts.flatMap(part => (part.kind === 'progress' ? [part.statistics.rowsRead] : []))
      return {
        kinds: [...new Set(parts.map(({ kind }) => kind))].filter(kind => kind !== 'progress'),
        rows: parts.flatMap(part => (part.kind === 'rows' ? part.rows : [])),
        rowsRead: Math.max(0, ...progress),
      }
    }
    expect(await read('SELECT number, toUInt64(18446744073709551615) AS most FROM numbers(3)')).toEqual({
      kinds: ['columns', 'rows'],
      rows: [0, 1, 2].map(number => [number, '18446744073709551615']),
      rowsRead: 3,
    })
    expect(await read('SELECT 1 WHERE 0')).toMatchObject({ kinds: ['columns'], rows: [] })
    await expect(read('SELECT number FROM numbers(101)')).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
    await expect(read('SELECT nothing')).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    await expect(read('SELECT 1 SETTINGS max_result_rows = 7')).rejects.toMatchObject({ code: 'QUERY_REFUSED' })
    await expect(read('DROP TABLE cliptape.nothing')).rejects.toThrow()
    const endless = 'SELECT number AS never_read_on FROM numbers(1000000000000)'
    const limits = { ...testLimits, readRowsMax: 1e15, resultRowsMax: 1e15, resultBytesMax: 1e15, timeSecMax: 60 }
    for await (const { kind } of store.streamReadOnly(endless, limits, { queryId: 'suite-3' })) {
      if (kind === 'rows') break
    }
    const running = `SELECT count() AS count FROM system.processes WHERE startsWith(query, '/* suite-3 ')`
    while ((await store.query<{ count: number }>(running))[0]?.count !== 0);
  })

  it('ends a query by its id, and says how many it told to stop', async () => {
    const store = open()
    const failure = expect(store.query(endlessSql, { queryId: 'suite-1' })).rejects.toMatchObject({
      code: 'QUERY_LIMIT',
    })
    while ((await store.kill('suite-1')) === 0);
    await failure
    expect(await store.kill('suite-1')).toBe(0)
  })

  it('ends a query that nobody waits for any more', async () => {
    const store = open()
    const giveUp = new AbortController()
    const query = store.query(endlessSql, { queryId: 'suite-2', signal: giveUp.signal })
    const failure = expect(query).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
    const running = `SELECT count() AS count FROM system.processes WHERE startsWith(query, '/* suite-2 ')`
    const count = async () => (await store.query<{ count: number }>(running))[0]?.count
    while ((await count()) === 0);
    giveUp.abort()
    await failure
    while ((await count()) !== 0);
  })

  it('answers a ping and says what it is', async () => {
    await open().ping()
    expect(open().status()).toMatchObject({ state: 'up', version: expect.stringMatching(/^\d+\.\d+/) })
  })
}
