import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SessionSchema } from '../../../contracts/accounts.ts'
import { UserIdSchema } from '../../../contracts/ids.ts'
import { type FilledAccount, fillAccount } from '../../../test/fill-account.ts'
import { openServerRig, rigNow, type ServerRig } from '../../../test/server-rig.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { startServer } from '../../server.ts'
import { sweepOwnNumbers } from './ended-numbers.ts'
import { AccountExportSchema, exportAccount } from './export.ts'
import { ownNumberTables } from './own-numbers.ts'
import { ownedTables } from './owned-tables.ts'
import { removeAccount } from './remove.ts'

let rig: ServerRig
let deps: ServerDeps

beforeAll(async () => {
  rig = await openServerRig()
  deps = await rig.deps()
})
afterAll(async () => {
  await deps.usage.close()
  await rig.close()
})

function callerOf({ userId, ids }: Pick<FilledAccount, 'userId' | 'ids'>): Caller {
  const principal = { userId, scheme: 'jwt', role: 'user', scopes: 'all', credentialId: ids.session } as const
  return { principal, requestId: 'r-1', address: '192.0.2.7' }
}

async function exported(account: FilledAccount) {
  const whole = await text(Readable.from(await exportAccount(deps, account.userId, callerOf(account))))
  return { text: whole, document: AccountExportSchema.parse(JSON.parse(whole)) }
}

/** How many rows of every table of both stores have this text in them anywhere. */
async function rowsWith(sought: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const table of Object.keys(ownedTables)) {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)} t
      where t::text like ${`%${sought}%`}`.execute(rig.db.system)
    if (rows[0]?.n) found[table] = rows[0].n
  }
  for (const { database, table } of await ownNumberTables(rig.store)) {
    const rows = await rig.store.query<{ n: number }>(
      `SELECT count() AS n FROM ${database}.${table} WHERE toString(owner_id) = '${sought}'`,
    )
    if (rows[0]?.n) found[table] = Number(rows[0].n)
  }
  return found
}

const columnsOfUsers = sql<{ table: string; column: string }>`
  select c.relname::text as table, a.attname::text as column
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
  where n.nspname = 'public' and c.relkind in ('r', 'p') and not a.attisdropped
    and (a.attname in ('owner_id', 'user_id') or (c.relname = 'users' and a.attname = 'id') or exists (
      select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'users'::regclass
        and a.attnum = any (k.conkey)))
  order by 1`

describe('the tables of users', () => {
  it('are those of the catalogue, each by its owner column', async () => {
    const { rows } = await columnsOfUsers.execute(rig.db.system)
    const listed = Object.entries(ownedTables).map(([table, { owner }]) => ({ table, column: owner }))
    expect(rows).toEqual(listed.sort((a, b) => (a.table < b.table ? -1 : 1)))
  })

  it('hide only columns that are there', async () => {
    for (const [table, { hidden }] of Object.entries(ownedTables)) {
      const { rows } = await sql<{ column: string }>`select attname::text as column from pg_attribute
        where attrelid = ${table}::regclass and attnum > 0 and not attisdropped`.execute(rig.db.system)
      expect(rows.map(row => row.column)).toEqual(expect.arrayContaining([...hidden]))
    }
  })

  it('are filled with a row each by the rig, or the tests below would prove nothing', async () => {
    const account = await fillAccount(rig, 'filled@example.com')
    const numbers = (await ownNumberTables(rig.store)).map(({ table }) => table)
    expect(Object.keys(await rowsWith(account.userId)).sort()).toEqual([...Object.keys(ownedTables), ...numbers].sort())
  })
})

describe('the export of an account', () => {
  it('has every row of every table, and nothing of anybody else', async () => {
    const mine = await fillAccount(rig, 'mine@example.com')
    const other = await fillAccount(rig, 'other@example.com')
    const { text, document } = await exported(mine)
    expect(document).toMatchObject({ userId: mine.userId, exportedAt: rigNow.toISOString() })
    expect(Object.keys(document.tables)).toEqual(Object.keys(ownedTables))
    for (const [table, rows] of Object.entries(document.tables)) expect([table, rows.length]).not.toEqual([table, 0])
    const numbers = Object.values(document.numbers).map(rows => rows.length)
    expect(numbers).toEqual((await ownNumberTables(rig.store)).map(() => 1))
    expect(document.numbers['cliptape.media_prints_v1']).toEqual([{ rowCount: 1, note: expect.any(String) }])
    expect(document.tables.settings).toMatchObject([{ name: 'theme', value: mine.mark }])
    expect(document.tables.webhooks?.[0]).toMatchObject({ secret_vault_id: mine.ids.secret })
    expect(document.tables.audit_log?.map(row => row.action)).toEqual(['key.created', 'account.exported'])
    for (const secret of [other.userId, other.mark, other.email]) expect(text).not.toContain(secret)
  })

  it('is given once a minute', async () => {
    const account = await fillAccount(rig, 'eager@example.com')
    const twice = await Promise.allSettled([exported(account), exported(account)])
    expect(twice.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    const again = exportAccount(deps, account.userId, callerOf(account))
    await expect(again).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } })
    await rig.db.executeSql('alter table audit_log disable trigger audit_log_append_only')
    await sql`update audit_log set created_at = created_at - interval '1 minute' where user_id = ${account.userId}`.execute(
      rig.db.system,
    )
    await rig.db.executeSql('alter table audit_log enable trigger audit_log_append_only')
    expect((await exported(account)).document.userId).toBe(account.userId)
  })

  it('holds no hash and no ciphertext', async () => {
    const account = await fillAccount(rig, 'secrets@example.com')
    const { document } = await exported(account)
    for (const [table, { hidden }] of Object.entries(ownedTables)) {
      for (const row of document.tables[table] ?? []) {
        for (const column of hidden) expect(Object.keys(row)).not.toContain(column)
      }
    }
  })

  it('pages through tables of any length', async () => {
    const account = await fillAccount(rig, 'long@example.com')
    await sql`insert into drop_counts (owner_id, source, reason, row_count)
      select ${account.userId}::uuid, 's' || (n % 7), 'r' || n, 9007199254740993 from generate_series(1, 612) n`.execute(
      rig.db.system,
    )
    const { text, document } = await exported(account)
    const keys = (document.tables.drop_counts ?? []).map(row => `${row.source} ${row.reason}`)
    expect(new Set(keys).size).toBe(613)
    expect(keys).toHaveLength(613)
    expect(text.split('9007199254740993')).toHaveLength(613)
  })
})

describe('the end of an account', () => {
  it('leaves nothing in either store, and everything of the others', async () => {
    const leaving = await fillAccount(rig, 'leaving@example.com')
    const staying = await fillAccount(rig, 'staying@example.com')
    const before = await rowsWith(staying.userId)
    const events: unknown[] = []
    const stop = await rig.bus.subscribe('session.ended', event => void events.push(event))
    const stopKeys = await rig.bus.subscribe('keys.changed', event => void events.push(event))
    const password = 'a password of some length'
    await setPassword(leaving, password)
    await rig.db.executeSql(`create schema if not exists pgboss;
      create table if not exists pgboss.job (data jsonb); insert into pgboss.job values
      ('{"userId":"${leaving.userId}"}'), ('{"userId":"${staying.userId}"}')`)

    await removeAccount(deps, leaving.userId, callerOf(leaving), password)

    expect(await rowsWith(leaving.userId)).toEqual({})
    expect(await rowsWith(leaving.mark)).toEqual({})
    expect(await rowsWith(staying.userId)).toEqual(before)
    const { rows: jobs } = await rig.db.executeSql('select data from pgboss.job')
    expect(jobs).toEqual([{ data: { userId: staying.userId } }])
    expect(events).toEqual([
      { userId: leaving.userId, sessionId: null },
      { prefix: `cl_live_${leaving.mark.slice(-8)}` },
    ])
    await expect(deps.usage.limitsOf(leaving.userId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await Promise.all([stop(), stopKeys()])
  })

  it('takes the right password', async () => {
    const account = await fillAccount(rig, 'careful@example.com')
    await setPassword(account, 'the right password')
    const remove = (password: string) => removeAccount(deps, account.userId, callerOf(account), password)
    await expect(remove('a wrong password')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(Object.keys(await rowsWith(account.userId))).toContain('own_samples_v1')
    await remove('the right password')
    await expect(remove('the right password')).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
  })

  it('takes a session that has just begun instead, and no other', async () => {
    const account = await fillAccount(rig, 'fresh@example.com')
    const begunMinutesAgo = (minutes: number) =>
      rig.db.system
        .updateTable('sessions')
        .set({ created_at: new Date(rigNow.getTime() - minutes * 60_000) })
        .where('user_id', '=', account.userId)
        .execute()
    const remove = (caller: Caller) => removeAccount(deps, account.userId, caller, undefined)
    await begunMinutesAgo(11)
    await expect(remove(callerOf(account))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await begunMinutesAgo(9)
    const unknown = { ...account.ids, session: randomUUID() }
    await expect(remove(callerOf({ ...account, ids: unknown }))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await remove(callerOf(account))
    expect(await rowsWith(account.userId)).toEqual({})
  })

  it('is refused to the owner of the installation, in a sentence', async () => {
    const { userId } = rig
    const principal = { userId, scheme: 'jwt', role: 'owner', scopes: 'all', credentialId: null } as const
    await expect(
      removeAccount(deps, userId, { principal, requestId: 'r', address: null }, undefined),
    ).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('home folder') })
  })

  it('is finished by the sweep where numbers were written in between', async () => {
    const account = await fillAccount(rig, 'swept@example.com')
    const staying = await fillAccount(rig, 'not-swept@example.com')
    await rig.db.system.deleteFrom('users').where('id', '=', account.userId).execute()
    expect(await sweepOwnNumbers(deps)).toEqual({ owners: 1 })
    expect(await rowsWith(account.userId)).toEqual({})
    expect(await rowsWith(staying.userId)).toMatchObject({ own_samples_v1: 1 })
    expect(await sweepOwnNumbers(deps)).toEqual({ owners: 0 })
  })
})

describe('over HTTP', () => {
  it('an account takes everything along and leaves, and its tokens open nothing any more', async () => {
    const server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
    const ask = async (method: string, path: string, o: { token?: string; body?: unknown } = {}) => {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          ...(o.token === undefined ? {} : { authorization: `Bearer ${o.token}` }),
          ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, json: text === '' ? null : JSON.parse(text) }
    }
    const credentials = { email: 'whole-life@example.com', password: 'a password of some length' }
    const { json } = await ask('POST', '/api/auth/register', { body: credentials })
    const { access_token: token, refresh_token, user } = SessionSchema.parse(json)
    await ask('POST', '/api/keys', { token, body: { name: 'mine', scopes: ['trends:read'] } })

    const taken = await ask('GET', '/api/account/export', { token })
    expect(taken.headers.get('content-disposition')).toContain('cliptape-account.json')
    expect(AccountExportSchema.parse(taken.json).tables.users).toMatchObject([
      { id: user.id, email: credentials.email },
    ])
    const again = await ask('GET', '/api/account/export', { token })
    expect([again.status, again.json.error.code]).toEqual([429, 'RATE_LIMITED'])
    const audit = await ask('GET', '/api/audit?limit=2', { token })
    expect(audit.json.data.map((row: { action: string }) => row.action)).toEqual(['account.exported', 'key.created'])
    const older = await ask('GET', `/api/audit?limit=2&cursor=${audit.json.nextCursor}`, { token })
    expect(older.json.data.map((row: { action: string }) => row.action)).toEqual([
      'session.started',
      'account.registered',
    ])

    expect((await ask('DELETE', '/api/account', { token, body: { password: 'not this' } })).status).toBe(403)
    expect((await ask('DELETE', '/api/account', { token })).status).toBe(204)
    expect((await ask('GET', '/api/auth/user', { token })).status).toBe(401)
    expect((await ask('POST', '/api/auth/refresh', { body: { refresh_token } })).status).toBe(401)
    expect((await ask('POST', '/api/auth/login', { body: credentials })).status).toBe(401)
    expect(await rowsWith(user.id)).toEqual({})
    await server.close(1000)
  })
})

async function setPassword({ userId }: FilledAccount, password: string): Promise<void> {
  const hash = await deps.accounts.passwords.hash(password)
  await rig.db.system.updateTable('passwords').set({ hash }).where('user_id', '=', UserIdSchema.parse(userId)).execute()
}
