import { describe, expect, it } from 'vitest'
import { manualClock } from '../../core/clock.ts'
import type { World } from '../../core/world.ts'
import type { Change } from '../live/source.ts'
import { type SharedAnswer, SharedAnswers, type SharedQuestion } from './shared-answers.ts'

const written: Change = { kind: 'world' }

describe('shared answers', () => {
  it('compute equal questions that are asked at once a single time', async () => {
    const { answers } = setup()
    const question = held('q')
    const asked = [answers.get(question), answers.get(question), answers.get(held('q'))]
    question.answer([1])
    const [one, two, three] = await Promise.all(asked)
    expect(question.count()).toBe(1)
    expect(one?.body.toString()).toBe('{"data":[1],"n":1}')
    expect(two).toBe(one)
    expect(three).toBe(one)
  })

  it('give a finished answer again while nothing changes, renew it beside, and keep none for longer than five seconds', async () => {
    const { answers, clock } = setup()
    const question = held('q')
    const first = answers.get(question)
    question.answer([1])
    await first
    clock.advance(4000)
    expect(textOf(await answers.get(question))).toContain('[1]')
    expect(question.count()).toBe(1)
    clock.advance(1)
    expect(textOf(await answers.get(question))).toContain('[1]')
    expect(textOf(await answers.get(question))).toContain('[1]')
    expect(question.count()).toBe(2)
    question.answer([2])
    while (!textOf(await answers.get(question)).includes('[2]')) await tick()
    expect(question.count()).toBe(2)
    clock.advance(5001)
    const late = answers.get(question)
    question.answer([3])
    expect(textOf(await late)).toContain('[3]')
  })

  it('forget what was renewed beside when a change came meanwhile', async () => {
    const { answers, clock } = setup()
    const question = held('q')
    const first = answers.get(question)
    question.answer(['first'])
    await first
    clock.advance(4001)
    await answers.get(question)
    answers.note(written)
    const after = answers.get(question)
    question.answer(['before the change'])
    question.answer(['after the change'])
    expect(textOf(await after)).toContain('after')
    expect(textOf(await answers.get(question))).toContain('after')
  })

  it("give nothing that is older in the world's own time, which a replay hurries", async () => {
    const { answers, world } = setup()
    const question = instant('q')
    await answers.get(question)
    world.clock.advance(5001)
    await answers.get(question)
    expect(question.count()).toBe(2)
    world.speed = 2880
    world.clock.advance(1000 * 2880)
    await answers.get(question)
    expect(question.count()).toBe(2)
    world.clock.advance(1)
    await answers.get(question)
    expect(question.count()).toBe(3)
    world.speed = 0
    await answers.get(question)
    expect(question.count()).toBe(3)
    world.clock.advance(1)
    await answers.get(question)
    expect(question.count()).toBe(4)
  })

  it('are ended by a change that touches them, and by no other', async () => {
    const { answers } = setup()
    const touched = instant('touched')
    const other = instant('other', () => false)
    await Promise.all([answers.get(touched), answers.get(other)])
    answers.note(written)
    await Promise.all([answers.get(touched), answers.get(other)])
    expect([touched.count(), other.count()]).toEqual([2, 1])
  })

  it('let nobody join a computation that began before a change', async () => {
    const { answers } = setup()
    const question = held('q')
    const before = answers.get(question)
    answers.note(written)
    const after = answers.get(question)
    expect(question.count()).toBe(2)
    question.answer(['old'])
    question.answer(['new'])
    expect((await before).body.toString()).toContain('old')
    expect((await after).body.toString()).toContain('new')
    expect((await answers.get(question)).body.toString()).toContain('new')
  })

  it('share a failure with those who wait, and try again afterwards', async () => {
    const { answers } = setup()
    const question = held('q')
    const asked = [answers.get(question), answers.get(question)]
    question.fail(new Error('down'))
    for (const one of await Promise.allSettled(asked)) expect(one.status).toBe('rejected')
    const again = answers.get(question)
    question.answer([])
    expect((await again).body.toString()).toBe('{"data":[],"n":1}')
  })

  it('have an equal tag when they say the same, whenever they were made', async () => {
    const { answers } = setup()
    let n = 0
    const question = (data: unknown, version: string): SharedQuestion => ({
      key: `${++n}`,
      isTouchedBy: () => true,
      compute: async () => ({ data, version, rest: { generatedAt: n } }),
    })
    const tag = async (data: unknown, version = '') => (await answers.get(question(data, version))).etag
    expect(await tag([1])).toBe(await tag([1]))
    expect(await tag([1])).not.toBe(await tag([2]))
    expect(await tag([1], 'more')).not.toBe(await tag([1]))
  })

  it('are kept up to a number, the newest longest', async () => {
    const { answers } = setup()
    const first = instant('first')
    await answers.get(first)
    for (let index = 0; index < 1000; index += 1) await answers.get(instant(`q${index}`))
    const last = instant('q999')
    await answers.get(last)
    expect(last.count()).toBe(0)
    await answers.get(first)
    expect(first.count()).toBe(2)
  })
})

function textOf(answer: SharedAnswer): string {
  return answer.body.toString()
}

function tick(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function setup() {
  const clock = manualClock(1_000_000)
  const world = { clock: manualClock(5_000_000), speed: 1 }
  const current = (): World => ({
    database: 'cliptape',
    clock: { speed: world.speed, nowMs: () => world.clock.nowMs() },
  })
  const status = () => ({ mode: 'live' as const, notice: '', now: '', speed: 1, sources: [] })
  return { answers: new SharedAnswers({ world: { current, status }, clock }), clock, world }
}

/** A question that is answered when the test says so, in the order of asking. */
function held(key: string) {
  const waiting: PromiseWithResolvers<unknown>[] = []
  let count = 0
  return {
    key,
    isTouchedBy: () => true,
    async compute() {
      count += 1
      const one = Promise.withResolvers<unknown>()
      waiting.push(one)
      return { data: await one.promise, rest: { n: 1 } }
    },
    count: () => count,
    answer: (data: unknown) => waiting.shift()?.resolve(data),
    fail: (error: Error) => waiting.shift()?.reject(error),
  }
}

function instant(key: string, isTouchedBy: (change: Change) => boolean = () => true) {
  let count = 0
  return {
    key,
    isTouchedBy,
    async compute() {
      count += 1
      return { data: count, rest: {} }
    },
    count: () => count,
  }
}
