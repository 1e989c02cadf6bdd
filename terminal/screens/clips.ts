import { DownloadLinkSchema } from '../../contracts/clips.ts'
import { formatSubject } from '../command/subject.ts'
import type { HttpResult } from '../net/http-client.ts'
import { selectedIndexOf, selectIndex } from '../state/list-state.ts'
import { firstPage, pageText } from '../state/pages.ts'
import { formatBytes, formatInstant } from '../text/format.ts'
import type { Style } from '../theme/style.ts'
import { roleOfShare, shareBar } from '../widgets/share-bar.ts'
import type { Cell, Column } from '../widgets/table.ts'
import { timecode } from './cut-state.ts'
import { joinLine } from './join-line.ts'
import { type ClipRow, clipsResource, isUnderWay, mediaListResource } from './media-resources.ts'
import { openAddress } from './open-address.ts'
import { drawPage, moveInPages, type PagedList, pagedStart } from './paged-list.ts'
import { failedMark } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'
import { trendingColumns, trendingText } from './trending-mark.ts'

interface ClipsState extends PagedList {
  /** What the next press cancels or deletes. */
  removing: string | null
}

/** One's own clip requests, newest first. */
export const clipsFactory = screenFactory<ClipsState>({
  fn: 'CLIPS',
  contexts: ['clips', 'pages', 'list'],
  open: () => ({ ...pagedStart, removing: null }),
  title: () => 'CLIPS',
  queries: () => [],
  resources: ({ pages }) => [clipsResource(pages), mediaListResource(firstPage)],
  draw: drawClips,
  act(state, call, deps) {
    return call.name === 'answer' && call.answer !== undefined
      ? answered(state, call.answer, deps)
      : actInClips(state, call, deps)
  },
  subject(state, view) {
    const row = selectedRow(state, view)
    // What is known of a video is known of those of platforms.
    return row === null || row.vodId.startsWith('own:') ? null : { type: 'clip', id: row.vodId }
  },
  list(state, view) {
    const columns = [
      'requestId',
      'vodId',
      'startTime',
      'endTime',
      'status',
      'progress',
      'reason',
      'bytes',
      'credits',
      'createdAt',
      'expiresAt',
    ]
    return { title: 'CLIPS', columns, rows: rowsOf(state, view), asOf: null }
  },
  known: (state, view) =>
    rowsOf(state, view).map(({ vodId }) => ({
      subject: { type: 'clip', id: vodId },
      title: titlesIn(view).get(vodId) ?? vodId,
    })),
  copyText: (state, view) => selectedRow(state, view)?.requestId ?? '',
})

/** Lines below the table: what is to be said of the selected clip, and storage with hints. */
const footHeight = 2

function rowsOf({ pages }: ClipsState, { resource }: Pick<ScreenView, 'resource'>): readonly ClipRow[] {
  return resource(clipsResource(pages)).body?.data ?? []
}

function selectedRow(state: ClipsState, view: Pick<ScreenView, 'resource'>): ClipRow | null {
  const rows = rowsOf(state, view)
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

/** Names of the videos by their ids, as far as they are among the newest media. */
function titlesIn({ resource }: Pick<ScreenView, 'resource'>): ReadonlyMap<string, string> {
  const media = resource(mediaListResource(firstPage)).body?.data ?? []
  return new Map(media.map(row => [row.vodId, row.title || row.sourceLabel]))
}

// Drawing

function columnsOf(
  rows: readonly ClipRow[],
  { titles, nowMs }: { titles: ReadonlyMap<string, string>; nowMs: number },
): readonly Column<ClipRow>[] {
  return [
    {
      title: 'ASKED',
      width: 16,
      fromWidth: 104,
      cell: row => ({ text: formatInstant(Date.parse(row.createdAt)), role: 'muted' }),
    },
    {
      title: 'VIDEO',
      width: 12,
      flex: 1,
      cell: row => ({ text: titles.get(row.vodId) ?? row.vodId, role: 'subject' }),
    },
    ...trendingColumns(rows),
    { title: 'FROM', width: 12, align: 'right', cell: row => ({ text: timecode(row.startTime), role: 'text' }) },
    { title: 'LENGTH', width: 8, align: 'right', cell: row => ({ text: lengthText(row), role: 'text' }) },
    { title: 'STATE', width: 16, cell: (row, style) => stateCell(row, { style, nowMs }) },
    { title: 'MADE', width: 8, fromWidth: 72, cell: row => ({ text: madeText(row), role: 'muted' }) },
    {
      title: 'SIZE',
      width: 7,
      align: 'right',
      fromWidth: 84,
      cell: row => ({ text: row.bytes === undefined ? '-' : formatBytes(row.bytes), role: 'muted' }),
    },
    {
      title: 'KEPT TO',
      width: 16,
      fromWidth: 122,
      cell: row => ({ text: row.expiresAt === null ? '-' : formatInstant(Date.parse(row.expiresAt)), role: 'muted' }),
    },
  ]
}

function lengthText({ startTime, endTime }: ClipRow): string {
  return `${Number((endTime - startTime).toFixed(3))} s`
}

function isGone({ status, expiresAt }: ClipRow, nowMs: number): boolean {
  return status === 'ready' && expiresAt !== null && Date.parse(expiresAt) <= nowMs
}

function stateCell(row: ClipRow, { style, nowMs }: { style: Style; nowMs: number }): Cell {
  switch (row.status) {
    case 'pending':
      return { text: `${style.glyphs.ring} waiting`, role: 'muted' }
    case 'processing': {
      const { full, empty } = shareBar(row.progress, 11, style.isAscii)
      return { text: `${full}${empty} ${Math.floor(row.progress * 100)}%`, role: 'accent' }
    }
    case 'ready':
      return isGone(row, nowMs)
        ? { text: 'expired', role: 'faint' }
        : { text: `${style.glyphs.dot} ready`, role: 'good' }
    case 'error':
      return { text: '! no clip', role: 'error' }
  }
}

/** How it was made, or is to be. */
function madeText({ result, options }: ClipRow): string {
  if (result !== undefined) return result.tier
  return options.isAudioOnly ? 'audio' : options.mode
}

/** What is to be said of one clip: why there is none, or what was made. */
function detailOf(row: ClipRow, nowMs: number): Cell {
  if (row.reason !== undefined) return { text: `! ${row.reason}`, role: 'error' }
  if (isGone(row, nowMs)) return { text: 'The file has expired: c cuts it again.', role: 'warn' }
  const { result, credits } = row
  const price = `${credits} ${credits === 1 ? 'credit' : 'credits'}`
  const parts =
    result === undefined
      ? [row.estimatedCompletion === null ? '' : `ready at about ${row.estimatedCompletion.slice(11, 19)} UTC`, price]
      : [
          `${timecode(result.actual.startSec)} to ${timecode(result.actual.endSec)}`,
          result.frameCount === null ? '' : `${result.frameCount} frames, ${result.encodedFrameCount} encoded anew`,
          price,
          trendingText(row.trending),
          ...result.notes,
        ]
  return { text: parts.filter(part => part !== '').join('  '), role: 'muted' }
}

function tableHeight({ height }: Pick<ScreenView, 'height'>): number {
  return Math.max(1, height - footHeight)
}

function drawClips(state: ClipsState, view: ScreenView): string[] {
  const { nowMs } = view
  const page = view.resource(clipsResource(state.pages))
  const rows = page.body?.data ?? []
  const titles = titlesIn(view)
  const table = drawPage(state.list, view, {
    ...{ page, columns: columnsOf(rows, { titles, nowMs }), height: tableHeight(view) },
    empty: 'No clips yet: choose a video in MEDIA, and mark one in CUT.',
    // Clips expire to the minute.
    cellKey: `clips ${Math.floor(nowMs / 60_000)} ${rows.map(row => titles.get(row.vodId)).join()}`,
  })
  const selected = selectedRow(state, view)
  return [...table, drawDetail(state, selected, view), drawFoot(state, selected, view)].slice(0, view.height)
}

function drawDetail(state: ClipsState, row: ClipRow | null, { style, width, nowMs }: ScreenView): string {
  if (row === null) return ' '.repeat(width)
  const asked = isUnderWay(row.status)
    ? '! Cancel it? x again cancels, and it costs nothing. Esc lets it go on.'
    : '! Delete it? x again deletes the clip. Esc keeps it.'
  const { text, role } =
    state.removing === row.requestId ? { text: asked, role: 'warn' as const } : detailOf(row, nowMs)
  return style.paint(role, style.fit(` ${text}`, width))
}

function drawFoot(state: ClipsState, row: ClipRow | null, view: ScreenView): string {
  const { style, width } = view
  const page = view.resource(clipsResource(state.pages))
  const failed = failedMark(view, page)
  const hints = [
    pageText(state.pages, page.body?.nextCursor),
    ...(row === null ? [] : row.status === 'ready' ? ['d download  o open  l link  x delete'] : ['x remove']),
    ...(row === null ? [] : ['c cut']),
  ]
  return joinLine(
    [failed === '' ? storageText(state, view) : ` ${failed}`],
    style.paint('muted', `${hints.filter(hint => hint !== '').join('  ')} `),
    width,
  )
}

function storageText({ pages }: ClipsState, { resource, style, width }: ScreenView): string {
  const storage = resource(clipsResource(pages)).body?.storage
  if (storage === undefined) return ''
  const { usedBytes, limitBytes } = storage
  if (limitBytes === null) return style.paint('muted', ` ${formatBytes(usedBytes)} used`)
  const share = limitBytes === 0 ? 1 : usedBytes / limitBytes
  const bar = width < 100 ? '' : shareBar(share, 12, style.isAscii)
  const drawn = bar === '' ? '' : `${style.paint(roleOfShare(share), bar.full)}${style.paint('faint', bar.empty)} `
  return ` ${drawn}${style.paint('muted', `${formatBytes(usedBytes)} of ${formatBytes(limitBytes)} used`)}`
}

// Acting

function actInClips(state: ClipsState, call: ActionCall, deps: ScreenDeps): ClipsState | null {
  const page = deps.resource(clipsResource(state.pages))
  const moved = moveInPages(state, call, { page, height: tableHeight(deps), y: 0 })
  if (moved !== null) return { ...moved, removing: null }
  const row = selectedRow(state, deps)
  switch (call.name) {
    case 'clips.download':
    case 'clips.open':
    case 'clips.link':
      if (row !== null) askForLink(row, call.name, deps)
      return { ...state, removing: null }
    case 'clips.remove':
      return row === null ? state : remove(state, row, deps)
    case 'clips.cut':
      if (row !== null) deps.run(`${formatSubject({ type: 'clip', id: row.vodId })} CUT`)
      return { ...state, removing: null }
    case 'back':
      return state.removing === null ? null : { ...state, removing: null }
    default:
      return null
  }
}

/** A link ends soon, so that every use asks for a fresh one. */
function askForLink(row: ClipRow, use: 'clips.download' | 'clips.open' | 'clips.link', deps: ScreenDeps): void {
  if (isUnderWay(row.status)) return deps.say('The clip is not ready yet: the bar shows how far it is.')
  if (row.status === 'error') return deps.say(`There is no clip: ${row.reason ?? 'no reason was given.'}`)
  deps.ask(use, deps.http.get(`/api/clips/download/${row.requestId}`, {}))
}

function remove(state: ClipsState, row: ClipRow, deps: ScreenDeps): ClipsState {
  const rows = rowsOf(state, deps)
  // The selection is pinned, so that a request that comes in between is not the one that is removed.
  if (state.removing !== row.requestId) {
    const list = selectIndex(state.list, rows, rows.indexOf(row), Math.max(1, tableHeight(deps) - 1))
    return { ...state, removing: row.requestId, list }
  }
  deps.ask('remove', deps.http.delete(`/api/clips/requests/${row.requestId}`))
  return { ...state, removing: null }
}

function answered(
  state: ClipsState,
  { tag, result }: { tag: string; result: HttpResult },
  deps: ScreenDeps,
): ClipsState {
  if (tag === 'browser') {
    if (result.ok && result.body !== true) deps.say('No browser can be opened here: l copies the link, d downloads.')
    return state
  }
  deps.refresh('/api/clips')
  if (!result.ok) {
    deps.say(result.message)
    return state
  }
  if (tag !== 'remove') takeLink(tag, result.body, deps)
  return state
}

function takeLink(use: string, body: unknown, deps: ScreenDeps): void {
  const link = DownloadLinkSchema.safeParse(body)
  if (!link.success) return deps.say("The server's answer was not understood: it may be of another version.")
  const { fileName, bytes } = link.data
  // Where the server does not know its own address, it names the path alone.
  const url = link.data.url.startsWith('/') ? `${deps.serverUrl}${link.data.url}` : link.data.url
  switch (use) {
    case 'clips.download':
      return deps.download({ url, fileName, bytes })
    case 'clips.link':
      return deps.copy(url, 'the link')
    case 'clips.open':
      return openAddress(url, deps)
  }
}
