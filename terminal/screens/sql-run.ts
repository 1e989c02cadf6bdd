import { QueryExplanationSchema, type SavedQuery } from '../../contracts/queries.ts'
import type { HttpResult } from '../net/http-client.ts'
import { type FormSpec, openForm, textIn } from '../state/form.ts'
import { gridStart } from '../state/grid-state.ts'
import { type SqlParameter, type SqlStatement, sqlParameters } from '../text/sql-tokens.ts'
import type { ScreenDeps, ScreenView } from './screen.ts'
import { sqlLineFields } from './sql-resources.ts'
import {
  bufferOf,
  placeBefore,
  resultOf,
  type SqlForm,
  type SqlPanel,
  type SqlState,
  statementToRun,
} from './sql-state.ts'

type Then = Extract<SqlForm, { kind: 'parameters' }>['then']

/** Runs what stands at the cursor, or asks for its parameters first where one has no value yet. */
export function runAtCursor(state: SqlState, deps: ScreenDeps, then: Then = 'run'): SqlState {
  const statement = statementToRun(bufferOf(state, deps))
  if (statement === null) {
    deps.say('There is nothing to run: write a SELECT first.')
    return state
  }
  const parameters = sqlParameters(statement.sql)
  const values = valuesOf(parameters, state.saved, deps)
  const isMissing = parameters.some(({ name }) => values[name] === undefined)
  if (isMissing) return askForParameters(state, statement, deps, then)
  return runStatement(state, statement, values, deps, then)
}

/** The form of the parameters of what stands at the cursor. */
export function editParameters(state: SqlState, deps: ScreenDeps): SqlState {
  const statement = statementToRun(bufferOf(state, deps))
  if (statement !== null && sqlParameters(statement.sql).length > 0)
    return askForParameters(state, statement, deps, 'run')
  deps.say('This statement has no parameters: {name:Type} in the SQL is one, e.g. {period:String}.')
  return state
}

/** What the statement's parameters stand at: as typed last, else as they were saved. */
function valuesOf(
  parameters: readonly SqlParameter[],
  saved: SavedQuery | null,
  { desk }: Pick<ScreenView, 'desk'>,
): Record<string, string> {
  const typed = desk.values()
  return Object.fromEntries(
    parameters.flatMap(({ name }) => {
      const byDefault = saved?.parameters.find(each => each.name === name)?.default
      const value = typed[name] ?? (byDefault === undefined ? undefined : textOfValue(byDefault))
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function textOfValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Runs a statement with the values of its parameters as they were typed. */
export function runStatement(
  state: SqlState,
  statement: SqlStatement,
  values: Readonly<Record<string, string>>,
  deps: ScreenDeps,
  then: Then,
): SqlState {
  const params = paramsOf(statement, values)
  if (then === 'explain') {
    deps.ask(
      'explain',
      deps.http.post('/api/query/explain', { sql: statement.sql, params }, { lineFields: sqlLineFields }),
    )
    return { ...state, panel: null }
  }
  if (state.run !== null && resultOf(state, deps)?.status === 'running') deps.results.cancel(state.run.resultId)
  deps.desk.remember(statement.sql)
  const before = placeBefore(bufferOf(state, deps).text, statement)
  const placed = '\n'.repeat(before.lines) + ' '.repeat(before.characters) + statement.sql
  const resultId = deps.results.start({ sql: placed, params })
  const isSame = state.run?.statement.sql === statement.sql
  return {
    ...state,
    run: { resultId, statement, before, params },
    grid: isSame ? { ...gridStart, isFrozen: state.grid.isFrozen, wide: state.grid.wide } : gridStart,
    chart: isSame ? state.chart : null,
    panel: null,
    isLive: then === 'live',
    completion: null,
    search: '',
  }
}

/** Values as they are sent: text, which the server reads by its type; lists and NULL are made here. */
export function paramsOf(
  { sql }: Pick<SqlStatement, 'sql'>,
  values: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(sqlParameters(sql).map(({ name, type }) => [name, sentValue(type, values[name] ?? '')]))
}

function sentValue(type: string, text: string): unknown {
  const [, wrapper, inner = ''] = /^(Array|Nullable)\((.+)\)$/.exec(type) ?? []
  if (wrapper === 'Nullable')
    return text.trim() === '' || text.trim().toUpperCase() === 'NULL' ? null : sentValue(inner, text)
  if (wrapper !== 'Array') return type === 'String' ? text : text.trim()
  const listed = jsonList(text)
  if (listed !== null) return listed
  return text.trim() === '' ? [] : text.split(',').map(each => sentValue(inner, each.trim()))
}

/** `["a", "b"]`; null for what is no such list. */
function jsonList(text: string): unknown[] | null {
  if (!text.trim().startsWith('[')) return null
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) ? parsed : null
  } catch {
    return null
  }
}

const formName = (name: string) => `parameter ${name}`

/** A field for each parameter, with its type. */
export function parametersForm(statement: SqlStatement, saved: SavedQuery | null): FormSpec {
  return {
    fields: [
      ...sqlParameters(statement.sql).map(({ name, type }) => ({
        kind: 'text' as const,
        name: formName(name),
        label: `${name} ${type}`,
        hint: saved?.parameters.find(each => each.name === name)?.description || hintOf(type),
        lengthMax: 2_000,
        check: (text: string) => problemOf(type, text),
      })),
      { kind: 'button', name: 'run', label: 'Run' },
      { kind: 'button', name: 'cancel', label: 'Cancel' },
    ],
    submit: 'run',
  }
}

/** What was typed into that form, by the names of the parameters. */
export function typedValues(statement: SqlStatement, form: Parameters<typeof textIn>[0]): Record<string, string> {
  return Object.fromEntries(sqlParameters(statement.sql).map(({ name }) => [name, textIn(form, formName(name))]))
}

function askForParameters(state: SqlState, statement: SqlStatement, deps: ScreenDeps, then: Then): SqlState {
  const parameters = sqlParameters(statement.sql)
  const values = valuesOf(parameters, state.saved, deps)
  const texts = Object.fromEntries(parameters.map(({ name }) => [formName(name), values[name] ?? '']))
  const form = openForm(parametersForm(statement, state.saved), { texts })
  const panel: SqlPanel = { kind: 'form', form: { kind: 'parameters', statement, then }, state: form }
  return { ...state, panel, completion: null }
}

function hintOf(type: string): string {
  if (type.startsWith('Array')) return 'a, b, c'
  if (type.startsWith('Nullable')) return 'empty is NULL'
  if (type.startsWith('DateTime')) return '2017-11-14T06:30:00Z'
  if (type.startsWith('Date')) return '2017-11-14'
  if (type === 'Bool') return 'true or false'
  return /^(U?Int|Float)/.test(type) ? '10' : ''
}

/** What can be seen to be no value of the type; the rest is the server's to say. */
function problemOf(type: string, text: string): string | null {
  const typed = text.trim()
  if (/^U?Int\d+$/.test(type) && !/^-?\d+$/.test(typed)) return 'A whole number, please, e.g. 10.'
  if (type === 'Float64' && (typed === '' || !Number.isFinite(Number(typed)))) return 'A number, please, e.g. 1.5.'
  if (type === 'Bool' && !/^(true|false)$/.test(typed)) return 'true or false, please.'
  if (/^Date/.test(type) && typed === '') return `An instant, please, e.g. ${hintOf(type)}.`
  return null
}

/** What the server says of a statement that it would run. */
export function explainedAnswer(state: SqlState, result: HttpResult, deps: ScreenDeps): SqlState {
  const answer = result.ok ? QueryExplanationSchema.safeParse(result.body).data : undefined
  if (answer === undefined) {
    deps.say(result.ok ? "The server's answer was not understood." : result.message)
    return state
  }
  const head = `Reads ${answer.tables.length === 0 ? 'no table' : answer.tables.join(', ')}`
  return {
    ...state,
    zone: 'grid',
    panel: { kind: 'plan', lines: [head, '', ...answer.plan], top: 0 },
  }
}
