import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { writePictureHead } from '../../contracts/pictures.ts'
import { rigClock } from '../../test/terminal-rig.ts'
import { createHttpClient, type HttpClient } from './http-client.ts'
import { PictureClient, type PictureQuery } from './picture-client.ts'

// Pictures from a server that sends what the test says, when it says so.

const strip: PictureQuery = { path: '/strip', query: { cells: '2' }, widthPx: 2, heightPx: 2 }

/** One record: a picture of one grey. */
function recordOf(index: number, grey: number): Uint8Array {
  return Buffer.concat([writePictureHead({ index, atSec: index + 0.5 }), Buffer.alloc(12, grey)])
}

async function* piecesOf(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** A client whose questions of pictures are answered by `bytes`. */
function openClient(bytes: HttpClient['bytes'], url = 'http://127.0.0.1:1') {
  const clock = rigClock()
  let changed = Promise.withResolvers<void>()
  const http = { ...createHttpClient({ url, tokens: null }), bytes }
  const client = new PictureClient({ http, setTimer: clock.setTimer }, () => {
    changed.resolve()
    changed = Promise.withResolvers()
  })
  return {
    client,
    clock,
    /** Waits for changes until there is what is wanted. */
    async until(is: () => boolean) {
      while (!is()) await changed.promise
    },
  }
}

/** A real server on which each request waits for the test. */
async function openServer() {
  const requests: { url: string; response: ServerResponse; closed: Promise<void> }[] = []
  let arrived = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    const closed = new Promise<void>(resolve => response.on('close', resolve))
    requests.push({ url: request.url ?? '', response, closed })
    arrived.resolve()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    /** The next request that has not been taken. */
    async next() {
      while (requests.length === 0) await arrived.promise
      arrived = Promise.withResolvers()
      const request = requests.shift()
      if (request === undefined) throw new Error('There is no request.')
      return request
    },
  }
}

function tokens() {
  return { get: async () => 'token', refuse: () => {}, forget: () => {} }
}

async function openOnServer() {
  const server = await openServer()
  const http = createHttpClient({ url: server.url, tokens: tokens() })
  return { server, ...openClient(http.bytes, server.url) }
}

test.each([1, 5, 12, 23, 24, 25, 1000])('reads records out of pieces of %d bytes', async length => {
  const bytes = Buffer.concat([recordOf(1, 10), recordOf(0, 20), recordOf(1, 30)])
  const { client, clock, until } = openClient(async () => ({ ok: true, pieces: piecesOf(bytes, length) }))
  client.want([strip])
  clock.advance(100)
  await until(() => client.read(strip).status === 'ready')
  const { cells } = client.read(strip)
  // A cell that comes again is meant as it comes the second time.
  expect([...cells].map(([index, { atSec, rgb }]) => [index, atSec, [...new Set(rgb)], rgb.length])).toEqual([
    [1, 1.5, [30], 12],
    [0, 0.5, [20], 12],
  ])
})

test('asks only for what has stood for a moment', async () => {
  const asked: string[] = []
  const { client, clock } = openClient(async (_, query) => {
    asked.push(query.cells ?? '')
    return { ok: true, pieces: piecesOf(new Uint8Array(), 1) }
  })
  for (let cells = 1; cells <= 20; cells++) {
    client.want([{ ...strip, query: { cells: String(cells) } }])
    clock.advance(30)
  }
  clock.advance(100)
  expect(asked).toEqual(['20'])
})

test('shows each picture as it comes, and closes the connection when nobody looks any more', async () => {
  const { server, client, clock, until } = await openOnServer()
  client.want([strip])
  clock.advance(100)
  const { url, response, closed } = await server.next()
  expect(url).toBe('/strip?cells=2&widthPx=2&heightPx=2')
  response.write(recordOf(0, 10))
  await until(() => client.read(strip).cells.size === 1)
  expect(client.read(strip).status).toBe('loading')
  client.want([])
  await closed
  expect(client.read(strip)).toMatchObject({ status: 'loading', cells: new Map() })
  // It was not whole, and is asked for again.
  client.want([strip])
  clock.advance(100)
  const again = await server.next()
  again.response.end(recordOf(0, 20))
  await until(() => client.read(strip).status === 'ready')
})

test('keeps what was whole for the way back', async () => {
  const { server, client, clock, until } = await openOnServer()
  client.want([strip])
  clock.advance(100)
  const { response } = await server.next()
  response.end(Buffer.concat([recordOf(0, 10), recordOf(1, 20)]))
  await until(() => client.read(strip).status === 'ready')
  client.want([])
  expect(client.read(strip).cells.size).toBe(2)
  client.want([strip])
  clock.advance(100)
  expect(client.read(strip).status).toBe('ready')
  expect(server.requests).toEqual([])
})

test('says why there are none, in the words of the server, and asks again for whoever comes back', async () => {
  const { server, client, clock, until } = await openOnServer()
  client.want([strip])
  clock.advance(100)
  const { response } = await server.next()
  response.statusCode = 409
  response.end('{"error":{"code":"SOURCE_REQUIRED","message":"Attach media first.\\u001b[31m"}}')
  await until(() => client.read(strip).status === 'error')
  expect(client.read(strip).message).toBe('Attach media first.')
  client.want([])
  client.want([strip])
  clock.advance(100)
  const again = await server.next()
  again.response.end(recordOf(0, 10))
  await until(() => client.read(strip).status === 'ready')
})

test('keeps the pictures that came before the answer broke off, and says that it did', async () => {
  const { server, client, clock, until } = await openOnServer()
  client.want([strip])
  clock.advance(100)
  const { response } = await server.next()
  response.end(Buffer.concat([recordOf(0, 10), recordOf(1, 20).subarray(0, 15)]))
  await until(() => client.read(strip).status === 'error')
  expect(client.read(strip).cells.size).toBe(1)
  expect(client.read(strip).message).toContain('The pictures broke off')
})

test('forgets the pictures that were looked at the longest ago when there are too many', async () => {
  const side = 1000
  const large = (cells: number): PictureQuery => ({
    ...strip,
    query: { cells: String(cells) },
    widthPx: side,
    heightPx: side,
  })
  const record = Buffer.concat([writePictureHead({ index: 0, atSec: 0 }), Buffer.alloc(side * side * 3)])
  const { client, clock, until } = openClient(async () => ({ ok: true, pieces: piecesOf(record, record.length) }))
  for (let cells = 1; cells <= 10; cells++) {
    client.want([large(cells)])
    clock.advance(100)
    await until(() => client.read(large(cells)).status === 'ready')
  }
  client.want([large(10)])
  const kept = Array.from({ length: 10 }, (_, i) => client.read(large(i + 1)).cells.size)
  expect(kept).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
})
