import { type Period, periods, type TrendRow, trendSorts, trendTypes } from '../../contracts/measures.ts'
import type { Command } from '../command/grammar.ts'
import { formatSubject, formatSubjects, type Subject, subjectOf } from '../command/subject.ts'
import { type ListState, listStart, moveInList, pressInList, selectedIndexOf, topOf } from '../state/list-state.ts'
import type { LiveQuery, LiveSnapshot } from '../state/live-data.ts'
import { drawTable } from '../widgets/table.ts'
import { joinLine } from './join-line.ts'
import { noRowsBox, notLiveMark } from './live-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenFactory, type ScreenView, screenFactory } from './screen.ts'
import { measureTitles, trendColumns } from './trend-columns.ts'
import { trendingText } from './trending-mark.ts'

// TOP and MOV are one screen over two questions: ranked clips, creators or topics. Sort, window, platform and kind are
// part of the question (the server ranks); the filter typed with `/` narrows what is shown and asks nobody.

type TrendType = (typeof trendTypes)[number]
type Args = Readonly<Record<string, string>>

interface TrendListState {
  /** Arguments of the command, canonical: what the query and the title are made of. */
  args: Args
  filter: string
  list: ListState
  /** Marked rows by key, in the order of marking. */
  marks: readonly string[]
}

const marksMax = 4

/** What is biggest now. */
export const topFactory = trendListFactory('TOP', 'trends')
/** What moves fastest. */
export const movFactory = trendListFactory('MOV', 'movers')

function trendListFactory(fn: 'TOP' | 'MOV', queryName: 'trends' | 'movers'): ScreenFactory {
  const queryOf = (state: TrendListState): LiveQuery<'trends' | 'movers'> => ({ name: queryName, params: state.args })
  const rowsOf = (state: TrendListState, view: Pick<ScreenView, 'live'>) =>
    filterRows(view.live(queryOf(state)).rows, state.filter)
  const selectedOf = (state: TrendListState, view: ScreenView) => {
    const rows = rowsOf(state, view)
    return rows[selectedIndexOf(state.list, rows)] ?? null
  }

  return screenFactory<TrendListState>({
    fn,
    contexts: ['list'],
    open: command => ({ args: argsOf(command), filter: '', list: listStart, marks: [] }),
    title: state => titleOf(fn, state.args),
    queries: state => [queryOf(state)],
    filterText: state => state.filter,
    draw(state, view) {
      const snapshot = view.live(queryOf(state))
      const rows = rowsOf(state, view)
      if (rows.length === 0)
        return noRowsBox(view, snapshot, state.filter === '' ? emptyText : `No row contains "${state.filter}".`)
      return drawRows(state, view, rows, { snapshot, sortedBy: fn === 'MOV' ? 'CHG' : sortTitle(state.args) })
    },
    act(state, call, deps) {
      const rows = rowsOf(state, deps)
      const listHeight = tableHeight(deps) - 1
      const list = moveInList(state.list, call.name, rows, listHeight)
      if (list !== null) return { ...state, list }
      return actOnRow(state, call, deps, rows) ?? changeQuestion(state, call)
    },
    subject(state, view) {
      const row = selectedOf(state, view)
      return row === null ? null : subjectOf(typeOf(state.args), row.key)
    },
    list(state, view) {
      const rows = rowsOf(state, view)
      return { title: titleOf(fn, state.args), columns: exportColumns, rows, asOf: view.live(queryOf(state)).asOf }
    },
    known: (state, view) =>
      view.live(queryOf(state)).rows.flatMap(row => {
        const creator: Subject | null = row.creatorId === null ? null : { type: 'creator', id: row.creatorId }
        return [
          { subject: subjectOf(typeOf(state.args), row.key), title: row.title },
          ...(creator === null || row.creatorName === null ? [] : [{ subject: creator, title: row.creatorName }]),
        ]
      }),
    copyText(state, view) {
      const row = selectedOf(state, view)
      return row === null ? '' : row.url || formatSubject(subjectOf(typeOf(state.args), row.key))
    },
  })
}

const emptyText = 'No rows in this window. Try a longer one with p, or import data: cliptape import <file>.'
const exportColumns = [
  'rank',
  'rankChange',
  'key',
  'title',
  'creatorName',
  'platform',
  'views',
  'gain',
  'gainState',
  'velocity',
  'acceleration',
  'engagement',
  'outlier',
  'clippers',
  'followers',
  'videos',
  'publishedAt',
  'sampleAt',
  'source',
  'url',
] as const

/** The table and, below it in panes with room, a line about the selected row: where its number comes from. */
function drawRows(
  state: TrendListState,
  view: ScreenView,
  rows: readonly TrendRow[],
  { snapshot, sortedBy }: { snapshot: LiveSnapshot<'trends' | 'movers'>; sortedBy: string },
): string[] {
  const { style, width, height } = view
  const type = typeOf(state.args)
  const selectedIndex = selectedIndexOf(state.list, rows)
  const hasFoot = height >= 8
  const bodyHeight = tableHeight(view)
  const table = drawTable({
    rows,
    columns: trendColumns(type, { rows, nowMs: view.dataNowMs, sortedBy }),
    width,
    height: bodyHeight,
    top: topOf(state.list, selectedIndex, rows.length, bodyHeight - 1),
    selectedIndex,
    hasFocus: view.isFocused,
    style,
    sortedBy,
    marked: new Set(state.marks),
    changedAtMs: snapshot.changedAtMs,
    nowMs: view.nowMs,
    // Ages are shown in hours at their finest here, so a row is drawn again once an hour of data time.
    cellKey: `${type} ${Math.floor(view.dataNowMs / 3_600_000)}`,
  })
  if (!hasFoot) return table
  const row = rows[selectedIndex]
  const count = `${selectedIndex + 1}/${rows.length}${state.filter === '' ? '' : ` "${state.filter}"`}`
  const right = [notLiveMark(view, snapshot), style.paint('muted', count)].filter(part => part !== '').join('  ')
  return [...table, joinLine(row === undefined ? [] : provenance(row, view), right, width)]
}

/** Where the selected row's number comes from. */
function provenance(row: TrendRow, { style, width }: ScreenView): string[] {
  const source = ` ${style.fit(row.source, Math.min(row.source.length, Math.max(0, width - 24)))}`
  const at = row.sampleAt === null ? '' : `read ${row.sampleAt.slice(0, 16).replace('T', ' ')}`
  const over = row.engagementOver.length === 0 ? '' : `engagement: ${row.engagementOver.join('+')}`
  const note = { value: '', new: 'published in the window', partial: 'first reading in the window' }[row.gainState]
  return [source, at, trendingText(row.trending), note, over].map(part => style.paint('muted', part))
}

function tableHeight(view: Pick<ScreenView, 'height'>): number {
  return view.height >= 8 ? view.height - 1 : view.height
}

function actOnRow(
  state: TrendListState,
  call: ActionCall,
  deps: ScreenDeps,
  rows: readonly TrendRow[],
): TrendListState | null {
  const selectedIndex = selectedIndexOf(state.list, rows)
  const row = rows[selectedIndex]
  const type = typeOf(state.args)
  switch (call.name) {
    case 'row.open':
      if (row !== undefined) deps.run(`${formatSubject(subjectOf(type, row.key))} DES`)
      return state
    case 'row.chart': {
      const marked = state.marks.map(key => subjectOf(type, key))
      const subjects = marked.length > 0 ? marked : row === undefined ? [] : [subjectOf(type, row.key)]
      if (subjects.length > 0) deps.run(`${formatSubjects(subjects)} GP`)
      return { ...state, marks: [] }
    }
    case 'row.mark':
      return row === undefined ? state : markRow(state, row.key, deps)
    case 'filter.text':
      return { ...state, filter: call.text ?? '', list: listStart }
    case 'pointer.press':
      return { ...state, list: pressInList(state.list, (call.at?.y ?? 0) - 1, rows, tableHeight(deps) - 1) }
    case 'back':
      if (state.filter !== '') return { ...state, filter: '', list: listStart }
      return state.marks.length > 0 ? { ...state, marks: [] } : null
    default:
      return null
  }
}

function markRow(state: TrendListState, key: string, deps: ScreenDeps): TrendListState {
  if (state.marks.includes(key)) return { ...state, marks: state.marks.filter(each => each !== key) }
  if (state.marks.length < marksMax) return { ...state, marks: [...state.marks, key] }
  deps.say(`At most ${marksMax} rows are compared; c charts them.`)
  return state
}

/** Actions that ask the server another question; the selection starts again. */
function changeQuestion(state: TrendListState, call: ActionCall): TrendListState | null {
  const { args } = state
  switch (call.name) {
    case 'sort.next':
    case 'sort.previous':
      return asked(state, { sort: step(trendSorts, args.sort ?? 'gain', call.name === 'sort.next' ? 1 : -1) })
    case 'type.next':
      return asked({ ...state, marks: [] }, { type: step(trendTypes, typeOf(args), 1) })
    case 'period.next':
    case 'period.previous':
      return asked(withoutRange(state), {
        period: step(periods, args.period ?? '24h', call.name === 'period.next' ? 1 : -1),
      })
    case 'platform.all':
    case 'platform.youtube':
    case 'platform.tiktok':
    case 'platform.instagram':
      return asked(state, { platform: call.name.slice('platform.'.length) })
    default:
      return null
  }
}

function asked(state: TrendListState, args: Args): TrendListState {
  return { ...state, args: { ...state.args, ...args }, list: listStart }
}

function withoutRange(state: TrendListState): TrendListState {
  const { from: _from, to: _to, ...args } = state.args
  return { ...state, args }
}

function step<T extends string>(values: readonly T[], now: string, by: 1 | -1): T {
  const at = values.map(String).indexOf(now)
  const next = values[(at + by + values.length) % values.length] ?? values[0]
  if (next === undefined) throw new Error('There is nothing to step through.')
  return next
}

function argsOf({ args, subject }: Command): Args {
  const window: Args = args.from === undefined ? { period: (args.period as Period | undefined) ?? '24h' } : {}
  const filter: Args =
    subject?.type === 'creator' ? { creator: subject.id } : subject?.type === 'topic' ? { topic: subject.id } : {}
  return { type: 'clips', ...window, limit: '100', ...filter, ...args }
}

function typeOf(args: Args): TrendType {
  return trendTypes.find(type => type === args.type) ?? 'clips'
}

function titleOf(fn: 'TOP' | 'MOV', args: Args): string {
  const { type, period, platform, sort, limit: _limit, ...named } = args
  const words = [fn, type, period, platform === 'all' ? undefined : platform, sort]
  const plain = words.flatMap(word => (word === undefined ? [] : [word.toUpperCase()]))
  return [...plain, ...Object.entries(named).map(([name, value]) => `${name.toUpperCase()}=${value}`)].join(' ')
}

function sortTitle(args: Args): string {
  const sort = trendSorts.find(each => each === args.sort) ?? 'gain'
  return measureTitles[sort]
}

const filtered = new WeakMap<readonly TrendRow[], { filter: string; rows: readonly TrendRow[] }>()

/** Rows whose title, creator, niches or key contain the filter; computed once for the same rows and filter. */
function filterRows(rows: readonly TrendRow[], filter: string): readonly TrendRow[] {
  if (filter === '') return rows
  const known = filtered.get(rows)
  if (known?.filter === filter) return known.rows
  const wanted = filter.toLowerCase()
  const kept = rows.filter(row =>
    [row.title, row.creatorName ?? '', row.key, ...row.niches].some(text => text.toLowerCase().includes(wanted)),
  )
  filtered.set(rows, { filter, rows: kept })
  return kept
}
