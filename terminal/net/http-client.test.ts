import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { cacheTokens } from './access-token.ts'
import { createHttpClient } from './http-client.ts'

/** A server that answers everything alike, and keeps what it was asked. */
async function openClient(status: number, body: unknown) {
  const asked: { method: string; headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer(async (request, response) => {
    asked.push({ method: request.method ?? '', headers: request.headers, body: await text(request) })
    response.statusCode = status
    response.end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const tokens = cacheTokens(
    async () => 'rig',
    () => 0,
  )
  return { asked, http: createHttpClient({ url: `http://127.0.0.1:${port}`, tokens }) }
}

test('puts over exactly the version that was read', async () => {
  const { asked, http } = await openClient(200, { version: 4 })
  await http.put('/api/queries/1', { name: 'x' }, '"3"')
  expect(asked[0]).toMatchObject({
    method: 'PUT',
    headers: { 'if-match': '"3"', authorization: 'Bearer rig', 'content-type': 'application/json' },
    body: '{"name":"x"}',
  })
})

test('keeps the lines of the fields that have some, and of no others', async () => {
  const { http } = await openClient(200, { sql: 'select 1\n  from\tx\u001b[31m', name: 'a\nb', plan: ['  x\n y'] })
  expect(await http.get('/api/queries/1', {}, { lineFields: ['sql', 'plan'] })).toEqual({
    ok: true,
    body: { sql: 'select 1\n  from  x', name: 'a b', plan: ['  x\n y'] },
  })
})

test('hands on what a refusal says of itself', async () => {
  const error = { code: 'QUERY_FAILED', message: 'Wrong.', details: { line: 2, column: 1 }, requestId: 'r' }
  const { http } = await openClient(400, { error })
  expect(await http.post('/api/query', {})).toEqual({
    ok: false,
    status: 400,
    code: 'QUERY_FAILED',
    message: 'Wrong.',
    details: { line: 2, column: 1 },
  })
})
