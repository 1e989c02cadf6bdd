import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect as connectTcp } from 'node:net'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { UserIdSchema } from '../../contracts/ids.ts'
import { type KeyedRow, wsLimits } from '../../contracts/ws.ts'
import { memoryBus } from '../../core/bus/memory.ts'
import type { Bus } from '../../core/bus/port.ts'
import { manualClock } from '../../core/clock.ts'
import { fixedAuthenticator } from '../../test/fixed-authenticator.ts'
import { LiveClient } from '../../test/live-client.ts'
import { anyOf } from '../auth/authenticator.ts'
import { LiveEngine } from '../live/engine.ts'
import type { LiveQuestion, ParseQuestion } from '../live/source.ts'
import type { ParseSqlQuestion } from '../live/sql-questions.ts'
import { createMetrics } from '../metrics/registry.ts'
import type { LiveQueryRoom } from './live-query-room.ts'
import { attachSockets, type SocketServer } from './socket-server.ts'

const token = 'the-owner-token'
/** Of a session that is kept elsewhere, and ends soon. */
const endingToken = 'a-token-that-ends'
const startMs = 1_767_225_600_000
const userId = UserIdSchema.parse('00000000-0000-4000-8000-000000000001')
const log = pino({ level: 'silent' })
const settings = {
  corsOrigins: ['https://app.example'],
  publicHosts: [],
  trustProxyHops: 1,
  userConnectionsMax: 20,
  strangerConnectionsMax: 12,
  helloMs: 1500,
}

/** Tables in memory behind the engine: a question names one, and a written sample touches them all. */
const tables = new Map<string, KeyedRow[]>()
let computeCount = 0
let failure: AppError | null = null
let asOf = new Date('2026-01-01T00:00:00Z')
let sqlLookedAt = Promise.resolve()

/** What the plan allows; null is no limit. */
let liveQueriesMax: number | null = null
let liveQueriesOpen = 0
const liveQueryRoom: LiveQueryRoom = {
  prepare: async () => undefined,
  openLiveQuery() {
    if (liveQueriesMax !== null && liveQueriesOpen >= liveQueriesMax) return { isOpen: false, limit: liveQueriesMax }
    liveQueriesOpen += 1
    return { isOpen: true }
  },
  closeLiveQuery() {
    liveQueriesOpen -= 1
  },
}

let server: Server
let bus: Bus
let engine: LiveEngine
let sockets: SocketServer
let url: string
let clients: LiveClient[]

beforeEach(async () => {
  tables.clear()
  tables.set('small', [row('a', 1), row('b', 2)])
  computeCount = 0
  failure = null
  liveQueriesMax = null
  liveQueriesOpen = 0
  asOf = new Date('2026-01-01T00:00:00Z')
  clients = []
  bus = memoryBus({ log })
  engine = await LiveEngine.start({ bus, log }, { tickMs: 5, parallelMax: 2, queriesMax: 100 })
  server = createServer()
  const deps = {
    engine,
    parseQuestion,
    parseSqlQuestion,
    auth: anyOf([
      fixedAuthenticator({ token, userId }),
      fixedAuthenticator({ token: endingToken, userId, endsAtMs: startMs + 50 }),
    ]),
    endedSessions: async () => new Set<string>(),
    usage: liveQueryRoom,
    bus,
    log,
    metrics: createMetrics(),
  }
  sockets = await attachSockets(server, { ...deps, clock: manualClock(startMs) }, settings)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
})

afterEach(async () => {
  for (const { socket } of clients) socket.terminate()
  sockets.cutAll()
  await sockets.close()
  await engine.close()
  server.closeAllConnections()
  server.close()
})

describe('the hello', () => {
  it('is answered with a welcome that carries a session and the time', async () => {
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token })
    const welcome = await client.next('welcome')
    expect(welcome).toMatchObject({ serverTime: '2026-01-01T00:00:00.000Z', resumed: [] })
    expect(welcome.sessionId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('closes a client whose token is wrong', async () => {
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token: 'guess' })
    expect(await client.next('error')).toMatchObject({ code: 'AUTH_REQUIRED', message: 'The token is not valid.' })
    expect((await client.closed).code).toBe(1008)
  })

  it('closes a client that says nothing', async () => {
    const client = await connect()
    expect(await client.next('error')).toMatchObject({ code: 'AUTH_REQUIRED' })
    expect((await client.closed).code).toBe(1008)
  })

  it('refuses orders before it, another protocol, and a second one', async () => {
    const client = await connect()
    client.subscribe('s', 'small')
    expect(await client.next('error')).toMatchObject({ code: 'AUTH_REQUIRED' })
    client.send({ type: 'hello', protocol: 2, token })
    expect((await client.next('error')).message).toBe('The parameter "protocol" must be 1.')
    client.send({ type: 'hello', protocol: 1, token })
    await client.next('welcome')
    client.send({ type: 'hello', protocol: 1, token })
    expect((await client.next('error')).message).toBe('You have said hello already.')
  })

  it('is waited for on only so many connections of one network; others are let in meanwhile', async () => {
    const connect = async (address: string) => {
      const client = await LiveClient.connect(url, { 'x-forwarded-for': `203.0.113.9, ${address}` })
      clients.push(client)
      return client
    }
    const strangers = await Promise.all(Array.from({ length: 12 }, () => connect('192.0.2.1')))
    await expect(connect('192.0.2.1')).rejects.toThrow('429')
    const other = await connect('192.0.2.2')
    other.send({ type: 'hello', protocol: 1, token })
    await other.next('welcome')
    strangers[0]?.send({ type: 'hello', protocol: 1, token })
    await strangers[0]?.next('welcome')
    await connect('192.0.2.1')
  })

  it('is good until a session ends that only its token knows of', async () => {
    const client = await LiveClient.open(url, endingToken)
    clients.push(client)
    expect(await client.next('error')).toMatchObject({ code: 'AUTH_REQUIRED' })
    expect((await client.closed).code).toBe(1008)
  })

  it('lets a user have only so many connections', async () => {
    for (let count = 0; count < settings.userConnectionsMax; count += 1) await open()
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token })
    expect(await client.next('error')).toMatchObject({ code: 'RATE_LIMITED' })
    expect((await client.closed).code).toBe(1008)
  })
})

describe('a subscription', () => {
  it('gets a snapshot, then patches that lead to what a fresh subscriber gets', async () => {
    const client = await open()
    client.subscribe('s', 'small')
    expect(await client.next('snapshot', 's')).toEqual({
      type: 'snapshot',
      id: 's',
      seq: 1,
      asOf: '2026-01-01T00:00:00.000Z',
      columns: ['key', 'n'],
      rows: [row('a', 1), row('b', 2)],
    })
    await write('small', [row('b', 2), row('a', 7), row('c', 3)])
    expect(await client.next('patch', 's')).toEqual({
      type: 'patch',
      id: 's',
      seq: 2,
      asOf: '2026-01-01T00:00:00.000Z',
      upsert: [row('a', 7), row('c', 3)],
      remove: [],
      order: ['b', 'a', 'c'],
    })
    const fresh = await open()
    fresh.subscribe('other id', 'small')
    expect((await fresh.next('snapshot', 'other id')).rows).toEqual(client.tables.get('s')?.rows)
  })

  it('shares one computation with every equal one', async () => {
    const watching = await Promise.all(Array.from({ length: 10 }, open))
    for (const [at, client] of watching.entries()) client.subscribe(`s${at}`, 'small')
    await Promise.all(watching.map((client, at) => client.next('snapshot', `s${at}`)))
    const before = computeCount
    await write('small', [row('a', 2)])
    await Promise.all(watching.map((client, at) => client.next('patch', `s${at}`)))
    expect(computeCount - before).toBe(1)
  })

  it('is told of a failure once, keeps its rows, and goes on when the failure is over', async () => {
    const client = await open()
    client.subscribe('s', 'small')
    await client.next('snapshot', 's')
    failure = new AppError('UNAVAILABLE', 'The engine is restarting.')
    await write('small', [row('a', 5)])
    expect(await client.next('error', 's')).toEqual({
      type: 'error',
      id: 's',
      code: 'UNAVAILABLE',
      message: 'The engine is restarting.',
    })
    failure = null
    expect((await client.next('patch', 's')).upsert).toEqual([row('a', 5)])
  })

  it('is refused with the name of what is wrong', async () => {
    const client = await open()
    client.subscribe('s', 'nothing')
    expect(await client.next('error', 's')).toMatchObject({ code: 'NOT_FOUND' })
    client.subscribe('s', 'small')
    await client.next('snapshot', 's')
    client.subscribe('s', 'small')
    expect(await client.next('error', 's')).toMatchObject({ code: 'CONFLICT' })
    client.send({ type: 'unsubscribe', id: 'x' })
    expect(await client.next('error', 'x')).toMatchObject({ code: 'NOT_FOUND' })
    client.send({ type: 'subscribe', id: 'q', query: { savedQueryId: userId, params: {} } })
    expect(await client.next('error', 'q')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is refused when the plan has no room for one more, and taken when another has ended', async () => {
    liveQueriesMax = 2
    const client = await open()
    const second = await open()
    client.subscribe('a', 'small')
    second.subscribe('b', 'small')
    await second.next('snapshot', 'b')
    second.subscribe('c', 'nothing')
    expect(await second.next('error', 'c')).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('2') })
    client.send({ type: 'unsubscribe', id: 'a' })
    client.subscribe('a', 'small')
    await client.next('snapshot', 'a')
    client.socket.close()
    await client.closed
    second.subscribe('c', 'small')
    await second.next('snapshot', 'c')
    second.subscribe('d', 'small')
    expect(await second.next('error', 'd')).toMatchObject({ code: 'FORBIDDEN' })
  })

  it('to SQL is not begun when it was ended while the SQL was looked at', async () => {
    liveQueriesMax = 1
    const looked = Promise.withResolvers<void>()
    sqlLookedAt = looked.promise
    const client = await open()
    client.send({ type: 'subscribe', id: 'first', query: { sql: 'small' } })
    client.send({ type: 'unsubscribe', id: 'first' })
    client.send({ type: 'ping' })
    await client.next('pong')
    expect(liveQueriesOpen).toBe(1)
    looked.resolve()
    await eventually(() => liveQueriesOpen === 0)
    client.send({ type: 'subscribe', id: 'first', query: { sql: 'small' } })
    expect(await client.next('snapshot')).toMatchObject({ id: 'first', seq: 1 })
    expect(engine.stats().computations).toBe(1)
  })

  it('ends with unsubscribe, and then costs nothing', async () => {
    const client = await open()
    client.subscribe('s', 'small')
    await client.next('snapshot', 's')
    client.send({ type: 'unsubscribe', id: 's' })
    client.send({ type: 'ping' })
    await client.next('pong')
    expect(engine.stats()).toMatchObject({ queries: 0, watchers: 0 })
  })

  it('sees the next world whole after it was kept for a session through a change', async () => {
    const client = await open()
    client.subscribe('s', 'small')
    await client.next('snapshot', 's')
    const seqs = { s: client.tables.get('s')?.seq ?? 0 }
    const sessionId = await sessionOf(client, seqs)
    tables.set('small', [row('new', 1)])
    engine.change({ kind: 'world' })
    const back = await connect()
    back.send({ type: 'hello', protocol: 1, token, resume: { sessionId, seqs } })
    expect((await back.next('snapshot', 's')).rows).toEqual([row('new', 1)])
  })
})

describe('a session that was cut', () => {
  it('resumes with the patches that it missed', async () => {
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token })
    const { sessionId } = await client.next('welcome')
    const other = await open()
    for (const one of [client, other]) one.subscribe('s', 'small')
    await Promise.all([client.next('snapshot', 's'), other.next('snapshot', 's')])
    client.socket.terminate()
    await client.closed
    for (const n of [10, 11, 12]) {
      await write('small', [row('a', n), row('b', 2)])
      await other.next('patch', 's')
    }
    const back = await connect()
    back.tables.set('s', { rows: [row('a', 1), row('b', 2)], columns: ['key', 'n'], seq: 1, asOf: '' })
    back.send({ type: 'hello', protocol: 1, token, resume: { sessionId, seqs: { s: 1 } } })
    expect((await back.next('welcome')).resumed).toEqual(['s'])
    const seqs = [await back.next('patch', 's'), await back.next('patch', 's'), await back.next('patch', 's')]
    expect(seqs.map(patch => patch.seq)).toEqual([2, 3, 4])
    expect(back.tables.get('s')?.rows).toEqual(other.tables.get('s')?.rows)
  })

  it('resumes with a snapshot when the patches are no longer there', async () => {
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token })
    const { sessionId } = await client.next('welcome')
    const other = await open()
    for (const one of [client, other]) one.subscribe('s', 'small')
    await Promise.all([client.next('snapshot', 's'), other.next('snapshot', 's')])
    client.socket.terminate()
    await client.closed
    for (let n = 0; n < 70; n += 1) {
      await write('small', [row('a', 1000 + n)])
      await other.next('patch', 's')
    }
    const back = await connect()
    back.send({ type: 'hello', protocol: 1, token, resume: { sessionId, seqs: { s: 1 } } })
    expect(await back.next('snapshot', 's')).toMatchObject({ seq: 71, rows: [row('a', 1069)] })
  })

  it('takes over from a socket whose death nobody noticed', async () => {
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token })
    const { sessionId } = await client.next('welcome')
    client.subscribe('s', 'small')
    await client.next('snapshot', 's')
    client.stopReading()
    const back = await connect()
    back.tables.set('s', { rows: [row('a', 1), row('b', 2)], columns: [], seq: 1, asOf: '' })
    back.send({ type: 'hello', protocol: 1, token, resume: { sessionId, seqs: { s: 1 } } })
    expect((await back.next('welcome')).resumed).toEqual(['s'])
    expect(sockets.stats()).toMatchObject({ connections: 1, cutSessions: 0 })
  })

  it('is nothing to a client that does not know its id', async () => {
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token, resume: { sessionId: 'unknown', seqs: { s: 1 } } })
    expect((await client.next('welcome')).resumed).toEqual([])
  })
})

describe('a client that does not read', () => {
  it('makes nothing grow, and gets one fresh snapshot when it reads again', async () => {
    const wide = (n: number) => Array.from({ length: 200 }, (_, at) => ({ key: `k${at}`, n, text: 'x'.repeat(1000) }))
    tables.set('wide', wide(0))
    const reader = await open()
    const hanging = await open()
    for (const client of [reader, hanging]) client.subscribe('s', 'wide')
    await Promise.all([reader.next('snapshot', 's'), hanging.next('snapshot', 's')])
    hanging.stopReading()
    let bufferedMost = 0
    for (let n = 1; n <= 60; n += 1) {
      await write('wide', wide(n))
      await reader.next('patch', 's')
      bufferedMost = Math.max(bufferedMost, sockets.stats().bufferedBytes)
    }
    // Twelve megabytes were published; what waits is the limit and the frame that crossed it.
    expect(bufferedMost).toBeLessThan(wsLimits.bufferedBytesMax + 300_000)
    hanging.socket.resume()
    const rows = await hanging.until('s', found => found[0]?.n === 60)
    expect(rows).toEqual(reader.tables.get('s')?.rows)
  })
})

describe('bad input', () => {
  const garbage: [string, string | Buffer][] = [
    ['text that is no JSON', 'hello?'],
    ['an empty frame', ''],
    ['a number', '42'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a message of no type', '{}'],
    ['an unknown type', '{"type":"shutdown"}'],
    ['a field that is not known', '{"type":"ping","extra":1}'],
    ['a type of the wrong kind', '{"type":7}'],
    ['an id that is too long', `{"type":"unsubscribe","id":"${'x'.repeat(65)}"}`],
    ['an id that is no text', '{"type":"unsubscribe","id":{}}'],
    ['a query without a name', '{"type":"subscribe","id":"s","query":{}}'],
    ['parameters that are no object', '{"type":"subscribe","id":"s","query":{"name":"small","params":[1]}}'],
    ['a binary frame', Buffer.from('{"type":"ping"}')],
    ['deep nesting', `{"type":"ping","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
  ]
  it.each(garbage)('answers %s with an error and goes on', async (_name, frame) => {
    const client = await open()
    client.socket.send(frame)
    expect(await client.next('error')).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringMatching(/^[A-Z].*\.$/),
    })
    client.send({ type: 'ping' })
    await client.next('pong')
  })

  it('closes a client that goes on sending garbage', async () => {
    const client = await open()
    for (let count = 0; count < wsLimits.malformedMax; count += 1) client.socket.send('garbage')
    expect(await client.closed).toEqual({ code: 1008, reason: 'BAD_REQUEST' })
    expect(sockets.stats()).toMatchObject({ connections: 0, cutSessions: 0 })
  })

  it('closes a client whose frame is too large', async () => {
    const client = await open()
    client.socket.send(JSON.stringify({ type: 'ping', pad: 'x'.repeat(wsLimits.frameBytesMax) }))
    expect((await client.closed).code).toBe(1009)
  })

  it('tells a burst to wait, and closes a flood', async () => {
    const client = await open()
    for (let count = 0; count < wsLimits.messagesPerSecondMax * 12; count += 1) client.send({ type: 'ping' })
    expect(await client.next('error')).toMatchObject({ code: 'RATE_LIMITED' })
    expect((await client.closed).code).toBe(1008)
  })

  it('closes a flood of protocol pings', async () => {
    const client = await open()
    for (let count = 0; count < wsLimits.messagesPerSecondMax * 12; count += 1) client.socket.ping()
    expect((await client.closed).code).toBe(1008)
  })

  it('opens only so many subscriptions for one client, resumed ones included', async () => {
    // More than the rate limit lets one connection ask for in a second: the first part is resumed.
    const resumedCount = 40
    const client = await connect()
    client.send({ type: 'hello', protocol: 1, token })
    const { sessionId } = await client.next('welcome')
    const seqs: Record<string, number> = {}
    for (let count = 0; count < resumedCount; count += 1) {
      client.subscribe(`s${count}`, 'small')
      seqs[`s${count}`] = (await client.next('snapshot', `s${count}`)).seq
    }
    client.socket.terminate()
    await client.closed
    const back = await connect()
    back.send({ type: 'hello', protocol: 1, token, resume: { sessionId, seqs } })
    expect((await back.next('welcome')).resumed).toHaveLength(resumedCount)
    for (let count = resumedCount; count < wsLimits.subscriptionsMax; count += 1) {
      back.subscribe(`s${count}`, 'small')
      await back.next('snapshot', `s${count}`)
    }
    back.subscribe('one more', 'small')
    expect(await back.next('error', 'one more')).toMatchObject({ code: 'RATE_LIMITED' })
  })

  it('survives bytes that are no WebSocket frames', async () => {
    const witness = await open()
    const raw = connectTcp(Number(new URL(url).port), '127.0.0.1')
    raw.on('error', () => {})
    raw.write(
      'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    await once(raw, 'data')
    raw.write(Buffer.alloc(4096, 0xff))
    await once(raw, 'close')
    witness.send({ type: 'ping' })
    await witness.next('pong')
  })

  it.each([
    ['another address', '/other', {}, 404],
    ['a host that is not ours', '/ws', { Host: 'evil.example' }, 403],
    ['a page of a stranger', '/ws', { Origin: 'https://evil.example' }, 403],
    ['a page of an allowed origin', '/ws', { Origin: 'https://app.example' }, 101],
  ])('answers an upgrade to %s with its status', async (_name, path, headers, status) => {
    expect(await upgradeStatus(path, headers)).toBe(status)
  })
})

function row(key: string, n: number): KeyedRow {
  return { key, n }
}

const parseQuestion: ParseQuestion = (name): LiveQuestion => {
  if (!tables.has(name)) throw new AppError('NOT_FOUND', `There is no live query ${name}.`)
  return {
    key: name,
    name: 'trends',
    lane: 'measures',
    staleAfterMs: () => null,
    isTouchedBy: () => true,
    async compute() {
      computeCount += 1
      if (failure) throw failure
      return { columns: ['key', 'n'], rows: tables.get(name) ?? [], asOf }
    },
  }
}

/** SQL is looked at until `sqlLookedAt`; what it says is the name of a table in memory. */
const parseSqlQuestion: ParseSqlQuestion = async (asked, owner) => {
  await sqlLookedAt
  const name = 'sql' in asked ? asked.sql : asked.savedQueryId
  return parseQuestion(name, {}, { userId: owner, role: 'owner', scopes: 'all' })
}

async function write(name: string, rows: KeyedRow[]): Promise<void> {
  tables.set(name, rows)
  await bus.publish('samples.written', {
    world: 'cliptape',
    platforms: ['youtube'],
    videos: [],
    isCut: true,
    rowCount: 1,
    atMs: 0,
  })
}

async function connect(): Promise<LiveClient> {
  const client = await LiveClient.connect(url)
  clients.push(client)
  return client
}

async function open(): Promise<LiveClient> {
  const client = await LiveClient.open(url, token)
  clients.push(client)
  return client
}

/** Cuts the client and returns the session that it can come back to. */
async function sessionOf(client: LiveClient, seqs: Record<string, number>): Promise<string> {
  const again = await connect()
  for (const [id, seq] of Object.entries(seqs)) again.tables.set(id, { rows: [], columns: [], seq, asOf: '' })
  await client.end()
  again.send({ type: 'hello', protocol: 1, token })
  const { sessionId } = await again.next('welcome')
  for (const id of Object.keys(seqs)) again.subscribe(id, 'small')
  for (const id of Object.keys(seqs)) await again.next('snapshot', id)
  again.socket.terminate()
  await again.closed
  await eventually(() => sockets.stats().connections === 0)
  return sessionId
}

async function eventually(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setImmediate(resolve))
}

async function upgradeStatus(path: string, headers: Record<string, string>): Promise<number> {
  const raw = connectTcp(Number(new URL(url).port), '127.0.0.1')
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  raw.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`)
  const [answer] = await once(raw, 'data')
  raw.destroy()
  return Number(/^HTTP\/1\.1 (\d+)/.exec(String(answer))?.[1])
}
