import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/**
 * What is wrong with an input, as one sentence that names the field and, where that helps, what would be right.
 * The input's values are not repeated: they may be secrets, or ten megabytes.
 */
export function issueSentence(error: z.ZodError, input: unknown): string {
  const issue = error.issues[0]
  return issue ? sentenceOf(issue, [], input) : 'The request is not valid.'
}

/** The fields that are wrong, for `details`: name and what is wrong with it, at most ten. */
export function issueFields(error: z.ZodError, input: unknown): { field: string; problem: string }[] {
  return issueProblems(error, input)
    .slice(0, 10)
    .map(({ path, problem }) => ({ field: fieldName(path), problem }))
}

/** Everything that is wrong, as what follows a field's name: "must be a number". */
export function issueProblems(error: z.ZodError, input: unknown): { path: PropertyKey[]; problem: string }[] {
  return error.issues.map(issue => ({ path: issue.path, problem: problemOf(issue, isMissing(input, issue.path)) }))
}

function sentenceOf(issue: Issue, above: readonly PropertyKey[], input: unknown): string {
  const path = [...above, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.slice(0, 5).map(quoted).join(', ')
    return issue.keys.length === 1 ? `There is no parameter ${names} here.` : `There are no parameters ${names} here.`
  }
  if (issue.code === 'invalid_union') {
    const likely = likelyBranch(issue.errors)
    if (likely) return sentenceOf(likely, path, input)
  }
  const field = fieldName(path)
  const subject = field === '' ? 'The input' : `The parameter ${quoted(field)}`
  return `${subject} ${problemOf(issue, isMissing(input, path))}.`
}

function problemOf(issue: Issue, isAbsent: boolean): string {
  if (isAbsent && issue.code !== 'custom') return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? `a ${issue.expected}`}`
    case 'invalid_value':
      return `must be ${listed(issue.values.map(String))}`
    case 'too_big':
      return `must ${measured(issue.origin, 'at most', String(issue.maximum))}`
    case 'too_small':
      return `must ${measured(issue.origin, 'at least', String(issue.minimum))}`
    case 'unrecognized_keys':
      return `has fields that are not known: ${issue.keys.slice(0, 5).map(quoted).join(', ')}`
    case 'invalid_union': {
      const likely = likelyBranch(issue.errors)
      return likely ? problemOf(likely, false) : 'is none of the forms that are understood'
    }
    case 'invalid_format':
      return formatNames[issue.format] ?? issue.message
    default:
      return issue.message
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'one text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
}
const formatNames: Readonly<Record<string, string>> = {
  datetime: 'must be an instant such as 2026-01-31T12:00:00Z',
  uuid: 'must be a UUID',
}

function measured(origin: string, atLeastOrMost: string, bound: string): string {
  if (origin === 'string') return `have ${atLeastOrMost} ${bound} characters`
  if (origin === 'array' || origin === 'set') return `have ${atLeastOrMost} ${bound} entries`
  return `be ${atLeastOrMost} ${bound}`
}

/** Of a union's branches the one that took the input's type and refused its content, else the first. */
function likelyBranch(branches: readonly (readonly Issue[])[]): Issue | undefined {
  const first = branches.map(issues => issues[0])
  return first.find(issue => issue && issue.code !== 'invalid_type') ?? first[0]
}

function isMissing(input: unknown, path: readonly PropertyKey[]): boolean {
  let value = input
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return true
    value = Reflect.get(value, name)
  }
  return value === undefined
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.map(String).join('.').slice(0, 100)
}

function listed(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 60))
}
