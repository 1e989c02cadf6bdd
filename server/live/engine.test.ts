import pino from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { memoryBus } from '../../core/bus/memory.ts'
import { LiveEngine, type LiveLimits } from './engine.ts'
import type { Failure, LiveQuery, SharedFrame, Watcher } from './live-query.ts'
import type { LiveAnswer, LiveQuestion } from './source.ts'

const log = pino({ level: 'silent' })
const limits: LiveLimits = { tickMs: 1, parallelMax: 2, queriesMax: 4 }
const engines: LiveEngine[] = []

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
})

describe('the live engine', () => {
  it('folds all writes during a computation into one more', async () => {
    const engine = await start()
    const question = heldQuestion('q')
    const watcher = new Recorder()
    engine.watch(question, watcher)
    await question.asked(1)
    for (let count = 0; count < 100; count += 1) engine.change({ kind: 'niches' })
    question.answer(1)
    await question.asked(2)
    question.answer(2)
    await watcher.versions(2)
    expect(question.askedCount).toBe(2)
    expect(engine.stats()).toMatchObject({ computations: 2, publications: 2 })
  })

  it('computes only so many queries at a time, and the others in their turn', async () => {
    const engine = await start()
    const questions = ['a', 'b', 'c'].map(heldQuestion)
    for (const question of questions) engine.watch(question, new Recorder())
    const [a, b, c] = questions
    await Promise.all([a?.asked(1), b?.asked(1)])
    expect(c?.askedCount).toBe(0)
    a?.answer(1)
    await c?.asked(1)
    b?.answer(1)
    c?.answer(1)
  })

  it('answers a new question before it computes an old one again, and its own ones beside both', async () => {
    const engine = await start({ ...limits, parallelMax: 1 })
    const old = heldQuestion('old')
    const watcher = new Recorder()
    engine.watch(old, watcher)
    await old.asked(1)
    old.answer(1)
    await watcher.versions(1)
    const busy = heldQuestion('busy')
    engine.watch(busy, new Recorder())
    await busy.asked(1)
    engine.change({ kind: 'niches' })
    const own = { ...heldQuestion('own'), lane: 'own' as const }
    engine.watch(own, new Recorder())
    await own.asked(1)
    await waitingFor(engine, 3)
    const fresh = heldQuestion('fresh')
    engine.watch(fresh, new Recorder())
    await waitingFor(engine, 4)
    busy.answer(1)
    await fresh.asked(1)
    expect(old.askedCount).toBe(1)
    fresh.answer(1)
    await old.asked(2)
    own.answer(1)
  })

  it('says nothing when the world went away during a computation, and asks again', async () => {
    const engine = await start()
    const question = heldQuestion('q')
    const watcher = new Recorder()
    engine.watch(question, watcher)
    await question.asked(1)
    question.answer(null)
    await question.asked(2)
    question.answer(1)
    await watcher.versions(1)
    expect(engine.stats()).toMatchObject({ computations: 2, failures: 0, publications: 1 })
  })

  it('does not compute what nobody watches, and forgets it', async () => {
    const engine = await start()
    const question = heldQuestion('q')
    const watcher = new Recorder()
    const query = engine.watch(question, watcher)
    await question.asked(1)
    question.answer(1)
    await watcher.versions(1)
    engine.unwatch(query, watcher)
    engine.change({ kind: 'niches' })
    expect(engine.stats()).toMatchObject({ queries: 0, computations: 1 })
  })

  it('computes what a window needs as time passes, and leaves alone what stands still', async () => {
    const engine = await start()
    const moving = { ...heldQuestion('moving'), staleAfterMs: () => 1 }
    const standing = heldQuestion('standing')
    const watcher = new Recorder()
    engine.watch(moving, watcher)
    engine.watch(standing, new Recorder())
    await standing.asked(1)
    standing.answer(1)
    for (const n of [1, 2, 3]) {
      await moving.asked(n)
      moving.answer(n)
    }
    await watcher.versions(3)
    expect(standing.askedCount).toBe(1)
  })

  it('refuses one query too many, unless a kept one can go', async () => {
    const engine = await start()
    const watcher = new Recorder()
    for (const name of ['a', 'b', 'c', 'e']) engine.watch(heldQuestion(name), watcher)
    expect(() => engine.watch(heldQuestion('d'), watcher)).toThrow('Too many different live queries')
    const kept: LiveQuery[] = []
    const query = engine.watch(heldQuestion('a'), watcher)
    engine.keep(query)
    kept.push(query)
    engine.unwatch(query, watcher)
    engine.onFull = () => {
      const oldest = kept.pop()
      if (oldest) engine.release(oldest)
      return oldest !== undefined
    }
    expect(engine.watch(heldQuestion('d'), watcher).question.key).toBe('d')
    expect(engine.stats().queries).toBe(4)
  })

  it('keeps the answer of a session that was cut without computing it', async () => {
    const engine = await start()
    const question = heldQuestion('q')
    const watcher = new Recorder()
    const query = engine.watch(question, watcher)
    await question.asked(1)
    question.answer(1)
    await watcher.versions(1)
    engine.keep(query)
    engine.unwatch(query, watcher)
    engine.change({ kind: 'niches' })
    expect(engine.stats()).toMatchObject({ queries: 1, computations: 1 })
    expect(query.patchesSince(1)).toEqual([])
    engine.watchKept(query, watcher)
    await question.asked(2)
    question.answer(2)
    await watcher.versions(2)
    expect(query.patchesSince(1)?.map(frame => frame.version)).toEqual([2])
  })
})

/** Until so many queries run or wait for their turn. */
async function waitingFor(engine: LiveEngine, count: number): Promise<void> {
  while (engine.stats().waiting < count) await new Promise(resolve => setImmediate(resolve))
}

async function start(asked: LiveLimits = limits): Promise<LiveEngine> {
  const engine = await LiveEngine.start({ bus: memoryBus({ log }), log }, asked)
  engines.push(engine)
  return engine
}

/** A question that is answered when the test says so. */
function heldQuestion(key: string): LiveQuestion & {
  askedCount: number
  asked(count: number): Promise<void>
  answer(n: number | null): void
} {
  const waiting: { count: number; resolve: () => void }[] = []
  let pending: ((answer: LiveAnswer | null) => void) | null = null
  const question = {
    key,
    name: 'trends' as const,
    lane: 'measures' as const,
    askedCount: 0,
    staleAfterMs: () => null,
    isTouchedBy: () => true,
    compute() {
      state.askedCount += 1
      for (const one of waiting) if (one.count <= state.askedCount) one.resolve()
      return new Promise<LiveAnswer | null>(resolve => {
        pending = resolve
      })
    },
    async asked(count: number) {
      if (state.askedCount >= count) return
      await new Promise<void>(resolve => waiting.push({ count, resolve }))
    },
    answer(n: number | null) {
      pending?.(n === null ? null : { columns: ['key', 'n'], rows: [{ key: 'k', n }], asOf: new Date(0) })
    },
  }
  const state = question
  return question
}

class Recorder implements Watcher {
  version = 0
  #wake: (() => void)[] = []

  onVersion(_query: LiveQuery, frame: SharedFrame): void {
    this.version = frame.version
    for (const wake of this.#wake.splice(0)) wake()
  }

  onFailure(_query: LiveQuery, failure: Failure): void {
    throw new Error(failure.message)
  }

  async versions(count: number): Promise<void> {
    while (this.version < count) await new Promise<void>(resolve => this.#wake.push(resolve))
  }
}
