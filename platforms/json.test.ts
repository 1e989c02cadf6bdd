import { expect, it } from 'vitest'
import {
  amountAt,
  at,
  countAt,
  idAt,
  instantMsAt,
  listAt,
  parseJson,
  secondsAt,
  textAt,
  urlAt,
  wordsAt,
} from './json.ts'

it('keeps whole numbers exact that a double cannot hold', () => {
  const json = parseJson(
    '{"user_id":17841405793187218,"list":[9007199254740993,-9007199254740993,1.5,12],"text":"9007199254740993"}',
  )
  expect(json).toEqual({
    user_id: 17841405793187218n,
    list: [9007199254740993n, -9007199254740993n, 1.5, 12],
    text: '9007199254740993',
  })
  expect(idAt(json, 'user_id')).toBe('17841405793187218')
  expect(countAt(json, 'user_id')).toBe(17841405793187218n)
  expect(parseJson('[1e400, 12345678901234567890e-3]')).toEqual([Number.POSITIVE_INFINITY, 12345678901234568])
})

it('reads a counter as digits or number, and anything else as missing', () => {
  const count = (value: unknown) => countAt({ value }, 'value')
  expect([count('0'), count('9223372036854775807'), count(7), count(7n)]).toEqual([0n, 9223372036854775807n, 7n, 7n])
  for (const odd of [
    undefined,
    null,
    '',
    '-1',
    -1,
    '1.5',
    1.5,
    '1e3',
    'many',
    [1],
    {},
    true,
    '9223372036854775808',
    ' 1',
  ])
    expect(count(odd)).toBeNull()
})

it('finds nothing on a way that is not there, and nothing that is inherited', () => {
  expect(at({ a: { b: 1 } }, 'a', 'b')).toBe(1)
  for (const json of [null, undefined, 'text', 5, [], {}]) {
    expect(at(json, 'a', 'b')).toBeUndefined()
    expect(listAt(json, 'length')).toEqual([])
    expect(textAt(json, 'toString')).toBe('')
    expect(idAt(json, 'constructor')).toBeNull()
  }
})

it('reads instants with and without a colon in their offset, and seconds', () => {
  const read = (text: unknown) => instantMsAt({ text }, 'text')
  expect(read('2026-10-01T07:56:32+0000')).toBe(Date.UTC(2026, 9, 1, 7, 56, 32))
  expect(read('2026-10-01T18:00:07Z')).toBe(Date.UTC(2026, 9, 1, 18, 0, 7))
  expect(read('2026-10-01T09:56:32.5+02:00')).toBe(Date.UTC(2026, 9, 1, 7, 56, 32, 500))
  for (const odd of ['', 'yesterday', '2026-13-40T99:99:99Z', '1960-01-01T00:00:00Z', 5, null])
    expect(read(odd)).toBeNull()
  expect(secondsAt({ at: 1760000000 }, 'at')).toBe(1760000000000)
  expect(secondsAt({ at: -5 }, 'at')).toBeNull()
  expect(amountAt({ seconds: '28.5' }, 'seconds')).toBe(28.5)
})

it('takes an address only when a browser could open it', () => {
  expect(urlAt({ url: 'https://example.com/a?b=c' }, 'url')).toBe('https://example.com/a?b=c')
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'https://a b', 'https://a/\u001b[2J', '', 5])
    expect(urlAt({ url }, 'url')).toBe('')
})

it('reads words from a list or a text', () => {
  expect(wordsAt({ scope: 'a, b,,c' }, /[,\s]+/, 'scope')).toEqual(['a', 'b', 'c'])
  expect(wordsAt({ scope: ['a', 5, ' b '] }, /,/, 'scope')).toEqual(['a', 'b'])
  expect(wordsAt({}, /,/, 'scope')).toBeNull()
})
