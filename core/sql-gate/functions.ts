import { aggregateFunctions, refusedFunctionsByReason, rowFunctions, tableFunctions } from './function-lists.ts'

/** What a combinator puts behind an aggregate function's name. `State` and `Merge` are left out: nothing here has states. */
const combinators = [
  'if',
  'array',
  'map',
  'foreach',
  'distinct',
  'ordefault',
  'ornull',
  'resample',
  'argmin',
  'argmax',
  'tuple',
]

/** Written like functions, but parts of the grammar: they stand in none of the engine's lists. */
const grammarFunctions = 'exists grouping untuple'

/** Sources of rows that touch nothing. */
export const allowedTableFunctions = ['numbers', 'generate_series', 'generateSeries', 'values'] as const
/** `SQLStandardValues` is how the engine writes `(VALUES (1), (2))` down. */
const rowSources = namesIn([...allowedTableFunctions, 'SQLStandardValues'].join(' '))

const instants = namesIn(
  'now now64 nowInBlock nowInBlock64 today yesterday current_date current_timestamp curdate utctimestamp utc_timestamp localtimestamp localtime',
)
const aggregate = namesIn(aggregateFunctions)
const allowed = new Set([...aggregate, ...namesIn(rowFunctions), ...namesIn(grammarFunctions)])
const refused = namesIn(Object.values(refusedFunctionsByReason).join(' '))
const sources = namesIn(tableFunctions)

/** Whether users' SQL may call it; names are compared without regard to case, which only ever refuses more. */
export function isAllowedFunction(name: string): boolean {
  const lower = name.toLowerCase()
  return allowed.has(lower) || isCombined(lower)
}

/** Whether the bare name is that of a function which no SQL may name, not even to hand it to `arrayMap`. */
export function isRefusedFunction(name: string): boolean {
  return refused.has(name.toLowerCase())
}

/** Whether it may stand where a table stands. */
export function isAllowedTableFunction(name: string): boolean {
  return rowSources.has(name.toLowerCase())
}

/** Whether a lambda may be called by that name without being taken for something of the engine's. */
export function isFreeName(name: string): boolean {
  return !isRefusedFunction(name) && !sources.has(name.toLowerCase())
}

/** Whether its value is that of the present instant. */
export function tellsInstant(name: string): boolean {
  return instants.has(name.toLowerCase())
}

function isCombined(lower: string): boolean {
  if (aggregate.has(lower)) return true
  return combinators.some(ending => lower.endsWith(ending) && isCombined(lower.slice(0, -ending.length)))
}

function namesIn(text: string): ReadonlySet<string> {
  return new Set(
    text
      .toLowerCase()
      .split(/\s+/)
      .filter(name => name !== ''),
  )
}
