import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deadLetterDesk } from '../bin/compose/dead-letter-desk.ts'
import type { UserId } from '../contracts/ids.ts'
import type { Db } from '../core/db/port.ts'
import type { Database } from '../core/db/schema.ts'
import { ownedTables } from '../server/features/account/owned-tables.ts'
import type { Route } from '../server/http/route.ts'
import { jsonSchema } from '../server/openapi.ts'
import { allRoutes } from '../server/routes.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { type FilledAccount, fillAccount, filledBoard, filledVodId } from './fill-account.ts'
import { rigToken, type ServerRig } from './server-rig.ts'

/** What a route takes ids of, and how it is asked. */
type IdCase =
  | 'ids of platforms, which belong to nobody'
  | 'ids that open nothing without a signature'
  | {
      readonly ids: (of: FilledAccount) => Readonly<Record<string, string>>
      readonly body?: (of: FilledAccount) => unknown
      readonly query?: (of: FilledAccount) => string
    }

const publicIds = 'ids of platforms, which belong to nobody'
const signedIds = 'ids that open nothing without a signature'
const ofClip: IdCase = { ids: of => ({ requestId: of.ids.clip }) }
const ofMediaJob: IdCase = { ids: of => ({ jobId: of.ids.mediaJob }) }
const silenceOf = (of: FilledAccount) => ({ type: 'audio/silence', input: ofVod(of), params: {} })
const ofVod = (of: FilledAccount) => ({ vodId: filledVodId(of.ids) })
const ofAccount: IdCase = { ids: () => ({}), query: of => `?accountId=${of.ids.account}` }
const ofBoard = { ids: (of: FilledAccount) => ({ dashboardId: of.ids.dashboard }) }
const ofQuery: IdCase = { ids: of => ({ queryId: of.ids.query }) }
const ruleOver = (of: FilledAccount) => ({
  measure: { source: 'query', queryId: of.ids.query, column: 'n' },
  condition: { kind: 'threshold', value: 1 },
})
const ofAlert: IdCase = { ids: of => ({ alertId: of.ids.alert }) }
const ofWatchlist: IdCase = { ids: of => ({ watchlistId: of.ids.watchlist }) }
const ofWebhook: IdCase = { ids: of => ({ webhookId: of.ids.webhook }) }

/** Every route that takes an id in its path, query or body. A test fails when one is missing here. */
const idCases: Readonly<Record<string, IdCase>> = {
  'GET /api/analytics/series': publicIds,
  'GET /api/creators/:creatorId': publicIds,
  'GET /api/creators/:creatorId/vods': publicIds,
  'GET /api/creators/:creatorId/copies': publicIds,
  'DELETE /api/creators/monitor/:creatorId': publicIds,
  'GET /api/videos/:videoId': publicIds,
  'GET /ext-api/v1/series': publicIds,
  'GET /ext-api/v1/vods': publicIds,
  'POST /api/ops/dead-letters/replay': {
    ids: () => ({}),
    body: of => ({ ids: [of.ids.deadLetter] }),
  },
  'POST /api/ops/dead-letters/discard': {
    ids: () => ({}),
    body: of => ({ ids: [of.ids.deadLetter] }),
  },
  // What platforms call an app.
  'POST /api/credentials/:platform': publicIds,
  'POST /api/auth/link/:platform': {
    ids: () => ({ platform: 'youtube' }),
    body: of => ({ account_id: of.ids.account }),
  },
  'GET /api/auth/links/:linkId': { ids: of => ({ linkId: of.ids.link }) },
  'DELETE /api/auth/link/:platform/:accountId': {
    ids: of => ({ platform: 'youtube', accountId: of.ids.account }),
  },
  'GET /api/crm/performance': ofAccount,
  'GET /api/crm/posts': ofAccount,
  'GET /api/crm/best-time': ofAccount,
  'GET /api/crm/days': ofAccount,
  'POST /api/vods': { ids: () => ({}), body: of => ({ source: `upload:${of.ids.upload}` }) },
  'GET /api/vods/:vodId': { ids: ofVod },
  'POST /api/vods/:vodId/source': { ids: ofVod, body: of => ({ source: `upload:${of.ids.upload}` }) },
  'DELETE /api/vods/:vodId': { ids: ofVod },
  'GET /api/vods/:vodId/copies': { ids: ofVod },
  'GET /api/vods/:vodId/filmstrip': { ids: ofVod, query: () => '?endSec=5&cells=4&widthPx=16&heightPx=9' },
  'GET /api/vods/:vodId/pictures': { ids: ofVod, query: () => '?at=1&widthPx=16&heightPx=9' },
  'GET /api/uploads/:uploadId': { ids: of => ({ uploadId: of.ids.upload }) },
  'DELETE /api/uploads/:uploadId': { ids: of => ({ uploadId: of.ids.upload }) },
  'POST /api/clips/request': { ids: () => ({}), body: of => ({ ...ofVod(of), startTime: 0, endTime: 5 }) },
  'GET /api/clips/status/:requestId': ofClip,
  'DELETE /api/clips/requests/:requestId': ofClip,
  'GET /api/clips/download/:requestId': ofClip,
  'POST /api/media/estimate': { ids: () => ({}), body: silenceOf },
  'POST /api/media/jobs': { ids: () => ({}), body: silenceOf },
  'GET /api/media/jobs/:jobId': ofMediaJob,
  'GET /api/media/jobs/:jobId/outputs': ofMediaJob,
  'DELETE /api/media/jobs/:jobId': ofMediaJob,
  'GET /api/media/files/:fileId': signedIds,
  'DELETE /api/keys/:keyId': { ids: of => ({ keyId: of.ids.key }) },
  'GET /api/queries/:queryId': ofQuery,
  'PUT /api/queries/:queryId': { ...ofQuery, body: () => ({ name: 'Mine', sql: 'SELECT 1' }) },
  'DELETE /api/queries/:queryId': ofQuery,
  'POST /api/queries/:queryId/run': { ...ofQuery, body: () => ({}) },
  'GET /api/queries/:queryId/versions': ofQuery,
  'GET /api/queries/:queryId/diff': { ...ofQuery, query: () => '?from=1&to=1' },
  'POST /api/queries/:queryId/restore': { ...ofQuery, body: () => ({ version: 1 }) },
  'POST /ext-api/v1/query': { ids: () => ({}), body: of => ({ savedQueryId: of.ids.query }) },
  'GET /api/dashboards/:dashboardId': ofBoard,
  'GET /api/dashboards/:dashboardId/file': ofBoard,
  'PUT /api/dashboards/:dashboardId': { ...ofBoard, body: () => ({ board: filledBoard('Mine') }) },
  'DELETE /api/dashboards/:dashboardId': ofBoard,
  'PATCH /api/webhooks/:webhookId': { ...ofWebhook, body: () => ({ status: 'paused' }) },
  'DELETE /api/webhooks/:webhookId': ofWebhook,
  'GET /api/webhooks/:webhookId/deliveries': ofWebhook,
  'POST /api/webhooks/:webhookId/test': ofWebhook,
  'POST /api/webhooks/:webhookId/deliveries/:deliveryId/redeliver': {
    ids: of => ({ webhookId: of.ids.webhook, deliveryId: of.ids.delivery }),
  },
  'POST /api/alerts': { ids: () => ({}), body: of => ({ name: 'x', rule: ruleOver(of) }) },
  'POST /api/alerts/backtest': { ids: () => ({}), body: of => ({ rule: ruleOver(of) }) },
  'POST /api/watchlists': publicIds,
  'POST /api/alerts/firings/seen': { ids: () => ({}), body: of => ({ alertId: of.ids.alert }) },
  'GET /api/alerts/:alertId': ofAlert,
  'PUT /api/alerts/:alertId': {
    ...ofAlert,
    body: () => ({ name: 'x', rule: { measure: { source: 'list' }, condition: { kind: 'entrant', top: 5 } } }),
  },
  'DELETE /api/alerts/:alertId': ofAlert,
  'POST /api/alerts/:alertId/mute': { ...ofAlert, body: () => ({ until: null }) },
  'GET /api/alerts/:alertId/firings': ofAlert,
  'GET /api/watchlists/:watchlistId': ofWatchlist,
  'GET /api/watchlists/:watchlistId/rows': ofWatchlist,
  'PUT /api/watchlists/:watchlistId': { ...ofWatchlist, body: () => ({ name: 'x' }) },
  'DELETE /api/watchlists/:watchlistId': ofWatchlist,
  'POST /api/watchlists/:watchlistId/items': { ...ofWatchlist, body: of => ({ type: 'topics', id: of.mark }) },
  'PATCH /api/watchlists/:watchlistId/items': { ...ofWatchlist, body: of => ({ type: 'topics', id: of.mark }) },
  'DELETE /api/watchlists/:watchlistId/items': { ...ofWatchlist, query: of => `?type=topics&id=${of.mark}` },
}

/**
 * What keeps users apart, on every engine: the policies of the catalogue, and the addresses in front of them.
 * @param setup a rig on an empty store, opened by the file that calls it and closed by it
 */
export function describeIsolation(setup: () => ServerRig): void {
  let rig: ServerRig
  let db: Db
  let mine: FilledAccount
  let theirs: FilledAccount

  beforeAll(async () => {
    rig = setup()
    db = rig.db
    mine = await fillAccount(rig, 'a@example.com')
    theirs = await fillAccount(rig, 'b@example.com')
  })

  describe('the catalogue', () => {
    it('has row level security, forced, with these policies alone, on every table of users', async () => {
      const { rows } = await policiesOf(db)
      expect(rows.map(row => row.table)).toEqual(Object.keys(ownedTables).sort())
      for (const { table, column, isOn, isForced, policies } of rows) {
        expect({ table, isOn, isForced }).toEqual({ table, isOn: true, isForced: true })
        const own = `(${column} = app_user_id())`
        // users are read by themselves and written by nobody: there the one condition stands for both.
        const check = table === 'users' ? null : own
        expect({ table, policies }).toEqual({
          table,
          policies: [
            { role: 'cliptape_app', command: '*', isPermissive: true, using: own, check },
            { role: 'owner', command: '*', isPermissive: true, using: 'true', check: 'true' },
          ],
        })
      }
    })

    it('gives the application no way around it', async () => {
      const { rows: roles } = await sql`select rolsuper, rolbypassrls, rolcreaterole, rolcanlogin,
          exists (select from pg_auth_members m where m.member = r.oid) as "isMember",
          exists (select from pg_class c where c.relowner = r.oid) as "ownsSomething",
          has_schema_privilege(r.oid, 'public', 'create') as "mayCreate"
        from pg_roles r where rolname = 'cliptape_app'`.execute(db.system)
      expect(roles).toEqual([
        {
          rolsuper: false,
          rolbypassrls: false,
          rolcreaterole: false,
          rolcanlogin: false,
          isMember: false,
          ownsSomething: false,
          mayCreate: false,
        },
      ])
      const { rows: doors } = await sql`select p.proname::text as name from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' and p.prosecdef
          and p.prorettype <> 'trigger'::regtype`.execute(db.system)
      expect(doors).toEqual([])
      const { rows: views } = await sql`select c.relname::text as name from pg_class c
        join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('v', 'm')`.execute(
        db.system,
      )
      expect(views).toEqual([])
    })
  })

  describe('a user of the store', () => {
    it.each(Object.entries(ownedTables))('reads their own rows of %s, or none', async (table, { owner }) => {
      const read = (userId: UserId) =>
        asUser(db, userId, trx =>
          sql<{ owner: string }>`select ${sql.ref(owner)} as owner from ${sql.table(table)}`.execute(trx),
        )
      const seen = await read(mine.userId)
      if (seen === 'refused') return
      expect(seen.rows.length).toBeGreaterThan(0)
      expect(new Set(seen.rows.map(row => row.owner))).toEqual(new Set([mine.userId]))
    })

    it.each(Object.entries(ownedTables))(
      "changes and removes no row of somebody else's %s",
      async (table, { owner }) => {
        const before = await contentOf(db, table)
        const where = sql`where ${sql.ref(owner)} = ${theirs.userId}`
        const attempts = [
          sql`update ${sql.table(table)} set ${sql.ref(owner)} = ${sql.ref(owner)} ${where}`,
          sql`delete from ${sql.table(table)} ${where}`,
          sql`update ${sql.table(table)} set ${sql.ref(owner)} = ${theirs.userId} where ${sql.ref(owner)} = ${mine.userId}`,
          sql`insert into ${sql.table(table)} select * from ${sql.table(table)} ${where}`,
          sql`truncate ${sql.table(table)}`,
        ]
        for (const attempt of attempts) {
          const result = await asUser(db, mine.userId, trx => attempt.execute(trx))
          if (result !== 'refused') expect(Number(result.numAffectedRows ?? 0)).toBe(0)
        }
        expect(await contentOf(db, table)).toEqual(before)
      },
    )

    it('is nobody until the transaction says who it is', async () => {
      for (const table of Object.keys(ownedTables)) {
        const nobody = db.transaction(async trx => {
          await sql`select set_config('role', 'cliptape_app', true)`.execute(trx)
          return await sql`select 1 from ${sql.table(table)}`.execute(trx)
        })
        const rows = await nobody.then(
          result => result.rows,
          error => (error.details.sqlState === '42501' ? [] : Promise.reject(error)),
        )
        expect([table, rows]).toEqual([table, []])
      }
    })
  })

  describe('the addresses', () => {
    let server: RunningServer
    let session: string
    let key: string

    beforeAll(async () => {
      const deps = await rig.deps()
      const desk = deadLetterDesk({
        db,
        store: rig.store,
        bus: rig.bus,
        world: rig.world,
        settle: async () => undefined,
        log: rig.log,
        clock: deps.clock,
        ownerId: rig.userId,
      })
      server = await startServer({ ...deps, deadLetters: desk }, { host: '127.0.0.1', port: 0 })
      const claims = { userId: mine.userId, sessionId: mine.ids.session, role: 'user' as const }
      session = await rig.accounts.accounts.tokens.signAccess(claims, 900_000)
      const made = await call('POST', '/api/keys', { name: 'all', scopes: keyScopesOf() })
      key = z.object({ key: z.string() }).parse(JSON.parse(made.text)).key
    })
    afterAll(() => server.close(1000))

    const call = async (method: string, path: string, body?: unknown) => {
      const isExternal = path.startsWith('/ext-api/')
      const response = await fetch(server.url + path, {
        method,
        headers: {
          ...(isExternal ? { 'x-api-key': key } : { authorization: `Bearer ${session}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, text: await response.text() }
    }

    it('that take an id are all in the table of this test', () => {
      const taking = allRoutes.filter(route => idInputsOf(route).length > 0).map(nameOf)
      expect(taking.sort()).toEqual(Object.keys(idCases).sort())
    })

    it("take a stranger's id for one that never was, say nothing of it, and change nothing", async () => {
      const nobody: FilledAccount = { ...theirs, ids: mapValues(theirs.ids, () => randomUUID()) }
      const before = await everythingOf(db, theirs.userId)
      for (const [name, one] of Object.entries(idCases)) {
        if (one === publicIds || one === signedIds) continue
        const [method = '', path = ''] = name.split(' ')
        const ask = (of: FilledAccount) =>
          call(
            method,
            path.replace(/:(\w+)/g, (_all, param: string) => one.ids(of)[param] ?? 'missing') + (one.query?.(of) ?? ''),
            one.body?.(of),
          )
        const answer = await ask(theirs)
        expect([name, answer.status, withoutRequestId(answer.text)]).toEqual([
          name,
          404,
          expect.objectContaining({ code: 'NOT_FOUND' }),
        ])
        expect([name, withoutIds(answer.text, theirs)]).toEqual([name, withoutIds((await ask(nobody)).text, nobody)])
        expectNothingOf(theirs, answer.text)
      }
      expect(await everythingOf(db, theirs.userId)).toEqual(before)
    })

    it("show nothing of a stranger's in any list, and their own", async () => {
      const seen: string[] = []
      for (const route of allRoutes) {
        if (route.method !== 'get' || route.auth === 'open' || route.path.includes(':')) continue
        const { status, text } = await call('GET', route.path)
        expect([route.path, status]).not.toEqual([route.path, 500])
        expectNothingOf(theirs, text)
        if (status === 200 && text.includes(mine.mark)) seen.push(route.path)
      }
      expect(seen).toEqual(
        expect.arrayContaining([
          '/api/keys',
          '/api/webhooks',
          '/api/accounts',
          '/api/credits',
          '/api/audit',
          '/api/account/export',
          '/api/crm/performance',
          '/api/ops/dead-letters',
        ]),
      )
    })

    it('page through their own rows alone, whatever cursor comes', async () => {
      for (const path of ['/api/credits', '/api/audit']) {
        const cursor = Buffer.from('9223372036854775807').toString('base64url')
        const { text } = await call('GET', `${path}?cursor=${cursor}`)
        expect(text).toContain(mine.mark)
        expectNothingOf(theirs, text)
      }
    })

    it('read private numbers by SQL of their own user alone', async () => {
      const sqlText = 'select video_id, views from mine.samples'
      const own = await call('POST', '/api/query', { sql: sqlText })
      expect(own.text).toContain(mine.mark)
      expectNothingOf(theirs, own.text)
    })

    it('know their own ids, or the refusals above would prove nothing', async () => {
      const before = await everythingOf(db, mine.userId)
      expect((await call('GET', `/api/webhooks/${mine.ids.webhook}/deliveries`)).status).toBe(200)
      expect((await call('DELETE', `/api/keys/${mine.ids.key}`)).status).toBe(204)
      expect(
        JSON.parse((await call('POST', '/api/ops/dead-letters/discard', { ids: [mine.ids.deadLetter] })).text),
      ).toEqual({
        discarded: 1,
      })
      expect(await everythingOf(db, mine.userId)).not.toEqual(before)
    })

    it('let the owner of the installation see no more of others than anybody', async () => {
      for (const path of ['/api/keys', '/api/webhooks', '/api/credits', '/api/audit', '/api/ops/dead-letters']) {
        const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${rigToken}` } })
        const text = await response.text()
        expect([path, response.status]).toEqual([path, 200])
        expectNothingOf(theirs, text)
        expectNothingOf(mine, text)
      }
    })
  })
}

function keyScopesOf(): string[] {
  return [...new Set(allRoutes.flatMap(route => route.scope ?? []))].filter(scope => !scope.includes('integrations'))
}

function nameOf(route: Route): string {
  return `${route.method.toUpperCase()} ${route.path}`
}

const idName = /^(id|ids)$|(Id|Ids|_id|_ids)$/

/** The names of everything that looks like an id among a route's inputs. */
function idInputsOf(route: Route): string[] {
  const params = [...route.path.matchAll(/:(\w+)/g)].map(match => match[1] ?? '')
  const schemas = [route.query, route.body].flatMap(schema => (schema ? [jsonSchema(schema, 'input')] : []))
  return [...params, ...schemas.flatMap(propertyNames)].filter(name => idName.test(name))
}

function propertyNames(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return []
  const own = 'properties' in node && typeof node.properties === 'object' ? Object.keys(node.properties ?? {}) : []
  return [...own, ...Object.values(node).flatMap(propertyNames)]
}

async function policiesOf(db: Db) {
  return await sql<{
    table: string
    column: string
    isOn: boolean
    isForced: boolean
    policies: { role: string; command: string; isPermissive: boolean; using: string; check: string | null }[]
  }>`
    select c.relname::text as table, a.attname::text as column, c.relrowsecurity as "isOn",
      c.relforcerowsecurity as "isForced",
      array(select jsonb_build_object(
          'role', (select string_agg(case when r = c.relowner then 'owner' else r::regrole::text end, ',') from unnest(p.polroles) r),
          'command', p.polcmd, 'isPermissive', p.polpermissive,
          'using', pg_get_expr(p.polqual, c.oid), 'check', pg_get_expr(p.polwithcheck, c.oid))
        from pg_policy p where p.polrelid = c.oid order by p.polname) as policies
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not a.attisdropped
      and (a.attname in ('owner_id', 'user_id') or (c.relname = 'users' and a.attname = 'id'))
    order by 1`.execute(db.system)
}

/** Work as a user; what the application has no right to is refused. */
async function asUser<T>(
  db: Db,
  userId: UserId,
  work: (trx: Transaction<Database>) => Promise<T>,
): Promise<T | 'refused'> {
  return await db.asUser(userId, work).catch(error => {
    if (error.details?.sqlState === '42501') return 'refused' as const
    throw error
  })
}

async function contentOf(db: Db, table: string): Promise<string[]> {
  const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t order by 1`.execute(
    db.system,
  )
  return rows.map(row => row.row)
}

/** Every row of a user, in every table. */
async function everythingOf(db: Db, userId: UserId): Promise<Record<string, string[]>> {
  const content: Record<string, string[]> = {}
  for (const [table, { owner }] of Object.entries(ownedTables)) {
    const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t
      where ${sql.ref(owner)} = ${userId} order by 1`.execute(db.system)
    content[table] = rows.map(row => row.row)
  }
  return content
}

function expectNothingOf(account: FilledAccount, text: string): void {
  for (const secret of [account.mark, account.email, account.userId]) expect(text).not.toContain(secret)
}

const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string(), details: z.unknown() }) })

function withoutRequestId(text: string): unknown {
  const json: unknown = JSON.parse(text)
  const refusal = Refusal.safeParse(json)
  return refusal.success ? refusal.data.error : json
}

function withoutIds(text: string, account: FilledAccount): string {
  const plain = JSON.stringify(withoutRequestId(text))
  return Object.values(account.ids).reduce((all, id) => all.replaceAll(id, '<id>'), plain)
}

function mapValues<K extends string>(record: Readonly<Record<K, string>>, make: () => string): Record<K, string> {
  const entries = Object.keys(record).map(name => [name, make()])
  return { ...record, ...Object.fromEntries(entries) }
}
