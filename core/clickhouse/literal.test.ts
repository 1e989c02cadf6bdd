import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { startChdb } from './chdb.ts'
import { type ParamValue, quote, renderSql } from './literal.ts'
import type { AnalyticsStore } from './port.ts'

let home: string
let store: AnalyticsStore
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'cliptape-literal-'))
  store = await startChdb({ dataDir: join(home, 'engine'), log: pino({ level: 'silent' }) })
})
afterAll(async () => {
  await store.close()
  rmSync(home, { recursive: true, force: true })
})

const readBack = async (expression: string, params: Record<string, ParamValue>): Promise<unknown> => {
  const rows = await store.query<{ value: unknown }>(renderSql(`SELECT ${expression} AS value`, params))
  return rows[0]?.value
}

describe('a literal is read back by the engine as the value it was', () => {
  const texts = [
    '',
    'plain',
    "it's",
    'back\\slash',
    "\\'; DROP TABLE x; --",
    'tab\there',
    'line\nbreak\r\n',
    'nul\0byte',
    '{a:String}',
    '$1',
    '%s',
    '🎬 猫 é',
    '\u2028',
    '\b\f\v',
    'x'.repeat(200_000),
  ]
  it.each(texts.map(text => [JSON.stringify(text.slice(0, 30)), text] as const))(
    'as String: %s',
    async (_title, text) => {
      expect(await readBack('{text:String}', { text })).toBe(text)
      expect(await readBack('hex({text:String})', { text })).toBe(Buffer.from(text).toString('hex').toUpperCase())
    },
  )

  it('as every kind of whole number, at both ends of its range', async () => {
    for (const bits of [8, 16, 32, 64]) {
      for (const [type, value] of [
        [`UInt${bits}`, 0n],
        [`UInt${bits}`, 2n ** BigInt(bits) - 1n],
        [`Int${bits}`, -(2n ** BigInt(bits - 1))],
        [`Int${bits}`, 2n ** BigInt(bits - 1) - 1n],
      ] as const) {
        expect(await readBack(`toString({n:${type}})`, { n: value }), type).toBe(String(value))
        expect(await readBack(`toTypeName({n:${type}})`, { n: value })).toBe(type)
      }
    }
  })

  it('as a float, an instant, a date, a UUID, a boolean, a list and nothing', async () => {
    expect(await readBack('{x:Float64}', { x: -1.5e-7 })).toBe(-1.5e-7)
    expect(await readBack('toUnixTimestamp64Milli({at:DateTime64(3)})', { at: 1_511_000_000_123 })).toBe(
      1_511_000_000_123,
    )
    expect(await readBack('toUnixTimestamp64Milli({at:DateTime64(3)})', { at: new Date(-1) })).toBe(-1)
    expect(await readBack('toUnixTimestamp({at:DateTime})', { at: 1_511_000_000_999 })).toBe(1_511_000_000)
    expect(await readBack('toString({on:Date})', { on: Date.UTC(2017, 10, 14, 23) })).toBe('2017-11-14')
    const id = '0b9f3f5e-5d4c-4c55-9d3e-1f0a2b3c4d5e'
    expect(await readBack('toString({id:UUID})', { id })).toBe(id)
    expect(await readBack('toString({is:Bool})', { is: true })).toBe('true')
    expect(await readBack('{list:Array(String)}', { list: ["a'b", '', '猫'] })).toEqual(["a'b", '', '猫'])
    expect(await readBack('toTypeName({list:Array(UInt8)})', { list: [] })).toBe('Array(UInt8)')
    const pairs = [
      ["a','b", 1],
      ['), (', 2],
    ]
    expect(await readBack('{pairs:Array(Tuple(String, UInt8))}', { pairs })).toEqual(pairs)
    const isIn =
      "('), (', 2) IN {pairs:Array(Tuple(String, UInt8))} AND ('a', 1) NOT IN {pairs:Array(Tuple(String, UInt8))}"
    expect((await store.query<{ found: number }>(renderSql(`SELECT ${isIn} AS found`, { pairs })))[0]?.found).toBe(1)
    expect(await readBack('isNull({x:Nullable(UInt8)})', { x: null })).toBe(1)
    expect(await readBack('{x:Nullable(UInt8)}', { x: 7 })).toBe(7)
  })
})

describe('a value that does not fit its type is refused', () => {
  const cases: [string, ParamValue][] = [
    ['UInt8', 300],
    ['UInt8', 256],
    ['UInt8', -1],
    ['UInt8', 1.5],
    ['UInt8', '1'],
    ['UInt64', 2 ** 53],
    ['UInt64', 2n ** 64n],
    ['Int8', 128],
    ['Int64', Number.NaN],
    ['Float64', Number.NaN],
    ['Float64', Number.POSITIVE_INFINITY],
    ['String', 5],
    ['String', null],
    ['String', 'lone \ud800 surrogate'],
    ['UUID', "0b9f3f5e' OR 1"],
    ['Identifier', 'a b'],
    ['Identifier', 'a`b'],
    ['Identifier', ''],
    ['DateTime64(3)', 1e17],
    ['DateTime64(3)', Number.NaN],
    ['DateTime', -1],
    ['Bool', 1],
    ['Array(UInt8)', 5],
    ['Tuple(String, UInt8)', ['a']],
    ['Tuple(String, UInt8)', ['a', 256]],
    ['Array(UInt8)', [1, 256]],
    ['Map(String, String)', 'x'],
  ]
  it.each(cases.map(([type, value]) => [`${type}: ${String(value)}`, type, value] as const))(
    '%s',
    (_title, type, value) => {
      expect(() => renderSql(`SELECT {x:${type}}`, { x: value })).toThrow(AppError)
    },
  )

  it('names the parameter, and never shows its value', () => {
    expect(() => renderSql('SELECT {limit:UInt8}', { limit: 300 })).toThrow('The value of limit does not fit UInt8.')
  })

  it('refuses a parameter that is missing and one that the query does not have', () => {
    expect(() => renderSql('SELECT {a:UInt8}', {})).toThrow('needs the parameter a')
    expect(() => renderSql('SELECT 1', { a: 1 })).toThrow('has no parameter a')
    expect(() => renderSql('SELECT {toString:String}', {})).toThrow('needs the parameter toString')
  })
})

it('writes a string literal without a raw control character', () => {
  expect(quote("a\n\0'\\")).toBe("'a\\n\\0\\'\\\\'")
})
