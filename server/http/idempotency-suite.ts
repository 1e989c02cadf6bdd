import { createHash } from 'node:crypto'
import { pino } from 'pino'
import { beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import { manualClock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import { createIdempotentWrites, type IdempotentRequest, idempotencyKeptMs } from './idempotency.ts'
import type { Answer } from './route.ts'

const log = pino({ level: 'silent' })

/**
 * What writes with an Idempotency-Key must do, on either store.
 * @param setup a migrated store with its local owner
 */
export function describeIdempotency(setup: () => { db: Db; ownerId: UserId }): void {
  let db: Db
  let owner: UserId
  let stranger: UserId
  beforeAll(async () => {
    ;({ db, ownerId: owner } = setup())
    const row = await db.system
      .insertInto('users')
      .values({ email: 'idempotency@example.com', role: 'user', is_local: false, email_verified_at: null })
      .returning('id')
      .executeTakeFirstOrThrow()
    stranger = UserIdSchema.parse(row.id)
  })

  const open = () => {
    const clock = manualClock(Date.parse('2026-01-31T12:00:00Z'))
    return { clock, writes: createIdempotentWrites({ db, clock, log }) }
  }
  const request = (key: string, fields: Partial<IdempotentRequest> = {}): IdempotentRequest => ({
    userId: owner,
    key,
    content: '["POST","/x",{"a":1}]',
    hasSecretAnswer: false,
    status: 201,
    requestId: 'r1',
    ...fields,
  })

  describe('writes with an Idempotency-Key', () => {
    it('are done once and answered alike each time', async () => {
      const { writes } = open()
      const work = counting({ json: { id: 7 } })
      expect(await writes.once(request('k1'), work)).toEqual({ json: { id: 7 } })
      for (let again = 0; again < 3; again += 1) {
        expect(await writes.once(request('k1'), work)).toEqual({
          json: { id: 7 },
          status: 201,
          headers: { 'Idempotency-Replayed': 'true' },
        })
      }
      const nothing = counting({ empty: true })
      await writes.once(request('k2', { status: 204 }), nothing)
      expect(await writes.once(request('k2', { status: 204 }), nothing)).toMatchObject({ empty: true })
      expect([work.count(), nothing.count()]).toEqual([1, 1])
    })

    it('belong to their user: the same key of somebody else is another', async () => {
      const { writes } = open()
      const work = counting({ json: {} })
      await writes.once(request('shared'), work)
      await writes.once(request('shared', { userId: stranger }), work)
      expect(work.count()).toBe(2)
    })

    it('refuse a key that was used for another request', async () => {
      const { writes } = open()
      const work = counting({ json: {} })
      await writes.once(request('other'), work)
      await expect(writes.once(request('other', { content: '["POST","/x",{"a":2}]' }), work)).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      expect(work.count()).toBe(1)
    })

    it('are begun by one of many that come at once; the others are told to ask again', async () => {
      const { writes } = open()
      const begun = Promise.withResolvers<void>()
      const done = Promise.withResolvers<Answer>()
      let count = 0
      const work = () => {
        count += 1
        begun.resolve()
        return done.promise
      }
      const first = writes.once(request('busy'), work)
      await begun.promise
      const others = await Promise.allSettled(Array.from({ length: 5 }, () => writes.once(request('busy'), work)))
      for (const other of others) {
        expect(other).toMatchObject({ status: 'rejected', reason: { code: 'NOT_READY', isRetryable: true } })
      }
      done.resolve({ json: { ok: true } })
      await first
      expect(await writes.once(request('busy'), work)).toMatchObject({ json: { ok: true }, status: 201 })
      expect(count).toBe(1)
    })

    it('give a refusal again that would be the same, and forget one that may pass', async () => {
      const { writes } = open()
      const refused = counting(new AppError('CONFLICT', 'There is one already.'))
      await expect(writes.once(request('refused'), refused)).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await writes.once(request('refused'), refused)).toMatchObject({
        status: 409,
        json: { error: { code: 'CONFLICT', message: 'There is one already.', requestId: 'r1' } },
      })
      expect(refused.count()).toBe(1)
      const down = counting(new AppError('UNAVAILABLE'))
      await expect(writes.once(request('down'), down)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      expect(await writes.once(request('down'), counting({ json: { ok: true } }))).toEqual({ json: { ok: true } })
      const broken = counting(new Error('a bug'))
      await expect(writes.once(request('broken'), broken)).rejects.toThrow('a bug')
      const again = await writes.once(request('broken'), broken)
      expect(again).toMatchObject({ status: 500, json: { error: { code: 'INTERNAL' } } })
      expect(JSON.stringify(again)).not.toContain('a bug')
    })

    it('are never done again when the first was cut off, because it may have been done', async () => {
      const { writes, clock } = open()
      const begun = Promise.withResolvers<void>()
      const hanging = () => {
        begun.resolve()
        return new Promise<Answer>(() => undefined)
      }
      void writes.once(request('cut'), hanging)
      await begun.promise
      await expect(writes.once(request('cut'), hanging)).rejects.toMatchObject({ code: 'NOT_READY' })
      clock.advance(120_000)
      await expect(writes.once(request('cut'), counting({ json: {} }))).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('was cut off'),
      })
    })

    it('may be sent anew after a day', async () => {
      const { writes, clock } = open()
      const work = counting({ json: {} })
      await writes.once(request('old'), work)
      clock.advance(idempotencyKeptMs - 1)
      await writes.once(request('old'), work)
      expect(work.count()).toBe(1)
      clock.advance(1)
      await writes.once(request('old'), work)
      expect(work.count()).toBe(2)
    })

    it('keep nothing of an answer that the store alone could give away', async () => {
      const { writes } = open()
      const secret = request(crypto.randomUUID(), { hasSecretAnswer: true })
      await writes.once(secret, counting({ json: { key: 'cl_live_planted' } }))
      const rows = await db.system.selectFrom('idempotent_answers').selectAll().execute()
      const text = rows.map(row => [...Object.values(row)].map(value => Buffer.from(String(value)).toString()).join())
      expect(text.join()).not.toContain('planted')
      expect(rows.some(row => row.sealed?.includes('planted'))).toBe(false)
      expect(rows.some(row => row.key_hash.includes(secret.key))).toBe(false)
      expect(await writes.once(secret, counting({ json: {} }))).toMatchObject({ json: { key: 'cl_live_planted' } })
      const guess = createHash('sha256').update(secret.content).digest()
      expect(rows.some(row => row.request_hash.equals(guess))).toBe(false)
    })

    it('want a key that fits in a header, and one that cannot be guessed where the answer is a secret', async () => {
      const { writes } = open()
      const work = counting({ json: {} })
      for (const key of ['', 'a b', 'ü', 'x'.repeat(256)]) {
        await expect(writes.once(request(key), work)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      }
      await expect(writes.once(request('order-1', { hasSecretAnswer: true }), work)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      })
      expect(work.count()).toBe(0)
    })
  })
}

/** Work that says how often it was done. */
function counting(outcome: Answer | Error): (() => Promise<Answer>) & { count(): number } {
  let count = 0
  const work = async () => {
    count += 1
    if (outcome instanceof Error) throw outcome
    return outcome
  }
  return Object.assign(work, { count: () => count })
}
