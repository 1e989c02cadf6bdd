import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import { SeriesParamsSchema, TrendsParamsSchema } from '../../contracts/measures.ts'
import { parseInput } from './parse-input.ts'

describe('the sentence about a bad input', () => {
  it.each([
    [{ colour: 'red' }, 'There is no parameter "colour" here.'],
    [{ colour: 'red', size: '1' }, 'There are no parameters "colour", "size" here.'],
    [{ type: 'clip' }, 'The parameter "type" must be one of clips, creators, topics.'],
    [{ limit: '501' }, 'The parameter "limit" must be at most 500.'],
    [{ limit: '0' }, 'The parameter "limit" must be at least 1.'],
    [{ limit: '-1' }, 'The parameter "limit" must be a whole number.'],
    [{ limit: '1e3' }, 'The parameter "limit" must be a whole number.'],
    [{ limit: ['1', '2'] }, 'The parameter "limit" must be a number.'],
    [{ type: ['clips', 'topics'] }, 'The parameter "type" must be one of clips, creators, topics.'],
    [{ country: 'USA' }, 'The parameter "country" must be a two-letter country code.'],
    [
      { from: 'yesterday', to: '2026-01-01T00:00:00Z' },
      'The parameter "from" must be an instant such as 2026-01-31T12:00:00Z.',
    ],
    [{ from: '2026-01-01T00:00:00Z' }, 'The parameter "to" from and to come together.'],
    [{ creator: 'mrbeast' }, 'The parameter "creator" must look like platform:id, e.g. youtube:dQw4w9WgXcQ.'],
    [{ cursor: 'x'.repeat(501) }, 'The parameter "cursor" must have at most 500 characters.'],
    [{ niche: 'a\0b' }, 'The parameter "niche" has a NUL byte in it.'],
  ])('%j', (input, sentence) => {
    expect(refusalOf(TrendsParamsSchema, input).message).toBe(sentence)
  })

  it('names a parameter that is missing', () => {
    expect(refusalOf(SeriesParamsSchema, { type: 'clips' }).message).toBe('The parameter "id" is missing.')
  })

  it('names a field inside another, and does not repeat what it held', () => {
    const schema = z.strictObject({ outer: z.strictObject({ inner: z.string() }) })
    const refusal = refusalOf(schema, { outer: { inner: 424242 } })
    expect(refusal.message).toBe('The parameter "outer.inner" must be one text.')
    expect(refusal.details).toEqual({ fields: [{ field: 'outer.inner', problem: 'must be one text' }] })
  })

  it('refuses what is nested without end', () => {
    let deep: unknown = 1
    for (let level = 0; level < 100; level += 1) deep = [deep]
    expect(refusalOf(z.unknown(), deep).message).toContain('nested')
  })
})

function refusalOf(schema: z.ZodType, input: unknown): AppError {
  try {
    parseInput(schema, input)
  } catch (error) {
    if (error instanceof AppError && error.code === 'BAD_REQUEST') return error
    throw error
  }
  throw new Error('The input was taken.')
}
