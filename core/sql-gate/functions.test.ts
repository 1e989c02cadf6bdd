import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aggregateFunctions, refusedFunctionsByReason, rowFunctions, tableFunctions } from './function-lists.ts'
import { isAllowedFunction, isAllowedTableFunction, isRefusedFunction } from './functions.ts'
import { type GateRig, openGateRig } from './gate-rig.ts'

let rig: GateRig
beforeAll(async () => {
  rig = await openGateRig()
})
afterAll(() => rig.close())

const namesOf = (text: string) => text.split(/\s+/).filter(name => name !== '')

describe('the lists of functions', () => {
  const refused = namesOf(Object.values(refusedFunctionsByReason).join(' '))
  const listed = [...namesOf(aggregateFunctions), ...namesOf(rowFunctions), ...refused]

  it('hold every function of the engine exactly once', async () => {
    const rows = await rig.store.query<{ name: string }>('SELECT name FROM system.functions')
    expect(listed.toSorted()).toEqual(rows.map(({ name }) => name).toSorted())
  })

  it('say of each whether it is an aggregate, as the engine does', async () => {
    const rows = await rig.store.query<{ name: string }>('SELECT name FROM system.functions WHERE is_aggregate')
    const aggregates = new Set(rows.map(({ name }) => name))
    expect(namesOf(aggregateFunctions).filter(name => !aggregates.has(name))).toEqual([])
    expect(namesOf(rowFunctions).filter(name => aggregates.has(name))).toEqual([])
  })

  it('never allow what they refuse, in any spelling', () => {
    for (const name of refused) {
      expect(isRefusedFunction(name.toUpperCase()), name).toBe(true)
      expect(isAllowedFunction(name), name).toBe(false)
    }
  })

  it('know aggregates with the endings of combinators, and only those', () => {
    for (const name of [
      'sumIf',
      'quantileTimingIf',
      'uniqExactArrayIf',
      'sumOrNull',
      'countDistinct',
      'SUM',
      'avgArgMax',
    ]) {
      expect(isAllowedFunction(name), name).toBe(true)
    }
    for (const name of [
      'fileIf',
      'lowerIf',
      'sumState',
      'sumMerge',
      'sumStateIf',
      'If2',
      'unknown',
      'aggThrowIf',
      '',
    ]) {
      expect(isAllowedFunction(name), name).toBe(false)
    }
  })

  it('allow five sources of rows among the table functions of the engine', async () => {
    const rows = await rig.store.query<{ name: string }>('SELECT name FROM system.table_functions ORDER BY name')
    expect(namesOf(tableFunctions).toSorted()).toEqual(rows.map(({ name }) => name).toSorted())
    expect(rows.map(({ name }) => name).filter(isAllowedTableFunction)).toEqual([
      'SQLStandardValues',
      'generateSeries',
      'generate_series',
      'numbers',
      'values',
    ])
  })
})
