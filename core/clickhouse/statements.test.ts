import { expect, it } from 'vitest'
import { splitStatements } from './statements.ts'

it('splits at semicolons that stand outside strings, names and comments', () => {
  const text = "-- first; not a statement\nSELECT 'a;b\\';c', `d;e` - 1; /* x; y */\nSELECT 2 / 1 ;\n;"
  expect(splitStatements(text)).toEqual(["SELECT 'a;b\\';c', `d;e` - 1", 'SELECT 2 / 1'])
})
