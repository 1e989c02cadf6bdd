import { z } from 'zod'
import type { WatchColumn, WatchRow } from '../../contracts/watchlists.ts'
import { sparkline } from '../charts/sparkline.ts'
import { formatSubject, type Subject, subjectOf } from '../command/subject.ts'
import { findCreator } from '../net/find-creator.ts'
import type { HttpResult } from '../net/http-client.ts'
import { actInForm, spokenField, textIn, withProblem } from '../state/form.ts'
import {
  type ListState,
  listStart,
  moveInList,
  pressInList,
  selectedIndexOf,
  selectIndex,
  topOf,
} from '../state/list-state.ts'
import type { LiveQuery } from '../state/live-data.ts'
import { formatAge } from '../text/format.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { noRowsBox, notLiveMark } from './live-notice.ts'
import { failedMark } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'
import { accelerationCell, gainCell, measureColumn, platformCell } from './trend-columns.ts'
import { type WatchlistRow, watchlistsResource } from './watch-resources.ts'
import {
  listRequestOf,
  openListForm,
  openNoteForm,
  openSubjectForm,
  placeWatchForm,
  subjectTyped,
  type WatchForm,
  watchSpecs,
} from './wl-forms.ts'

interface WlState {
  /** The list that is shown: by its id, by the name that was typed, or the first. */
  shown: { id: string } | { name: string } | null
  list: ListState
  form: WatchForm | null
  /** The row that the next press takes off. */
  removing: string | null
  /** The next press deletes the list. */
  isDeleting: boolean
}

/** WL: what one keeps an eye on, in an order of one's own, with live numbers. */
export const wlFactory = screenFactory<WlState>({
  fn: 'WL',
  contexts: ['watchlist', 'list'],
  open: ({ args }) => ({
    shown: args.name === undefined || args.view === 'new' ? null : { name: args.name },
    list: listStart,
    form: args.view === 'new' ? openListForm(null, args.name) : args.view === 'add' ? openSubjectForm() : null,
    removing: null,
    isDeleting: false,
  }),
  title: ({ shown, form }) =>
    form?.kind === 'list' && form.of === null
      ? 'WL NEW'
      : shown !== null && 'name' in shown
        ? `WL ${shown.name}`
        : 'WL',
  queries: state => [rowsQuery(state)],
  resources: () => [watchlistsResource],
  isTyping: ({ form }) => form !== null,
  cursor: ({ form }, view) => (form === null ? null : placeWatchForm(form, view).cursor),
  spoken: ({ form }) => (form === null ? '' : spokenField(watchSpecs[form.kind], form.form)),
  draw: (state, view) => (state.form === null ? drawWl(state, view) : placeWatchForm(state.form, view).lines),
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    return state.form === null ? actInWl(state, call, deps) : actInWatchForm(state, state.form, call, deps)
  },
  subject(state, view) {
    const row = selectedRow(state, view)
    return row === null ? null : subjectOf(row.type, row.id)
  },
  list(state, view) {
    const { rows, asOf } = view.live(rowsQuery(state))
    const shown = shownList(state, view)
    const columns = ['type', 'id', 'title', 'creatorName', ...(shown?.columns ?? []).flatMap(name => exported[name])]
    return { title: `WL ${shown?.name ?? ''}`, columns, rows, asOf }
  },
  known: (state, view) => rowsIn(state, view).map(row => ({ subject: subjectOf(row.type, row.id), title: row.title })),
  copyText(state, view) {
    const row = selectedRow(state, view)
    return row === null ? '' : row.url || formatSubject(subjectOf(row.type, row.id))
  },
})

/** Fields of a row that a column shows. */
const exported: Readonly<Record<WatchColumn, readonly string[]>> = {
  platform: ['platform'],
  creator: [],
  views: ['views'],
  gain: ['gain', 'gainState'],
  velocity: ['velocity'],
  acceleration: ['acceleration'],
  engagement: ['engagement'],
  outlier: ['outlier'],
  clippers: ['clippers'],
  followers: ['followers'],
  videos: ['videos'],
  age: ['publishedAt'],
  niche: ['niches'],
  trend: ['spark'],
  note: ['note'],
}

function rowsQuery({ shown }: WlState): LiveQuery<'watchlist'> {
  if (shown === null) return { name: 'watchlist', params: {} }
  return { name: 'watchlist', params: 'id' in shown ? { watchlistId: shown.id } : { name: shown.name } }
}

function rowsIn(state: WlState, { live }: Pick<ScreenView, 'live'>): readonly WatchRow[] {
  return live(rowsQuery(state)).rows
}

function selectedRow(state: WlState, view: Pick<ScreenView, 'live'>): WatchRow | null {
  const rows = rowsIn(state, view)
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

function listsIn({ resource }: Pick<ScreenView, 'resource'>): readonly WatchlistRow[] {
  return resource(watchlistsResource).body?.data ?? []
}

/** As the server finds the list that the rows are of. */
function shownList({ shown }: WlState, view: Pick<ScreenView, 'resource'>): WatchlistRow | null {
  const lists = listsIn(view)
  if (shown === null) return lists[0] ?? null
  const isShown = (list: WatchlistRow) =>
    'id' in shown ? list.id === shown.id : list.name.toLowerCase() === shown.name.toLowerCase()
  return lists.find(isShown) ?? null
}

// Drawing

const headHeight = 1
const footHeight = 1

const columnOf: Readonly<Record<WatchColumn, (nowMs: number) => Column<WatchRow>>> = {
  platform: () => ({ title: 'ON', width: 2, cell: platformCell }),
  creator: () => ({
    title: 'CREATOR',
    width: 12,
    flex: 1,
    fromWidth: 70,
    cell: row => ({ text: row.creatorName ?? '-', role: 'text' }),
  }),
  views: () => measureColumn('views', 7, 0),
  gain: () => ({ ...measureColumn('gain', 8, 0), isLive: true, cell: gainCell }),
  velocity: () => measureColumn('velocity', 7, 54),
  acceleration: () => ({ ...measureColumn('acceleration', 8, 70), cell: accelerationCell }),
  engagement: () => measureColumn('engagement', 6, 80),
  outlier: () => measureColumn('outlier', 7, 62),
  clippers: () => measureColumn('clippers', 8, 80),
  followers: () => measureColumn('followers', 7, 80),
  videos: () => ({
    title: 'CLIPS',
    width: 5,
    align: 'right',
    fromWidth: 80,
    cell: row => ({ text: String(row.videos), role: 'muted' }),
  }),
  age: nowMs => ({
    title: 'AGE',
    width: 4,
    align: 'right',
    fromWidth: 60,
    cell: row => ({ text: row.publishedAt === null ? '-' : formatAge(row.publishedAt, nowMs), role: 'muted' }),
  }),
  niche: () => ({
    title: 'NICHE',
    width: 11,
    fromWidth: 90,
    cell: row => ({ text: row.niches[0] ?? '-', role: 'muted' }),
  }),
  trend: () => ({
    title: 'TREND',
    width: 10,
    fromWidth: 76,
    cell: (row, style) => ({ text: sparkline(row.spark, 10, style.isAscii), role: 'accent' }),
  }),
  note: () => ({ title: 'NOTE', width: 10, flex: 1, fromWidth: 86, cell: row => ({ text: row.note, role: 'muted' }) }),
}

function columnsFor(list: WatchlistRow | null, nowMs: number): readonly Column<WatchRow>[] {
  return [
    {
      title: 'WATCHED',
      width: 14,
      flex: 2,
      cell: row => ({ text: row.type === 'topics' ? `#${row.title}` : row.title || row.id, role: 'subject' }),
    },
    ...(list?.columns ?? []).map(name => columnOf[name](nowMs)),
  ]
}

function tableHeightOf({ height }: Pick<ScreenView, 'height'>): number {
  return Math.max(1, height - headHeight - footHeight)
}

function drawWl(state: WlState, view: ScreenView): string[] {
  const { style, width, nowMs } = view
  const list = shownList(state, view)
  const snapshot = view.live(rowsQuery(state))
  const { rows } = snapshot
  const height = tableHeightOf(view)
  const selectedIndex = selectedIndexOf(state.list, rows)
  const empty =
    list === null
      ? 'No watchlist yet: press * on a row of TOP, or a to type a name.'
      : 'Nothing here yet: a adds by name, * on a row of any list.'
  const table =
    rows.length === 0
      ? noRowsBox({ ...view, height }, snapshot, empty)
      : drawTable({
          rows,
          columns: columnsFor(list, view.dataNowMs),
          width,
          height,
          top: topOf(state.list, selectedIndex, rows.length, Math.max(1, height - 1)),
          selectedIndex,
          hasFocus: view.isFocused,
          style,
          changedAtMs: snapshot.changedAtMs,
          nowMs,
          cellKey: `watch ${Math.floor(view.dataNowMs / 3_600_000)}`,
        })
  return [listLine(list, view), ...table, footOf(state, list, view)].slice(0, view.height)
}

/** The lists as tabs, the one that is shown inverse. */
function listLine(shown: WatchlistRow | null, view: ScreenView): string {
  const { style, width } = view
  const tabs = listsIn(view).map(list => {
    const text = ` ${list.name} ${list.itemCount} `
    return list.id === shown?.id ? style.inverse(style.bold('title', text)) : style.paint('muted', text)
  })
  const window = shown === null ? '' : style.paint('muted', `${shown.period} `)
  return joinLine(tabs, window, width)
}

function footOf(state: WlState, list: WatchlistRow | null, view: ScreenView): string {
  const { style, width } = view
  const snapshot = view.live(rowsQuery(state))
  if (state.isDeleting)
    return style.paint(
      'warn',
      style.fit(` ! Delete the list ${list?.name ?? ''}? D again deletes. Esc keeps it.`, width),
    )
  const row = selectedRow(state, view)
  if (row !== null && state.removing === row.key)
    return style.paint('warn', style.fit(` ! Take ${row.title || row.id} off? x again does. Esc keeps it.`, width))
  const failed = failedMark(view, view.resource(watchlistsResource))
  const hints =
    width < 90
      ? 'a x { } i m o t n  ? keys'
      : 'a add  x remove  { } move  i note  m to next list  o columns  t next list  n new'
  const note = row === null || row.note === '' ? '' : row.note
  return joinLine(
    [
      failed === ''
        ? style.paint('text', ` ${style.fit(note, Math.min(note.length, Math.floor(width / 3)))}`)
        : ` ${failed}`,
      notLiveMark(view, snapshot),
    ],
    style.paint('muted', `${hints} `),
    width,
  )
}

// Acting

function actInWl(state: WlState, call: ActionCall, deps: ScreenDeps): WlState | null {
  const rows = rowsIn(state, deps)
  const height = Math.max(1, tableHeightOf(deps) - 1)
  const kept = { ...state, removing: null, isDeleting: false }
  const moved = moveInList(state.list, call.name, rows, height)
  if (moved !== null) return { ...kept, list: moved }
  const list = shownList(state, deps)
  switch (call.name) {
    case 'watch.subject':
      return { ...kept, form: openSubjectForm() }
    case 'watch.create':
      return { ...kept, form: openListForm(null) }
    case 'watch.columns':
      return list === null ? kept : { ...kept, form: openListForm(list) }
    case 'watch.list':
      return { ...kept, ...nextShown(list, deps), list: listStart }
    case 'watch.delete':
      if (list === null) return kept
      if (!state.isDeleting) return { ...kept, isDeleting: true }
      deps.ask('delete', deps.http.delete(`/api/watchlists/${list.id}`))
      return { ...kept, shown: null, list: listStart }
    case 'pointer.press':
      return { ...kept, list: pressInList(state.list, (call.at?.y ?? 0) - headHeight - 1, rows, height) }
    case 'back':
      return state.removing === null && !state.isDeleting ? null : kept
    default:
      return list === null ? null : actOnRow(kept, state.removing, call, { deps, list, rows, height })
  }
}

function nextShown(list: WatchlistRow | null, deps: ScreenDeps): Pick<WlState, 'shown'> {
  const next = listAfter(list, deps)
  return { shown: next === null ? null : { id: next.id } }
}

function listAfter(list: WatchlistRow | null, deps: ScreenDeps): WatchlistRow | null {
  const lists = listsIn(deps)
  return lists[(lists.findIndex(({ id }) => id === list?.id) + 1) % Math.max(1, lists.length)] ?? null
}

function actOnRow(
  state: WlState,
  removing: string | null,
  call: ActionCall,
  o: { deps: ScreenDeps; list: WatchlistRow; rows: readonly WatchRow[]; height: number },
): WlState | null {
  const { deps, list, rows, height } = o
  const index = selectedIndexOf(state.list, rows)
  const row = rows[index]
  if (row === undefined) return null
  const items = `/api/watchlists/${list.id}/items`
  const { type, id } = row
  const subject = subjectOf(type, id)
  /** The selection follows its row. */
  const pinned = { ...state, list: selectIndex(state.list, rows, index, height) }
  switch (call.name) {
    case 'row.open':
      deps.run(`${formatSubject(subject)} DES`)
      return state
    case 'row.chart':
      deps.run(`${formatSubject(subject)} GP`)
      return state
    case 'watch.note':
      return { ...state, form: openNoteForm(row) }
    case 'watch.up':
    case 'watch.down': {
      const position = index + (call.name === 'watch.up' ? -1 : 1)
      if (position < 0 || position >= rows.length) return state
      deps.ask('change', deps.http.patch(items, { type, id, position }))
      return pinned
    }
    case 'watch.move': {
      const next = listAfter(list, deps)
      if (next === null || next.id === list.id) deps.say('There is no other list: n begins one.')
      else deps.ask('change', deps.http.patch(items, { type, id, watchlistId: next.id }))
      return state
    }
    case 'watch.remove':
      if (removing !== row.key) return { ...pinned, removing: row.key }
      deps.ask('change', deps.http.delete(`${items}?${new URLSearchParams({ type, id })}`))
      return state
    default:
      return null
  }
}

function actInWatchForm(state: WlState, watch: WatchForm, call: ActionCall, deps: ScreenDeps): WlState | null {
  if (call.name === 'form.cancel' || call.name === 'back') return { ...state, form: null }
  const spec = watchSpecs[watch.kind]
  const pressed =
    call.name === 'pointer.press' ? pressInForm(spec, watch.form, call, placeWatchForm(watch, deps)) : null
  const acted = actInForm(spec, pressed?.form ?? watch.form, pressed?.call ?? call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, form: null }
  const form = { ...watch, form: acted.state }
  if (acted.pressed !== spec.submit) return { ...state, form }
  submit(form, state, deps)
  return { ...state, form: { ...form, form: { ...form.form, isBusy: true } } }
}

function submit(watch: WatchForm, state: WlState, deps: ScreenDeps): void {
  const list = shownList(state, deps)
  switch (watch.kind) {
    case 'subject':
      return askForSubject(subjectTyped(watch.form), textIn(watch.form, 'note').trim(), list, deps)
    case 'note': {
      const row = rowsIn(state, deps).find(({ key }) => key === watch.key)
      if (row === undefined || list === null) return
      const body = { type: row.type, id: row.id, note: textIn(watch.form, 'note').trim() }
      return deps.ask('form', deps.http.patch(`/api/watchlists/${list.id}/items`, body))
    }
    case 'list': {
      const request = listRequestOf(watch.form)
      const sent =
        watch.of === null
          ? deps.http.post('/api/watchlists', request)
          : deps.http.put(`/api/watchlists/${watch.of.id}`, request, `"${watch.of.version}"`)
      return deps.ask('list', sent)
    }
  }
}

/** A name is found first; whoever has no list gets one. */
function askForSubject(subject: Subject, note: string, list: WatchlistRow | null, { ask, http }: ScreenDeps): void {
  const put = async (): Promise<HttpResult> => {
    const found =
      subject.type === 'search' ? await findCreator(http, subject.text) : { ok: true as const, body: subject }
    if (!found.ok) return found
    const { type, id: subjectId } = found.body
    const made = list === null ? await http.post('/api/watchlists', { name: 'Watchlist' }) : null
    if (made?.ok === false) return made
    const id = list?.id ?? IdSchema.parse(made?.body).id
    return await http.post(`/api/watchlists/${id}/items`, { type: `${type}s`, id: subjectId, note })
  }
  ask('form', put())
}

const IdSchema = z.object({ id: z.string() })

function answered(state: WlState, { tag, result }: { tag: string; result: HttpResult }, deps: ScreenDeps): WlState {
  deps.refresh('/api/watchlists')
  const { form } = state
  if (!result.ok) {
    if (form !== null && (tag === 'form' || tag === 'list'))
      return { ...state, form: { ...form, form: withProblem(form.form, result.message) } }
    deps.say(result.message)
    return state
  }
  if (tag === 'list') {
    const made = IdSchema.safeParse(result.body)
    return { ...state, form: null, list: listStart, shown: made.success ? { id: made.data.id } : state.shown }
  }
  return tag === 'form' ? { ...state, form: null } : state
}
