import { request as httpRequest } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { SessionSchema } from '../contracts/accounts.ts'
import { ControlFailureSchema } from '../contracts/control.ts'
import { errorTable } from '../contracts/errors.ts'
import { QueryResultSchema } from '../contracts/queries.ts'
import { LiveClient } from '../test/live-client.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from '../test/server-rig.ts'
import { allRoutes } from './routes.ts'
import { type RunningServer, startServer } from './server.ts'

const hourMs = 3_600_000

let rig: ServerRig
let server: RunningServer

beforeAll(async () => {
  rig = await openServerRig()
  await fill(rig)
  server = await startServer(await open(rig), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

describe('open addresses', () => {
  it('says who it is', async () => {
    expect(await getJson('/', null)).toMatchObject({ name: 'cliptape', version: '1.2.3', status: 'ok' })
    expect(await getJson('/healthz', null)).toEqual({ status: 'ok' })
    expect(await getJson('/readyz', null)).toEqual({
      ...{ status: 'ready', stores: { relational: 'ok', analytics: 'ok' } },
      capabilities: { decode: expect.stringMatching(/^(ffmpeg|node-av|off)$/) },
    })
  })

  it('describes every address', async () => {
    const document = await getJson('/openapi.json', null)
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(document.paths))).toEqual([
      ...new Set(allRoutes.map(route => route.path.replace(/:(\w+)/g, '{$1}'))),
    ])
    const page = await fetch(`${server.url}/docs`)
    expect(page.headers.get('content-type')).toContain('text/html')
    const html = await page.text()
    for (const route of allRoutes) expect(html).toContain(route.path)
  })

  it('keeps its implementation and its answers to itself', async () => {
    const { headers } = await fetch(`${server.url}/`)
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('who may ask', () => {
  const closed = allRoutes.filter(route => route.auth !== 'open')
  it.each(closed.map(route => [route.method.toUpperCase(), route.path]))(
    '%s %s needs a token',
    async (method, path) => {
      for (const authorization of ['', 'Bearer wrong', `Basic ${rigToken}`, `Bearer ${rigToken}x`, 'Bearer']) {
        const response = await fetch(server.url + path, { method, headers: { authorization } })
        expect(await refusalOf(response)).toMatchObject({ code: 'AUTH_REQUIRED' })
        expect(response.headers.get('www-authenticate')).toBe('Bearer')
      }
    },
  )

  it('says which port is taken', async () => {
    const deps = await open(rig)
    await expect(startServer(deps, { host: '127.0.0.1', port: server.port })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(String(server.port)),
    })
  })

  it('refuses a request under a name that is not its own', async () => {
    expect((await plain({ path: '/healthz', headers: { host: 'evil.example' } })).status).toBe(403)
    expect((await plain({ path: '/healthz', headers: { host: `localhost:${server.port}` } })).status).toBe(200)
    // A number is nobody's name: no stranger's page can be served under it and reach us.
    expect((await plain({ path: '/healthz', headers: { host: '192.0.2.7:4400' } })).status).toBe(200)
    expect((await plain({ path: '/healthz', headers: { host: '[2001:db8::7]:4400' } })).status).toBe(200)
  })

  it('lets pages of the listed origins read, and no others', async () => {
    const get = (origin: string) => fetch(`${server.url}/healthz`, { headers: { origin } })
    expect((await get('https://app.example')).headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect((await get(server.url)).status).toBe(200)
    expect((await get('https://evil.example')).status).toBe(403)
    expect((await get('null')).status).toBe(403)
    const preflight = await fetch(`${server.url}/api/query`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization')
  })

  it('tells a user who asks too often when to come back', async () => {
    const limited = await startServer(
      { ...(await open(rig)), settings: { rateLimits: { perAddress: 9, perUser: 3, perKey: 9 } } },
      { host: '127.0.0.1', port: 0 },
    )
    const get = () => fetch(`${limited.url}/api/ops`, { headers: { authorization: `Bearer ${rigToken}` } })
    for (let count = 0; count < 3; count += 1) expect((await get()).status).toBe(200)
    const refused = await get()
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(refused.headers.get('ratelimit-policy')).toBe('"user";q=3;w=60')
    expect(refused.headers.get('ratelimit')).toMatch(/^"user";r=0;t=\d\d$/)
    expect(await refusalOf(refused)).toMatchObject({ code: 'RATE_LIMITED' })
    await limited.close(1000)
  })
})

describe('numbers', () => {
  it('ranks clips by what they gained', async () => {
    const answer = await getList('/api/analytics/trends?type=clips&period=24h&limit=2')
    expect(Object.keys(answer).sort()).toEqual(['asOf', 'data', 'generatedAt', 'nextCursor'])
    expect(answer.data.map(row => [row.key, row.gain])).toEqual([
      ['youtube:v3', 300],
      ['youtube:v2', 200],
    ])
    const next = await getList(
      `/api/analytics/trends?type=clips&period=24h&limit=2&cursor=${encodeURIComponent(answer.nextCursor ?? '')}`,
    )
    expect(next.data.map(row => row.key)).toEqual(['youtube:v1'])
    expect(next).not.toHaveProperty('nextCursor')
  })

  it('gives a series with a state for each point', async () => {
    const answer = await getList('/api/analytics/series?type=clips&id=youtube:v3&metric=views&period=24h&bucket=6h')
    expect(answer.bucket).toBe('6h')
    expect(answer.data.at(-1)).toMatchObject({ value: 400, state: 'value' })
    for (const point of answer.data) expect(Object.keys(point).sort()).toEqual(['at', 'state', 'value'])
  })

  it('finds creators, their videos, and one video', async () => {
    const found = await getList('/api/creators?search=alp')
    expect(found.data).toHaveLength(1)
    expect(found.data[0]).toMatchObject({ creatorId: 'youtube:c1', name: 'Alpha' })
    expect((await getJson('/api/creators/youtube:c1')).data).toMatchObject({ creatorId: 'youtube:c1', name: 'Alpha' })
    const vods = await getList('/api/creators/youtube:c1/vods')
    expect(vods.data).toHaveLength(3)
    expect(vods.data[0]).toEqual({
      vodId: expect.stringMatching(/^youtube:v[123]$/),
      title: expect.any(String),
      publishedAt: expect.any(String),
      duration: 30,
      thumbnailUrl: expect.any(String),
      kind: 'clip',
      source: 'attachable',
      trending: null,
    })
    expect((await getJson('/api/videos/youtube:v1')).data).toMatchObject({ videoId: 'youtube:v1', title: 'Video 1' })
  })

  it('says when there is nobody and nothing by that id', async () => {
    for (const path of [
      '/api/creators/youtube:nobody',
      '/api/creators/youtube:nobody/vods',
      '/api/videos/youtube:nothing',
    ]) {
      expect(await refusalOf(await get(path))).toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  it('runs SQL over the schema v in each format', async () => {
    const sql =
      'select video_id, max(views) as most from v.samples where platform = {p:String} group by video_id order by video_id'
    const ask = (format: string) => post('/api/query', { sql, params: { p: 'youtube' }, format })
    const json = QueryResultSchema.parse(await (await ask('json')).json())
    expect(json.columns.map(column => column.name)).toEqual(['video_id', 'most'])
    expect(json.rows).toEqual([
      ['v1', 200],
      ['v2', 300],
      ['v3', 400],
    ])
    expect(await (await ask('jsonl')).text()).toBe(
      '{"video_id":"v1","most":200}\n{"video_id":"v2","most":300}\n{"video_id":"v3","most":400}\n',
    )
    expect((await (await ask('csv')).text()).split('\n')[0]).toBe('"video_id","most"')
    expect(await refusalOf(await post('/api/query', { sql: 'drop table v.samples' }))).toMatchObject({
      code: 'QUERY_REFUSED',
    })
  })

  it('counts for Prometheus', async () => {
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toContain('# TYPE cliptape_http_request_seconds histogram')
    expect(metrics).toMatch(/^cliptape_live_queries 0$/m)
    expect(metrics).not.toContain(rigToken)
  })

  it('reports what runs, and takes orders about dead letters', async () => {
    const { data } = await getList('/api/ops')
    expect(data.map(row => row.key)).toEqual(['store:db', 'live:queries', 'live:computations'])
    expect(await getJson('/api/ops/dead-letters')).toEqual({ data: [] })
    expect(await (await post('/api/ops/dead-letters/replay', { all: true })).json()).toEqual({ replayed: 0, kept: 0 })
    expect(await (await post('/api/ops/dead-letters/discard', { ids: [rig.userId] })).json()).toEqual({ discarded: 1 })
  })
})

describe('live numbers', () => {
  it('come as the same rows as over HTTP, and change when samples are written', async () => {
    const client = await LiveClient.open(server.url, rigToken)
    client.subscribe('top', 'trends', { type: 'clips', period: '24h', limit: 10 })
    const snapshot = await client.next('snapshot', 'top')
    const { data } = await getList('/api/analytics/trends?type=clips&period=24h&limit=10')
    expect(snapshot.rows.map(row => row.key)).toEqual(data.map(row => row.key))
    await rig.write([sample('v1', rigNow.getTime() - 1000, 5_000)])
    const rows = await client.until('top', found => found[0]?.key === 'youtube:v1')
    expect(rows[0]).toMatchObject({ rank: 1, gain: 4_900 })
    const fresh = await LiveClient.open(server.url, rigToken)
    fresh.subscribe('other', 'trends', { limit: 10, period: '24h', type: 'clips' })
    expect((await fresh.next('snapshot', 'other')).rows).toEqual(rows)
    await Promise.all([client.end(), fresh.end()])
  })

  it('answers every query of the protocol', async () => {
    const client = await LiveClient.open(server.url, rigToken)
    const asked: [string, Record<string, unknown>][] = [
      ['trends', { type: 'creators' }],
      ['movers', { type: 'clips' }],
      ['index', {}],
      ['series', { type: 'clips', id: 'youtube:v1' }],
      ['describe', { type: 'clips', id: 'youtube:v1' }],
      ['ops', {}],
      ['deadLetters', {}],
      ['world', {}],
    ]
    for (const [name, params] of asked) {
      client.subscribe(name, name, params)
      expect((await client.next('snapshot', name)).columns).toContain('key')
    }
    await client.end()
  })

  it("keeps the installation's parts from those who do not run it", async () => {
    const registered = await fetch(`${server.url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ops@example.com', password: 'a long enough password' }),
    })
    const { access_token: token } = SessionSchema.parse(await registered.json())
    const asked = await fetch(`${server.url}/api/ops`, { headers: { authorization: `Bearer ${token}` } })
    expect(asked.status).toBe(403)
    const client = await LiveClient.open(server.url, token)
    client.subscribe('ops', 'ops', {})
    expect(await client.next('error', 'ops')).toMatchObject({ code: 'FORBIDDEN' })
    client.subscribe('letters', 'deadLetters', {})
    expect((await client.next('snapshot', 'letters')).rows).toEqual([])
    await client.end()
  })

  it('names the parameter that is wrong', async () => {
    const client = await LiveClient.open(server.url, rigToken)
    client.subscribe('s', 'trends', { type: 'clip' })
    expect(await client.next('error', 's')).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('"type"'),
    })
    client.subscribe('s', 'trends', { limit: 1e9 })
    expect((await client.next('error', 's')).message).toContain('"limit"')
    client.subscribe('s', 'describe', { type: 'clips', id: 'youtube:nothing' })
    expect(await client.next('error', 's')).toMatchObject({ code: 'NOT_FOUND' })
    await client.end()
  })
})

describe('bad input', () => {
  it.each([
    ['/api/analytics/trends?colour=red', '"colour"'],
    ['/api/analytics/trends?type=clip', '"type"'],
    ['/api/analytics/trends?type=', '"type"'],
    ['/api/analytics/trends?platform=vimeo', '"platform"'],
    ['/api/analytics/trends?limit=0', '"limit"'],
    ['/api/analytics/trends?limit=99999999999999999999', '"limit"'],
    ['/api/analytics/trends?limit=1.5', '"limit"'],
    ['/api/analytics/trends?limit=NaN', '"limit"'],
    ['/api/analytics/trends?limit=5&limit=6', '"limit"'],
    ['/api/analytics/trends?limit[]=5', '"limit[]"'],
    ['/api/analytics/trends?period=1y', '"period"'],
    ['/api/analytics/trends?period=24h&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z', '"period"'],
    ['/api/analytics/trends?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', '"to"'],
    ['/api/analytics/trends?from=1900-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', '"to"'],
    ['/api/analytics/trends?from=now&to=then', '"from"'],
    ['/api/analytics/trends?country=%00%00', '"country"'],
    ['/api/analytics/trends?niche=a%00b', '"niche"'],
    ['/api/analytics/trends?niche=<script>', '"niche"'],
    ['/api/analytics/trends?creator=youtube', '"creator"'],
    ['/api/analytics/trends?cursor=garbage', 'cursor'],
    ['/api/analytics/trends?__proto__=1', '"__proto__"'],
    ['/api/analytics/series?type=clips', '"id"'],
    ['/api/analytics/series?type=clips&id=youtube:v1&metric=money', '"metric"'],
    ['/api/analytics/series?type=clips&id=nonsense', '"id"'],
    ['/api/analytics/series?type=clips&id=youtube:v1&bucket=1s', '"bucket"'],
    ['/api/creators?limit=101', '"limit"'],
    [`/api/creators?search=${'x'.repeat(201)}`, '"search"'],
    ['/api/creators?search=a%00', '"search"'],
    ['/api/creators/mrbeast', '"creatorId"'],
    ['/api/creators/vimeo:1', '"creatorId"'],
    ['/api/videos/youtube:a%00b', '"videoId"'],
    ['/api/videos/%E0%A4%A', 'address'],
    ['/?x=1', '"x"'],
  ])('%s is refused with a sentence about %s', async (path, named) => {
    const { code, message } = await refusalOf(await get(path))
    expect(code).toBe('BAD_REQUEST')
    expect(message).toContain(named)
    expect(message).toMatch(/^[A-Z].*\.$/s)
  })

  it.each([
    ['{"sql":', 'JSON'],
    ['', '"sql"'],
    ['[]', 'input'],
    ['"text"', 'input'],
    ['{}', '"sql"'],
    ['{"sql":7}', '"sql"'],
    ['{"sql":""}', '"sql"'],
    ['{"sql":"select 1","format":"xml"}', '"format"'],
    ['{"sql":"select 1","extra":1}', '"extra"'],
    ['{"sql":"select \\u0000 1"}', '"sql"'],
    ['{"sql":"select 1","params":[]}', '"params"'],
    [`{"sql":"${'x'.repeat(20_001)}"}`, '"sql"'],
    [`{"sql":"select 1","params":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}`, 'nested'],
  ])('the body %s is refused with a sentence about %s', async (body, named) => {
    const { code, message } = await refusalOf(await postText('/api/query', body))
    expect(code).toBe('BAD_REQUEST')
    expect(message).toContain(named)
  })

  it('refuses a body of ten megabytes, also when it is packed small', async () => {
    const body = JSON.stringify({ sql: 'x'.repeat(10 * 1024 * 1024) })
    expect(await refusalOf(await postText('/api/query', body))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    const packed = await post('/api/query', gzipSync(body), { 'content-encoding': 'gzip' })
    expect(await refusalOf(packed)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  })

  it('refuses bodies of another type, encoding or packing', async () => {
    const refused = async (headers: Record<string, string>, body: string | Buffer = '{"sql":"select 1"}') =>
      (await refusalOf(await post('/api/query', Buffer.from(body), headers))).code
    expect(await refused({ 'content-type': 'text/plain' })).toBe('UNSUPPORTED_MEDIA_TYPE')
    expect(await refused({ 'content-type': 'application/x-www-form-urlencoded' })).toBe('UNSUPPORTED_MEDIA_TYPE')
    expect(await refused({ 'content-type': 'application/json; charset=latin1' })).toBe('UNSUPPORTED_MEDIA_TYPE')
    expect(await refused({ 'content-encoding': 'zip' })).toBe('UNSUPPORTED_MEDIA_TYPE')
    expect(await refused({ 'content-encoding': 'gzip' }, 'no gzip')).toBe('BAD_REQUEST')
    expect(await refused({ 'content-encoding': 'gzip' }, gzipSync('{"sql":"select 1"}').subarray(0, 20))).toBe(
      'BAD_REQUEST',
    )
  })

  it('refuses ids of dead letters that are none, and none at all', async () => {
    for (const body of [{}, { ids: [] }, { ids: ['x'] }, { all: false }, { all: true, ids: [rig.userId] }]) {
      expect((await refusalOf(await post('/api/ops/dead-letters/replay', body))).code).toBe('BAD_REQUEST')
    }
  })

  it('says which methods an address takes, and which addresses there are', async () => {
    const response = await fetch(`${server.url}/api/query`, { method: 'DELETE' })
    expect(response.headers.get('allow')).toBe('POST')
    expect(await refusalOf(response)).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
    expect(await refusalOf(await get('/api/nothing'))).toMatchObject({ code: 'NOT_FOUND' })
    expect(await refusalOf(await get('/..%2f..%2fetc/passwd'))).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('keeps a request id that is plain, and replaces any other', async () => {
    const withId = (id: string) => fetch(`${server.url}/none`, { headers: { 'x-request-id': id } })
    expect((await refusalOf(await withId('my-id.1'))).requestId).toBe('my-id.1')
    expect((await refusalOf(await withId('"><script>'))).requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('answers what is no HTTP with 400 and goes on', async () => {
    expect(await rawAnswer('\x16\x03\x01\x02\x00')).toMatch(/^HTTP\/1.1 400 .*"code":"BAD_REQUEST"/s)
    const wide = await rawAnswer(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`)
    expect(wide).toMatch(/^HTTP\/1.1 400 .*headers are too large/s)
    expect(await rawAnswer('GET / HTTP/1.1\r\n\r\n')).toContain('403')
    expect((await get('/healthz')).status).toBe(200)
  })
})

describe('the end', () => {
  it('lets a request finish and says goodbye to live clients', async () => {
    const ending = await startServer(await open(rig), { host: '127.0.0.1', port: 0 })
    const client = await LiveClient.open(ending.url, rigToken)
    const asking = fetch(`${ending.url}/readyz`)
    await asking
    await ending.close(2000)
    expect((await client.closed).code).toBe(1001)
    await expect(fetch(`${ending.url}/healthz`)).rejects.toThrow()
  })
})

async function open(from: ServerRig) {
  const settings = {
    corsOrigins: ['https://app.example'],
    rateLimits: { perAddress: 100_000, perUser: 100_000, perKey: 100_000 },
  }
  return { ...(await from.deps()), settings }
}

/** Three videos of one creator, read a day ago (100 views each) and now. */
async function fill(into: ServerRig): Promise<void> {
  const nowMs = rigNow.getTime()
  const videos = [1, 2, 3]
  await into.store.insert(
    'cliptape.videos_v1',
    videos.map(n => ({
      platform: 'youtube',
      video_id: `v${n}`,
      creator_id: 'c1',
      kind: 'clip',
      title: `Video ${n}`,
      url: `https://example.com/${n}`,
      thumbnail_url: `https://example.com/${n}.jpg`,
      published_at: engineTime(nowMs - 72 * hourMs),
      duration_seconds: 30,
      category: 'Music',
      tags: [],
      regions: ['US'],
      topics: ['test'],
      source: 'import:test',
      observed_at: engineTime(nowMs),
    })),
  )
  await into.store.insert('cliptape.creators_v1', [
    {
      platform: 'youtube',
      creator_id: 'c1',
      name: 'Alpha',
      handle: '@alpha',
      source: 'import:test',
      observed_at: engineTime(nowMs),
    },
  ])
  await into.write(
    videos.flatMap(n => [sample(`v${n}`, nowMs - 24 * hourMs, 100), sample(`v${n}`, nowMs - 60_000, 100 + 100 * n)]),
  )
}

function sample(videoId: string, observedAtMs: number, views: number) {
  return { platform: 'youtube' as const, videoId, creatorId: 'c1', observedAtMs, views }
}

function engineTime(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
}

function get(path: string, token: string | null = rigToken): Promise<Response> {
  return fetch(server.url + path, token === null ? {} : { headers: { authorization: `Bearer ${token}` } })
}

const ListSchema = z.looseObject({
  data: z.array(z.record(z.string(), z.unknown())),
  nextCursor: z.string().optional(),
})

async function getList(path: string) {
  return ListSchema.parse(await getJson(path))
}

async function getJson(path: string, token: string | null = rigToken) {
  const response = await get(path, token)
  const body = z.looseObject({}).parse(await response.json())
  expect(body).not.toHaveProperty('error')
  expect(response.status).toBe(200)
  return body
}

function post(path: string, body: object | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  const payload = Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body)
  return fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${rigToken}`, 'content-type': 'application/json', ...headers },
    body: payload,
  })
}

function postText(path: string, body: string): Promise<Response> {
  return post(path, Buffer.from(body))
}

/** The error of an answer, whose form, status and id are checked on the way. */
async function refusalOf(response: Response) {
  const { error } = ControlFailureSchema.strict().parse(await response.json())
  expect(response.headers.get('x-request-id')).toBe(error.requestId)
  expect(Object.entries(errorTable).find(([code]) => code === error.code)?.[1].status).toBe(response.status)
  return error
}

async function plain(o: { path: string; headers: Record<string, string> }): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const sent = httpRequest(server.url + o.path, { headers: o.headers }, response => {
    text(response).then(body => resolve({ status: response.statusCode ?? 0, body }), reject)
  })
  sent.on('error', reject)
  sent.end()
  return await promise
}

/** What came before the server hung up; it may do so while we still send. */
async function rawAnswer(bytes: string): Promise<string> {
  const socket = connectTcp(server.port, '127.0.0.1')
  let answer = ''
  socket.on('error', () => {})
  socket.on('data', chunk => {
    answer += chunk
  })
  socket.end(bytes)
  await new Promise(resolve => socket.once('close', resolve))
  return answer
}
