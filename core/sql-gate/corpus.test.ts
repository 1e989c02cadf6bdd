import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { readCorpus } from './corpus.ts'
import { canaries, type GateRig, openGateRig } from './gate-rig.ts'

let rig: GateRig
let attacks: string[]
let legitimate: string[]
beforeAll(async () => {
  rig = await openGateRig()
  attacks = readCorpus('attacks', rig)
  legitimate = readCorpus('legitimate', rig)
})
afterAll(() => rig.close())

const run = (sql: string) => rig.gate.run({ sql, userId: rig.user, limits: rig.limits, tag: 'test' })
const refusals = ['QUERY_REFUSED', 'QUERY_FAILED', 'BAD_REQUEST']

describe('the corpus of attacks', () => {
  it('has no statement that runs, and none has an effect', async () => {
    const before = await rig.state()
    const passed: string[] = []
    for (const sql of attacks) {
      const outcome = await run(sql).then(
        ({ rows }) => `ran: ${JSON.stringify(rows).slice(0, 100)}`,
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      )
      if (!refusals.includes(outcome)) passed.push(`${sql} → ${outcome}`)
    }
    expect(passed).toEqual([])
    expect(attacks.length).toBeGreaterThan(400)
    expect(await rig.state()).toBe(before)
  })

  it('is refused by the gate itself, before the engine runs any of it', async () => {
    const passed: string[] = []
    for (const sql of attacks) {
      await rig.gate.check(sql).then(
        () => passed.push(sql),
        () => {},
      )
    }
    expect(passed).toEqual([])
  })
})

describe('the corpus of legitimate statements', () => {
  it('runs to the last one and shows nothing of others', async () => {
    const failed: string[] = []
    for (const sql of legitimate) {
      await run(sql).then(
        ({ rows }) => {
          const shown = JSON.stringify(rows)
          if ([canaries.file, canaries.table].some(canary => shown.includes(canary))) failed.push(`${sql} → canary`)
        },
        (error: unknown) => failed.push(`${sql} → ${error}`),
      )
    }
    expect(failed).toEqual([])
    expect(legitimate.length).toBeGreaterThan(250)
  })
})
