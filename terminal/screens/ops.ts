import { z } from 'zod'
import type { DeadLetterRow, OpsRow } from '../../contracts/ws.ts'
import { type ListState, listStart, moveInList, selectedIndexOf, selectIndex, topOf } from '../state/list-state.ts'
import type { LiveQuery } from '../state/live-data.ts'
import { formatAge } from '../text/format.ts'
import { type Cell, type Column, drawTable } from '../widgets/table.ts'
import { joinLine } from './join-line.ts'
import { noRowsBox, notLiveMark } from './live-notice.ts'
import { type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface OpsState {
  view: 'parts' | 'letters'
  parts: ListState
  letters: ListState
}

const opsQuery: LiveQuery<'ops'> = { name: 'ops', params: {} }
const lettersQuery: LiveQuery<'deadLetters'> = { name: 'deadLetters', params: {} }

/** What the server answers to a replay: how many letters could be read now. */
const ReplayedSchema = z.object({ replayed: z.number() })

/** How Cliptape itself is doing: sources, rates, queues, stores; and what could not be read, with its reason. */
export const opsFactory = screenFactory<OpsState>({
  fn: 'OPS',
  contexts: ['ops', 'list'],
  open: () => ({ view: 'parts', parts: listStart, letters: listStart }),
  title: state => (state.view === 'parts' ? 'OPS' : 'OPS DEAD LETTERS'),
  queries: () => [opsQuery, lettersQuery],
  draw: (state, view) => (state.view === 'parts' ? drawParts(state, view) : drawLetters(state, view)),
  act(state, call, deps) {
    const rows = deps.live(state.view === 'parts' ? opsQuery : lettersQuery).rows
    const moved = moveInList(state[state.view], call.name, rows, listHeight(deps))
    if (moved !== null) return { ...state, [state.view]: moved }
    switch (call.name) {
      case 'ops.view':
      case 'type.next':
        return { ...state, view: state.view === 'parts' ? 'letters' : 'parts' }
      case 'letter.replay':
      case 'letter.discard':
        settleLetter(state, call.name === 'letter.replay' ? 'replay' : 'discard', deps)
        return state
      case 'pointer.press': {
        const list = state[state.view]
        const selected = selectedIndexOf(list, rows)
        const index = topOf(list, selected, rows.length, listHeight(deps)) + (call.at?.y ?? 0) - 1
        return { ...state, [state.view]: selectIndex(list, rows, index, listHeight(deps)) }
      }
      case 'back':
        return state.view === 'letters' ? { ...state, view: 'parts' } : null
      default:
        return null
    }
  },
  list(state, view) {
    const snapshot = view.live(state.view === 'parts' ? opsQuery : lettersQuery)
    const columns =
      state.view === 'parts'
        ? ['group', 'name', 'state', 'value', 'detail']
        : ['at', 'source', 'reason', 'status', 'file', 'line', 'message', 'excerpt']
    return {
      title: state.view === 'parts' ? 'OPS' : 'OPS dead letters',
      columns,
      rows: snapshot.rows,
      asOf: snapshot.asOf,
    }
  },
  copyText(state, view) {
    const rows = view.live(lettersQuery).rows
    return state.view === 'letters' ? (rows[selectedIndexOf(state.letters, rows)]?.excerpt ?? '') : ''
  },
})

const stateWords = { ok: 'ok', warn: 'WARN', down: 'DOWN', idle: 'idle' } as const

const partColumns: readonly Column<OpsRow>[] = [
  { title: 'PART', width: 8, cell: row => ({ text: row.group, role: 'muted' }) },
  { title: 'NAME', width: 16, flex: 1, cell: row => ({ text: row.name, role: 'subject' }) },
  { title: 'STATE', width: 6, cell: stateCell },
  {
    title: 'VALUE',
    width: 14,
    flex: 1,
    align: 'right',
    isLive: true,
    cell: row => ({ text: row.value, role: 'text' }),
  },
  { title: 'DETAIL', width: 10, flex: 2, fromWidth: 66, cell: row => ({ text: row.detail, role: 'muted' }) },
]

function stateCell(row: OpsRow): Cell {
  const role = ({ ok: 'good', warn: 'warn', down: 'error', idle: 'muted' } as const)[row.state]
  return { text: stateWords[row.state], role, isBold: row.state === 'down' }
}

function letterColumns(nowMs: number): readonly Column<DeadLetterRow>[] {
  return [
    { title: 'AGE', width: 4, align: 'right', cell: row => ({ text: formatAge(row.at, nowMs), role: 'muted' }) },
    { title: 'STATUS', width: 9, cell: row => ({ text: row.status, role: row.status === 'kept' ? 'warn' : 'muted' }) },
    { title: 'REASON', width: 16, cell: row => ({ text: row.reason, role: 'error' }) },
    { title: 'SOURCE', width: 12, flex: 1, fromWidth: 80, cell: row => ({ text: row.source, role: 'muted' }) },
    { title: 'WHERE', width: 14, flex: 1, fromWidth: 60, cell: row => ({ text: whereOf(row), role: 'text' }) },
    { title: 'MESSAGE', width: 12, flex: 3, cell: row => ({ text: row.message, role: 'subject' }) },
  ]
}

function whereOf(row: DeadLetterRow): string {
  return row.line === null ? row.file : `${row.file}:${row.line}`
}

function drawParts(state: OpsState, view: ScreenView): string[] {
  const snapshot = view.live(opsQuery)
  if (snapshot.rows.length === 0) return noRowsBox(view, snapshot, 'The server reports nothing yet.')
  const selectedIndex = selectedIndexOf(state.parts, snapshot.rows)
  const letters = view.live(lettersQuery).rows.filter(row => row.status === 'kept').length
  const letterText =
    letters === 0 ? 'no dead letters' : `${letters} dead ${letters === 1 ? 'letter' : 'letters'}: t shows them`
  const detail = snapshot.rows[selectedIndex]?.detail ?? ''
  return [
    ...drawTable({
      rows: snapshot.rows,
      columns: partColumns,
      width: view.width,
      height: listHeight(view) + 1,
      top: topOf(state.parts, selectedIndex, snapshot.rows.length, listHeight(view)),
      selectedIndex,
      hasFocus: view.isFocused,
      style: view.style,
      changedAtMs: snapshot.changedAtMs,
      nowMs: view.nowMs,
      cellKey: 'ops',
    }),
    footLine(view, detail, [
      notLiveMark(view, snapshot),
      view.style.paint(letters === 0 ? 'muted' : 'warn', letterText),
    ]),
  ]
}

function drawLetters(state: OpsState, view: ScreenView): string[] {
  const snapshot = view.live(lettersQuery)
  if (snapshot.rows.length === 0)
    return noRowsBox(view, snapshot, 'No dead letters: every row could be read. t goes back to the parts.')
  const selectedIndex = selectedIndexOf(state.letters, snapshot.rows)
  return [
    ...drawTable({
      rows: snapshot.rows,
      columns: letterColumns(view.nowMs),
      width: view.width,
      height: listHeight(view) + 1,
      top: topOf(state.letters, selectedIndex, snapshot.rows.length, listHeight(view)),
      selectedIndex,
      hasFocus: view.isFocused,
      style: view.style,
      changedAtMs: snapshot.changedAtMs,
      nowMs: view.nowMs,
      cellKey: `letters ${Math.floor(view.nowMs / 60_000)}`,
    }),
    footLine(view, snapshot.rows[selectedIndex]?.excerpt ?? '', [
      notLiveMark(view, snapshot),
      view.style.paint('muted', 'r replays, d discards, t parts'),
    ]),
  ]
}

/** The last line: what is selected in full on the left, hints on the right. */
function footLine(view: ScreenView, text: string, right: readonly string[]): string {
  const hints = right.filter(part => part !== '').join('  ')
  const room = Math.max(10, view.width - 44)
  return joinLine([view.style.paint('muted', ` ${view.style.fit(text, room).trimEnd()}`)], hints, view.width)
}

/** Rows that are visible: the head and the foot take a line each. */
function listHeight(view: Pick<ScreenView, 'height'>): number {
  return Math.max(1, view.height - 2)
}

function settleLetter(state: OpsState, what: 'replay' | 'discard', deps: ScreenDeps): void {
  const rows = deps.live(lettersQuery).rows
  const letter = rows[selectedIndexOf(state.letters, rows)]
  if (state.view !== 'letters' || letter === undefined) return deps.say('Select a dead letter first: t shows them.')
  if (letter.status !== 'kept') return deps.say(`This letter was ${letter.status} already.`)
  deps.say(what === 'replay' ? 'Replaying…' : 'Discarding…')
  void deps.http.post(`/api/ops/dead-letters/${what}`, { ids: [letter.key] }).then(result => {
    if (!result.ok) return deps.say(result.message)
    if (what === 'discard') return deps.say('The letter was discarded.')
    const parsed = ReplayedSchema.safeParse(result.body)
    const isRead = parsed.success && parsed.data.replayed > 0
    deps.say(isRead ? 'The letter has been read.' : 'The letter still cannot be read: it is kept.')
  })
}
