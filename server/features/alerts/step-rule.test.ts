import { describe, expect, it } from 'vitest'
import { type AlertCondition, AlertConditionSchema, AlertRuleSchema } from '../../../contracts/alerts.ts'
import { sentenceOf } from './rule-text.ts'
import { freshMemory, type Reading, type RuleMemory, stepRule } from './step-rule.ts'

const startMs = Date.parse('2026-01-30T12:00:00Z')

/** Plays readings a minute apart and says at which of them the rule fired, for which keys. */
function fired(
  condition: unknown,
  moments: readonly (readonly Partial<Reading>[])[],
  cooldownSeconds = 0,
): (readonly [number, ...string[]])[] {
  const rule = { condition: AlertConditionSchema.parse(condition), cooldownSeconds }
  let memory: RuleMemory = freshMemory
  return moments.flatMap((readings, minute) => {
    const at = new Date(startMs + minute * 60_000)
    const step = stepRule(rule, memory, { at, readings: readings.map(reading) })
    memory = step.memory
    return step.causes.length === 0 ? [] : [[minute, ...step.causes.map(({ key }) => key)] as const]
  })
}

function reading(part: Partial<Reading>): Reading {
  return { key: '', label: part.key ?? 'it', value: null, before: null, rank: null, type: null, ...part }
}

const values = (...numbers: (number | null)[]) => numbers.map(value => [{ value }])
const ranked = (...keys: string[]) => keys.map((key, index) => ({ key, value: 1, rank: index + 1 }))

describe('a threshold', () => {
  it('fires above its value, and again only after it was armed at or below its lower level', () => {
    const condition = { kind: 'threshold', value: 100, rearm: 80 }
    // Equal is not above; 90 and 81 lie between; 80 arms.
    expect(fired(condition, values(100, 101, 90, 120, 81, 101, 80, 101))).toEqual([
      [1, ''],
      [7, ''],
    ])
  })

  it('fires below its value where small numbers are news, and is armed at its own value without another level', () => {
    const condition = { kind: 'threshold', direction: 'below', value: 10 }
    expect(fired(condition, values(11, 9, 8, 10, 9))).toEqual([
      [1, ''],
      [4, ''],
    ])
  })

  it('keeps its state while there is no number: missing is not zero', () => {
    expect(fired({ kind: 'threshold', value: 100 }, values(150, null, null, 150))).toEqual([[0, '']])
    expect(fired({ kind: 'threshold', direction: 'below', value: 1 }, values(null, 5, null))).toEqual([])
  })

  it('tells each row once, and a row that left the list again when it comes back', () => {
    const moments = [
      [
        { key: 'a', value: 5 },
        { key: 'b', value: 1 },
      ],
      [
        { key: 'a', value: 6 },
        { key: 'b', value: 7 },
      ],
      [{ key: 'b', value: 7 }],
      [
        { key: 'a', value: 6 },
        { key: 'b', value: 7 },
      ],
    ]
    expect(fired({ kind: 'threshold', value: 4 }, moments)).toEqual([
      [0, 'a'],
      [1, 'b'],
      [3, 'a'],
    ])
  })
})

describe('a cool-down', () => {
  it('holds back what crosses meanwhile, and tells it afterwards if it is still there', () => {
    const moments = [
      [{ key: 'a', value: 5 }],
      [
        { key: 'a', value: 5 },
        { key: 'b', value: 5 },
        { key: 'c', value: 5 },
      ],
      [
        { key: 'a', value: 5 },
        { key: 'b', value: 5 },
        { key: 'c', value: 1 },
      ],
      [
        { key: 'a', value: 5 },
        { key: 'b', value: 5 },
        { key: 'c', value: 1 },
      ],
    ]
    expect(fired({ kind: 'threshold', value: 4 }, moments, 180)).toEqual([
      [0, 'a'],
      [3, 'b'],
    ])
  })

  it('is over exactly when its seconds have passed', () => {
    const up = values(5, 0, 5, 0, 5)
    expect(fired({ kind: 'threshold', value: 4 }, up, 120)).toEqual([
      [0, ''],
      [2, ''],
      [4, ''],
    ])
    expect(fired({ kind: 'threshold', value: 4 }, up, 121)).toEqual([
      [0, ''],
      [4, ''],
    ])
  })
})

describe('a change', () => {
  const changes = (...pairs: (readonly [number, number | null])[]) =>
    pairs.map(([value, before]) => [{ value, before }])

  it('compares in percent of what it was, and never with nothing', () => {
    const condition = { kind: 'change', by: 50, over: '24h', rearm: 20 }
    // +50 % exactly, +51 %, +30 %, +20 % (armed), +60 %, from zero, without a value before.
    const pairs = changes([150, 100], [151, 100], [130, 100], [120, 100], [160, 100], [9, 0], [9, null])
    expect(fired(condition, pairs)).toEqual([
      [1, ''],
      [4, ''],
    ])
  })

  it('counts a loss as positive where it looks down, in the unit of the measure', () => {
    const condition = { kind: 'change', direction: 'down', by: 10, unit: 'absolute', over: '1h' }
    expect(fired(condition, changes([95, 100], [89, 100], [120, 100], [89, 100]))).toEqual([
      [1, ''],
      [3, ''],
    ])
  })
})

describe('an outlier', () => {
  it('fires above so many times the usual', () => {
    expect(fired({ kind: 'outlier', times: 5, rearm: 3 }, values(5, 5.1, 4, 6, 3, 6))).toEqual([
      [1, ''],
      [5, ''],
    ])
  })
})

describe('a new entrant', () => {
  const condition = { kind: 'entrant', top: 2, rearm: 3 }

  it('learns the list first, then tells who comes, but not who trembles at its edge', () => {
    const moments = [
      ranked('a', 'b', 'c'),
      ranked('a', 'c', 'b'),
      ranked('a', 'b', 'c'),
      ranked('a', 'd', 'e', 'b'),
      ranked('a', 'b', 'd'),
    ]
    expect(fired(condition, moments)).toEqual([
      [1, 'c'],
      [3, 'd'],
      [4, 'b'],
    ])
  })

  it('takes an empty list for no news', () => {
    expect(fired(condition, [ranked('a', 'b'), [], ranked('a', 'b')])).toEqual([])
  })
})

describe('what a firing says', () => {
  const measure = {
    source: 'subject',
    type: 'topics',
    id: 'cats',
    metric: 'velocity',
    period: '24h',
    platform: 'all',
  } as const
  const say = (condition: unknown, ...rows: Partial<Reading>[]) =>
    sentenceOf({ measure, condition: AlertConditionSchema.parse(condition) as AlertCondition }, rows.map(reading))

  it('names the rows, the numbers and the limit', () => {
    expect(say({ kind: 'threshold', value: 10_000 }, { label: '#cats', value: 12_345.6 })).toBe(
      '#cats: velocity 12,346, above 10,000.',
    )
    expect(say({ kind: 'change', by: 20, over: '24h' }, { label: '#cats', value: 150, before: 100 })).toBe(
      '#cats: velocity up 50 %, from 100 to 150, up by more than 20 % in 24h.',
    )
    const four = ['a', 'b', 'c', 'd'].map((label, i) => ({ label, value: 5 + i, rank: i + 1 }))
    expect(say({ kind: 'outlier', times: 4 }, ...four)).toBe(
      '4 rows above 4 times the usual: a (5x), b (6x), c (7x) and 1 more.',
    )
    expect(say({ kind: 'entrant', top: 10 }, { label: 'a', rank: 3 })).toBe('New in the top 10: a (#3).')
  })
})

describe('a rule', () => {
  const rule = (condition: unknown, measure: unknown = { source: 'list' }) =>
    AlertRuleSchema.safeParse({ measure, condition }).success

  it('is armed again on the side where it does not fire', () => {
    expect(rule({ kind: 'threshold', value: 10, rearm: 9 })).toBe(true)
    expect(rule({ kind: 'threshold', value: 10, rearm: 11 })).toBe(false)
    expect(rule({ kind: 'threshold', direction: 'below', value: 10, rearm: 9 })).toBe(false)
    expect(rule({ kind: 'entrant', top: 10, rearm: 5 })).toBe(false)
  })

  it('looks for entrants and outliers only where there can be some', () => {
    const topic = { source: 'subject', type: 'topics', id: 'cats' }
    expect(rule({ kind: 'entrant', top: 10 }, topic)).toBe(false)
    expect(rule({ kind: 'outlier', times: 5 }, topic)).toBe(false)
    expect(rule({ kind: 'outlier', times: 5 }, { source: 'list', type: 'creators' })).toBe(false)
    expect(rule({ kind: 'outlier', times: 5 })).toBe(true)
    expect(
      rule({ kind: 'threshold', value: 5 }, { source: 'query', queryId: '018f0000-0000-7000-8000-00000000000a' }),
    ).toBe(false)
  })
})
