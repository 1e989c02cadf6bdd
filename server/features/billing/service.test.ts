import pino from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { manualClock } from '../../../core/clock.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import type { Db } from '../../../core/db/port.ts'
import { openTestDb } from '../../../core/db/test-db.ts'
import type { Caller } from '../../http/caller.ts'
import { grantCredits, reserveCredits } from './ledger.ts'
import { choosePlan, listLedger, settleBilling, settleCredits, subscriptionOf, usageOf } from './service.ts'
import { UsageMeter } from './usage-meter.ts'

const log = pino({ level: 'silent' })
const clock = manualClock(0)
let db: Db
let usage: UsageMeter
let userCount = 0

beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())
beforeEach(() => {
  clock.set(Date.parse('2026-01-20T12:00:30Z'))
  usage = new UsageMeter({ db, clock, log })
})
afterEach(() => usage.close())

async function newUser(): Promise<UserId> {
  userCount += 1
  const { id } = await db.system
    .insertInto('users')
    .values({ email: `billing-${userCount}@example.com`, role: 'user', is_local: false })
    .returning('id')
    .executeTakeFirstOrThrow()
  return UserIdSchema.parse(id)
}

function callerOf(userId: UserId, role: 'owner' | 'user' | 'admin'): Caller {
  const principal = { userId, scheme: 'jwt' as const, role, scopes: 'all' as const, credentialId: null }
  return { principal, requestId: 'r-1', address: '192.0.2.1' }
}

const deps = () => ({ db, clock, usage })
const usedOf = async (userId: UserId) =>
  Object.fromEntries((await usageOf(deps(), userId)).data.map(row => [row.metric, [row.used, row.limit]]))

describe('a plan', () => {
  it('is free for everybody, by the calendar month', async () => {
    expect(await subscriptionOf(deps(), await newUser())).toMatchObject({
      plan: 'free',
      status: 'active',
      periodStart: '2026-01-01T00:00:00.000Z',
      periodEnd: '2026-02-01T00:00:00.000Z',
      isUnlimited: false,
      isPaymentConnected: false,
      limits: { liveQueries: 32, premiumIndicators: false },
    })
  })

  it('that costs something cannot be bought yet, and nothing changes', async () => {
    const userId = await newUser()
    await expect(choosePlan(deps(), userId, callerOf(userId, 'user'), 'pro')).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
      message: expect.stringContaining('Payment is not connected yet'),
    })
    expect((await subscriptionOf(deps(), userId)).plan).toBe('free')
  })

  it('can be taken by an admin, with its month from that moment, its credits and a line in the audit log', async () => {
    const userId = await newUser()
    expect(await usage.limitsOf(userId)).toMatchObject({ liveQueries: 32 })
    const taken = await choosePlan(deps(), userId, callerOf(userId, 'admin'), 'pro')
    expect(taken).toMatchObject({
      plan: 'pro',
      periodStart: '2026-01-20T12:00:30.000Z',
      periodEnd: '2026-02-20T12:00:30.000Z',
    })
    expect(await subscriptionOf(deps(), userId)).toEqual(taken)
    expect(await usage.limitsOf(userId)).toMatchObject({ liveQueries: 128 })
    expect((await usageOf(deps(), userId)).credits.available).toBe(1_000)
    const audit = await db.asUser(userId, trx => trx.selectFrom('audit_log').selectAll().execute())
    expect(audit).toMatchObject([
      { action: 'plan.changed', actor: 'jwt', details: { from: 'free', to: 'pro' }, request_id: 'r-1' },
    ])
    await choosePlan(deps(), userId, callerOf(userId, 'admin'), 'pro')
    expect(await db.asUser(userId, trx => trx.selectFrom('audit_log').selectAll().execute())).toHaveLength(1)
    expect((await choosePlan(deps(), userId, callerOf(userId, 'user'), 'free')).plan).toBe('free')
  })

  it('has no limits for the owner of this installation', async () => {
    const userId = await ensureLocalOwner(db)
    expect(await subscriptionOf(deps(), userId)).toMatchObject({ isUnlimited: true, limits: { creditsPerMonth: null } })
    expect(await usedOf(userId)).toEqual({
      downloads: [0, null],
      apiCalls: [0, null],
      liveQueries: [0, null],
      credits: [0, null],
    })
  })
})

describe('use', () => {
  it('counts calls by the minute and downloads by the month, in memory and in the store together', async () => {
    const userId = await newUser()
    usage.countUse(userId, 'apiCalls', 2)
    usage.countUse(userId, 'downloads', 1)
    expect(await usedOf(userId)).toMatchObject({ apiCalls: [2, 60], downloads: [1, 10] })
    await usage.flush()
    usage.countUse(userId, 'apiCalls', 3)
    expect(await usedOf(userId)).toMatchObject({ apiCalls: [5, 60], downloads: [1, 10] })
    await usage.flush()
    clock.advance(60_000)
    expect(await usedOf(userId)).toMatchObject({ apiCalls: [0, 60], downloads: [1, 10] })
    clock.set(Date.parse('2026-02-01T00:00:00Z'))
    expect(await usedOf(userId)).toMatchObject({ downloads: [0, 10] })
  })

  it('forgets the minutes of yesterday', async () => {
    const userId = await newUser()
    usage.countUse(userId, 'apiCalls', 1)
    usage.countUse(userId, 'downloads', 1)
    await usage.flush()
    clock.advance(2 * 86_400_000)
    await settleBilling(deps())
    const left = await db.asUser(userId, trx => trx.selectFrom('usage_counters').select('metric').execute())
    expect(left).toEqual([{ metric: 'downloads' }])
  })

  it('of somebody who is gone is dropped, and that of the others kept', async () => {
    const userId = await newUser()
    usage.countUse(UserIdSchema.parse('00000000-0000-4000-8000-00000000dead'), 'downloads', 1)
    usage.countUse(UserIdSchema.parse('00000000-0000-4000-8000-00000000dead'), 'apiCalls', 1)
    usage.countUse(userId, 'apiCalls', 1)
    await usage.flush()
    expect(await usedOf(userId)).toMatchObject({ apiCalls: [1, 60] })
  })

  it('shows live queries that are open, and has room for those of the plan', async () => {
    const userId = await newUser()
    await usage.prepare(userId)
    const opened = Array.from({ length: 33 }, () => usage.openLiveQuery(userId))
    expect(opened.filter(one => one.isOpen)).toHaveLength(32)
    expect(opened.at(-1)).toEqual({ isOpen: false, limit: 32 })
    usage.closeLiveQuery(userId)
    expect(await usedOf(userId)).toMatchObject({ liveQueries: [31, 32] })
  })
})

describe("a plan's credits", () => {
  it('come once a month, and go unspent at its end', async () => {
    const userId = await newUser()
    await Promise.all([usageOf(deps(), userId), usageOf(deps(), userId), listLedger(deps(), userId, all)])
    const at = new Date(clock.nowMs())
    await db.transaction(trx => reserveCredits({ trx, at }, { userId, amount: 20, reason: 'Work', key: 'w' }))
    expect((await usageOf(deps(), userId)).credits).toEqual({ available: 30, reserved: 20, isUnlimited: false })
    clock.set(Date.parse('2026-02-01T00:00:00Z'))
    expect(await settleBilling(deps())).toMatchObject({ users: expect.any(Number) })
    expect((await usageOf(deps(), userId)).credits).toEqual({ available: 50, reserved: 20, isUnlimited: false })
    const { rows } = await listLedger(deps(), userId, all)
    expect(rows.map(row => [row.entry, row.amount, row.availableAfter])).toEqual([
      ['grant', 50, 50],
      ['expire', 30, 0],
      ['reserve', 20, 30],
      ['grant', 50, 50],
    ])
  })

  it('are there for work that begins before anybody has looked', async () => {
    const userId = await newUser()
    await db.transaction(async trx => {
      const ctx = { trx, at: new Date(clock.nowMs()) }
      await settleCredits(ctx, userId)
      await reserveCredits(ctx, { userId, amount: 50, reason: 'Work', key: 'w' })
    })
    expect((await usageOf(deps(), userId)).credits).toMatchObject({ available: 0, reserved: 50 })
  })
})

describe('the ledger', () => {
  it('is read in pages, newest first, by its owner alone', async () => {
    const userId = await newUser()
    const stranger = await newUser()
    const at = new Date(clock.nowMs())
    for (const key of ['a', 'b', 'c', 'd']) {
      await db.transaction(trx =>
        grantCredits({ trx, at }, { userId, amount: 1, reason: `Gift ${key}`, key, expiresAt: null }),
      )
    }
    const first = await listLedger(deps(), userId, { limit: 3, before: null })
    expect(first.rows.map(row => row.reason)).toEqual(['Credits of the plan free for this month', 'Gift d', 'Gift c'])
    expect(first.hasMore).toBe(true)
    const second = await listLedger(deps(), userId, { limit: 3, before: first.rows.at(-1)?.id ?? '' })
    expect(second.rows.map(row => row.reason)).toEqual(['Gift b', 'Gift a'])
    expect(second.hasMore).toBe(false)
    expect((await listLedger(deps(), stranger, all)).rows).toHaveLength(1)
  })
})

const all = { limit: 100, before: null }
