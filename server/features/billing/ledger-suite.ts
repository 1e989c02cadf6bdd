import { beforeAll, describe, expect, it } from 'vitest'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import { migrateDb } from '../../../core/db/migrate.ts'
import type { Db } from '../../../core/db/port.ts'
import {
  captureCredits,
  expireCredits,
  grantCredits,
  type LedgerContext,
  releaseCredits,
  reserveCredits,
} from './ledger.ts'

const noon = new Date('2026-01-31T12:00:00Z')
const later = new Date('2026-02-10T00:00:00Z')
const reason = 'A test'

/**
 * What the ledger must do on every engine.
 * @param setup an empty store, opened by the file that calls it
 */
export function describeLedger(setup: () => { db: Db }): void {
  let db: Db
  let userCount = 0
  beforeAll(async () => {
    db = setup().db
    await migrateDb(db)
  })

  const newUser = async (): Promise<UserId> => {
    userCount += 1
    const { id } = await db.system
      .insertInto('users')
      .values({ email: `ledger-${userCount}@example.com`, role: 'user', is_local: false })
      .returning('id')
      .executeTakeFirstOrThrow()
    return UserIdSchema.parse(id)
  }
  const at = <T>(instant: Date, work: (ctx: LedgerContext) => Promise<T>) =>
    db.transaction(trx => work({ trx, at: instant }))
  const grant = (userId: UserId, key: string, amount: number, expiresAt: Date | null = null) =>
    at(noon, ctx => grantCredits(ctx, { userId, key, amount, reason: `Grant ${key}`, expiresAt }))
  const reserve = (userId: UserId, key: string, amount: number, instant = noon) =>
    at(instant, ctx => reserveCredits(ctx, { userId, key, amount, reason }))
  const linesOf = async (userId: UserId) => {
    const rows = await db.system
      .selectFrom('credit_ledger')
      .select(['entry', 'amount', 'available_after', 'reserved_after'])
      .where('user_id', '=', userId)
      .orderBy('id')
      .execute()
    return rows.map(row => `${row.entry} ${row.amount}: ${row.available_after} + ${row.reserved_after}`)
  }
  /** The balance; the lots and holds must come to the same. */
  const balanceOf = async (userId: UserId) => {
    const account = await db.system
      .selectFrom('credit_accounts')
      .selectAll()
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    const lots = await db.system.selectFrom('credit_lots').selectAll().where('user_id', '=', userId).execute()
    const holds = await db.system.selectFrom('credit_holds').selectAll().where('user_id', '=', userId).execute()
    const left = lots.reduce((sum, lot) => sum + Number(lot.left_amount), 0)
    const held = holds.reduce((sum, hold) => sum + Number(hold.amount), 0)
    expect({ left, held }).toEqual({ left: Number(account.available), held: Number(account.reserved) })
    return { available: left, reserved: held }
  }

  describe('the ledger of credits', () => {
    it('sets credits aside, spends what the work cost, and gives the rest back', async () => {
      const userId = await newUser()
      await grant(userId, 'g', 100)
      const reservation = await reserve(userId, 'job-1', 30)
      await at(noon, ctx =>
        captureCredits(ctx, { userId, reservationId: reservation.id, amount: 12, reason, key: 'job-1:done' }),
      )
      const second = await reserve(userId, 'job-2', 5)
      await at(noon, ctx => releaseCredits(ctx, { userId, reservationId: second.id, reason, key: 'job-2:failed' }))
      expect(await linesOf(userId)).toEqual([
        'grant 100: 100 + 0',
        'reserve 30: 70 + 30',
        'capture 12: 70 + 18',
        'release 18: 88 + 0',
        'reserve 5: 83 + 5',
        'release 5: 88 + 0',
      ])
      expect(await balanceOf(userId)).toEqual({ available: 88, reserved: 0 })
    })

    it('does the same request once, however often and however many at a time it comes', async () => {
      const userId = await newUser()
      await Promise.all(Array.from({ length: 5 }, () => grant(userId, 'g', 10)))
      const lines = await Promise.all(Array.from({ length: 5 }, () => reserve(userId, 'job', 4)))
      expect(new Set(lines.map(line => line.id)).size).toBe(1)
      expect(lines.filter(line => !line.isRepeat)).toHaveLength(1)
      const reservationId = lines[0]?.id ?? ''
      const capture = () =>
        at(noon, ctx => captureCredits(ctx, { userId, reservationId, amount: 3, reason, key: 'done' }))
      expect(await capture()).toMatchObject({ isRepeat: false })
      expect(await capture()).toMatchObject({ isRepeat: true, availableAfter: 6, reservedAfter: 1 })
      expect(await balanceOf(userId)).toEqual({ available: 7, reserved: 0 })
    })

    it('refuses a key that was used for something else', async () => {
      const userId = await newUser()
      await grant(userId, 'g', 10)
      await expect(grant(userId, 'g', 11)).rejects.toMatchObject({ code: 'CONFLICT' })
      await expect(reserve(userId, 'g', 10)).rejects.toMatchObject({ code: 'CONFLICT' })
    })

    it('never goes below zero, however many spend at the same moment', async () => {
      const userId = await newUser()
      await grant(userId, 'soon', 60, later)
      await grant(userId, 'for good', 40)
      const tries = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => reserve(userId, `job-${n}`, 3)))
      const won = tries.flatMap(one => (one.status === 'fulfilled' ? [one.value.id] : []))
      const codes = tries.flatMap(one => (one.status === 'rejected' ? [one.reason.code] : []))
      expect(won).toHaveLength(33)
      expect(new Set(codes)).toEqual(new Set(['INSUFFICIENT_CREDITS']))
      expect(await balanceOf(userId)).toEqual({ available: 1, reserved: 99 })
      await Promise.all(
        won.map((reservationId, n) =>
          n % 2 === 0
            ? at(noon, ctx => captureCredits(ctx, { userId, reservationId, amount: 2, reason, key: `end-${n}` }))
            : at(noon, ctx => releaseCredits(ctx, { userId, reservationId, reason, key: `end-${n}` })),
        ),
      )
      expect(await balanceOf(userId)).toEqual({ available: 100 - 17 * 2, reserved: 0 })
    })

    it('says how many credits are missing', async () => {
      const userId = await newUser()
      await grant(userId, 'g', 2)
      await expect(reserve(userId, 'job', 3)).rejects.toMatchObject({
        code: 'INSUFFICIENT_CREDITS',
        details: { available: 2, needed: 3 },
      })
      expect(await linesOf(userId)).toEqual(['grant 2: 2 + 0'])
    })

    it('takes no more from a reservation than it holds, and ends it once', async () => {
      const userId = await newUser()
      const stranger = await newUser()
      await grant(userId, 'g', 10)
      const { id: reservationId } = await reserve(userId, 'job', 4)
      const capture = (who: UserId, amount: number, key: string) =>
        at(noon, ctx => captureCredits(ctx, { userId: who, reservationId, amount, reason, key }))
      await expect(capture(userId, 5, 'a')).rejects.toMatchObject({ code: 'CONFLICT' })
      await expect(capture(stranger, 1, 'b')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await capture(userId, 4, 'c')
      await expect(capture(userId, 1, 'd')).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await balanceOf(userId)).toEqual({ available: 6, reserved: 0 })
    })

    it('spends first what ends first, and takes back what ended unspent', async () => {
      const userId = await newUser()
      await grant(userId, 'for good', 10)
      await grant(userId, 'soon', 10, later)
      const { id: reservationId } = await reserve(userId, 'job', 7)
      await at(noon, ctx => captureCredits(ctx, { userId, reservationId, amount: 7, reason, key: 'done' }))
      await at(later, ctx => expireCredits(ctx, userId))
      await at(later, ctx => expireCredits(ctx, userId))
      expect((await linesOf(userId)).at(-1)).toBe('expire 3: 10 + 0')
      expect(await balanceOf(userId)).toEqual({ available: 10, reserved: 0 })
    })

    it('does not spend what has ended, whether or not the job has come by', async () => {
      const userId = await newUser()
      await grant(userId, 'soon', 10, later)
      await expect(reserve(userId, 'job', 1, later)).rejects.toMatchObject({ code: 'INSUFFICIENT_CREDITS' })
    })

    it('ends at once what a reservation gives back to a grant that has ended', async () => {
      const userId = await newUser()
      await grant(userId, 'soon', 10, later)
      const { id: reservationId } = await reserve(userId, 'job', 4)
      await at(later, ctx => expireCredits(ctx, userId))
      await at(later, ctx => captureCredits(ctx, { userId, reservationId, amount: 1, reason, key: 'done' }))
      expect((await linesOf(userId)).slice(2)).toEqual([
        'expire 6: 0 + 4',
        'capture 1: 0 + 3',
        'release 3: 3 + 0',
        'expire 3: 0 + 0',
      ])
      expect(await balanceOf(userId)).toEqual({ available: 0, reserved: 0 })
    })

    it('refuses nothing to the owner of this installation, and writes it down all the same', async () => {
      const userId = await ensureLocalOwner(db)
      const { id: reservationId } = await reserve(userId, 'job', 1_000_000)
      await at(noon, ctx => captureCredits(ctx, { userId, reservationId, amount: 999_999, reason, key: 'done' }))
      expect(await linesOf(userId)).toEqual([
        'reserve 1000000: 0 + 1000000',
        'capture 999999: 0 + 1',
        'release 1: 0 + 0',
      ])
    })

    it('takes whole amounts of 1 or more, of users who are there', async () => {
      const userId = await newUser()
      for (const amount of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
        await expect(grant(userId, 'g', amount)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      }
      const nobody = UserIdSchema.parse('00000000-0000-4000-8000-00000000dead')
      await expect(grant(nobody, 'g', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('lets nobody change a line, and the application write none', async () => {
      const userId = await newUser()
      const { id } = await grant(userId, 'g', 1)
      await expect(db.executeSql(`update credit_ledger set amount = 5 where id = ${id}`)).rejects.toMatchObject({
        details: { sqlState: '23001' },
      })
      const forged = db.asUser(userId, trx =>
        trx.updateTable('credit_accounts').set({ available: 1_000 }).where('user_id', '=', userId).execute(),
      )
      await expect(forged).rejects.toMatchObject({ details: { sqlState: '42501' } })
    })
  })
}
