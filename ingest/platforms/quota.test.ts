import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../core/db/port.ts'
import { openTestDb } from '../../core/db/test-db.ts'
import { nextPacificDay, pacificDayStart } from './quota-rules.ts'
import { describeQuota } from './quota-suite.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

describeQuota(() => ({ one: db, two: db }))

describe('a day in California', () => {
  const at = (text: string) => Date.parse(text)

  it('begins at eight in winter and at seven in summer, in UTC', () => {
    expect(pacificDayStart(at('2026-11-21T07:59:59.999Z'))).toBe(at('2026-11-20T08:00:00Z'))
    expect(pacificDayStart(at('2026-11-21T08:00:00Z'))).toBe(at('2026-11-21T08:00:00Z'))
    expect(pacificDayStart(at('2026-07-01T12:00:00.123Z'))).toBe(at('2026-07-01T07:00:00Z'))
  })

  it('has 23 hours when the clocks go forward and 25 when they go back', () => {
    expect(pacificDayStart(at('2026-03-08T23:00:00Z'))).toBe(at('2026-03-08T08:00:00Z'))
    expect(nextPacificDay(at('2026-03-08T23:00:00Z'))).toBe(at('2026-03-09T07:00:00Z'))
    expect(pacificDayStart(at('2026-11-01T23:00:00Z'))).toBe(at('2026-11-01T07:00:00Z'))
    expect(nextPacificDay(at('2026-11-01T23:00:00Z'))).toBe(at('2026-11-02T08:00:00Z'))
  })
})
