import { AppError } from '../../contracts/errors.ts'

/**
 * Parameters are written into the text as literals here and nowhere else. The engine's own binding is slow when embedded
 * (one parameterised query at a time) and wraps silently (300 as UInt8 becomes 44), so every value is checked against
 * its declared type first, and what comes out is a literal that can only be read as that value.
 */
export type ParamValue = string | number | bigint | boolean | null | Date | readonly ParamValue[]

/** Databases and other names that our own code puts in with `{name:Identifier}`: plain words only. */
const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*):([A-Za-z0-9_(), ']+)\}/g
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const integerType = /^(U?)Int(8|16|32|64)$/
/** DateTime64(3) of the engine reaches from 1900 to the end of 2299. */
const dateTime64MsMin = Date.UTC(1900, 0, 1)
const dateTime64MsMax = Date.UTC(2299, 11, 31, 23, 59, 59, 999)
const dateTimeSecMax = 2 ** 32 - 1

/**
 * Puts literals in the place of `{name:Type}`.
 *
 * @param params String, UUID, Bool, (U)Int8–64, Float64, Date, DateTime, DateTime64(3), Identifier, Array(T), Nullable(T),
 *   Tuple(T, T) of simple types.
 *   Instants are a Date or epoch milliseconds.
 * @throws AppError BAD_REQUEST when a value does not fit its type, INTERNAL when a parameter is missing or is not used
 */
export function renderSql(text: string, params: Readonly<Record<string, ParamValue>>): string {
  const used = new Set<string>()
  const rendered = text.replace(placeholder, (_match, name: string, type: string) => {
    if (!Object.hasOwn(params, name)) throw new AppError('INTERNAL', `The query needs the parameter ${name}.`)
    used.add(name)
    return literal(name, type.trim(), params[name] ?? null)
  })
  for (const name of Object.keys(params)) {
    if (!used.has(name)) throw new AppError('INTERNAL', `The query has no parameter ${name}.`)
  }
  return rendered
}

/**
 * One value as a literal of `type`.
 * @param name named in the error when the value does not fit
 */
export function literal(name: string, type: string, value: ParamValue): string {
  const inner = /^(Nullable|Array|Tuple)\((.+)\)$/.exec(type)
  if (inner?.[1] === 'Nullable') return value === null ? 'NULL' : literal(name, inner[2] ?? '', value)
  if (inner?.[1] === 'Array') {
    if (!Array.isArray(value)) throw unfit(name, type)
    // The cast gives an empty array its type.
    return `CAST([${value.map(item => literal(name, inner[2] ?? '', item)).join(',')}],${quote(type)})`
  }
  if (inner?.[1] === 'Tuple') {
    const types = (inner[2] ?? '').split(', ')
    if (!Array.isArray(value) || value.length !== types.length) throw unfit(name, type)
    return `tuple(${types.map((one, index) => literal(name, one, value[index])).join(',')})`
  }
  if (typeof value === 'string') return textLiteral(name, type, value)
  if (typeof value === 'boolean') return type === 'Bool' ? String(value) : fail(name, type)
  if (type === 'DateTime64(3)' || type === 'DateTime' || type === 'Date') return instantLiteral(name, type, value)
  if (typeof value === 'number' || typeof value === 'bigint') return numberLiteral(name, type, value)
  throw unfit(name, type)
}

/** A string literal: backslash and quote escaped, NUL and control characters written as escapes. */
export function quote(text: string): string {
  return `'${text.replace(/[\\'\0\b\f\n\r\t]/g, character => escapes[character] ?? character)}'`
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function textLiteral(name: string, type: string, value: string): string {
  if (type === 'String') {
    if (!value.isWellFormed()) throw unfit(name, type)
    return quote(value)
  }
  if (type === 'UUID' && uuid.test(value)) return `toUUID(${quote(value)})`
  if (type === 'Identifier' && identifier.test(value)) return `\`${value}\``
  throw unfit(name, type)
}

function instantLiteral(name: string, type: string, value: ParamValue): string {
  const ms = value instanceof Date ? value.getTime() : value
  if (typeof ms !== 'number' || !Number.isSafeInteger(ms)) throw unfit(name, type)
  if (type === 'DateTime64(3)') {
    if (ms < dateTime64MsMin || ms > dateTime64MsMax) throw unfit(name, type)
    return `fromUnixTimestamp64Milli(toInt64(${ms}),'UTC')`
  }
  const sec = Math.floor(ms / 1000)
  if (sec < 0 || sec > dateTimeSecMax) throw unfit(name, type)
  return type === 'DateTime' ? `toDateTime(${sec},'UTC')` : `toDate('${new Date(ms).toISOString().slice(0, 10)}')`
}

function numberLiteral(name: string, type: string, value: number | bigint): string {
  if (type === 'Float64') {
    const float = Number(value)
    if (!Number.isFinite(float)) throw unfit(name, type)
    return `toFloat64(${Object.is(float, -0) ? '-0.' : float})`
  }
  const match = integerType.exec(type)
  if (!match) throw unfit(name, type)
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw unfit(name, type)
  const bits = BigInt(match[2] ?? '64')
  const [min, max] = match[1] === 'U' ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
  const whole = BigInt(value)
  if (whole < min || whole > max) throw unfit(name, type)
  return `to${type}(${type.endsWith('64') ? `'${whole}'` : whole})`
}

function unfit(name: string, type: string): AppError {
  return new AppError('BAD_REQUEST', `The value of ${name} does not fit ${type}.`, { details: { field: name } })
}

function fail(name: string, type: string): never {
  throw unfit(name, type)
}
