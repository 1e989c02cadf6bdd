import { describe, expect, it } from 'vitest'
import { migrationOf, planMigrations } from './migration-plan.ts'

const first = migrationOf('0001_first.sql', 'create table a ()')
const second = migrationOf('0002_second.sql', 'create table b ()')
const third = migrationOf('0003_third.sql', 'create table c ()')

describe('planMigrations', () => {
  it('runs what is not recorded, in order, whatever order the files came in', () => {
    expect(planMigrations([third, first, second], [first])).toEqual([second, third])
    expect(planMigrations([first, second], [second, first])).toEqual([])
  })

  it('refuses a recorded file that was edited', () => {
    const edited = migrationOf(first.name, 'create table a (x int)')
    expect(() => planMigrations([edited, second], [first])).toThrow('0001_first.sql was changed after it had run')
  })

  it('refuses a store that is newer than the program', () => {
    expect(() => planMigrations([first], [first, second])).toThrow('0002_second.sql, which this version')
  })

  it('refuses a history with a gap', () => {
    expect(() => planMigrations([first, second, third], [first, third])).toThrow('0002_second.sql has not run')
  })

  it('refuses shipped files with a missing number', () => {
    expect(() => planMigrations([first, third], [])).toThrow('Migration 0002 is missing: found 0003_third.sql')
  })
})
