import { expect, test } from 'vitest'
import type { QueryStreamMessage, SavedQuery } from '../../contracts/queries.ts'
import { type Asked, type Reply, refusal } from '../../test/account-rig.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'

const statistics = { elapsedSec: 0.5, rowsRead: 90_000, bytesRead: 2_000_000 }
const keys = { run: '\n', escape: '\u001b', save: '\u0013', history: '\u0012', f9: '\u001b[20~', up: '\u001b[A' }

/** The answer of the format `stream`. */
function streamed(...messages: QueryStreamMessage[]): Reply {
  return { body: Buffer.from(messages.map(message => `${JSON.stringify(message)}\n`).join('')) }
}

const rows = streamed(
  {
    type: 'columns',
    columns: [
      { name: 'day', type: 'Date' },
      { name: 'views', type: 'Nullable(UInt64)' },
      { name: 'note', type: 'String' },
    ],
  },
  {
    type: 'rows',
    rows: [
      ['2017-11-14', 12, 'first\nsecond line'],
      ['2017-11-15', null, ''],
      ['2017-11-16', 8_000, 'third\u001b[2Jcleared'],
    ],
  },
  { type: 'done', rowCount: 3, statistics },
)

const saved: SavedQuery = {
  id: '018f3b52-0000-7000-8000-00000000000a',
  version: 1,
  name: 'Best days',
  description: '',
  sql: 'select 1\nfrom v.samples',
  parameters: [],
  visibility: 'private',
  isOwn: true,
  tables: ['v.samples'],
  createdAt: '2026-03-01T12:00:00.000Z',
  updatedAt: '2026-03-01T12:00:00.000Z',
}

const catalog: Reply = {
  body: {
    schemas: [
      {
        name: 'v',
        comment: 'Public.',
        tables: [
          {
            name: 'samples',
            comment: 'Readings of videos.',
            columns: [{ name: 'views', type: 'UInt64', comment: 'All views so far.' }],
          },
        ],
      },
    ],
    functions: [{ name: 'sum', isAggregate: true, description: 'The sum.' }],
    tableFunctions: [],
    parameterTypes: ['String'],
  },
}

async function openSql(replies: ScreenRig['http']['replies'] = {}, command = 'SQL', size: ScreenOptions = {}) {
  const screen = await openScreen(command, {
    columns: 100,
    rows: 30,
    ...size,
    replies: { 'GET /api/query/catalog': catalog, 'POST /api/query': rows, ...replies },
  })
  const { rig, http } = screen
  return {
    rig,
    http,
    screen,
    /** Types keys one after another, each waited for. */
    async type(...texts: string[]) {
      for (const text of texts) {
        await rig.type(text)
        // The Escape key is told from the start of a sequence by time.
        if (text === keys.escape) await rig.advance(50)
      }
    },
    bodies: (address: string) => http.askedFor(address).map((asked: Asked) => asked.body),
  }
}

test('completes, runs the statement at the cursor, and shows its rows and figures', async () => {
  const { rig, type, bodies } = await openSql()
  await rig.shows('v.samples  Readings of videos.')
  await type('sel', '\t', ' su', '\t', 'views', '\u001b[F', ' from v.', '\t', '; select 2')
  expect(await rig.shows('select 2')).toContain('1 SELECT sum(views) from v.samples; select 2')
  await type('\u001b[H', keys.run)
  const shown = await rig.shows('3 rows')
  expect(shown).toContain('read 90K rows 2 MB')
  expect(bodies('POST /api/query')).toEqual([{ sql: 'SELECT sum(views) from v.samples', params: {}, format: 'stream' }])
  expect(shown).toMatch(/1 2017-11-14 +12 first second line/)
  expect(shown).toMatch(/2 2017-11-15 +NULL *\n/)
  expect(shown).toMatch(/3 2017-11-16 +8000 thirdcleared/)
})

test('shows a whole cell, finds in rows, and copies what is selected', async () => {
  const { rig, type } = await openSql()
  await type('select 1', keys.run)
  await rig.shows('3 rows')
  await type(keys.escape, 'l', 'l', '\r')
  expect(await rig.shows('Row 1, note String')).toMatch(/ first *\n second line/)
  await type(keys.escape, '/third', '\r')
  await rig.shows('row 3 of 3')
  await type('y')
  await rig.shows('Copied the cell')
  expect(rig.output()).toContain(`]52;c;${Buffer.from('thirdcleared').toString('base64')}`)
})

test('points at what is wrong in the text, also behind another statement', async () => {
  const { rig, type, http } = await openSql()
  http.replies['POST /api/query'] = streamed({
    type: 'error',
    code: 'QUERY_FAILED',
    message: 'There is no column nothing (line 3, column 12).',
    details: { line: 3, column: 12 },
  })
  await type('\u001b[200~select 1;\n\n  select x, nothing\u001b[201~', keys.f9)
  const shown = await rig.shows('! There is no column nothing (line 3, column 12).')
  expect(shown).toMatch(/^! 3 {3}select x, nothing/m)
  // The server was sent what makes its places those of the text.
  expect(http.askedFor('POST /api/query').at(-1)?.body).toMatchObject({ sql: '\n\n  select x, nothing' })
})

test('asks for parameters once, sends them as typed, and asks again by key', async () => {
  const { rig, type, bodies } = await openSql()
  await type('\u001b[200~select {p:String}, {ids:Array(UInt8)}\u001b[201~', keys.run)
  await rig.shows('ids Array(UInt8)')
  await type('24h', '\r', '1, 2', '\r')
  await rig.shows('3 rows')
  await type(keys.escape, 'r')
  await rig.shows('3 rows')
  expect(bodies('POST /api/query')).toMatchObject([
    { params: { p: '24h', ids: ['1', '2'] } },
    { params: { p: '24h', ids: ['1', '2'] } },
  ])
  await type('p')
  await rig.shows('Values of the parameters')
})

test('saves with what was typed, says what the server refuses, and saves a new version over the known one', async () => {
  const { rig, type, http, bodies } = await openSql()
  await type('\u001b[200~select 1\nfrom v.samples;\u001b[201~', keys.save)
  await rig.shows('Save this query')
  http.replies['POST /api/queries'] = refusal(409, 'CONFLICT', 'You have a query of that name.')
  await type('Best days', '\r', '\r', '\r')
  await rig.shows('You have a query of that name.')
  http.replies['POST /api/queries'] = { status: 201, body: saved }
  await type('\r')
  await rig.shows('Saved Best days, version 1.')
  expect(bodies('POST /api/queries').at(-1)).toEqual({
    name: 'Best days',
    description: '',
    visibility: 'private',
    sql: 'select 1\nfrom v.samples',
    parameters: [],
  })
  http.replies[`PUT /api/queries/${saved.id}`] = { body: { ...saved, version: 2, sql: 'select 1\nfrom v.samples x' } }
  await type(' x', keys.save)
  await rig.shows('Save a new version of Best days')
  await type('\r', '\r', '\r')
  await rig.shows('Best days v2')
})

test('opens a saved query by its name with its lines, and copies the command that opens it for others', async () => {
  const { rig, type, http } = await openSql(
    { 'GET /api/queries': { body: { data: [{ ...saved, name: 'Best days ever' }, saved] } } },
    'SQL "best days"',
  )
  const shown = await rig.shows('Best days, version 1')
  expect(shown).toMatch(/1 select 1 *\n +2 from v\.samples/)
  expect(http.askedFor('GET /api/queries')[0]?.query).toMatchObject({ search: 'best days' })
  await type(keys.escape, 'u')
  await rig.shows('only you may see it')
  expect(rig.output()).toContain(Buffer.from(`SQL ${saved.id}`).toString('base64'))
})

test('charts the rows, beside them where there is room, and exports them by the server', async () => {
  const { rig, type, bodies } = await openSql()
  await type('select 1', keys.run)
  await rig.shows('3 rows')
  await type(keys.escape, 'c')
  await rig.shows('views  by day, line')
  await rig.resize(160, 40)
  expect(await rig.shows('views  by day, line')).toMatch(/2017-11-16 +8000/)
  await type('e')
  await rig.shows('JSON lines')
  await type('\u001b[C', '\r')
  await rig.shows('Saved ')
  expect([...rig.saved.keys()]).toEqual([expect.stringMatching(/^cliptape-query-\d{8}T\d{6}Z\.json$/)])
  expect(bodies('POST /api/query').at(-1)).toMatchObject({ sql: 'select 1', format: 'json' })
})

test('compares versions and restores one', async () => {
  const versions = [2, 1].map(version => ({ ...saved, version, sql: `select ${version}` }))
  const { rig, type, http } = await openSql(
    {
      [`GET /api/queries/${saved.id}`]: { body: { ...saved, version: 2 } },
      [`GET /api/queries/${saved.id}/versions`]: { body: { data: versions } },
      [`GET /api/queries/${saved.id}/diff`]: {
        body: {
          from: 1,
          to: 2,
          fields: ['name'],
          lines: [
            { kind: 'removed', text: '  select 1' },
            { kind: 'added', text: '  select 2' },
          ],
        },
      },
      [`POST /api/queries/${saved.id}/restore`]: { body: { ...saved, version: 3, sql: 'select 1' } },
    },
    `SQL ${saved.id}`,
  )
  await rig.shows('Best days, version 2')
  await type(keys.escape, 'V')
  await rig.shows('This is what is saved now.')
  await type('j')
  expect(await rig.shows('From version 1 to version 2')).toMatch(/- {3}select 1 *\n\+ {3}select 2/)
  await type('R')
  await rig.shows('Restored as version 3.')
  expect(http.askedFor(`POST /api/queries/${saved.id}/restore`)[0]?.body).toEqual({ version: 1 })
})

test('brings back what was run by a search, and what it replaced by undo', async () => {
  const { rig, type } = await openSql()
  await type('select 11', keys.run)
  await rig.shows('3 rows')
  await type('\u001ba', 'select 22', keys.run)
  await rig.shows('select 22')
  await type(keys.history, '11')
  await rig.shows('run before: 11')
  await type('\r')
  expect(await rig.shows('select 11')).not.toContain('select 22')
  await type('\u001a')
  await rig.shows('select 22')
})

test.each([
  ['80x24', { columns: 80, rows: 24 }],
  ['60x15', { columns: 60, rows: 15, isAscii: true }],
])('has room for the text, the rows and the keys in %s', async (name, size) => {
  const { rig, type, screen } = await openSql({}, 'SQL', size)
  await type('\u001b[200~select day, views, note\nfrom v.samples\u001b[201~', keys.run)
  await rig.shows('3 rows')
  await type(keys.escape, 'l')
  await rig.shows('row 1 of 3')
  const steady = steadyScreen(screen).replace(/\d\.\d\d s/, '0.00 s')
  await expect(steady).toMatchFileSnapshot(`__snapshots__/sql-${name}.txt`)
})

test('lists the keys that hold where one is, and runs them', async () => {
  const { rig, type } = await openSql()
  await type('select 1', '\u0010', 'comment')
  await rig.shows('Comment the lines')
  await type('\r')
  await rig.shows('-- select 1')
  await type(keys.escape, '?', 'whole cell')
  await rig.shows('The whole cell')
})

test('cancels a running query with Esc, and stays', async () => {
  const { rig, type, http } = await openSql()
  const never = Promise.withResolvers<Reply>()
  http.replies['POST /api/query'] = () => never.promise
  await type('select 1', keys.run)
  await rig.shows('Esc cancels')
  await type(keys.escape)
  await rig.shows('Cancelled.')
  await type(keys.up, 'x')
  await rig.shows('xselect 1')
  never.resolve(rows)
})
