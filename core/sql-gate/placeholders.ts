import { AppError } from '../../contracts/errors.ts'
import { literal, type ParamValue } from '../clickhouse/literal.ts'

/**
 * Strings, quoted names, heredocs and comments are passed over, so that `{x:String}` inside them stays as it is. What
 * comes out is looked at by the gate like any other SQL: nothing that is misread here can open it.
 */
const part =
  /'(?:\\[\s\S]|''|[^'\\])*'|`(?:\\[\s\S]|[^`\\])*`|"(?:\\[\s\S]|[^"\\])*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|\{\s*(?<name>[A-Za-z_]\w{0,63})\s*:\s*(?<type>[A-Za-z][\w(), ']{0,100}?)\s*\}/g

const wrappedType = /^(Array|Nullable)\((.+)\)$/
/** Without a zone it is UTC, as everywhere in the store. */
const isoInstant = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/

/** A user's SQL with literals in the place of its parameters. */
export interface Filled {
  /** As the user wrote it. */
  readonly original: string
  readonly sql: string
  /** Where a character of `sql` stands in `original`; of a literal, where its parameter begins. Both count from 0. */
  originalOffset(offset: number): number
}

/** A `{name:Type}` of a user's SQL. */
export interface Placeholder {
  readonly name: string
  /** Without spaces, e.g. `Array(UInt64)`. */
  readonly type: string
}

/** Types that a parameter can have; `Array(T)` and `Nullable(T)` of them besides. */
export const parameterTypes = [
  'String',
  'UUID',
  'Bool',
  ...['', 'U'].flatMap(sign => [8, 16, 32, 64].map(bits => `${sign}Int${bits}`)),
  'Float64',
  'Date',
  'DateTime',
  'DateTime64(3)',
] as const

/**
 * Puts literals in the place of the `{name:Type}` of a user's SQL.
 *
 * @param params of the `parameterTypes`. Instants are ISO 8601 text or epoch milliseconds; whole numbers beyond 2^53 are
 *   text.
 * @param o.missing what happens where a value is missing: it is an error, or some value of the type is taken, to look at
 *   SQL whose values are not known yet
 * @throws AppError BAD_REQUEST when a value is missing, left over, or does not fit its type
 */
export function fillPlaceholders(
  sql: string,
  params: Readonly<Record<string, unknown>>,
  o: { readonly missing: 'refuse' | 'sample' } = { missing: 'refuse' },
): Filled {
  const used = new Set<string>()
  const filled = replacePlaceholders(sql, ({ name, type }) => {
    used.add(name)
    if (Object.hasOwn(params, name)) return parameterLiteral({ name, type }, params[name])
    if (o.missing === 'sample') return literal(name, type, sampleOf(type))
    throw new AppError('BAD_REQUEST', `The SQL needs a value for the parameter ${name}.`, { details: { field: name } })
  })
  for (const name of Object.keys(params)) {
    if (used.has(name)) continue
    throw new AppError('BAD_REQUEST', `The SQL has no parameter ${name}.`, { details: { field: name } })
  }
  return filled
}

/**
 * One value as the literal that stands for it.
 * @throws AppError BAD_REQUEST when it does not fit the type
 */
export function parameterLiteral({ name, type }: Placeholder, value: unknown): string {
  return literal(name, type, toParam(type, value))
}

/** The parameters of a user's SQL in the order of their first mention. @throws AppError BAD_REQUEST for one of two types */
export function placeholdersOf(sql: string): Placeholder[] {
  const found = new Map<string, Placeholder>()
  replacePlaceholders(sql, ({ name, type }) => {
    const known = found.get(name)
    if (known !== undefined && known.type !== type) {
      throw new AppError(
        'BAD_REQUEST',
        `The parameter ${name} is a ${known.type} in one place and a ${type} in another.`,
        {
          details: { field: name },
        },
      )
    }
    found.set(name, { name, type })
    return ''
  })
  return [...found.values()]
}

function replacePlaceholders(original: string, write: (found: Placeholder) => string): Filled {
  const spans: { end: number; originalStart: number; originalEnd: number }[] = []
  let sql = ''
  let copiedTo = 0
  for (const match of original.matchAll(part)) {
    const { name, type } = match.groups ?? {}
    if (name === undefined || type === undefined) continue
    const compact = type.replace(/\s+/g, '')
    if (!isParamType(compact)) {
      throw new AppError('BAD_REQUEST', `The parameter ${name} has the type ${type}, which a parameter cannot have.`, {
        details: { field: name },
      })
    }
    const originalEnd = match.index + match[0].length
    sql += `${original.slice(copiedTo, match.index)} ${write({ name, type: compact })} `
    spans.push({ end: sql.length, originalStart: match.index, originalEnd })
    copiedTo = originalEnd
  }
  sql += original.slice(copiedTo)
  return {
    original,
    sql,
    originalOffset(offset) {
      const before = spans.findLast(span => span.end <= offset) ?? { end: 0, originalStart: 0, originalEnd: 0 }
      const next = spans.find(span => span.end > offset)
      return Math.min(before.originalEnd + offset - before.end, next?.originalStart ?? original.length)
    },
  }
}

function isParamType(type: string): boolean {
  const inner = wrappedType.exec(type)?.[2]
  return inner === undefined ? parameterTypes.some(known => known === type) : isParamType(inner)
}

/** What came as JSON or from a command line, in the form that the type's literal is made from. */
function toParam(type: string, given: unknown): ParamValue {
  const [, wrapper, inner = ''] = wrappedType.exec(type) ?? []
  if (wrapper === 'Nullable') return given === null ? null : toParam(inner, given)
  if (wrapper === 'Array') return Array.isArray(given) ? given.map((item: unknown) => toParam(inner, item)) : null
  if (typeof given === 'boolean' || typeof given === 'bigint') return given
  if (typeof given === 'number') return type === 'String' ? String(given) : given
  return typeof given === 'string' ? fromText(type, given) : null
}

/** Text that is no such value stays text, which the literal then refuses with the parameter's name. */
function fromText(type: string, text: string): ParamValue {
  if (type === 'Bool' && /^(true|false)$/.test(text)) return text === 'true'
  if (type.includes('Int') && /^-?\d{1,20}$/.test(text)) return BigInt(text)
  if (type === 'Float64' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return Number(text)
  if (type.startsWith('Date') && /^\d{9,16}$/.test(text)) return Number(text)
  if (type.startsWith('Date') && isoInstant.test(text)) {
    const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(text)
    const atMs = Date.parse(text.replace(' ', 'T') + (text.length > 10 && !hasZone ? 'Z' : ''))
    return Number.isNaN(atMs) ? text : atMs
  }
  return text
}

function sampleOf(type: string): ParamValue {
  const [, wrapper] = wrappedType.exec(type) ?? []
  if (wrapper === 'Array') return []
  if (wrapper === 'Nullable') return null
  if (type === 'String') return ''
  if (type === 'Bool') return false
  return type === 'UUID' ? '00000000-0000-0000-0000-000000000000' : 0
}
