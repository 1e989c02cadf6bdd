import { AppError } from '../../contracts/errors.ts'
import { literal, type ParamValue } from '../clickhouse/literal.ts'

/**
 * Strings, quoted names, heredocs and comments are passed over, so that `{x:String}` inside them stays as it is. What
 * comes out is looked at by the gate like any other SQL: nothing that is misread here can open it.
 */
const part =
  /'(?:\\[\s\S]|''|[^'\\])*'|`(?:\\[\s\S]|[^`\\])*`|"(?:\\[\s\S]|[^"\\])*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|\{\s*(?<name>[A-Za-z_]\w{0,63})\s*:\s*(?<type>[A-Za-z][\w(), ']{0,100}?)\s*\}/g

const scalarType = /^(String|UUID|Bool|U?Int(8|16|32|64)|Float64|Date|DateTime|DateTime64\(3\))$/
const wrappedType = /^(Array|Nullable)\((.+)\)$/
/** Without a zone it is UTC, as everywhere in the store. */
const isoInstant = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * Puts literals in the place of the `{name:Type}` of a user's SQL.
 *
 * @param params String, UUID, Bool, (U)Int8–64, Float64, Date, DateTime, DateTime64(3), Array(T), Nullable(T). Instants
 *   are ISO 8601 text or epoch milliseconds; whole numbers beyond 2^53 are text.
 * @throws AppError BAD_REQUEST when a value is missing, left over, or does not fit its type
 */
export function fillPlaceholders(sql: string, params: Readonly<Record<string, unknown>>): string {
  const used = new Set<string>()
  const filled = replacePlaceholders(sql, (name, type) => {
    if (!Object.hasOwn(params, name)) {
      throw new AppError('BAD_REQUEST', `The SQL needs a value for the parameter ${name}.`, {
        details: { field: name },
      })
    }
    used.add(name)
    return literal(name, type, toParam(type, params[name]))
  })
  for (const name of Object.keys(params)) {
    if (used.has(name)) continue
    throw new AppError('BAD_REQUEST', `The SQL has no parameter ${name}.`, { details: { field: name } })
  }
  return filled
}

/** The same with some value of each type, to look at SQL whose values are not known yet. */
export function fillWithSamples(sql: string): string {
  return replacePlaceholders(sql, (name, type) => literal(name, type, sampleOf(type)))
}

function replacePlaceholders(sql: string, write: (name: string, type: string) => string): string {
  return sql.replace(part, (whole, ...rest: unknown[]) => {
    const { name, type } = groupsOf(rest)
    if (name === undefined || type === undefined) return whole
    const compact = type.replace(/\s+/g, '')
    if (!isParamType(compact)) {
      throw new AppError('BAD_REQUEST', `The parameter ${name} has the type ${type}, which a parameter cannot have.`, {
        details: { field: name },
      })
    }
    return ` ${write(name, compact)} `
  })
}

function groupsOf(rest: readonly unknown[]): { name?: string; type?: string } {
  const groups = rest.at(-1)
  return typeof groups === 'object' && groups !== null ? groups : {}
}

function isParamType(type: string): boolean {
  const inner = wrappedType.exec(type)?.[2]
  return inner === undefined ? scalarType.test(type) : isParamType(inner)
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
