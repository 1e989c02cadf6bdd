import type { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import { issueFields, issueSentence } from './issue-sentence.ts'

/**
 * Checks an input from outside against its schema.
 * @throws AppError BAD_REQUEST whose sentence names the first field that is wrong; `details.fields` has the others
 */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  refuseNul(input, '', 0)
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new AppError('BAD_REQUEST', issueSentence(parsed.error, input), {
    details: { fields: issueFields(parsed.error, input) },
    cause: parsed.error,
  })
}

const depthMax = 20

/** NUL bytes pass as text in JSON and URLs, and mean the end of a text further down. Nobody has a use for one here. */
function refuseNul(value: unknown, field: string, depth: number): void {
  if (typeof value === 'string' && value.includes('\0')) {
    const where = field === '' ? 'The input' : `The parameter ${JSON.stringify(field.slice(0, 60))}`
    throw new AppError('BAD_REQUEST', `${where} has a NUL byte in it.`)
  }
  if (typeof value !== 'object' || value === null) return
  if (depth > depthMax) throw new AppError('BAD_REQUEST', `The input is nested more than ${depthMax} levels deep.`)
  for (const [name, inner] of Object.entries(value)) {
    refuseNul(name, field, depth + 1)
    refuseNul(inner, field === '' ? name : `${field}.${name}`, depth + 1)
  }
}
