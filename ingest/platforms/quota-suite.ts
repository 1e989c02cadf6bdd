import { beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '../../core/clock.ts'
import { migrateDb } from '../../core/db/migrate.ts'
import type { Db } from '../../core/db/port.ts'
import { QuotaBudget, type Reservation, type Spending, wholeCredential } from './quota-budget.ts'
import { nextPacificDay, type QuotaRule } from './quota-rules.ts'

const day: QuotaRule = { kind: 'day', units: 100 }
const rolling: QuotaRule = { kind: 'rolling', units: 60, windowMs: 60_000, burst: 10 }
const large: QuotaRule = { kind: 'day', units: 10_000 }
const ruleOf = (bucket: string) => (bucket === 'large' ? large : bucket.startsWith('day') ? day : rolling)
const morningMs = Date.parse('2026-11-21T08:30:00Z')

/**
 * What a budget must do on any relational store.
 * @param setup two ways into one empty store: those of two workers
 */
export function describeQuota(setup: () => { one: Db; two: Db }): void {
  let workers: readonly [Db, Db]
  beforeAll(async () => {
    const { one, two } = setup()
    await migrateDb(one)
    workers = [one, two]
  })
  const spending = (credentialKey: string, bucket: string, path: 'own' | 'public' = 'own'): Spending => ({
    credentialKey,
    ownerId: null,
    bucket,
    path,
  })
  const budgets = (clock: ReturnType<typeof manualClock>) =>
    [new QuotaBudget({ db: workers[0], clock, ruleOf }), new QuotaBudget({ db: workers[1], clock, ruleOf })] as const

  describe('a quota budget', () => {
    it('grants two workers that ask at once no unit more than the day has', async () => {
      const clock = manualClock(morningMs)
      const asks = budgets(clock).flatMap(budget =>
        Array.from({ length: 40 }, () => budget.reserve(spending('a', 'day'), 2)),
      )
      const granted = (await Promise.all(asks)).filter(answer => answer.isGranted)
      expect(granted).toHaveLength(50)
      const [state] = (await budgets(clock)[0].states(null)).filter(each => each.credentialKey === 'a')
      expect(state).toMatchObject({ limit: 100, used: 100, left: 0, resetsAtMs: nextPacificDay(morningMs) })
    })

    it('counts a few units ahead, wastes those of a worker that died, and grants none twice', async () => {
      const clock = manualClock(morningMs)
      const [dead, living] = budgets(clock)
      const asked = spending('k', 'large')
      const grantedOf = async (asks: Promise<Reservation>[]) =>
        (await Promise.all(asks)).filter(answer => answer.isGranted).length
      const first = await grantedOf([1, 2, 3, 4].map(() => dead.reserve(asked, 1)))
      const [state] = (await living.states(null)).filter(each => each.credentialKey === 'k')
      const wasted = (state?.used ?? 0) - first
      expect(wasted).toBe(50)
      expect((await living.reserve(asked, 10_000 - first - wasted + 1)).isGranted).toBe(false)
      expect((await living.reserve(asked, 10_000 - first - wasted)).isGranted).toBe(true)
      // Had it not died, it would have these and no more.
      expect(await grantedOf(Array.from({ length: 60 }, () => dead.reserve(asked, 1)))).toBe(wasted)
      expect((await living.reserve(asked, 1)).isGranted).toBe(false)
    })

    it('spends nothing in hand of a bucket that another worker was told to rest, or of a day that ends', async () => {
      const clock = manualClock(morningMs)
      const [one, two] = budgets(clock)
      const asked = spending('l', 'large')
      await Promise.all([1, 2, 3].map(() => one.reserve(asked, 1)))
      await two.block(asked, morningMs + 60_000, 'Slow down.')
      clock.advance(1_000)
      expect(await one.reserve(asked, 1)).toMatchObject({ isGranted: false, reason: 'Slow down.' })
      clock.set(nextPacificDay(morningMs) - 60_000)
      await one.reserve(asked, 1)
      const [state] = (await one.states(null)).filter(each => each.credentialKey === 'l')
      expect(state?.used).toBe(3 + 50 + 1)
    })

    it('begins anew at midnight in California, and says so before', async () => {
      const clock = manualClock(Date.parse('2026-07-02T06:59:59.000Z'))
      const [budget] = budgets(clock)
      await budget.reserve(spending('b', 'day'), 100)
      const midnightMs = Date.parse('2026-07-02T07:00:00.000Z')
      expect(await budget.reserve(spending('b', 'day'), 1)).toMatchObject({ isGranted: false, retryAtMs: midnightMs })
      clock.set(midnightMs)
      expect(await budget.reserve(spending('b', 'day'), 100)).toEqual({ isGranted: true })
    })

    it('counts a worker whose clock is behind at midnight into the new day', async () => {
      const ahead = manualClock(Date.parse('2026-07-03T07:00:01.000Z'))
      const behind = manualClock(Date.parse('2026-07-03T06:59:58.000Z'))
      await budgets(ahead)[0].reserve(spending('c', 'day'), 60)
      expect((await budgets(behind)[1].reserve(spending('c', 'day'), 60)).isGranted).toBe(false)
    })

    it('keeps half of a credential, and the evening, from the public path', async () => {
      const clock = manualClock(Date.parse('2026-11-21T08:00:00Z'))
      const [budget] = budgets(clock)
      const anybody = spending('d', 'day', 'public')
      // The tenth of 50 at midnight, and the rest as the day goes on.
      expect((await budget.reserve(anybody, 6)).isGranted).toBe(false)
      expect((await budget.reserve(anybody, 5)).isGranted).toBe(true)
      const refused = await budget.reserve(anybody, 1)
      if (refused.isGranted) throw new Error('The public path is ahead of the day.')
      clock.set(refused.retryAtMs)
      expect((await budget.reserve(anybody, 1)).isGranted).toBe(true)
      clock.set(Date.parse('2026-11-22T07:00:00Z'))
      expect((await budget.reserve(anybody, 45)).isGranted).toBe(false)
      expect((await budget.reserve(anybody, 44)).isGranted).toBe(true)
      expect((await budget.reserve(spending('d', 'day'), 50)).isGranted).toBe(true)
    })

    it('never lets a window of a rolling limit hold more, wherever it begins', async () => {
      const clock = manualClock(morningMs)
      const pair = budgets(clock)
      const grantedAt: number[] = []
      for (let second = 0; second < 180; second++) {
        for (const budget of pair) {
          const tries = await Promise.all([1, 2, 3].map(() => budget.reserve(spending('e', 'rolling'), 1)))
          for (const answer of tries) if (answer.isGranted) grantedAt.push(clock.nowMs())
        }
        clock.advance(1_000)
      }
      const inWindow = grantedAt.map(from => grantedAt.filter(at => at >= from && at <= from + 60_000).length)
      expect(Math.max(...inWindow)).toBe(60)
      expect(grantedAt.length).toBeGreaterThan(150)
    })

    it('says when a rolling limit has room again', async () => {
      const clock = manualClock(morningMs)
      const [budget] = budgets(clock)
      await budget.reserve(spending('f', 'rolling'), 10)
      const refused = await budget.reserve(spending('f', 'rolling'), 4)
      if (refused.isGranted) throw new Error('The burst was used up.')
      clock.set(refused.retryAtMs - 10)
      expect((await budget.reserve(spending('f', 'rolling'), 4)).isGranted).toBe(false)
      clock.set(refused.retryAtMs)
      expect((await budget.reserve(spending('f', 'rolling'), 4)).isGranted).toBe(true)
    })

    it('asks nothing while the platform said to wait, and lets the later end stand', async () => {
      const clock = manualClock(morningMs)
      const [one, two] = budgets(clock)
      const asked = spending('g', 'rolling')
      await one.block(asked, morningMs + 60_000, 'Slow down.')
      await two.block(asked, morningMs + 10_000, 'A moment.')
      expect(await two.reserve(asked, 1)).toEqual({
        isGranted: false,
        retryAtMs: morningMs + 60_000,
        reason: 'Slow down.',
      })
      clock.advance(60_000)
      expect(await two.reserve(asked, 1)).toEqual({ isGranted: true })
    })

    it('asks nothing at all with a credential that was stopped as a whole', async () => {
      const clock = manualClock(morningMs)
      const [one, two] = budgets(clock)
      await one.block(spending('i', wholeCredential), morningMs + 60_000, 'The credentials are wrong.')
      for (const bucket of ['day', 'rolling'])
        expect(await two.reserve(spending('i', bucket), 1)).toMatchObject({ retryAtMs: morningMs + 60_000 })
      expect((await two.reserve(spending('j', 'day'), 1)).isGranted).toBe(true)
      clock.advance(60_000)
      expect((await two.reserve(spending('i', 'day'), 1)).isGranted).toBe(true)
      await one.block(spending('i', wholeCredential), morningMs + 120_000, 'The credentials are wrong.')
      expect(await two.states(null)).toContainEqual(
        expect.objectContaining({
          credentialKey: 'i',
          bucket: 'day',
          used: 1,
          left: 0,
          blockedUntilMs: morningMs + 120_000,
          blockReason: 'The credentials are wrong.',
        }),
      )
    })

    it('rests a bucket of which the platform says that three quarters are used', async () => {
      const clock = manualClock(morningMs)
      const [budget] = budgets(clock)
      const asked = spending('h', 'rolling')
      await budget.reserve(asked, 1)
      await budget.report(asked, 60)
      expect((await budget.reserve(asked, 1)).isGranted).toBe(true)
      await budget.report(asked, 80)
      expect(await budget.reserve(asked, 1)).toMatchObject({ isGranted: false, retryAtMs: morningMs + 15 * 60_000 })
    })
  })
}
