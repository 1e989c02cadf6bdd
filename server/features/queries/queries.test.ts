import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import {
  QueryCatalogSchema,
  QueryDiffSchema,
  QueryExplanationSchema,
  QueryResultSchema,
  QueryVersionListSchema,
  SavedQueryListSchema,
  type SavedQueryRequest,
  SavedQueryRequestSchema,
  SavedQuerySchema,
} from '../../../contracts/queries.ts'
import { viewDescriptions } from '../../../core/sql-gate/view-descriptions.ts'
import { LiveClient } from '../../../test/live-client.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import type { ServerDeps } from '../../deps.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { runQuery } from '../query/service.ts'
import { changeQuery, createQuery, filledQuery, findSavedQuery, listQueries } from './service.ts'

const hourMs = 3_600_000
const topSql = `SELECT video_id AS key, max(views) AS views
FROM v.samples
WHERE platform = {platform:String}
GROUP BY video_id
ORDER BY views DESC
LIMIT {rows:UInt16}`

let rig: ServerRig
let deps: ServerDeps
let server: RunningServer
/** Executions of live SQL. */
let liveCount = 0

beforeAll(async () => {
  rig = await openServerRig()
  await write('a', 100)
  const made = await rig.deps()
  const { gate } = made
  deps = {
    ...made,
    gate: {
      ...gate,
      run(query) {
        if (query.tag === 'ws:sql') liveCount += 1
        return gate.run(query)
      },
    },
    settings: {
      userConnectionsMax: 500,
      strangerConnectionsMax: 500,
      rateLimits: { perAddress: 100_000, perUser: 100_000, perKey: 100_000 },
    },
  }
  server = await startServer(deps, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

describe('a saved query', () => {
  it('keeps what each change said, and takes up an older version again', async () => {
    const made = await call('POST', '/api/queries', { name: 'Versions', sql: 'SELECT 1\nFROM v.samples' })
    expect([made.status, made.etag]).toEqual([201, '"1"'])
    const { id } = SavedQuerySchema.parse(made.body)
    const changed = await call('PUT', `/api/queries/${id}`, { name: 'Versions', sql: 'SELECT 2\nFROM v.samples' })
    expect(changed.etag).toBe('"2"')
    const diff = QueryDiffSchema.parse((await call('GET', `/api/queries/${id}/diff?from=1&to=2`)).body)
    expect(diff).toEqual({
      ...{ from: 1, to: 2, fields: [] },
      lines: [
        { kind: 'removed', text: 'SELECT 1' },
        { kind: 'added', text: 'SELECT 2' },
        { kind: 'same', text: 'FROM v.samples' },
      ],
    })
    const restored = SavedQuerySchema.parse((await call('POST', `/api/queries/${id}/restore`, { version: 1 })).body)
    expect(restored).toMatchObject({ version: 3, sql: 'SELECT 1\nFROM v.samples', tables: ['v.samples'] })
    const { data } = QueryVersionListSchema.parse((await call('GET', `/api/queries/${id}/versions`)).body)
    expect(data.map(({ version, sql }) => [version, sql.split('\n')[0]])).toEqual([
      [3, 'SELECT 1'],
      [2, 'SELECT 2'],
      [1, 'SELECT 1'],
    ])
  })

  it('is not changed by somebody who has not seen its last change', async () => {
    const { body } = await call('POST', '/api/queries', { name: 'Tags', sql: 'SELECT 1' })
    const path = `/api/queries/${SavedQuerySchema.parse(body).id}`
    const change = { name: 'Tags', sql: 'SELECT 2' }
    expect((await call('PUT', path, change, { 'if-match': '"1"' })).status).toBe(200)
    expect((await call('PUT', path, change, { 'if-match': '"1"' })).status).toBe(412)
    expect((await call('DELETE', path, undefined, { 'if-match': '"1"' })).status).toBe(412)
    expect((await call('GET', path)).etag).toBe('"2"')
    expect((await call('DELETE', path, undefined, { 'if-match': '"2"' })).status).toBe(204)
    expect((await call('GET', path)).status).toBe(404)
  })

  it('runs with its defaults where no value is given, in every format', async () => {
    const parameters = [{ name: 'platform', description: 'Which one', default: 'youtube' }]
    const { body } = await call('POST', '/api/queries', { name: 'Top', sql: topSql, parameters })
    const query = SavedQuerySchema.parse(body)
    expect(query.parameters).toEqual([
      { name: 'platform', type: 'String', description: 'Which one', default: 'youtube' },
      { name: 'rows', type: 'UInt16', description: '' },
    ])
    const run = (asked: object) => call('POST', `/api/queries/${query.id}/run`, asked)
    expect(QueryResultSchema.parse((await run({ params: { rows: 5 } })).body).rows).toEqual([['a', 100]])
    expect(QueryResultSchema.parse((await run({ params: { rows: 5, platform: 'tiktok' } })).body).rows).toEqual([])
    expect((await run({ params: { rows: '5' }, format: 'csv' })).body).toBe('"key","views"\n"a",100\n')
    const lacking = await run({})
    expect([lacking.status, lacking.body]).toMatchObject([400, { error: { details: { field: 'rows' } } }])
  })

  it('is refused with a default that does not fit, a parameter that it lacks, and SQL that could never run', async () => {
    const save = async (o: Partial<SavedQueryRequest>) =>
      await call('POST', '/api/queries', { name: 'Bad', sql: topSql, ...o })
    const unfit = await save({ parameters: [{ name: 'rows', description: '', default: 70_000 }] })
    expect(unfit.body).toMatchObject({
      error: { code: 'BAD_REQUEST', message: 'The value of rows does not fit UInt16.' },
    })
    const unknown = await save({ parameters: [{ name: 'nothing', description: '' }] })
    expect(unknown.body).toMatchObject({ error: { message: 'The SQL has no parameter nothing.' } })
    const refused = await save({ sql: "SELECT 1,\n file('/etc/passwd')" })
    expect(refused.body).toMatchObject({ error: { code: 'QUERY_REFUSED', details: { line: 2, column: 2 } } })
  })

  it('has a name of its own among those of its owner', async () => {
    await call('POST', '/api/queries', { name: 'Once', sql: 'SELECT 1' })
    expect((await call('POST', '/api/queries', { name: 'ONCE', sql: 'SELECT 2' })).status).toBe(409)
  })

  it('is seen by others as its owner says, and changed by nobody else', async () => {
    const other = await newUser('other@example.com')
    const byOwner = { principal: principalOf(rig.userId), requestId: 'r', address: null }
    const byOther = { principal: principalOf(other), requestId: 'r', address: null }
    const namesOf = async () =>
      (await listQueries(deps, byOther, { which: 'public', search: 'seen', limit: 50 })).data.map(({ name }) => name)
    const { id } = await createQuery(deps, byOwner, requestOf({ name: 'Seen', sql: 'SELECT 1' }))
    await expect(findSavedQuery(deps, other, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const show = (visibility: SavedQueryRequest['visibility']) =>
      changeQuery(deps, byOwner, {
        id,
        request: requestOf({ name: 'Seen', sql: 'SELECT 1', visibility }),
        ifMatch: undefined,
      })
    await show('shared')
    expect(await findSavedQuery(deps, other, id)).toMatchObject({ name: 'Seen', isOwn: false })
    expect(await namesOf()).toEqual([])
    await show('public')
    expect(await namesOf()).toEqual(['Seen'])
    const change = { id, request: requestOf({ name: 'Theirs', sql: 'SELECT 2' }), ifMatch: undefined }
    await expect(changeQuery(deps, byOther, change)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('shows whoever runs it their own private rows', async () => {
    const other = await newUser('private@example.com')
    await rig.store.insert('cliptape.own_samples_v1', [ownSample(other, 'theirs'), ownSample(rig.userId, 'ours')])
    const sql = 'SELECT video_id FROM mine.samples'
    const { body } = await call('POST', '/api/queries', { name: 'Mine', sql, visibility: 'public' })
    const { id } = SavedQuerySchema.parse(body)
    const rowsFor = async (userId: UserId) => {
      const filled = filledQuery(await findSavedQuery(deps, userId, id), {})
      return (await runQuery(deps, { ...filled, userId, tag: 'test' }, { rowsMax: 10 })).rows
    }
    expect(await rowsFor(other)).toEqual([['theirs']])
    expect(await rowsFor(rig.userId)).toEqual([['ours']])
  })

  it('is found page by page, the newest change first', async () => {
    const first = SavedQueryListSchema.parse((await call('GET', '/api/queries?which=own&limit=2')).body)
    const next = await call('GET', `/api/queries?which=own&limit=200&cursor=${first.nextCursor}`)
    const rest = SavedQueryListSchema.parse(next.body)
    const ids = [...first.data, ...rest.data].map(({ id }) => id)
    const all = SavedQueryListSchema.parse((await call('GET', '/api/queries?which=own&limit=200')).body)
    expect(ids).toEqual(all.data.map(({ id }) => id))
    expect(rest.nextCursor).toBeUndefined()
  })
})

describe('what SQL may say', () => {
  it('is listed with a description of every view and column', async () => {
    const catalog = QueryCatalogSchema.parse((await call('GET', '/api/query/catalog')).body)
    const described = Object.entries(viewDescriptions)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { comment, columns }]) => ({
        name,
        comment,
        columns: Object.entries(columns).map(([column, about]) => ({ name: column, ...about })),
      }))
    for (const { tables } of catalog.schemas) expect(tables).toEqual(described)
    expect(catalog.functions).toContainEqual(expect.objectContaining({ name: 'uniqExact', isAggregate: true }))
    expect(catalog.functions.map(({ name }) => name)).not.toContain('file')
  })

  it('is explained by the engine without being run', async () => {
    const found = QueryExplanationSchema.parse((await call('POST', '/api/query/explain', { sql: topSql })).body)
    expect(found.tables).toEqual(['v.samples'])
    expect(found.parameters).toEqual([
      { name: 'platform', type: 'String' },
      { name: 'rows', type: 'UInt16' },
    ])
    expect(found.plan.join('\n')).toContain('Sorting')
  })

  it('ends when whoever asked goes away', async () => {
    const { port } = new URL(server.url)
    const headers = { authorization: `Bearer ${rigToken}`, 'content-type': 'application/json' }
    const asking = httpRequest({ port, path: '/api/query', method: 'POST', headers })
    asking.on('error', () => {})
    asking.end(JSON.stringify({ sql: 'SELECT (SELECT sum(sipHash64(number)) FROM numbers(400000000)) AS gone' }))
    await expect.poll(() => running('AS gone'), { timeout: 5000 }).toBe(1)
    asking.destroy()
    await expect.poll(() => running('AS gone'), { timeout: 1000 }).toBe(0)
  })
})

describe('live SQL', () => {
  it('sends names, types and cells, and then what changed', async () => {
    const client = await LiveClient.open(server.url, rigToken)
    client.send({ type: 'subscribe', id: 's', query: { sql: topSql, params: { platform: 'youtube', rows: 10 } } })
    expect(await client.next('snapshot', 's')).toMatchObject({
      columns: ['key', 'views'],
      columnTypes: ['String', 'Nullable(UInt64)'],
      rows: [{ key: 'a', cells: ['a', 100] }],
    })
    await write('b', 700)
    expect(await client.next('patch', 's')).toMatchObject({
      upsert: [{ key: 'b', cells: ['b', 700] }],
      order: ['b', 'a'],
    })
    await client.end()
  })

  it('follows private rows of its own user alone', async () => {
    const client = await LiveClient.open(server.url, rigToken)
    const sql = "SELECT count() AS readings FROM mine.samples WHERE video_id LIKE 'own-%'"
    client.send({ type: 'subscribe', id: 's', query: { sql } })
    expect(await client.next('snapshot', 's')).toMatchObject({ rows: [{ cells: [0] }] })
    liveCount = 0
    await write('public', 1)
    await rig.bus.publish('own.written', { world: 'cliptape', userId: crypto.randomUUID() })
    await rig.store.insert('cliptape.own_samples_v1', [ownSample(rig.userId, 'own-a')])
    await rig.bus.publish('own.written', { world: 'cliptape', userId: rig.userId })
    expect(await client.next('patch', 's')).toMatchObject({ upsert: [{ cells: [1] }] })
    expect(liveCount).toBe(1)
    await client.end()
  })

  it('says by the id of the subscription why there is no answer', async () => {
    const client = await LiveClient.open(server.url, rigToken)
    const watch = (id: string, sql: string) => client.send({ type: 'subscribe', id, query: { sql } })
    watch('refused', "SELECT file('x')")
    expect(await client.next('error', 'refused')).toMatchObject({ code: 'QUERY_REFUSED' })
    watch('many', 'SELECT number FROM numbers(5000)')
    expect(await client.next('error', 'many')).toMatchObject({
      code: 'QUERY_LIMIT',
      message: expect.stringContaining('at most 1,000 rows'),
    })
    client.send({ type: 'subscribe', id: 'none', query: { savedQueryId: crypto.randomUUID() } })
    expect(await client.next('error', 'none')).toMatchObject({ code: 'NOT_FOUND' })
    // Neither keeps its id.
    watch('refused', 'SELECT 7 AS key, number FROM numbers(2)')
    expect((await client.next('snapshot', 'refused')).rows).toEqual([
      { key: '7', cells: [7, 0] },
      { key: '7 #2', cells: [7, 1] },
    ])
    await client.end()
  })

  it('ends in the engine when nobody watches any more', async () => {
    const client = await LiveClient.open(server.url, rigToken)
    const sql = 'SELECT (SELECT sum(sipHash64(number)) FROM numbers(400000000)) AS unwatched'
    client.send({ type: 'subscribe', id: 'long', query: { sql } })
    await expect.poll(() => running('AS unwatched'), { timeout: 5000 }).toBe(1)
    client.send({ type: 'unsubscribe', id: 'long' })
    await expect.poll(() => running('AS unwatched'), { timeout: 1000 }).toBe(0)
    await client.end()
  })

  it('runs once for each change, however many watch one saved query', async () => {
    const sql = 'SELECT count() AS readings, max(views) AS views FROM v.samples'
    const { body } = await call('POST', '/api/queries', { name: 'Watched', sql, visibility: 'shared' })
    const savedQueryId = SavedQuerySchema.parse(body).id
    const clients = await Promise.all(Array.from({ length: 200 }, () => LiveClient.open(server.url, rigToken)))
    liveCount = 0
    for (const client of clients) client.send({ type: 'subscribe', id: 's', query: { savedQueryId } })
    await Promise.all(clients.map(client => client.next('snapshot', 's')))
    expect(liveCount).toBe(1)
    await write('c', 9000)
    const rows = await Promise.all(
      clients.map(client => client.until('s', ([row]) => z.array(z.number()).parse(row?.cells)[1] === 9000)),
    )
    expect(rows).toHaveLength(200)
    expect(liveCount).toBe(2)
    await Promise.all(clients.map(client => client.end()))
  })
})

async function write(videoId: string, views: number): Promise<void> {
  const observedAtMs = rigNow.getTime() - hourMs
  await rig.write([{ platform: 'youtube', videoId, creatorId: 'c', observedAtMs, views }])
}

function ownSample(owner: UserId, videoId: string) {
  return {
    owner_id: owner,
    platform: 'youtube',
    video_id: videoId,
    creator_id: 'c',
    observed_at: '2026-01-31 11:00:00.000',
    views: 1,
    source: 'own:test',
    endpoint: '',
    definition_version: 1,
  }
}

async function newUser(email: string): Promise<UserId> {
  const row = await rig.db.system
    .insertInto('users')
    .values({ email, role: 'user', is_local: false })
    .returning('id')
    .executeTakeFirstOrThrow()
  return UserIdSchema.parse(row.id)
}

function principalOf(userId: UserId) {
  return { userId, role: 'user' as const, scheme: 'jwt' as const, scopes: 'all' as const, credentialId: null }
}

function requestOf(o: z.input<typeof SavedQueryRequestSchema>): SavedQueryRequest {
  return SavedQueryRequestSchema.parse(o)
}

async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${rigToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  const answer: unknown = isJson ? await response.json() : await response.text()
  return { status: response.status, etag: response.headers.get('etag'), body: answer }
}

/** How many statements with this text run in the engine. */
async function running(mark: string): Promise<number> {
  const rows = await rig.store.query(
    `SELECT 1 FROM system.processes WHERE position(query, '${mark}') > 0 AND position(query, 'system.processes') = 0`,
  )
  return rows.length
}
