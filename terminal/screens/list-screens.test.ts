import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { DeadLetterRow, OpsRow } from '../../contracts/ws.ts'
import { openRig, type Rig, seededServer, seededTrends } from '../../test/terminal-rig.ts'

let rig: Rig | null = null
afterEach(async () => {
  await rig?.end()
  rig = null
})

const opsRows: OpsRow[] = [
  { key: 'store:clickhouse', group: 'store', name: 'chDB', state: 'ok', value: '3 ms', detail: 'schema 4' },
  { key: 'source:replay', group: 'source', name: 'replay', state: 'ok', value: '1,204/s', detail: 'x3600, looped' },
  { key: 'queue:import', group: 'queue', name: 'import', state: 'warn', value: '12 waiting', detail: 'oldest 40 s' },
  { key: 'store:postgres', group: 'store', name: 'PGlite', state: 'down', value: '-', detail: 'does not answer' },
]
const letters: DeadLetterRow[] = [
  {
    key: '018f0000-0000-7000-8000-000000000001',
    at: '2026-03-01T11:55:00.000Z',
    source: 'import:youtube-trending-2017',
    reason: 'schema_mismatch',
    file: 'USvideos.csv.gz',
    line: 412,
    message: 'views is not a number',
    excerpt: 'abc123,17.14.11,"A title",many',
    status: 'kept',
  },
  {
    key: '018f0000-0000-7000-8000-000000000002',
    at: '2026-03-01T10:00:00.000Z',
    source: 'generic',
    reason: 'torn_record',
    file: 'mine.jsonl',
    line: null,
    message: 'the last line ends in the middle',
    excerpt: '{"id":',
    status: 'discarded',
  },
]

function opsServer() {
  const server = seededServer()
  server.answers.set('ops', opsRows)
  server.answers.set('deadLetters', letters)
  return server
}

test.each([
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
])('draws OPS at $columns×$rows as in the golden file', async size => {
  rig = await openRig({ ...size, server: opsServer(), startCommand: 'OPS' })
  await expect(`${rig.lines().join('\n')}\n`).toMatchFileSnapshot(`__snapshots__/ops-${size.columns}x${size.rows}.txt`)
})

test('lists dead letters with age, reason and place', async () => {
  rig = await openRig({ columns: 120, rows: 40, server: opsServer(), startCommand: 'OPS' })
  await rig.type('t')
  const text = rig.lines().join('\n')
  expect(text).toContain('OPS DEAD LETTERS')
  expect(text).toMatch(/5m kept +schema_mismatch +/)
  expect(text).toContain('abc123,17.14.11')
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines().join('\n')).not.toContain('schema_mismatch')
})

test('replays the selected dead letter through the server, with the token', async () => {
  const asked: { path: string; body: string; token: string }[] = []
  const answered = Promise.withResolvers<void>()
  const http = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ path: request.url ?? '', body, token: request.headers.authorization ?? '' })
      response.end('{"replayed":1,"kept":0}', () => answered.resolve())
    })
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  rig = await openRig({
    columns: 80,
    rows: 24,
    server: opsServer(),
    startCommand: 'OPS',
    url: `http://127.0.0.1:${port}`,
  })
  await rig.type('tr')
  await answered.promise
  while (!(rig.lines().at(-1) ?? '').includes('The letter has been read.')) await rig.settle()
  expect(asked.filter(({ path }) => path.startsWith('/api/ops'))).toEqual([
    { path: '/api/ops/dead-letters/replay', body: `{"ids":["${letters[0]?.key}"]}`, token: 'Bearer rig' },
  ])
  await rig.type('jd')
  expect(rig.lines().at(-1)).toContain('This letter was discarded already.')
  http.closeAllConnections()
  http.close()
})

test('says so when the server does not answer a replay', async () => {
  rig = await openRig({ columns: 80, rows: 24, server: opsServer(), startCommand: 'OPS' })
  await rig.type('tr')
  while (!(rig.lines().at(-1) ?? '').includes('did not answer')) await rig.settle()
  expect(rig.lines().at(-1)).toContain('The server did not answer: it cannot be reached.')
})

test('lists all functions, tells about one, and runs an example', async () => {
  rig = await openRig({ columns: 80, rows: 24, startCommand: 'HELP' })
  await expect(`${rig.lines().join('\n')}\n`).toMatchFileSnapshot('__snapshots__/help-80x24.txt')
  await rig.type('/chart of\r')
  await rig.type('\r')
  expect(rig.lines()[3]).toContain('HELP GP')
  expect(rig.lines().join('\n')).toContain('Gaps are times without a reading,')
  await rig.type('HELP TOP\rj\r')
  expect(rig.lines()[3]).toContain('TOP CREATORS 7D VELOCITY')
})

test('asks the server another question for sort, window, platform and kind', async () => {
  rig = await openRig({ columns: 80, rows: 24 })
  const asked = () =>
    rig?.server.received.flatMap(message =>
      message.type === 'subscribe' && 'name' in message.query && message.query.name === 'trends'
        ? [message.query.params]
        : [],
    )
  await rig.type('spt')
  await rig.type('\x1bOR')
  expect(asked()).toEqual([
    { type: 'clips', period: '24h', limit: '100' },
    { type: 'clips', period: '24h', limit: '100', sort: 'velocity' },
    { type: 'clips', period: '7d', limit: '100', sort: 'velocity' },
    { type: 'creators', period: '7d', limit: '100', sort: 'velocity' },
    { type: 'creators', period: '7d', limit: '100', sort: 'velocity', platform: 'tiktok' },
  ])
  expect(rig.lines()[3]).toContain('TOP CREATORS 7D TIKTOK VELOCITY')
})

test('marks what trends, with the reasons, where the plan has it', async () => {
  const server = seededServer()
  const trending = { level: 'hot' as const, why: ['accelerating 2.4x'] }
  server.answers.set(
    'trends',
    seededTrends(3).map((row, i) => ({ ...row, trending: i === 0 ? trending : null })),
  )
  rig = await openRig({ columns: 80, rows: 24, server })
  const lines = rig.lines()
  expect(lines[4]).toMatch(/CLIP +HOT +ON/)
  expect(lines[5]).toMatch(/ ▲▲ +YT/)
  expect(lines.join('\n')).toContain('hot: accelerating 2.4x')
})

test('shows what a list is sorted by in every pane, and of clips the clippers that are known', async () => {
  const server = seededServer()
  server.answers.set(
    'trends',
    seededTrends(3).map((row, i) => ({ ...row, clippers: i === 0 ? 12 : null })),
  )
  rig = await openRig({ columns: 80, rows: 24, server })
  expect(rig.lines()[4]).not.toContain('CLIPPERS')
  await rig.type(':TOP CLIPS 24H SORT=clippers\r')
  expect(rig.lines()[4]).toMatch(/▼CLIPPERS/)
  expect(rig.lines()[5]).toMatch(/ 12 /)
})

test('marks rows and charts them together', async () => {
  rig = await openRig({ columns: 80, rows: 24 })
  await rig.type(' jj c')
  expect(rig.lines()[3]).toContain('youtube:clip001 GP')
  expect(rig.lines()[3]).toContain('VS youtube:clip003')
})

test('opens the description of the selected row and comes back with Esc', async () => {
  rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('j\r')
  expect(rig.lines()[3]).toContain('youtube:clip002 DES')
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines()[3]).toContain('TOP CLIPS 24H')
})
