import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ApiKeyRequest, NewApiKeySchema } from '../../../contracts/api-keys.ts'
import { ControlFailureSchema } from '../../../contracts/control.ts'
import { UserIdSchema } from '../../../contracts/ids.ts'
import { IndexedVodRowSchema } from '../../../contracts/library.ts'
import type { AnalyticsStore } from '../../../core/clickhouse/port.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { SeriesAnswerSchema, TrendsAnswerSchema } from '../analytics/routes.ts'

const hourMs = 3_600_000
const VodsAnswer = z.object({
  data: z.array(IndexedVodRowSchema),
  generatedAt: z.iso.datetime(),
  asOf: z.iso.datetime(),
  nextCursor: z.string().optional(),
})

let rig: ServerRig
let server: RunningServer
let key: string
beforeAll(async () => {
  rig = await openServerRig()
  await rig.write(samplesOf('a', [100, 400]))
  await rig.write(samplesOf('b', [100, 200]))
  server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
  key = await newKey(['trends:read', 'vods:read', 'creators:read'])
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

describe('the API of machines', () => {
  it('takes a key as X-API-Key or as Bearer, and no session', async () => {
    expect((await ask('/trends', { 'x-api-key': key })).status).toBe(200)
    expect((await ask('/trends', { authorization: `Bearer ${key}` })).status).toBe(200)
    expect((await ask('/trends', { 'x-api-key': `${key.slice(0, -1)}~` })).status).toBe(401)
    expect((await ask('/trends', {})).status).toBe(401)
    const session = await rig.accounts.local.present()
    expect((await ask('/trends', { authorization: `Bearer ${session}` })).status).toBe(401)
  })

  it('gives the numbers of /api in the same envelope', async () => {
    const params = '?type=clips&platform=youtube&period=24h&limit=1'
    const mine = TrendsAnswerSchema.strict().parse(await (await ask(`/trends${params}`)).json())
    const theirs = await fetch(`${server.url}/api/analytics/trends${params}`, { headers: { 'x-api-key': key } })
    expect(mine.data).toEqual(TrendsAnswerSchema.parse(await theirs.json()).data)
    expect(mine.data.map(row => [row.key, row.gain])).toEqual([['youtube:a', 300]])
    const next = TrendsAnswerSchema.parse(await (await ask(`/trends${params}&cursor=${mine.nextCursor}`)).json())
    expect(next.data.map(row => row.key)).toEqual(['youtube:b'])
    const points = SeriesAnswerSchema.strict().parse(
      await (await ask('/series?type=clips&id=youtube:a&period=24h')).json(),
    )
    expect(points.data.length).toBeGreaterThan(1)
    const creators = await (await ask('/creators?search=c-a')).json()
    expect(creators).toMatchObject({ data: [{ creatorId: 'youtube:c-a' }], asOf: rigNow.toISOString() })
  })

  it('opens what the scopes of the key say, and nothing else', async () => {
    const narrow = await newKey(['creators:read'])
    const statusOf = async (path: string, method = 'GET') =>
      (await fetch(server.url + path, { method, headers: { 'x-api-key': narrow } })).status
    expect(await statusOf('/ext-api/v1/creators')).toBe(200)
    expect(await statusOf('/api/creators')).toBe(200)
    for (const path of [
      '/ext-api/v1/trends',
      '/ext-api/v1/series?type=clips&id=youtube:a',
      '/ext-api/v1/vods',
      '/api/analytics/trends',
      '/api/videos/youtube:a',
      '/api/creators/youtube:c-a/vods',
    ]) {
      expect(await statusOf(path)).toBe(403)
    }
    expect(await statusOf('/api/query', 'POST')).toBe(403)
    expect(await statusOf('/api/keys')).toBe(401)
  })

  it('says in 304 that nothing new is to be said, until something is', async () => {
    const path = '/trends?period=24h&platform=youtube'
    const first = await ask(path)
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/)
    expect(first.headers.get('cache-control')).toBe('private, no-cache')
    expect(first.headers.get('vary')).toContain('X-API-Key')
    for (const known of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
      const again = await ask(path, { 'x-api-key': key, 'if-none-match': known })
      expect(again.status).toBe(304)
      expect(again.headers.get('etag')).toBe(etag)
      expect(await again.text()).toBe('')
    }
    expect((await ask(path, { 'x-api-key': key, 'if-none-match': '"other"' })).status).toBe(200)
    await rig.write(samplesOf('c', [100, 900]))
    const changed = await ask(path, { 'x-api-key': key, 'if-none-match': etag })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).not.toBe(etag)
  })

  it('computes once what many ask at the same moment, here and under /api', async () => {
    const deps = await rig.deps()
    let queryCount = 0
    const store: AnalyticsStore = {
      ...deps.store,
      query(...asked) {
        queryCount += 1
        return deps.store.query(...asked)
      },
    }
    const counting = await startServer({ ...deps, store }, { host: '127.0.0.1', port: 0 })
    const get = (path: string) => fetch(counting.url + path, { headers: { 'x-api-key': key } })
    const queriesOf = async (paths: readonly string[]) => {
      queryCount = 0
      for (const answer of await Promise.all(paths.map(get))) expect(answer.status).toBe(200)
      return queryCount
    }
    const one = await queriesOf(['/ext-api/v1/series?type=clips&id=youtube:a&period=7d'])
    const many = Array.from({ length: 25 }, (_, index) =>
      index % 2 === 0
        ? '/ext-api/v1/series?type=clips&id=youtube:b&period=7d'
        : '/api/analytics/series?period=7d&id=youtube:b&type=clips',
    )
    expect(one).toBeGreaterThan(0)
    expect(await queriesOf(many)).toBe(one)
    expect(await queriesOf(many)).toBe(0)
    await counting.close(1000)
  })

  it('refuses what is not a parameter, by its name', async () => {
    for (const [path, name] of [
      ['/trends?colour=red', 'colour'],
      ['/vods?since=yesterday', 'since'],
      ['/vods?creatorId=mrbeast', 'creatorId'],
      ['/creators?limit=0', 'limit'],
    ]) {
      const answer = await ask(path ?? '')
      expect(answer.status).toBe(400)
      expect((await failureOf(answer)).message).toContain(name)
    }
  })
})

describe('VODs', () => {
  it('are those of the creator that is asked for, or of all that the owner of the key monitors', async () => {
    await describeVideos(['m1'], 'monitored')
    await describeVideos(['o1'], 'other')
    await indexed('other', 1)
    expect((await vods('?creatorId=youtube:other')).map(row => row.vodId)).toEqual(['youtube:o1'])
    expect(await vods('')).toEqual([])
    await monitor('monitored')
    expect((await vods('')).map(row => row.vodId)).toEqual(['youtube:m1'])
    expect(await vods('?creatorId=youtube:nobody')).toEqual([])
  })

  it('are polled from one asOf to the next without missing any', async () => {
    await monitor('polled')
    await describeVideos(['p1', 'p2', 'p3'], 'polled')
    const ids = new Set<string>()
    const poll = async (since: string): Promise<string> => {
      let page: z.infer<typeof VodsAnswer>
      let cursor = ''
      do {
        const answer = await ask(`/vods?creatorId=youtube:polled&limit=2&since=${since}${cursor}`)
        page = VodsAnswer.strict().parse(await answer.json())
        for (const row of page.data) ids.add(row.vodId)
        cursor = `&cursor=${page.nextCursor}`
      } while (page.nextCursor !== undefined)
      return page.asOf
    }
    await indexed('polled', 3)
    const asOf = await poll('2020-01-01T00:00:00%2B01:00')
    expect([...ids]).toEqual(['youtube:p1', 'youtube:p2', 'youtube:p3'])
    ids.clear()
    await describeVideos(['p4'], 'polled')
    await indexed('polled', 4)
    await poll(asOf)
    expect([...ids]).toEqual(['youtube:p4'])
  })

  it('of monitored creators are not opened by a service key, which monitors none', async () => {
    const service = await newKey(['tools:execute', 'vods:read'])
    const answer = await ask('/vods', { 'x-api-key': service })
    expect(answer.status).toBe(403)
    expect((await ask('/vods?creatorId=youtube:other', { 'x-api-key': service })).status).toBe(200)
  })
})

describe('keys over HTTP', () => {
  it('are made, listed and revoked by a session', async () => {
    const made = await post('/api/keys', { name: 'curl', scopes: ['trends:read'] })
    expect(made.status).toBe(201)
    const shown = NewApiKeySchema.parse(await made.json())
    const list = z.object({ data: z.array(z.object({ id: z.string() })) })
    const ids = list.parse(await (await session('/api/keys')).json()).data.map(one => one.id)
    expect(ids).toContain(shown.id)
    expect((await ask('/trends', { 'x-api-key': shown.key })).status).toBe(200)
    const revoked = await session(`/api/keys/${shown.id}`, { method: 'DELETE' })
    expect(revoked.status).toBe(204)
    while ((await ask('/trends', { 'x-api-key': shown.key })).status === 200) await tick()
    expect((await ask('/trends', { 'x-api-key': shown.key })).status).toBe(401)
  })

  it('of somebody else are not there', async () => {
    const stranger = UserIdSchema.parse(
      (
        await rig.db.system
          .insertInto('users')
          .values({ email: 'ext-stranger@example.com', role: 'user', is_local: false, email_verified_at: null })
          .returning('id')
          .executeTakeFirstOrThrow()
      ).id,
    )
    const { id } = await rig.db.system
      .insertInto('api_keys')
      .values({
        owner_id: stranger,
        name: 'theirs',
        prefix: 'cl_live_00000000',
        key_hash: Buffer.alloc(32),
        scopes: [],
        expires_at: null,
        last_used_at: null,
        revoked_at: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    expect((await session(`/api/keys/${id}`, { method: 'DELETE' })).status).toBe(404)
  })

  it('are made once for one Idempotency-Key, and shown again with the same answer', async () => {
    const idempotencyKey: string = crypto.randomUUID()
    const body = { name: 'once', scopes: ['trends:read'] }
    const send = (other: object = body, by = idempotencyKey) => post('/api/keys', other, { 'idempotency-key': by })
    const [one, two] = await Promise.all([send(), send()])
    const answers = [one, two].filter(answer => answer.status === 201)
    expect(answers.length).toBeGreaterThan(0)
    const first = await answers[0]?.json()
    const again = await send()
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await again.json()).toEqual(first)
    const other = await send({ ...body, name: 'another' })
    expect(other.status).toBe(409)
    expect(await failureOf(other)).toMatchObject({ code: 'CONFLICT' })
    expect((await send(body, 'guessable')).status).toBe(400)
    const { count } = await rig.db.system
      .selectFrom('api_keys')
      .select(eb => eb.fn.countAll<string>().as('count'))
      .where('name', '=', 'once')
      .executeTakeFirstOrThrow()
    expect(Number(count)).toBe(1)
  })
})

describe('limits', () => {
  it('are told in every limited answer, and hold for each key and for each user', async () => {
    const deps = await rig.deps()
    const limited = await startServer(
      { ...deps, settings: { rateLimits: { perAddress: 50, perUser: 4, perKey: 2 } } },
      { host: '127.0.0.1', port: 0 },
    )
    const get = (by: string) => fetch(`${limited.url}/ext-api/v1/trends`, { headers: { 'x-api-key': by } })
    const [one, two] = await Promise.all([newKey(['trends:read']), newKey(['trends:read'])])
    const first = await get(one)
    expect(first.headers.get('ratelimit-policy')).toBe('"key";q=2;w=60, "user";q=4;w=60')
    expect(first.headers.get('ratelimit')).toMatch(/^"key";r=1;t=\d\d, "user";r=3;t=\d\d$/)
    expect((await get(one)).status).toBe(200)
    const refused = await get(one)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(refused.headers.get('ratelimit')).toContain('"key";r=0')
    expect(await failureOf(refused)).toMatchObject({ code: 'RATE_LIMITED' })
    expect((await get(two)).status).toBe(200)
    expect((await get(two)).status).toBe(429)
    const open = await fetch(`${limited.url}/healthz`)
    expect(open.headers.get('ratelimit-policy')).toBe('"address";q=50;w=60')
    await limited.close(1000)
  })
})

function ask(path: string, headers: Record<string, string> = { 'x-api-key': key }): Promise<Response> {
  return fetch(`${server.url}/ext-api/v1${path}`, { headers })
}

function session(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${rigToken}`, ...init.headers } })
}

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return session(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

async function newKey(scopes: ApiKeyRequest['scopes']): Promise<string> {
  return NewApiKeySchema.parse(await (await post('/api/keys', { name: 'test', scopes })).json()).key
}

async function failureOf(answer: Response) {
  return ControlFailureSchema.parse(await answer.json()).error
}

async function vods(query: string) {
  // Behind the horizon of the rows that were just written.
  await tick()
  return VodsAnswer.strict().parse(await (await ask(`/vods${query}`)).json()).data
}

/** Waits until so many VODs of a creator are behind the horizon. */
async function indexed(creator: string, count: number): Promise<void> {
  while (true) {
    const found = await vods(`?creatorId=youtube:${creator}&limit=100`)
    if (found.length >= count) return
    await rig.bus.publish('metadata.written', { world: 'cliptape', atMs: 0 })
    await tick()
  }
}

async function monitor(creator: string): Promise<void> {
  await rig.db.system
    .insertInto('monitored_creators')
    .values({ owner_id: rig.userId, platform: 'youtube', creator_id: creator })
    .execute()
}

async function describeVideos(ids: readonly string[], creator: string): Promise<void> {
  await rig.store.insert(
    'cliptape.videos_v1',
    ids.map(id => ({
      platform: 'youtube',
      video_id: id,
      creator_id: creator,
      kind: 'vod',
      title: id,
      url: '',
      source: 'import:test',
      observed_at: '2026-01-31 12:00:00.000',
    })),
  )
  await rig.bus.publish('metadata.written', { world: 'cliptape', atMs: 0 })
  await tick()
}

function samplesOf(videoId: string, views: readonly number[]) {
  return views.map((count, index) => ({
    platform: 'youtube' as const,
    videoId,
    creatorId: `c-${videoId}`,
    observedAtMs: rigNow.getTime() - (views.length - index) * 6 * hourMs,
    views: count,
  }))
}

function tick(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
