import { describe, expect, test } from 'vitest'
import { cutText, parseCount, parseInstant, parseIsoDuration, parseShortCount } from './values.ts'

describe('parseCount', () => {
  test.each([
    ['0', 0],
    ['748374', 748374],
    ['1234.0', 1234],
    [' 12 ', 12],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['', null],
    ['N/A', null],
    ['nan', null],
  ])('reads %s as %s', (text, count) => expect(parseCount(text)).toBe(count))

  test.each(['-1', '1.5', '1e6', '1,000', 'x', '9223372036854775808', '٣'])('does not read %j', text =>
    expect(parseCount(text)).toBeUndefined(),
  )
})

describe('parseShortCount', () => {
  test.each([
    ['48.5M', 48_500_000],
    ['383.1K', 383_100],
    ['1.2B', 1_200_000_000],
    ['290', 290],
    ['N/A', null],
  ])('reads %j as %j', (text, count) => expect(parseShortCount(text)).toBe(count))

  test('does not read other letters', () => expect(parseShortCount('12Q')).toBeUndefined())
})

describe('parseInstant', () => {
  test.each([
    ['2017-11-13T17:13:01.000Z', '2017-11-13T17:13:01.000Z'],
    ['2020-08-12', '2020-08-12T00:00:00.000Z'],
    ['2026-01-28T00:26:46.333802+00:00', '2026-01-28T00:26:46.333Z'],
    ['2021-01-01 03:06:04', '2021-01-01T03:06:04.000Z'],
    ['2025-11-05T00:19:46+09:00', '2025-11-04T15:19:46.000Z'],
    ['1604786417', '2020-11-07T22:00:17.000Z'],
    ['1604786417123', '2020-11-07T22:00:17.123Z'],
  ])('reads %j', (text, iso) => expect(new Date(parseInstant(text) ?? 0).toISOString()).toBe(iso))

  test('takes empty text as not given', () => expect(parseInstant('  ')).toBeNull())

  test.each(['2017-02-30', '17.14.11', 'yesterday', '2017-11-13T25:00:00Z', '2101-01-01', '12'])(
    'does not read %j',
    text => expect(parseInstant(text)).toBeUndefined(),
  )
})

test('reads ISO durations', () => {
  expect(parseIsoDuration('PT10M5S')).toBe(605)
  expect(parseIsoDuration('P1DT2H')).toBe(93_600)
  expect(parseIsoDuration('')).toBeNull()
  expect(parseIsoDuration('10 minutes')).toBeUndefined()
})

test('never cuts a surrogate pair in half', () => {
  expect(cutText('ab🎬', 3)).toBe('ab')
  expect(cutText('ab🎬', 4)).toBe('ab🎬')
})
