import { describe, expect, it } from 'vitest'
import type { Fact } from '../../contracts/measures.ts'
import { joinLine } from './join-line.ts'
import { kpiCell } from './kpi-text.ts'
import { describeMissing, formatFact, formatMeasure } from './measure-text.ts'

function factOf(value: Fact['value'], unit: Fact['unit'], state: Fact['state'] = 'value'): Fact {
  return { key: 'k', group: 'g', label: 'l', value, unit, state, source: 's', observedAt: null, note: '' }
}

describe('formatFact', () => {
  it.each([
    [1_234_567, 'count', '1,234,567'],
    [1234.5, 'perHour', '1.23K/h'],
    [-1.23456, 'ratio', '-1.23'],
    [2.5, 'multiple', '2.5x'],
    [-3, 'percent', '-3%'],
    [65, 'seconds', '1:05'],
    [3723, 'seconds', '1:02:03'],
    ['2017-11-13T17:13:01.000Z', 'instant', '2017-11-13 17:13 UTC'],
    ['some day', 'instant', 'some day'],
    [1_510_000_000_000, 'instant', '2017-11-06 20:26 UTC'],
    ['brain-rot', 'text', 'brain-rot'],
    [0, 'count', '0'],
  ] as const)('writes %s (%s) as %s', (value, unit, text) => {
    expect(formatFact(factOf(value, unit))).toBe(text)
  })

  it('writes engagement as a share of the views', () => {
    expect(formatFact({ ...factOf(0.0345, 'ratio'), key: 'engagement' })).toBe('3.45%')
  })

  it('says why there is no number, and never writes a zero for it', () => {
    expect(formatFact(factOf(null, 'count', 'not_provided'))).toBe('not provided')
    expect(formatFact(factOf(null, 'count', 'stale'))).toBe('no reading recent enough')
    expect(formatFact(factOf(null, 'text', 'value'))).toBe('no reading')
  })
})

describe('formatMeasure', () => {
  it('gives each measure its unit', () => {
    expect([
      formatMeasure('views', 1_234_567),
      formatMeasure('velocity', 340),
      formatMeasure('acceleration', 2.5),
      formatMeasure('engagement', 0.034),
    ]).toEqual(['1.23M', '340/h', '2.5x', '3.4%'])
  })
})

describe('joinLine', () => {
  it('leaves out whole parts that do not fit, and keeps the right edge', () => {
    expect(joinLine(['abc', '', 'def'], 'R', 12)).toBe('abc  def   R')
    expect(joinLine(['abc', 'def'], 'R', 8)).toBe('abc    R')
    expect(joinLine(['abc'], 'right', 5)).toBe('abc  ')
    expect(joinLine(['abcde', 'f'], 'R', 6)).toBe('abcde ')
    expect(joinLine(['\x1b[31mab\x1b[39m', '日本'], '', 8)).toBe('\x1b[31mab\x1b[39m  日本')
  })
})

it('shows a number that nothing may be made of as the counter that it is', () => {
  const kpi = { value: null, state: 'needs_amendment' } as const
  expect(kpiCell('views', { ...kpi, counter: 12_300 })).toEqual({ text: '=12.3K', role: 'muted' })
  expect(kpiCell('engagement', { ...kpi, counter: null })).toEqual({ text: 'terms', role: 'faint' })
  expect(describeMissing('needs_amendment')).toContain('KEYS')
})
