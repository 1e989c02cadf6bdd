import {
  type Board,
  type BoardValues,
  type BoardVariable,
  type ChoicesSource,
  defaultValues,
  type FilledSource,
  fillSource,
  type Panel,
  type PanelSource,
  variableOf,
} from '../../contracts/dashboards.ts'
import type { AnyLiveQuery, LiveState } from '../state/live-data.ts'
import type { ScreenView } from './screen.ts'

// What panels are fed with: whichever kind of query stands behind one, its rows look the same here.

/** A row of whatever answer, by the names of its fields. */
export interface PanelRow {
  key: string
  values: Readonly<Record<string, unknown>>
}

/** What is known of a panel's rows now. `rows` is the same array until one of them changes. */
export interface PanelAnswer extends LiveState {
  fields: readonly string[]
  rows: readonly PanelRow[]
}

type Reads = Pick<ScreenView, 'live' | 'liveSql'>

/** Reads the answer to a source that has been subscribed to. */
export function readAnswer(source: FilledSource, reads: Reads): PanelAnswer {
  if ('name' in source) {
    const snapshot = reads.live(source)
    const rows = namedRows(snapshot.rows)
    return { ...snapshot, rows, fields: Object.keys(snapshot.rows[0] ?? {}) }
  }
  const snapshot = reads.liveSql(source)
  const fields = snapshot.columns.map(column => column.name)
  return { ...snapshot, fields, rows: sqlRows(snapshot.rows, fields) }
}

const known = new WeakMap<readonly object[], readonly PanelRow[]>()
const knownRows = new WeakMap<object, PanelRow>()

/** A row stays the same object for as long as it is the same below: tables format each once. */
function namedRows(rows: readonly { key: string }[]): readonly PanelRow[] {
  return remembered(rows, row => ({ key: row.key, values: { ...row } }))
}

function sqlRows(
  rows: readonly { key: string; cells: readonly unknown[] }[],
  fields: readonly string[],
): readonly PanelRow[] {
  return remembered(rows, row => ({
    key: row.key,
    values: Object.fromEntries(fields.map((field, i) => [field, row.cells[i]])),
  }))
}

function remembered<R extends object>(rows: readonly R[], make: (row: R) => PanelRow): readonly PanelRow[] {
  const before = known.get(rows)
  if (before !== undefined) return before
  const made = rows.map(row => {
    const one = knownRows.get(row) ?? make(row)
    knownRows.set(row, one)
    return one
  })
  known.set(rows, made)
  return made
}

/** The choices of a variable that come from rows; they know no variables themselves. */
export function choicesSource(variable: BoardVariable): ChoicesSource | null {
  return variable.type === 'choice' && !Array.isArray(variable.choices) ? variable.choices : null
}

/** The source of a variable's choices as it is subscribed to. */
export function choicesQuery(source: ChoicesSource): FilledSource {
  return fillSource(source.source, {})
}

/** What may be chosen for a variable now, with what each is called. */
export function choicesOf(variable: BoardVariable, reads: Reads): { value: string; title: string }[] {
  if (variable.type !== 'choice') return []
  const source = choicesSource(variable)
  if (source === null)
    return Array.isArray(variable.choices) ? variable.choices.map(({ value, title = value }) => ({ value, title })) : []
  return readAnswer(choicesQuery(source), reads).rows.flatMap(({ values }) => {
    const value = values[source.value]
    const title = values[source.title ?? source.value]
    return typeof value === 'string' && value !== ''
      ? [{ value, title: typeof title === 'string' ? title : value }]
      : []
  })
}

/** The values that a board is shown with: what was chosen, and the defaults of the rest. */
export function valuesOf(board: Board, chosen: BoardValues): BoardValues {
  const defaults = defaultValues(board)
  const fitting = Object.entries(chosen).filter(([name]) => name in defaults)
  return { ...defaults, ...Object.fromEntries(fitting) }
}

/** Variables whose value is not known yet, because it is the first of choices that have not come. */
export function openVariables(board: Board, chosen: BoardValues): BoardVariable[] {
  return board.variables.filter(
    variable => choicesSource(variable) !== null && (valuesOf(board, chosen)[variable.name] ?? '') === '',
  )
}

/** A panel's source with the values of a board; null while one of them is not known. */
export function panelQuery(panel: Pick<Panel, 'source'>, board: Board, chosen: BoardValues): FilledSource | null {
  const open = new Set(openVariables(board, chosen).map(variable => variable.name))
  return namesOf(panel.source).some(name => open.has(name)) ? null : fillSource(panel.source, valuesOf(board, chosen))
}

function namesOf(source: PanelSource): string[] {
  return Object.values(source.params).flatMap(param => variableOf(param) ?? [])
}

/** Everything that a board subscribes to. */
export function boardQueries(board: Board, chosen: BoardValues): AnyLiveQuery[] {
  const choices = board.variables.flatMap(variable => {
    const source = choicesSource(variable)
    return source === null ? [] : [choicesQuery(source)]
  })
  return [...choices, ...board.panels.flatMap(panel => panelQuery(panel, board, chosen) ?? [])]
}
