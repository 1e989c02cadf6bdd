import { expect, test } from 'vitest'
import { rigAsOf, rigClock, ScriptedServer, seededTrends } from '../../test/terminal-rig.ts'
import type { LiveQuery } from '../state/live-data.ts'
import { cacheTokens, SignInRequired, type TokenSource } from './access-token.ts'
import { LiveClient } from './live-client.ts'

const topQuery: LiveQuery<'trends'> = { name: 'trends', params: { type: 'clips', period: '24h' } }

function open(server = new ScriptedServer(), source: TokenSource = async () => 'secret') {
  server.answers.set('trends', seededTrends(3))
  const clock = rigClock()
  const tokens = cacheTokens(source, clock.nowMs)
  let changes = 0
  const client = new LiveClient(
    { connect: server.connect, tokens, setTimer: clock.setTimer, nowMs: clock.nowMs, random: () => 1 },
    () => {
      changes += 1
    },
  )
  client.want([topQuery])
  client.open()
  return { server, clock, client, changes: () => changes }
}

/** Lets connections open; they do so in a microtask. */
const settled = () => new Promise<void>(resolve => setImmediate(resolve))
const keys = (client: LiveClient) => client.read(topQuery).rows.map(row => row.key)

test('says hello, subscribes, and has the rows of the snapshot', async () => {
  const { server, client } = open()
  expect(client.read(topQuery).status).toBe('loading')
  await settled()
  expect(server.received.map(message => message.type)).toEqual(['hello', 'subscribe'])
  expect(client.connection.status).toBe('open')
  const snapshot = client.read(topQuery)
  expect(snapshot).toMatchObject({ status: 'live', asOf: rigAsOf, message: '' })
  expect(keys(client)).toEqual(['youtube:clip001', 'youtube:clip002', 'youtube:clip003'])
  expect(client.read(topQuery)).toBe(snapshot)
})

test('applies patches, keeps the identity of rows that did not change, and knows which did', async () => {
  const { server, client, clock } = open()
  await settled()
  const before = client.read(topQuery).rows
  const changed = { ...seededTrends(3)[1], key: 'youtube:clip002', gain: 7 }
  server.patch('trends', [changed], { order: ['youtube:clip002', 'youtube:clip001', 'youtube:clip003'] })
  const after = client.read(topQuery)
  expect(keys(client)).toEqual(['youtube:clip002', 'youtube:clip001', 'youtube:clip003'])
  expect(after.rows[0]?.gain).toBe(7)
  expect(after.rows[1]).toBe(before[0])
  expect([...after.changedAtMs]).toEqual([['youtube:clip002', clock.nowMs()]])
})

test('cleans texts where they enter and leaves out rows that it does not understand', async () => {
  const { server, client } = open()
  await settled()
  const [row] = seededTrends(1)
  server.patch(
    'trends',
    [
      { ...row, key: 'youtube:evil', title: '\x1b[2Jboo\u202e' },
      { key: 'youtube:odd', title: 42 },
    ],
    { order: ['youtube:evil', 'youtube:odd'] },
  )
  expect(client.read(topQuery).rows.map(each => each.title)).toEqual(['boo'])
})

test('takes a fresh snapshot when a patch was missed', async () => {
  const { server, client } = open()
  await settled()
  const id = server.idOf('trends') ?? ''
  server.push({ type: 'patch', id, seq: 5, asOf: rigAsOf, upsert: [], remove: ['youtube:clip001'], order: null })
  expect(server.received.slice(-2).map(message => message.type)).toEqual(['unsubscribe', 'subscribe'])
  expect(keys(client)).toHaveLength(3)
  expect(client.read(topQuery).status).toBe('live')
})

test('ignores a patch that it has had already', async () => {
  const { server, client } = open()
  await settled()
  const id = server.idOf('trends') ?? ''
  server.push({ type: 'patch', id, seq: 1, asOf: rigAsOf, upsert: [], remove: ['youtube:clip001'], order: null })
  expect(keys(client)).toHaveLength(3)
})

test('keeps the rows while disconnected, says so, and comes back by itself', async () => {
  const { server, client, clock } = open()
  await settled()
  server.isUp = false
  server.cut('The server is stopping.')
  expect(client.connection).toMatchObject({ status: 'closed', message: 'The server is stopping.' })
  expect(client.connection.retryAtMs).toBe(clock.nowMs() + 250)
  expect(client.read(topQuery)).toMatchObject({ status: 'disconnected', message: 'The server is stopping.' })
  expect(keys(client)).toHaveLength(3)
  clock.advance(250)
  await settled()
  expect(client.connection.retryAtMs).toBe(clock.nowMs() + 500)
  server.isUp = true
  clock.advance(500)
  await settled()
  expect(client.read(topQuery).status).toBe('live')
  const hello = server.received.filter(message => message.type === 'hello').at(-1)
  expect(hello).toMatchObject({ resume: { sessionId: 'rig', seqs: { s1: 1 } } })
})

test('does not subscribe again to what the server resumed', async () => {
  const { server, client, clock } = open()
  await settled()
  server.resumable = ['s1']
  server.cut()
  clock.advance(250)
  await settled()
  expect(server.received.filter(message => message.type === 'subscribe')).toHaveLength(1)
  expect(client.read(topQuery).status).toBe('live')
})

test('waits longer with every attempt, at most ten seconds', async () => {
  const { server, client, clock } = open()
  await settled()
  server.isUp = false
  server.cut()
  const waits: number[] = []
  for (let i = 0; i < 9; i++) {
    const waitMs = (client.connection.retryAtMs ?? 0) - clock.nowMs()
    waits.push(waitMs)
    clock.advance(waitMs)
    await settled()
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10000, 10000, 10000])
})

test('calls rows stale when the server falls silent, and gives the connection up after a while', async () => {
  const { server, client, clock } = open()
  await settled()
  const push = server.push.bind(server)
  server.push = () => {}
  clock.advance(16_000)
  expect(client.connection.status).toBe('silent')
  expect(client.read(topQuery).status).toBe('stale')
  server.push = push
  clock.advance(5_000)
  expect(client.connection.status).toBe('open')
  expect(client.read(topQuery).status).toBe('live')
  server.push = () => {}
  clock.advance(29_000)
  expect(client.connection).toMatchObject({ status: 'closed', message: 'The server does not answer.' })
})

test('shows why the server refused a query, and why it refused the token', async () => {
  const { server, client } = open()
  await settled()
  server.push({ type: 'error', id: 's1', code: 'BAD_REQUEST', message: 'period: must be one of 1h, 6h\x07.' })
  expect(client.read(topQuery)).toMatchObject({ status: 'error', message: 'period: must be one of 1h, 6h.' })
  server.push({ type: 'error', code: 'AUTH_REQUIRED', message: 'The token is not valid.' })
  server.cut('AUTH_REQUIRED')
  expect(client.connection.message).toBe('The token is not valid.')
})

test('renews a refused token once at once, then waits as after any failure', async () => {
  let count = 0
  const { server, client, clock } = open(new ScriptedServer(), async () => `token ${++count}`)
  server.refusedTokens = ['token 1', 'token 2', 'token 3']
  await settled()
  await settled()
  expect(server.received).toMatchObject([{ token: 'token 1' }, { token: 'token 2' }])
  expect(client.connection).toMatchObject({ status: 'closed', message: 'The token is not valid.' })
  expect(client.connection.retryAtMs).toBe(clock.nowMs() + 250)
  clock.advance(250)
  await settled()
  expect(server.received.at(-1)).toMatchObject({ token: 'token 3' })
  clock.advance(500)
  await settled()
  expect(client.read(topQuery).status).toBe('live')
  expect(count).toBe(4)
})

test('does not connect while nobody is signed in, and does when told that somebody is', async () => {
  let isSignedIn = false
  const { server, client, clock } = open(new ScriptedServer(), async () => {
    if (!isSignedIn) throw new SignInRequired('Sign in.')
    return 'mine'
  })
  await settled()
  clock.advance(60_000)
  await settled()
  expect(server.received).toEqual([])
  expect(client.connection).toEqual({ status: 'signedOut', message: 'Sign in.', retryAtMs: null })
  isSignedIn = true
  client.retryNow()
  await settled()
  expect(client.read(topQuery).status).toBe('live')
  client.disconnect('Signed out.')
  clock.advance(60_000)
  await settled()
  expect(client.connection).toEqual({ status: 'signedOut', message: 'Signed out.', retryAtMs: null })
  expect(server.received.filter(message => message.type === 'hello')).toHaveLength(1)
})

test('ends subscriptions that nobody wants any more and shares equal ones', async () => {
  const { server, client } = open()
  await settled()
  const same: LiveQuery<'trends'> = { name: 'trends', params: { period: '24h', type: 'clips' } }
  client.want([topQuery, same])
  expect(server.received.filter(message => message.type === 'subscribe')).toHaveLength(1)
  client.want([])
  expect(server.received.at(-1)).toEqual({ type: 'unsubscribe', id: 's1' })
  expect(client.read(topQuery).rows).toEqual([])
})

test('does not care for frames that are no messages', async () => {
  const { server, client } = open()
  await settled()
  for (const text of ['', 'null', '{', '{"type":"later"}', '[]']) server.pushText(text)
  expect(client.read(topQuery).status).toBe('live')
})

test('never says a word after it was closed', async () => {
  const { client, clock, changes } = open()
  await settled()
  client.close()
  const before = changes()
  clock.advance(60_000)
  await settled()
  expect(changes()).toBe(before)
})
