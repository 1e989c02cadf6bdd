import { expect, test } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { fillPlaceholders } from './placeholders.ts'
import { withNamePlace } from './places.ts'

test.each([
  ['Unknown expression identifier `nombre` in scope SELECT nombre', 'SELECT 1,\n  nombre'],
  ['Unknown expression or function identifier `nombre` in scope SELECT nombre * 2', 'SELECT 1,\n  nombre * 2'],
])('finds the name of %j in the text', (sentence, sql) => {
  const error = new AppError('QUERY_FAILED', sentence)
  expect(withNamePlace(error, fillPlaceholders(sql, {}))).toMatchObject({
    details: { line: 2, column: 3 },
    message: expect.stringContaining('(line 2, column 3)'),
  })
})
