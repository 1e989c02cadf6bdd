import { type Vod, VodSchema } from '../../contracts/vods.ts'
import type { HttpResult } from '../net/http-client.ts'
import { actInForm, type FormSpec, type FormState, openForm, spokenField, textIn, withProblem } from '../state/form.ts'
import { selectedIndexOf } from '../state/list-state.ts'
import { pageText } from '../state/pages.ts'
import { formatBytes, formatInstant } from '../text/format.ts'
import { drawForm } from '../widgets/form.ts'
import type { Column } from '../widgets/table.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { clockText } from './measure-text.ts'
import { type MediaRow, mediaListResource, mediaPath } from './media-resources.ts'
import { drawPage, moveInPages, type PagedList, pagedStart } from './paged-list.ts'
import { failedMark } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface MediaState extends PagedList {
  form: FormState | null
  /** What the next press removes. */
  removing: string | null
}

/** One's own media, newest first. */
export const mediaFactory = screenFactory<MediaState>({
  fn: 'MEDIA',
  contexts: ['media', 'pages', 'list'],
  open: () => ({ ...pagedStart, form: null, removing: null }),
  title: ({ form }) => (form === null ? 'MEDIA' : 'MEDIA NEW'),
  queries: () => [],
  resources: ({ pages }) => [mediaListResource(pages)],
  isTyping: ({ form }) => form !== null,
  cursor: ({ form }, view) => (form === null ? null : placeForm(form, view).cursor),
  spoken: ({ form }) => (form === null ? '' : spokenField(sourceForm, form)),
  draw: (state, view) => (state.form === null ? drawMedia(state, view) : placeForm(state.form, view).lines),
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    return state.form === null ? actInMedia(state, call, deps) : actInNew(state, state.form, call, deps)
  },
  list(state, view) {
    const columns = ['vodId', 'title', 'sourceKind', 'sourceLabel', 'duration', 'bytes', 'createdAt', 'expiresAt']
    return { title: 'MEDIA', columns, rows: rowsOf(state, view), asOf: null }
  },
  known: (state, view) =>
    rowsOf(state, view).map(row => ({ subject: { type: 'clip', id: row.vodId }, title: row.title || row.sourceLabel })),
  copyText: (state, view) => selectedRow(state, view)?.vodId ?? '',
})

/** What media is taken from, for MEDIA and CUT. */
export const sourceForm: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'source',
      label: 'File or address',
      hint: '/home/me/Videos/stream.mp4 or https://…',
      lengthMax: 4096,
      check: text =>
        text.trim() === '' ? 'Type the path of a file, an address that begins with https://, or sample.' : null,
    },
    { kind: 'button', name: 'register', label: 'Register' },
    { kind: 'button', name: 'cancel', label: 'Cancel' },
  ],
  submit: 'register',
}

const columns: readonly Column<MediaRow>[] = [
  { title: 'ADDED', width: 16, cell: row => ({ text: formatInstant(Date.parse(row.createdAt)), role: 'muted' }) },
  { title: 'TITLE', width: 12, flex: 3, cell: row => ({ text: row.title || row.sourceLabel, role: 'subject' }) },
  { title: 'LENGTH', width: 8, align: 'right', cell: row => ({ text: clockText(row.duration), role: 'text' }) },
  { title: 'PICTURE', width: 18, fromWidth: 72, cell: row => ({ text: pictureText(row), role: 'muted' }) },
  {
    title: 'SIZE',
    width: 9,
    align: 'right',
    fromWidth: 84,
    cell: row => ({ text: row.bytes === null ? '-' : formatBytes(row.bytes), role: 'muted' }),
  },
  { title: 'FROM', width: 12, flex: 1, fromWidth: 96, cell: row => ({ text: row.sourceLabel, role: 'muted' }) },
  {
    title: 'KEPT TO',
    width: 10,
    fromWidth: 110,
    cell: row => ({
      text: row.expiresAt === null ? 'for good' : formatInstant(Date.parse(row.expiresAt)).slice(0, 10),
      role: 'muted',
    }),
  },
]

function pictureText({ media: { video } }: Vod): string {
  if (video === null) return 'sound alone'
  const rate = video.framesPerSec === null ? '' : ` ${Number(video.framesPerSec.toFixed(2))}`
  return `${video.widthPx}x${video.heightPx}${rate} ${video.codec}`
}

function rowsOf({ pages }: MediaState, { resource }: Pick<ScreenView, 'resource'>): readonly MediaRow[] {
  return resource(mediaListResource(pages)).body?.data ?? []
}

function selectedRow(state: MediaState, view: Pick<ScreenView, 'resource'>): MediaRow | null {
  const rows = rowsOf(state, view)
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

function tableHeight({ height }: Pick<ScreenView, 'height'>): number {
  return Math.max(1, height - 1)
}

function drawMedia(state: MediaState, view: ScreenView): string[] {
  const { style, width } = view
  const page = view.resource(mediaListResource(state.pages))
  const table = drawPage(state.list, view, {
    ...{ page, columns, height: tableHeight(view), cellKey: 'media' },
    empty: 'No media yet: a registers a file or an address that you may use.',
  })
  const selected = selectedRow(state, view)
  const failed = failedMark(view, page)
  const hints = [
    pageText(state.pages, page.body?.nextCursor),
    ...(page.body === null ? [] : ['a add']),
    ...(selected === null ? [] : ['Enter cut', 'D remove']),
  ]
  const last =
    selected !== null && state.removing === selected.vodId
      ? style.paint(
          'warn',
          style.fit(' ! Remove it, with what was computed of it? D again removes; your file stays.', width),
        )
      : joinLine(
          [failed === '' ? '' : ` ${failed}`],
          style.paint('muted', `${hints.filter(hint => hint !== '').join('  ')} `),
          width,
        )
  return [...table, last].slice(0, view.height)
}

function placeForm(form: FormState, view: ScreenView) {
  const head: FormHead[] = [
    { text: 'Media that you may use', role: 'title', isTitle: true },
    {
      text: 'A file of the machine that Cliptape runs on, below a folder of CLIPTAPE_MEDIA_ROOTS, or an address of a file or HLS playlist. Type sample for the one that comes with Cliptape.',
      role: 'muted',
    },
  ]
  return centredForm(view, head, room => drawForm(sourceForm, form, { ...room, style: view.style }))
}

function actInMedia(state: MediaState, call: ActionCall, deps: ScreenDeps): MediaState | null {
  const page = deps.resource(mediaListResource(state.pages))
  const moved = moveInPages(state, call, { page, height: tableHeight(deps), y: 0 })
  if (moved !== null) return { ...state, ...moved, removing: null }
  const row = selectedRow(state, deps)
  switch (call.name) {
    case 'media.add':
      return { ...state, form: openForm(sourceForm), removing: null }
    case 'media.cut':
    case 'row.open':
      if (row !== null) deps.run(`${row.vodId} CUT`)
      return { ...state, removing: null }
    case 'media.remove':
      if (row === null) return state
      if (state.removing !== row.vodId) return { ...state, removing: row.vodId }
      deps.ask('remove', deps.http.delete(mediaPath(row.vodId)))
      return { ...state, removing: null }
    case 'back':
      return state.removing === null ? null : { ...state, removing: null }
    default:
      return null
  }
}

function actInNew(state: MediaState, form: FormState, call: ActionCall, deps: ScreenDeps): MediaState | null {
  if (call.name === 'form.cancel' || call.name === 'back') return { ...state, form: null }
  const pressed = call.name === 'pointer.press' ? pressInForm(sourceForm, form, call, placeForm(form, deps)) : null
  const acted = actInForm(sourceForm, pressed?.form ?? form, pressed?.call ?? call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, form: null }
  if (acted.pressed !== sourceForm.submit) return { ...state, form: acted.state }
  deps.ask('register', deps.http.post('/api/vods', { source: textIn(acted.state, 'source').trim() }))
  return { ...state, form: { ...acted.state, isBusy: true } }
}

/** A refusal stays in the form with what was typed. What was registered is opened in CUT. */
function answered(
  state: MediaState,
  { tag, result }: { tag: string; result: HttpResult },
  deps: ScreenDeps,
): MediaState {
  deps.refresh('/api/vods')
  if (!result.ok) {
    if (tag === 'register' && state.form !== null)
      return { ...state, form: withProblem(state.form, result.message, 'source') }
    deps.say(result.message)
    return state
  }
  if (tag !== 'register') return state
  const vod = VodSchema.safeParse(result.body)
  if (vod.success) deps.run(`${vod.data.vodId} CUT`)
  return { ...state, ...pagedStart, form: null }
}
