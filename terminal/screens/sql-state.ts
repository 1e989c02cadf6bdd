import { type QueryPlace, type SavedQuery, sqlCharsMax } from '../../contracts/queries.ts'
import type { QueryResultState, ResultId } from '../net/query-results.ts'
import type { FormState } from '../state/form.ts'
import type { GridState } from '../state/grid-state.ts'
import type { ListState } from '../state/list-state.ts'
import type { TextLine } from '../state/text-line.ts'
import { type SqlStatement, statementAt } from '../text/sql-tokens.ts'
import { openBuffer, placeOf, selectionOf, type TextBuffer } from '../text/text-buffer.ts'
import type { GridSource } from '../widgets/grid.ts'
import type { ScreenView } from './screen.ts'
import type { ChartChoice } from './sql-chart.ts'

/** Where keys go: into the text, or to the rows and to the commands of the screen. */
export type SqlZone = 'editor' | 'grid'

/** A run of one statement. */
export interface SqlRun {
  /** Of rows that were fetched; null while they are live. */
  resultId: ResultId
  statement: SqlStatement
  /** Lines and characters that are sent before the statement, so that the server counts as the text does. */
  before: { lines: number; characters: number }
  /** Values as they are sent. */
  params: Readonly<Record<string, unknown>>
}

/** What is asked before something is done. */
export type SqlForm =
  | { kind: 'parameters'; statement: SqlStatement; then: 'run' | 'live' | 'explain' }
  | { kind: 'save'; isNew: boolean }
  | { kind: 'export' }
  | { kind: 'row' }
  | { kind: 'chart' }

/** What stands in the place of the rows, or of the whole screen. */
export type SqlPanel =
  | { kind: 'form'; form: SqlForm; state: FormState }
  | { kind: 'history'; search: TextLine; selected: number }
  | { kind: 'open'; search: TextLine; list: ListState }
  | { kind: 'versions'; list: ListState }
  | { kind: 'cell'; top: number }
  | { kind: 'plan'; lines: readonly string[]; top: number }

/** The completion that is shown. */
export interface SqlCompletion {
  /** -1 before one was chosen by the arrows: Tab takes the first, Enter none. */
  selected: number
  /** Asked for by a key: then it is shown even where nothing has been typed. */
  isAsked: boolean
}

export interface SqlState {
  /** Who writes, for the desk. */
  editorId: symbol
  /** Null before anything was done: what the desk has kept is shown. */
  buffer: TextBuffer | null
  /** The first line of the text that is shown. */
  top: number
  /** What was cut last. */
  cut: string
  zone: SqlZone
  completion: SqlCompletion | null
  run: SqlRun | null
  grid: GridState
  /** What is looked for in the rows. */
  search: string
  panel: SqlPanel | null
  chart: ChartChoice | null
  /** The saved query that the text is of. */
  saved: SavedQuery | null
  /** The saved query that is to be opened when it comes. */
  opening: string | null
  /** The rows follow the data. */
  isLive: boolean
  /** The screen has the whole window. */
  isWhole: boolean
  /** The next press of the same key deletes the saved query. */
  isDeleting: boolean
}

/** The text with its cursor: what was written here, else what the desk has kept. */
export function bufferOf(state: SqlState, { desk }: Pick<ScreenView, 'desk'>): TextBuffer {
  if (state.buffer !== null) return state.buffer
  const draft = desk.draft()
  return keptBuffer(draft.text, draft.cursor)
}

let kept: { text: string; buffer: TextBuffer } | null = null

/** The same text gives the same buffer, so that what is drawn again and again is not read anew. */
function keptBuffer(text: string, cursor: number): TextBuffer {
  if (kept?.text !== text || kept.buffer.cursor !== cursor) kept = { text, buffer: openBuffer(text, cursor) }
  return kept.buffer
}

/** What runs: the selection, else the statement at the cursor; null where there is none. */
export function statementToRun(buffer: TextBuffer): SqlStatement | null {
  const selected = selectionOf(buffer)
  if (selected === null) return statementAt(buffer.text, buffer.cursor)
  const inner = statementAt(buffer.text.slice(selected.from, selected.to), 0)
  if (inner === null) return null
  return { sql: inner.sql, start: selected.from + inner.start, end: selected.from + inner.end }
}

/** What is known of the run; null where nothing was run. */
export function resultOf({ run }: SqlState, { result }: Pick<ScreenView, 'result'>): QueryResultState | null {
  return run === null ? null : result(run.resultId)
}

/** The rows that the grid shows: those that follow the data, or those that were fetched. */
export function sourceOf(state: SqlState, view: Pick<ScreenView, 'result' | 'liveSql'>): GridSource | null {
  if (state.run === null) return null
  if (state.isLive) {
    const live = view.liveSql(liveQueryOf(state.run))
    return live.columns.length === 0
      ? null
      : {
          columns: live.columns,
          rowCount: live.rows.length,
          rows: (from, count) => live.rows.slice(from, from + count).map(row => row.cells),
        }
  }
  const result = view.result(state.run.resultId)
  return result.columns.length === 0 ? null : result
}

/** What goes before a statement so that its lines and columns are those of the text; nothing where there is no room for it. */
export function placeBefore(text: string, { sql, start }: SqlStatement): SqlRun['before'] {
  const { line, column } = placeOf(text, start)
  const characters = [...text.slice(start - column, start)].length
  return line + characters + sql.length > sqlCharsMax ? { lines: 0, characters: 0 } : { lines: line, characters }
}

/** The live query that follows what a run asked. */
export function liveQueryOf({ statement, params }: SqlRun) {
  return { sql: statement.sql, params }
}

/** The word in the text where the server found something wrong; null where it is another text by now. */
export function problemSpan(text: string, run: SqlRun, place: QueryPlace): { from: number; to: number } | null {
  if (!text.startsWith(run.statement.sql, run.statement.start)) return null
  const { sql, start } = run.statement
  const lineInStatement = place.line - run.before.lines
  const columnInLine = lineInStatement === 1 ? place.column - run.before.characters : place.column
  let offset = 0
  for (let line = 1; line < lineInStatement; line++) {
    const next = sql.indexOf('\n', offset)
    if (next < 0) break
    offset = next + 1
  }
  // The server counts characters, a string UTF-16 units.
  for (let column = 1; column < columnInLine && offset < sql.length; column++)
    offset += (sql.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1
  const word = /^(?:[\p{L}\p{N}_]+|\S)/u.exec(sql.slice(offset))?.[0].length ?? 1
  return { from: start + offset, to: start + offset + word }
}

/** Whether the text is another one than what was saved. */
export function isChanged(state: SqlState, view: Pick<ScreenView, 'desk'>): boolean {
  return state.saved !== null && state.saved.sql.trim() !== bufferOf(state, view).text.trim()
}
