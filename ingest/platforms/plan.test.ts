import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs, creatorIntervalMs, jittered, postIntervalMs } from './pace.ts'
import { type PlannedTime, plannedTime, stretchesOf } from './plan.ts'

const nowMs = Date.parse('2026-11-21T12:00:00Z')
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

interface WantedPoll {
  readonly id: string
  readonly ownerKey: string
  readonly purse: string
  /** Of one run. */
  readonly units: number
  readonly wantedIntervalMs: number
  readonly lastPolledAtMs: number | null
}
const poll = (id: string, part: Partial<WantedPoll> = {}): WantedPoll => ({
  id,
  ownerKey: 'ann',
  purse: 'key youtube:units',
  units: 1,
  wantedIntervalMs: hourMs,
  lastPolledAtMs: nowMs,
  ...part,
})

/** As the store and the planner do it together. */
function planPolls(
  polls: readonly WantedPoll[],
  unitsPerDay: ReadonlyMap<string, number>,
  o: Parameters<typeof plannedTime>[1],
): PlannedTime[] {
  const wishes = polls.map(each => ({ ...each, unitsPerDay: (each.units * dayMs) / each.wantedIntervalMs }))
  const stretches = stretchesOf(wishes, unitsPerDay)
  return polls.map(each => plannedTime({ ...each, stretch: stretches.get(each.purse)?.get(each.ownerKey) ?? 1 }, o))
}

const evenly = { nowMs, random: () => 0.5 }

describe('the planner', () => {
  it('leaves wishes alone that the day can pay', () => {
    const [time] = planPolls([poll('a')], new Map([['key youtube:units', 24]]), evenly)
    expect(time).toEqual({ id: 'a', stretch: 1, nextPollAtMs: nowMs + hourMs })
  })

  it('stretches all of an owner alike when they ask for too much', () => {
    const polls = [poll('fresh', { wantedIntervalMs: hourMs }), poll('old', { wantedIntervalMs: 4 * hourMs })]
    const times = planPolls(polls, new Map([['key youtube:units', 15]]), evenly)
    expect(times.map(time => time.stretch)).toEqual([2, 2])
    expect(times.map(time => time.nextPollAtMs - nowMs)).toEqual([2 * hourMs, 8 * hourMs])
  })

  it('gives who asks for little all of it, whoever else asks for much', () => {
    const many = Array.from({ length: 100 }, (_, index) => poll(`many ${index}`, { ownerKey: 'ben' }))
    const times = planPolls([poll('few'), ...many], new Map([['key youtube:units', 100]]), evenly)
    expect(times[0]?.stretch).toBe(1)
    expect(times[1]?.stretch).toBeGreaterThan(30)
  })

  it('reads at once what was never read, spread out where the quota is short', () => {
    const fresh = Array.from({ length: 48 }, (_, index) => poll(`${index}`, { lastPolledAtMs: null }))
    const rich = planPolls(fresh, new Map([['key youtube:units', 10_000]]), evenly)
    expect(new Set(rich.map(time => time.nextPollAtMs))).toEqual(new Set([nowMs]))
    let place = 0
    const poor = planPolls(fresh, new Map([['key youtube:units', 48]]), { nowMs, random: () => place++ / 48 })
    expect(Math.max(...poor.map(time => time.nextPollAtMs)) - nowMs).toBeGreaterThan(20 * hourMs)
  })

  it('never plans more units a day than a purse has, and no owner below an equal share of what is asked', () => {
    const polls = fc.array(
      fc.record({
        ownerKey: fc.constantFrom('ann', 'ben', 'cem'),
        purse: fc.constantFrom('p', 'q'),
        units: fc.integer({ min: 1, max: 3 }),
        wantedIntervalMs: fc.integer({ min: 5 * minuteMs, max: dayMs }),
        lastPolledAtMs: fc.constantFrom(null, nowMs),
      }),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(polls, fc.integer({ min: 1, max: 5_000 }), (parts, units) => {
        const asked = parts.map((part, index) => ({ ...part, id: `${index}` }))
        const times = planPolls(
          asked,
          new Map([
            ['p', units],
            ['q', units],
          ]),
          evenly,
        )
        for (const purse of ['p', 'q']) {
          const spent = times.reduce((sum, { stretch }, index) => {
            const mine = asked[index]
            return mine?.purse === purse ? sum + (mine.units * dayMs) / (mine.wantedIntervalMs * stretch) : sum
          }, 0)
          expect(spent).toBeLessThanOrEqual(units + 1e-6)
        }
      }),
    )
  })
})

describe('the pace', () => {
  const post = { nowMs, views: 1_000n, before: null }

  it('is minutes for what is fresh and a day for what is old', () => {
    const every = (ageMs: number) => postIntervalMs({ ...post, publishedAtMs: nowMs - ageMs })
    expect([hourMs, 5 * hourMs, 2 * dayMs, 5 * dayMs, 20 * dayMs, 90 * dayMs].map(every)).toEqual([
      5 * minuteMs,
      15 * minuteMs,
      hourMs,
      3 * hourMs,
      12 * hourMs,
      dayMs,
    ])
    expect(postIntervalMs({ ...post, publishedAtMs: null })).toBe(dayMs)
    expect(creatorIntervalMs(nowMs - hourMs, nowMs)).toBe(15 * minuteMs)
    expect(creatorIntervalMs(null, nowMs)).toBe(dayMs)
  })

  it('is four times that for what grows fast, whatever its age, and not for what shrinks', () => {
    const old = { ...post, publishedAtMs: nowMs - 90 * dayMs }
    const before = { views: 1_000_000n, atMs: nowMs - hourMs }
    expect(postIntervalMs({ ...old, views: 1_030_000n, before })).toBe(6 * hourMs)
    expect(postIntervalMs({ ...old, views: 1_001_000n, before })).toBe(dayMs)
    expect(postIntervalMs({ ...old, views: 900_000n, before })).toBe(dayMs)
  })

  it('backs off by doubling, up to an hour, and spreads what began together', () => {
    expect([1, 2, 3, 30].map(failures => backoffMs(failures, 1))).toEqual([2_000, 4_000, 8_000, hourMs])
    expect(backoffMs(1, 0)).toBe(1_000)
    expect([jittered(1_000, 0), jittered(1_000, 0.5)]).toEqual([900, 1_000])
  })
})
