import { expect, test } from 'vitest'
import { isInText, sqlParameters, sqlStatements, sqlTokens, statementAt, writtenName } from './sql-tokens.ts'

const kindsOf = (sql: string) => sqlTokens(sql).map(({ kind, text }) => `${kind} ${text}`)

test('reads words, strings, quoted names, numbers, parameters and comments', () => {
  expect(kindsOf("SELECT a.`b c`, 1.5e3, 'it''s' -- the end\nFROM {t:Array(String)} /* x */")).toEqual([
    'word SELECT',
    'word a',
    'symbol .',
    'quoted `b c`',
    'symbol ,',
    'number 1.5e3',
    'symbol ,',
    "string 'it''s'",
    'comment -- the end',
    'word FROM',
    'parameter {t:Array(String)}',
    'comment /* x */',
  ])
})

test('takes what is not finished to the end of the text', () => {
  expect(sqlTokens("select 'abc; d").at(-1)).toMatchObject({ kind: 'string', text: "'abc; d", isClosed: false })
  expect(sqlTokens('select /* abc').at(-1)).toMatchObject({ kind: 'comment', isClosed: false })
  expect(sqlTokens("select $x$ ' $x$").at(-1)).toMatchObject({ kind: 'string', isClosed: true })
})

test('knows whether the cursor stands in a string or comment', () => {
  const sql = "a 'b' -- c\nd"
  const at = (offset: number) => isInText(sqlTokens(sql), offset)
  expect([at(1), at(3), at(4), at(5), at(10), at(11)]).toEqual([false, true, true, false, true, false])
})

test('splits statements at semicolons that are none of a string or comment', () => {
  const sql = "-- first\nselect ';' ; ; /* ; */ select 2; -- done"
  expect(sqlStatements(sql).map(each => each.sql)).toEqual(["select ';'", 'select 2'])
  expect(statementAt(sql, sql.indexOf('2'))?.sql).toBe('select 2')
  expect(statementAt(sql, sql.length)?.sql).toBe('select 2')
  expect(statementAt(sql, 0)?.sql).toBe("select ';'")
  expect(statementAt(' -- nothing', 3)).toBeNull()
})

test('names each parameter once, and none that stands in a string', () => {
  expect(sqlParameters("{ p : String } {p:String} '{q:Int8}' {r:Array( UInt8 )}")).toEqual([
    { name: 'p', type: 'String' },
    { name: 'r', type: 'Array(UInt8)' },
  ])
})

test('quotes names that are no plain words', () => {
  expect([writtenName('views'), writtenName('a b'), writtenName('x`y')]).toEqual(['views', '`a b`', '`x\\`y`'])
})
