import { describe, expect, it } from 'vitest'
import type { Queue } from './port.ts'

/** What every job queue must do. `open` opens a queue on one store; the caller closes the store. */
export function describeQueue(open: () => Promise<Queue>): void {
  const quick = { batchSize: 10, pollingIntervalSeconds: 0.5 }

  async function withQueue(work: (queue: Queue) => Promise<void>): Promise<void> {
    const queue = await open()
    try {
      await work(queue)
    } finally {
      await queue.close()
    }
  }

  describe('queue', () => {
    it('hands every job over, with its data', () =>
      withQueue(async queue => {
        await queue.declare('deliver')
        await queue.declare('deliver')
        const seen = new Set<number>()
        const { promise, resolve } = Promise.withResolvers<void>()
        for (let n = 0; n < 25; n += 1)
          expect(await queue.send('deliver', { n, text: `"'🎬` })).toEqual(expect.any(String))
        await queue.work<{ n: number; text: string }>('deliver', quick, async jobs => {
          expect(jobs.length).toBeLessThanOrEqual(10)
          for (const { data } of jobs) {
            expect(data.text).toBe(`"'🎬`)
            seen.add(data.n)
          }
          if (seen.size === 25) resolve()
        })
        await promise
      }))

    it('tries a job again when its handler fails', () =>
      withQueue(async queue => {
        await queue.declare('retry', { retryLimit: 3, expireInSeconds: 60 })
        let tries = 0
        const { promise, resolve } = Promise.withResolvers<void>()
        await queue.send('retry', {})
        await queue.work('retry', quick, async () => {
          tries += 1
          if (tries < 2) throw new Error('not yet')
          resolve()
        })
        await promise
        expect(tries).toBe(2)
      }))

    it('lets one job of a key wait, and as many without a key as were sent', () =>
      withQueue(async queue => {
        await queue.declare('single')
        expect(await queue.send('single', {}, { singletonKey: 'a' })).toEqual(expect.any(String))
        expect(await queue.send('single', {}, { singletonKey: 'a' })).toBeNull()
        expect(await queue.send('single', {}, { singletonKey: 'b' })).toEqual(expect.any(String))
        expect(await queue.send('single', {})).toEqual(expect.any(String))
        expect(await queue.send('single', {}, { startAfterSeconds: 3_600 })).toEqual(expect.any(String))
        const stats = (await queue.stats()).find(one => one.name === 'single')
        expect(stats).toMatchObject({ waiting: 4, active: 0 })
        expect(stats?.oldestWaitingSeconds).toBeGreaterThanOrEqual(0)
      }))

    it('reports an empty queue as empty, and none of its own', () =>
      withQueue(async queue => {
        await queue.declare('empty')
        const stats = await queue.stats()
        expect(stats.find(one => one.name === 'empty')).toEqual({
          name: 'empty',
          waiting: 0,
          active: 0,
          oldestWaitingSeconds: null,
        })
        expect(stats.filter(one => one.name.startsWith('__'))).toEqual([])
      }))

    it('takes a cron schedule and refuses one that is none', () =>
      withQueue(async queue => {
        await queue.declare('cron')
        await queue.schedule('cron', '*/5 * * * *', { a: 1 })
        await queue.schedule('cron', '0 3 * * *', { a: 2 })
        await expect(queue.schedule('cron', 'every day', {})).rejects.toThrow()
      }))
  })
}
