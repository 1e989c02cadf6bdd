import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { QueryStreamMessage } from '../../contracts/queries.ts'
import { cacheTokens } from './access-token.ts'
import { createHttpClient } from './http-client.ts'
import { QueryResults, type ResultId } from './query-results.ts'

const statistics = { elapsedSec: 0.5, rowsRead: 10, bytesRead: 100 }
const columns = [
  { name: 'n', type: 'UInt64' },
  { name: 'title', type: 'Nullable(String)' },
]

/** A server that answers one query as the test says, and a client of it. */
async function openResults() {
  const asked = Promise.withResolvers<{ response: ServerResponse; body: string; closed: Promise<void> }>()
  const server = createServer(async (request, response) => {
    const closed = new Promise<void>(resolve => response.on('close', resolve))
    let body = ''
    for await (const chunk of request) body += chunk
    asked.resolve({ response, body, closed })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let changed = Promise.withResolvers<void>()
  const nowMs = () => 1_000
  const http = createHttpClient({ url: `http://127.0.0.1:${port}`, tokens: cacheTokens(async () => 'rig', nowMs) })
  const results = new QueryResults({ http, nowMs }, () => {
    changed.resolve()
    changed = Promise.withResolvers()
  })
  onTestFinished(() => {
    results.close()
    server.closeAllConnections()
    server.close()
  })
  return {
    results,
    asked: asked.promise,
    /** Waits for changes until there is what is wanted. */
    async until(is: () => boolean) {
      while (!is()) await changed.promise
    },
  }
}

function send(response: ServerResponse, ...messages: QueryStreamMessage[]): void {
  for (const message of messages) response.write(`${JSON.stringify(message)}\n`)
}

/** Rows from `from` on, a part of `count`. */
function part(from: number, count: number): QueryStreamMessage {
  return {
    type: 'rows',
    rows: Array.from({ length: count }, (_, i) => [from + i, (from + i) % 3 === 0 ? null : `row "${from + i}"`]),
  }
}

async function openDone(partCount: number, partRows: number) {
  const rig = await openResults()
  const id = rig.results.start({ sql: 'select', params: {} })
  const { response } = await rig.asked
  send(response, { type: 'columns', columns })
  for (let i = 0; i < partCount; i++) send(response, part(i * partRows, partRows))
  send(response, { type: 'done', rowCount: partCount * partRows, statistics })
  response.end()
  await rig.until(() => rig.results.read(id).status === 'done')
  return { ...rig, id }
}

test('tells of columns, rows and progress while the query runs', async () => {
  const { results, asked, until } = await openResults()
  const id = results.start({ sql: 'select 1', params: { p: 'x' } })
  expect(results.read(id)).toMatchObject({ status: 'running', rowCount: 0, columns: [] })
  const { response, body } = await asked
  expect(JSON.parse(body)).toEqual({ sql: 'select 1', params: { p: 'x' }, format: 'stream' })
  send(response, { type: 'progress', statistics })
  await until(() => results.read(id).statistics.rowsRead === 10)
  send(response, { type: 'columns', columns: [{ name: 'a\u001b[31mb', type: 'String' }] }, part(0, 3))
  await until(() => results.read(id).rowCount === 3)
  expect(results.read(id)).toMatchObject({ status: 'running', columns: [{ name: 'ab' }] })
  expect(results.read(id).rows(0, 10)).toEqual([
    [0, null],
    [1, 'row "1"'],
    [2, 'row "2"'],
  ])
})

test('reads rows back from anywhere, over the edges of parts', async () => {
  const { results, id } = await openDone(20, 50)
  const { rows, rowCount } = results.read(id)
  expect(rowCount).toBe(1000)
  const numbersOf = (from: number, count: number) => rows(from, count).map(([n]) => n)
  expect(numbersOf(48, 4)).toEqual([48, 49, 50, 51])
  expect(numbersOf(998, 10)).toEqual([998, 999])
  expect(numbersOf(340, 120)).toEqual(Array.from({ length: 120 }, (_, i) => 340 + i))
  expect(numbersOf(0, 1)).toEqual([0])
  expect(numbersOf(1000, 5)).toEqual([])
})

test('finds a text upwards and downwards, whatever stands around it in the file', async () => {
  const { results, id } = await openDone(4, 50)
  const find = async (text: string, from: number, by: 1 | -1) => {
    const found = await results.find(id, { text, from, by })
    return found.ok ? found.body : found.message
  }
  expect(await find('ROW "151"', 0, 1)).toBe(151)
  expect(await find('row "15', 152, 1)).toBe(152)
  expect(await find('row "15', 100, -1)).toBe(null)
  expect(await find('"1', 100, -1)).toBe(100)
  expect(await find('nothing of that', 0, 1)).toBe(null)
})

test('says why a query failed and where, and keeps the rows that had come', async () => {
  const { results, asked, until } = await openResults()
  const id = results.start({ sql: 'select', params: {} })
  const { response } = await asked
  const details = { line: 2, column: 7 }
  send(response, { type: 'columns', columns }, part(0, 2))
  send(response, { type: 'error', code: 'QUERY_FAILED', message: 'Wrong\u001b[1m.', details })
  await until(() => results.read(id).status === 'failed')
  expect(results.read(id)).toMatchObject({ message: 'Wrong.', place: details, rowCount: 2 })
  expect(results.read(id).rows(0, 2)).toHaveLength(2)
})

test('says so when the answer breaks off, and when it is none', async () => {
  const broken = await openResults()
  const id = broken.results.start({ sql: 'select', params: {} })
  const { response } = await broken.asked
  send(response, { type: 'columns', columns })
  response.end()
  await broken.until(() => broken.results.read(id).status === 'failed')
  expect(broken.results.read(id).message).toContain('broke off')

  const refused = await openResults()
  const other = refused.results.start({ sql: 'select', params: {} })
  const { response: answer } = await refused.asked
  answer.statusCode = 400
  answer.end('{"error":{"code":"QUERY_FAILED","message":"No.","details":{"line":1,"column":3}}}')
  await refused.until(() => refused.results.read(other).status === 'failed')
  expect(refused.results.read(other)).toMatchObject({ message: 'No.', place: { line: 1, column: 3 } })
})

test.each([
  ['cancelled', (results: QueryResults, id: ResultId) => results.cancel(id)],
  ['left', (results: QueryResults) => results.keep(new Set())],
])('closes the connection when a running query is %s, which ends it on the server', async (_, leave) => {
  const { results, asked, until } = await openResults()
  const id = results.start({ sql: 'select', params: {} })
  const { response, closed } = await asked
  send(response, { type: 'columns', columns }, part(0, 2))
  await until(() => results.read(id).rowCount === 2)
  leave(results, id)
  await closed
  expect(results.read(id).status).toBe('stopped')
})
