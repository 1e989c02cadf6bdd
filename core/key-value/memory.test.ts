import { expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { memoryKeyValue } from './memory.ts'
import { describeKeyValue } from './port-suite.ts'

const clock = manualClock(1_000_000)
const keyValue = memoryKeyValue({ clock })
describeKeyValue(() => ({ keyValue, passMs: async ms => clock.advance(ms) }))

it('drops what has ended before what is alive, and the oldest before the newest', async () => {
  const small = memoryKeyValue({ clock, entriesMax: 10 })
  await small.set('ended', 'x', { ttlMs: 1 })
  for (let index = 0; index < 9; index += 1) await small.set(`k${index}`, 'x')
  clock.advance(2)
  await small.set('k9', 'x')
  expect(await small.get('k0')).toBe('x')
  await small.set('k10', 'x')
  expect(await small.get('k0')).toBeNull()
  expect(await small.get('k1')).toBe('x')
  expect(await small.get('k10')).toBe('x')
})

it('counts no more keys at a time than it may hold: the one that began first goes', async () => {
  const limiter = memoryKeyValue({ clock, entriesMax: 3 }).limiter({ name: 'few', points: 5, durationSec: 60 })
  for (const key of ['a', 'b', 'a', 'c']) await limiter.consume(key)
  expect(await limiter.consume('a')).toMatchObject({ consumedPoints: 3 })
  await limiter.consume('d')
  expect(await limiter.get('a')).toBeNull()
  expect(await limiter.get('b')).toMatchObject({ consumedPoints: 1 })
})
