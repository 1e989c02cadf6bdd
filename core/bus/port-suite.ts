import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { BusEvents } from '../../contracts/bus.ts'
import type { Log } from '../log.ts'
import type { Bus } from './port.ts'

/** What every bus must do. `open` gives two ends of one bus: on Redis two clients, in memory the same one twice. */
export function describeBus(open: (log: Log) => Promise<{ near: Bus; far: Bus }>): void {
  const quiet = pino({ level: 'silent' })

  async function withBus(work: (ends: { near: Bus; far: Bus }) => Promise<void>, log: Log = quiet): Promise<void> {
    const ends = await open(log)
    try {
      await work(ends)
    } finally {
      await ends.near.close()
      await ends.far.close()
    }
  }

  describe('bus', () => {
    it('tells every listener of the topic, in the order of publishing', () =>
      withBus(async ({ near, far }) => {
        const first = collect(3)
        const second = collect(3)
        await far.subscribe('deadletters.changed', first.add)
        await near.subscribe('deadletters.changed', second.add)
        for (const count of [1, 2, 3]) await near.publish('deadletters.changed', { count })
        expect(await first.all).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }])
        expect(await second.all).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }])
      }))

    it('tells nobody of another topic, and nobody who came later or has left', () =>
      withBus(async ({ near, far }) => {
        const other = collect<BusEvents['niches.changed']>(1)
        const left = collect(1)
        const late = collect(1)
        await far.subscribe('niches.changed', other.add)
        const leave = await far.subscribe('deadletters.changed', left.add)
        await leave()
        await leave()
        await near.publish('deadletters.changed', { count: 1 })
        // What was published before must have passed when this arrives: order holds per publisher.
        await near.publish('niches.changed', { atMs: 5 })
        expect(await other.all).toEqual([{ atMs: 5 }])
        await far.subscribe('deadletters.changed', late.add)
        await near.publish('deadletters.changed', { count: 2 })
        expect(await late.all).toEqual([{ count: 2 }])
        expect(left.soFar).toEqual([])
      }))

    it('gives each listener a copy of its own', () =>
      withBus(async ({ near }) => {
        const payload = { world: 'cliptape', atMs: 1 }
        const seen = collect<BusEvents['metadata.written']>(1)
        await near.subscribe('metadata.written', event => {
          event.world = 'spoilt'
        })
        await near.subscribe('metadata.written', seen.add)
        await near.publish('metadata.written', payload)
        expect(await seen.all).toEqual([{ world: 'cliptape', atMs: 1 }])
        expect(payload.world).toBe('cliptape')
      }))

    it('logs a listener that throws and tells the others all the same', async () => {
      const lines = new PassThrough({ encoding: 'utf8' })
      await withBus(async ({ near }) => {
        const seen = collect(1)
        await near.subscribe('deadletters.changed', () => {
          throw new Error('first')
        })
        await near.subscribe('deadletters.changed', async () => {
          throw new Error('second')
        })
        await near.subscribe('deadletters.changed', seen.add)
        const logged = once(lines, 'data')
        await near.publish('deadletters.changed', { count: 7 })
        expect(await seen.all).toEqual([{ count: 7 }])
        expect(String(await logged)).toContain('first')
      }, pino(lines))
    })

    it('refuses a name that is no topic', () =>
      withBus(async ({ near }) => {
        const name: string = 'no.such.topic'
        // @ts-expect-error the types forbid it; a name may still come from data
        await expect(near.publish(name, {})).rejects.toThrow('not a topic')
        // @ts-expect-error the types forbid it; a name may still come from data
        await expect(near.subscribe(name, () => undefined)).rejects.toThrow('not a topic')
      }))
  })
}

/** Gathers events until there are `count`. */
export function collect<T = BusEvents['deadletters.changed']>(
  count: number,
): { add: (event: T) => void; all: Promise<T[]>; soFar: T[] } {
  const { promise: all, resolve } = Promise.withResolvers<T[]>()
  const soFar: T[] = []
  const add = (event: T) => {
    soFar.push(event)
    if (soFar.length === count) resolve(soFar)
  }
  return { add, all, soFar }
}
