import { z } from 'zod'
import { type SavedQuery, SavedQuerySchema } from '../../contracts/queries.ts'
import type { HttpResult } from '../net/http-client.ts'
import { listStart, selectedIndexOf, selectIndex, topOf } from '../state/list-state.ts'
import { draftCharsMax } from '../state/sql-desk.ts'
import { editLine, type TextLine, typeInto } from '../state/text-line.ts'
import { clean, cleanLines } from '../text/clean.ts'
import { formatAge } from '../text/format.ts'
import { openBuffer, replaceAll } from '../text/text-buffer.ts'
import { cellWidth, takeCells } from '../text/width.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { drawTextEditor } from '../widgets/text-editor.ts'
import { noResourceBox } from './resource-notice.ts'
import type { ActionCall, ScreenDeps, ScreenView } from './screen.ts'
import { withText } from './sql-edit.ts'
import { withSaved } from './sql-forms.ts'
import { layoutSql } from './sql-layout.ts'
import { type SavedQueryRow, savedQueriesResource, savedQueryPath, sqlLineFields } from './sql-resources.ts'
import { bufferOf, type SqlPanel, type SqlState } from './sql-state.ts'

// Lists that one types into at once: what was run, and what was saved. Below the list is the SQL of the selected line.

type HistoryPanel = Extract<SqlPanel, { kind: 'history' }>
type OpenPanel = Extract<SqlPanel, { kind: 'open' }>

const searchLengthMax = 200
const emptyLine: TextLine = { text: '', cursor: 0 }

export const historyPanel: HistoryPanel = { kind: 'history', search: emptyLine, selected: 0 }
export const openPanel: OpenPanel = { kind: 'open', search: emptyLine, list: listStart }

const prompts = { history: ' run before: ', open: ' saved queries: ' } as const

/** Where the cursor stands: behind what was typed into the first line. */
export function pickerCursor(panel: HistoryPanel | OpenPanel): { x: number; y: number } {
  return { x: prompts[panel.kind].length + cellWidth(panel.search.text.slice(0, panel.search.cursor)), y: 0 }
}

/** What is said of the selected line. */
export function spokenPicker(panel: HistoryPanel | OpenPanel, view: ScreenView): string {
  const selected = panel.kind === 'history' ? historyOf(panel, view)[panel.selected] : selectedQuery(panel, view)?.name
  return `${prompts[panel.kind].trim()} ${panel.search.text}. ${clean(selected ?? 'nothing found')}`
}

/** The list with its preview: exactly `height` lines. */
export function drawPicker(panel: HistoryPanel | OpenPanel, view: ScreenView): string[] {
  const { style, width, height } = view
  const search = takeCells(panel.search.text, Math.max(0, width - prompts[panel.kind].length - 1))
  const head = `${style.bold('accent', prompts[panel.kind])}${style.paint('subject', style.fit(search, width - prompts[panel.kind].length))}`
  const room = Math.max(1, height - 1)
  const listHeight = Math.max(1, Math.ceil(room * 0.55))
  const previewHeight = Math.max(0, room - listHeight - 1)
  const list = panel.kind === 'history' ? drawHistory(panel, view, listHeight) : drawQueries(panel, view, listHeight)
  const sql = panel.kind === 'history' ? historyOf(panel, view)[panel.selected] : selectedQuery(panel, view)?.sql
  const rule = style.paint('faint', style.glyphs.line.repeat(width))
  const preview = drawTextEditor({
    buffer: openBuffer(sql ?? '', 0),
    top: 0,
    width,
    height: previewHeight,
    hasFocus: false,
    style,
    current: null,
    problem: null,
    hint: '',
  }).lines
  return [head, ...list, rule, ...preview].slice(0, height)
}

function historyOf({ search }: HistoryPanel, { desk }: Pick<ScreenView, 'desk'>): readonly string[] {
  const wanted = search.text.toLowerCase()
  return desk.history().filter(sql => sql.toLowerCase().includes(wanted))
}

function drawHistory(panel: HistoryPanel, view: ScreenView, height: number): string[] {
  const { style, width } = view
  const entries = historyOf(panel, view)
  const top = Math.max(0, panel.selected - height + 1)
  const lines = entries.slice(top, top + height).map((sql, i) => {
    const line = style.fit(` ${clean(sql)}`, width)
    return top + i === panel.selected ? style.inverse(line) : style.paint('subject', line)
  })
  if (entries.length === 0)
    lines.push(
      style.paint(
        'muted',
        style.fit(panel.search.text === '' ? ' Nothing was run here yet.' : ' Nothing like that was run.', width),
      ),
    )
  return Array.from({ length: height }, (_, y) => lines[y] ?? ' '.repeat(width))
}

const columns: readonly Column<SavedQueryRow>[] = [
  { title: 'NAME', width: 16, flex: 2, cell: row => ({ text: row.name, role: 'subject' }) },
  {
    title: 'WHOSE',
    width: 8,
    cell: row => ({ text: row.isOwn ? 'mine' : 'others', role: row.isOwn ? 'text' : 'muted' }),
  },
  { title: 'SEEN BY', width: 8, cell: row => ({ text: row.visibility, role: 'muted' }) },
  { title: 'VER', width: 4, align: 'right', cell: row => ({ text: String(row.version), role: 'muted' }) },
  { title: 'DESCRIPTION', width: 12, flex: 3, fromWidth: 70, cell: row => ({ text: row.description, role: 'muted' }) },
]

function drawQueries(panel: OpenPanel, view: ScreenView, height: number): string[] {
  const { style, width, nowMs } = view
  const answer = view.resource(savedQueriesResource(panel.search.text))
  const rows = answer.body?.data ?? []
  const selectedIndex = selectedIndexOf(panel.list, rows)
  if (rows.length === 0)
    return noResourceBox(
      { ...view, height },
      answer,
      panel.search.text === ''
        ? 'No saved queries yet: write one, and s on the rows saves it.'
        : 'No query is called so.',
    )
  return drawTable({
    rows,
    columns: [
      ...columns,
      {
        title: 'CHANGED',
        width: 7,
        align: 'right',
        fromWidth: 90,
        cell: row => ({ text: formatAge(row.updatedAt, nowMs), role: 'muted' }),
      },
    ],
    width,
    height,
    top: topOf(panel.list, selectedIndex, rows.length, Math.max(1, height - 1)),
    selectedIndex,
    hasFocus: true,
    style,
    nowMs,
    cellKey: `queries ${Math.floor(nowMs / 60_000)}`,
  })
}

function selectedQuery(panel: OpenPanel, { resource }: Pick<ScreenView, 'resource'>): SavedQueryRow | null {
  const rows = resource(savedQueriesResource(panel.search.text)).body?.data ?? []
  return rows[selectedIndexOf(panel.list, rows)] ?? null
}

/** The state after an action in a list, or null when it is none of it. */
export function actInPicker(
  state: SqlState,
  panel: HistoryPanel | OpenPanel,
  call: ActionCall,
  deps: ScreenDeps,
): SqlState | null {
  switch (call.name) {
    case 'form.cancel':
    case 'back':
      return { ...state, panel: null }
    case 'form.next':
    case 'pointer.wheelDown':
      return { ...state, panel: moveIn(panel, 1, deps) }
    case 'form.previous':
    case 'pointer.wheelUp':
      return { ...state, panel: moveIn(panel, -1, deps) }
    case 'form.enter':
      return panel.kind === 'history' ? takeHistory(state, panel, deps) : takeQuery(state, panel, deps)
    case 'form.text':
      return { ...state, panel: searching(panel, typeInto(panel.search, typedText(call.text ?? ''), searchLengthMax)) }
    default: {
      const line = editLine(panel.search, call.name)
      return line === null ? null : { ...state, panel: searching(panel, line) }
    }
  }
}

/** A space alone is no text to clean. */
function typedText(text: string): string {
  return text === ' ' ? text : clean(text)
}

function searching(panel: HistoryPanel | OpenPanel, search: TextLine): SqlPanel {
  if (search.text === panel.search.text) return { ...panel, search }
  return panel.kind === 'history' ? { ...panel, search, selected: 0 } : { ...panel, search, list: listStart }
}

function moveIn(panel: HistoryPanel | OpenPanel, by: 1 | -1, view: ScreenView): SqlPanel {
  if (panel.kind === 'history') {
    const count = historyOf(panel, view).length
    return { ...panel, selected: Math.max(0, Math.min(count - 1, panel.selected + by)) }
  }
  const rows = view.resource(savedQueriesResource(panel.search.text)).body?.data ?? []
  const height = Math.max(1, Math.ceil((view.height - 1) * 0.55) - 1)
  return { ...panel, list: selectIndex(panel.list, rows, selectedIndexOf(panel.list, rows) + by, height) }
}

function takeHistory(state: SqlState, panel: HistoryPanel, deps: ScreenDeps): SqlState {
  const sql = historyOf(panel, deps)[panel.selected]
  return sql === undefined ? { ...state, panel: null } : withOtherText(state, sql, null, deps)
}

function takeQuery(state: SqlState, panel: OpenPanel, deps: ScreenDeps): SqlState {
  const query = selectedQuery(panel, deps)
  return query === null ? { ...state, panel: null } : openSaved(state, query, deps)
}

/** Another text in the editor; the one before is kept with what was run, and can be undone to. */
export function withOtherText(state: SqlState, sql: string, saved: SavedQuery | null, deps: ScreenDeps): SqlState {
  const buffer = bufferOf(state, deps)
  deps.desk.remember(buffer.text)
  const height = layoutSql(state, deps).editorHeight
  const text = cleanLines(sql).slice(0, draftCharsMax)
  const next = withText({ ...state, panel: null }, replaceAll(buffer, text), { ...deps, height })
  return withSaved({ ...next, zone: 'editor' }, saved, deps)
}

/** A saved query in the editor, with the values that it was saved with where none were typed. */
export function openSaved(state: SqlState, query: SavedQuery, deps: ScreenDeps): SqlState {
  const opened = withOtherText(state, query.sql, query, deps)
  deps.say(`${query.name}, version ${query.version}: Ctrl-J runs it.`)
  return opened
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Asks for the saved query that a command names, by its id or its name. */
export function askForSaved(named: string, deps: ScreenDeps): void {
  deps.ask(
    `named ${named}`,
    uuid.test(named)
      ? deps.http.get(savedQueryPath(named), {}, { lineFields: sqlLineFields })
      : deps.http.get('/api/queries', { search: named, limit: '50' }, { lineFields: sqlLineFields }),
  )
}

/** What came of it: the query of that name, else the only one that has it in its name. */
export function namedAnswer(state: SqlState, named: string, result: HttpResult, deps: ScreenDeps): SqlState {
  if (!result.ok) {
    deps.say(result.message)
    return state
  }
  const parsed = z.union([SavedQuerySchema, z.object({ data: z.array(SavedQuerySchema) })]).safeParse(result.body)
  const found = !parsed.success ? [] : 'data' in parsed.data ? parsed.data.data : [parsed.data]
  const wanted = named.toLowerCase()
  const query = found.find(each => each.id === named || each.name.toLowerCase() === wanted) ?? found[0]
  if (query !== undefined) return openSaved(state, query, deps)
  deps.say(`There is no saved query ${named} that you may see: o lists them.`)
  return state
}
