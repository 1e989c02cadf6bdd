import { formatSubject, type Subject } from '../command/subject.ts'
import { selectedIndexOf } from '../state/list-state.ts'
import { pageText } from '../state/pages.ts'
import { formatCount, formatInstant } from '../text/format.ts'
import { truncate } from '../text/width.ts'
import type { Column } from '../widgets/table.ts'
import { creatorResource, type FoundVod, vodsResource } from './creator-resources.ts'
import { joinLine } from './join-line.ts'
import { noSubjectBox, noticeBox } from './live-notice.ts'
import { clockText } from './measure-text.ts'
import { drawPage, moveInPages, type PagedList, pagedStart } from './paged-list.ts'
import { failedMark } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'
import { trendingColumns } from './trending-mark.ts'

interface VodState extends PagedList {
  subject: Subject | null
}

/** A creator's videos, newest first. */
export const vodFactory = screenFactory<VodState>({
  fn: 'VOD',
  contexts: ['videos', 'pages', 'list'],
  open: ({ subject }) => ({ subject, ...pagedStart }),
  title: ({ subject }) => (subject === null ? 'VOD' : `${formatSubject(subject)} VOD`),
  queries: () => [],
  resources(state) {
    const creatorId = creatorOf(state)
    return creatorId === null ? [] : [creatorResource(creatorId), vodsResource(creatorId, state.pages)]
  },
  draw: drawVods,
  act: actInVods,
  subject(state, view) {
    const row = selectedRow(state, view)
    return row === null ? state.subject : { type: 'clip', id: row.vodId }
  },
  follow(state, subject) {
    return subject.type === 'creator' ? { ...state, ...pagedStart, subject } : null
  },
  list(state, view) {
    const columns = ['vodId', 'title', 'publishedAt', 'duration', 'kind', 'thumbnailUrl', 'source']
    return { title: 'VOD', columns, rows: rowsOf(state, view), asOf: null }
  },
  known: (state, view) =>
    rowsOf(state, view).map(row => ({ subject: { type: 'clip', id: row.vodId }, title: row.title })),
  copyText: (state, view) => selectedRow(state, view)?.vodId ?? '',
})

function creatorOf({ subject }: VodState): string | null {
  return subject?.type === 'creator' ? subject.id : null
}

function rowsOf(state: VodState, { resource }: Pick<ScreenView, 'resource'>): readonly FoundVod[] {
  const creatorId = creatorOf(state)
  return creatorId === null ? [] : (resource(vodsResource(creatorId, state.pages)).body?.data ?? [])
}

function selectedRow(state: VodState, view: Pick<ScreenView, 'resource'>): FoundVod | null {
  const rows = rowsOf(state, view)
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

const mediaWords: Readonly<Record<FoundVod['source'], string>> = { attached: 'yes', attachable: '-', none: 'live' }

const columnsOf = (rows: readonly FoundVod[]): readonly Column<FoundVod>[] => [
  {
    title: 'PUBLISHED',
    width: 16,
    cell: row => ({ text: row.publishedAt === null ? '-' : formatInstant(Date.parse(row.publishedAt)), role: 'muted' }),
  },
  { title: 'TITLE', width: 12, flex: 3, cell: row => ({ text: row.title || row.vodId, role: 'subject' }) },
  ...trendingColumns(rows),
  {
    title: 'LENGTH',
    width: 8,
    align: 'right',
    cell: row => ({ text: row.duration === null ? '-' : clockText(row.duration), role: 'text' }),
  },
  { title: 'KIND', width: 7, fromWidth: 56, cell: row => ({ text: row.kind, role: 'muted' }) },
  {
    title: 'MEDIA',
    width: 5,
    cell: ({ source, attachAs }) => ({
      text: attachAs === undefined ? mediaWords[source] : 'own',
      role: source === 'attached' ? 'good' : 'faint',
    }),
  },
  { title: 'THUMBNAIL', width: 12, flex: 1, fromWidth: 110, cell: row => ({ text: row.thumbnailUrl, role: 'faint' }) },
]

/** Between the line with the creator and the foot. */
function tableHeight({ height }: Pick<ScreenView, 'height'>): number {
  return Math.max(1, height - 2)
}

function drawVods(state: VodState, view: ScreenView): string[] {
  const creatorId = creatorOf(state)
  if (state.subject === null || state.subject.type === 'search') return noSubjectBox(view, 'VOD', state.subject)
  if (creatorId === null)
    return noticeBox(view, {
      role: 'text',
      head: 'VOD of whom?',
      text: 'Videos belong to a creator: type @creator VOD.',
    })
  const creator = view.resource(creatorResource(creatorId))
  const vods = view.resource(vodsResource(creatorId, state.pages))
  const { style, width } = view
  const name = creator.body?.data.name || creatorId
  const head = joinLine(
    [
      style.bold('title', ` ${truncate(name, Math.max(8, Math.floor(width / 2)), style.glyphs.ellipsis)}`),
      style.paint('muted', creator.body === null ? '' : `${formatCount(creator.body.data.videos)} videos`),
      style.paint('muted', followersText(creator.body?.data.followers ?? null)),
    ],
    '',
    width,
  )
  const table = drawPage(state.list, view, {
    ...{ page: vods, columns: columnsOf(vods.body?.data ?? []), height: tableHeight(view), cellKey: 'vods' },
    empty: 'No source has named a video of this creator yet.',
  })
  const hints = [pageText(state.pages, vods.body?.nextCursor), 'Enter describe  c chart  x cut'].filter(
    text => text !== '',
  )
  const failed = failedMark(view, vods, creator)
  return [
    head,
    ...table,
    joinLine([failed === '' ? '' : ` ${failed}`], style.paint('muted', hints.join('  ')), width),
  ].slice(0, view.height)
}

function followersText(followers: number | null): string {
  return followers === null ? '' : `${formatCount(followers)} followers`
}

function actInVods(state: VodState, call: ActionCall, deps: ScreenDeps): VodState | null {
  const creatorId = creatorOf(state)
  if (creatorId === null) return null
  const page = deps.resource(vodsResource(creatorId, state.pages))
  const moved = moveInPages(state, call, { page, height: tableHeight(deps), y: 1 })
  if (moved !== null) return { ...state, ...moved }
  switch (call.name) {
    case 'row.open':
    case 'row.chart':
    case 'video.cut': {
      const row = selectedRow(state, deps)
      const fn = { 'row.open': 'DES', 'row.chart': 'GP VIEWS 7D', 'video.cut': 'CUT' }[call.name]
      if (row !== null) deps.run(`${formatSubject({ type: 'clip', id: row.vodId })} ${fn}`)
      return state
    }
    default:
      return null
  }
}
