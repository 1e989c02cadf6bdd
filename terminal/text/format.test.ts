import { expect, test } from 'vitest'
import {
  formatAge,
  formatBytes,
  formatChange,
  formatCount,
  formatInstant,
  formatMissing,
  formatMultiple,
  formatPercentChange,
  formatShare,
  formatSpan,
} from './format.ts'

test.each([
  [0, '0'],
  [987, '987'],
  [999.4, '999'],
  [1000, '1K'],
  [12_345, '12.3K'],
  [999_949, '1M'],
  [1_234_567, '1.23M'],
  [4_560_000_000, '4.56B'],
  [7e12, '7T'],
  [-340, '-340'],
  [-1_200_000, '-1.2M'],
  [0.123, '0.12'],
  [Number.NaN, '?'],
])('writes the count %d as %s', (count, expected) => {
  expect(formatCount(count)).toBe(expected)
})

test('needs at most six cells for any count of a platform', () => {
  for (let power = 0; power < 15; power++) {
    for (const digits of [1, 1.5, 9.99, 9.9994, 9.9996]) {
      expect(formatCount(-Math.round(digits * 10 ** power)).length).toBeLessThanOrEqual(6)
    }
  }
})

test.each([
  [0, '0 B'],
  [987, '987 B'],
  [999.7, '1 kB'],
  [12_345, '12.3 kB'],
  [999_949, '1 MB'],
  [20 * 1024 ** 3, '21.5 GB'],
  [999e12, '999 TB'],
  [Number.NaN, '?'],
])('writes the size %d as %s', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected)
})

test('writes changes, shares, percents and multiples with their signs', () => {
  expect([formatChange(1200), formatChange(-340), formatChange(0)]).toEqual(['+1.2K', '-340', '0'])
  expect([formatShare(0.034), formatShare(1.5)]).toEqual(['3.4%', '150%'])
  expect([formatPercentChange(3.4), formatPercentChange(-12)]).toEqual(['+3.4%', '-12%'])
  expect([formatMultiple(2.5), formatMultiple(12_345)]).toEqual(['2.5x', '12.3Kx'])
})

test('writes spans and ages in the largest unit that says enough', () => {
  expect([4_000, 720_000, 3 * 3_600_000, 5 * 86_400_000].map(formatSpan)).toEqual(['4s', '12m', '3h', '5d'])
  expect([84 * 86_400_000, 1_100 * 86_400_000, -5].map(formatSpan)).toEqual(['12w', '3y', '0s'])
  expect(formatAge('2017-11-14T03:30:00Z', Date.parse('2017-11-14T06:30:00Z'))).toBe('3h')
  expect(formatAge('not an instant', 0)).toBe('?')
})

test('writes instants in UTC', () => {
  expect(formatInstant(Date.parse('2017-11-14T06:30:05Z'))).toBe('2017-11-14 06:30')
  expect(formatInstant(Date.parse('2017-11-14T06:30:05Z'), true)).toBe('2017-11-14 06:30:05')
  expect(formatInstant(Number.NaN)).toBe('?')
})

test('says why a number is missing and never writes a zero for it', () => {
  expect((['not_provided', 'needs_scope', 'stale', 'too_few'] as const).map(formatMissing)).toEqual([
    'n/a',
    'scope',
    'stale',
    'few',
  ])
  expect(formatMissing(undefined)).toBe('-')
})
