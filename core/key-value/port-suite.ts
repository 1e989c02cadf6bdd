import { RateLimiterRes } from 'rate-limiter-flexible'
import { describe, expect, it } from 'vitest'
import type { KeyValue } from './port.ts'

/**
 * What every key-value store must do.
 * @param setup an open store, and a way to let time pass for everything in it without waiting
 */
export function describeKeyValue(setup: () => { keyValue: KeyValue; passMs: (ms: number) => Promise<void> }): void {
  describe('key-value store', () => {
    it('gives back what was set, until it is deleted', async () => {
      const { keyValue } = setup()
      expect(await keyValue.get('plain')).toBeNull()
      await keyValue.set('plain', `it's "quoted" 🎬\n`)
      expect(await keyValue.get('plain')).toBe(`it's "quoted" 🎬\n`)
      await keyValue.set('plain', '')
      expect(await keyValue.get('plain')).toBe('')
      await keyValue.delete('plain')
      await keyValue.delete('plain')
      expect(await keyValue.get('plain')).toBeNull()
    })

    it('forgets a value when its time is over, and keeps one without an end', async () => {
      const { keyValue, passMs } = setup()
      await keyValue.set('short', 'a', { ttlMs: 60_000 })
      await keyValue.set('long', 'b')
      await passMs(30_000)
      expect(await keyValue.get('short')).toBe('a')
      await passMs(31_000)
      expect(await keyValue.get('short')).toBeNull()
      expect(await keyValue.get('long')).toBe('b')
    })

    it('lets only one of many set what was absent, until that ends', async () => {
      const { keyValue, passMs } = setup()
      const tries = Array.from({ length: 10 }, (_, index) =>
        keyValue.setIfAbsent('lock', `${index}`, { ttlMs: 60_000 }),
      )
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
      await passMs(61_000)
      expect(await keyValue.setIfAbsent('lock', 'next', { ttlMs: 60_000 })).toBe(true)
      expect(await keyValue.get('lock')).toBe('next')
    })

    it('counts every increment once and ends the counter after its first one', async () => {
      const { keyValue, passMs } = setup()
      const sums = await Promise.all(
        Array.from({ length: 20 }, () => keyValue.increment('counter', 2, { ttlMs: 60_000 })),
      )
      expect(sums.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => 2 * (index + 1)))
      await passMs(40_000)
      expect(await keyValue.increment('counter', -1, { ttlMs: 60_000 })).toBe(39)
      await passMs(30_000)
      expect(await keyValue.increment('counter', 1, { ttlMs: 60_000 })).toBe(1)
    })

    it('refuses to count a key that holds text', async () => {
      const { keyValue } = setup()
      await keyValue.set('text', 'abc')
      await expect(keyValue.increment('text', 1, { ttlMs: 1_000 })).rejects.toMatchObject({ code: 'INTERNAL' })
    })

    it('counts uses in a window, whoever counts, and says when the next one begins', async () => {
      const { keyValue } = setup()
      const open = () => keyValue.limiter({ name: 'window', points: 3, durationSec: 60 })
      const [one, other] = [open(), open()]
      const first = await one.consume('a')
      expect(first).toMatchObject({ consumedPoints: 1, remainingPoints: 2 })
      expect(first.msBeforeNext).toBeGreaterThan(50_000)
      await other.consume('a')
      await one.consume('a')
      const refused = await other.consume('a').catch((reason: unknown) => reason)
      expect(refused).toBeInstanceOf(RateLimiterRes)
      expect(refused).toMatchObject({ consumedPoints: 4, remainingPoints: 0 })
      expect(await one.consume('b')).toMatchObject({ consumedPoints: 1 })
      expect(await keyValue.limiter({ name: 'elsewhere', points: 3, durationSec: 60 }).consume('a')).toMatchObject({
        consumedPoints: 1,
      })
    })
  })
}
