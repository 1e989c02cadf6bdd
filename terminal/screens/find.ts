import { type Monitored, MonitoredSchema } from '../../contracts/crm.ts'
import { formatSubject, type Subject } from '../command/subject.ts'
import {
  actInForm,
  chosenIn,
  type FormSpec,
  type FormState,
  openForm,
  spokenField,
  textIn,
  withProblem,
} from '../state/form.ts'
import { selectedIndexOf } from '../state/list-state.ts'
import { pageText } from '../state/pages.ts'
import { formatAge, formatCount } from '../text/format.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import type { Column } from '../widgets/table.ts'
import { creatorsResource, type FoundCreator } from './creator-resources.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { drawPage, moveInPages, type PagedList, pagedStart } from './paged-list.ts'
import { failedMark } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

const platformChoices = ['all', 'youtube', 'tiktok', 'instagram'] as const

interface FindState extends PagedList {
  search: string
  platform: (typeof platformChoices)[number]
  /** Only those that are watched. */
  isWatched: boolean
  /** The form that takes a creator that no search finds yet. */
  form: FormState | null
}

/** Creators by a part of their name, and which of them are watched. */
export const findFactory = screenFactory<FindState>({
  fn: 'FIND',
  contexts: ['creators', 'pages', 'list'],
  open: ({ args }) => ({
    search: args.search ?? '',
    platform: platformChoices.find(each => each === args.platform) ?? 'all',
    isWatched: args.watched !== undefined,
    ...pagedStart,
    form: null,
  }),
  title: titleOf,
  queries: () => [],
  resources: state => [creatorsResource(state)],
  isTyping: state => state.form !== null,
  cursor: (state, view) => (state.form === null ? null : placeForm(state.form, view).cursor),
  spoken: state => (state.form === null ? '' : spokenField(watchSpec, state.form)),
  draw: (state, view) => (state.form === null ? drawFound(state, view) : placeForm(state.form, view).lines),
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    return state.form === null ? actInFound(state, call, deps) : actInWatch(state, state.form, call, deps)
  },
  subject(state, view) {
    const row = selectedRow(state, view)
    return row === null ? null : subjectOf(row)
  },
  list(state, view) {
    const columns = ['creatorId', 'platform', 'name', 'handle', 'followers', 'videos', 'lastSeenAt', 'monitored']
    return { title: titleOf(state), columns, rows: rowsOf(state, view), asOf: null }
  },
  known: (state, view) => rowsOf(state, view).map(row => ({ subject: subjectOf(row), title: row.handle || row.name })),
  copyText: (state, view) => selectedRow(state, view)?.creatorId ?? '',
  filterText: state => state.search,
})

function titleOf(state: FindState): string {
  if (state.form !== null) return 'FIND WATCH'
  const words = [
    'FIND',
    state.search === '' ? '' : `"${state.search.replaceAll('"', '')}"`,
    state.isWatched ? 'WATCHED' : '',
    state.platform === 'all' ? '' : state.platform.toUpperCase(),
  ]
  return words.filter(word => word !== '').join(' ')
}

function subjectOf({ creatorId }: FoundCreator): Subject {
  return { type: 'creator', id: creatorId }
}

function rowsOf(state: FindState, { resource }: Pick<ScreenView, 'resource'>): readonly FoundCreator[] {
  return resource(creatorsResource(state)).body?.data ?? []
}

function selectedRow(state: FindState, view: Pick<ScreenView, 'resource'>): FoundCreator | null {
  const rows = rowsOf(state, view)
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

const columnsAt = (nowMs: number): readonly Column<FoundCreator>[] => [
  {
    title: 'W',
    width: 1,
    cell: (row, style) => ({ text: row.monitored ? style.glyphs.dot : ' ', role: 'good' }),
  },
  { title: 'CREATOR', width: 14, flex: 2, cell: row => ({ text: row.name || row.creatorId, role: 'subject' }) },
  { title: 'HANDLE', width: 10, flex: 1, fromWidth: 64, cell: row => ({ text: row.handle, role: 'text' }) },
  { title: 'ON', width: 9, cell: row => ({ text: row.platform, role: 'muted' }) },
  {
    title: 'FOLLOW',
    width: 7,
    align: 'right',
    cell: row => ({ text: row.followers === null ? '-' : formatCount(row.followers), role: 'text' }),
  },
  { title: 'VIDEOS', width: 6, align: 'right', cell: row => ({ text: formatCount(row.videos), role: 'text' }) },
  {
    title: 'SEEN',
    width: 4,
    align: 'right',
    fromWidth: 54,
    cell: row => ({ text: row.lastSeenAt === null ? '-' : formatAge(row.lastSeenAt, nowMs), role: 'muted' }),
  },
]

function tableHeight({ height }: Pick<ScreenView, 'height'>): number {
  return Math.max(1, height - 1)
}

function drawFound(state: FindState, view: ScreenView): string[] {
  const { style, width } = view
  const found = view.resource(creatorsResource(state))
  const empty = state.isWatched
    ? 'You watch no creator that fits: w watches the selected one, a takes an address.'
    : 'No source has named such a creator yet: a takes an address, a handle or an id.'
  const table = drawPage(state.list, view, {
    ...{ page: found, columns: columnsAt(view.dataNowMs), height: tableHeight(view), empty },
    cellKey: `${Math.floor(view.dataNowMs / 60_000)}`,
  })
  const failed = failedMark(view, found)
  const hints = [pageText(state.pages, found.body?.nextCursor), '/ search  w watch  a add  o videos  t watched']
  const right = style.paint('muted', hints.filter(text => text !== '').join('  '))
  return [...table, joinLine([failed === '' ? '' : ` ${failed}`], right, width)].slice(0, view.height)
}

const watchSpec: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'creator',
      label: 'Creator',
      hint: 'an address, @handle or id',
      lengthMax: 500,
      check: text => (text.trim() === '' ? 'Paste the address of the creator, or type a handle.' : null),
    },
    {
      kind: 'choice',
      name: 'platform',
      label: 'On',
      options: [
        { value: 'any', title: 'as the address says' },
        { value: 'youtube', title: 'YouTube' },
        { value: 'tiktok', title: 'TikTok' },
        { value: 'instagram', title: 'Instagram' },
      ],
      isMultiple: false,
    },
    { kind: 'button', name: 'watch', label: 'Watch' },
    { kind: 'button', name: 'cancel', label: 'Cancel' },
  ],
  submit: 'watch',
}

function placeForm(form: FormState, view: ScreenView): DrawnForm {
  const head: FormHead[] = [{ text: 'Watch a creator: its videos are read from now on.', role: 'title', isTitle: true }]
  return centredForm(view, head, room => drawForm(watchSpec, form, { ...room, style: view.style }))
}

function actInFound(state: FindState, call: ActionCall, deps: ScreenDeps): FindState | null {
  const page = deps.resource(creatorsResource(state))
  const moved = moveInPages(state, call, { page, height: tableHeight(deps), y: 0 })
  if (moved !== null) return { ...state, ...moved }
  const row = selectedRow(state, deps)
  switch (call.name) {
    case 'filter.text':
      return { ...state, ...pagedStart, search: (call.text ?? '').trim().slice(0, 200) }
    case 'creators.watched':
      return { ...state, ...pagedStart, isWatched: !state.isWatched }
    case 'creators.add':
      return { ...state, form: openForm(watchSpec, { chosen: { platform: ['any'] } }) }
    case 'creators.watch':
      if (row !== null) toggle(row, deps)
      return state
    case 'creators.vods':
    case 'row.open':
    case 'row.chart': {
      const fn = { 'creators.vods': 'VOD', 'row.open': 'DES', 'row.chart': 'GP VIEWS 7D' }[call.name]
      if (row !== null) deps.run(`${formatSubject(subjectOf(row))} ${fn}`)
      return state
    }
    default: {
      const platform = platformChoices.find(each => call.name === `platform.${each}`)
      return platform === undefined ? null : { ...state, ...pagedStart, platform }
    }
  }
}

function toggle(row: FoundCreator, deps: ScreenDeps): void {
  if (row.monitored) {
    deps.ask('unwatch', deps.http.delete(`/api/creators/monitor/${encodeURIComponent(row.creatorId)}`))
  } else deps.ask('watch', deps.http.post('/api/creators/monitor', { creator: row.creatorId }))
}

function actInWatch(state: FindState, form: FormState, call: ActionCall, deps: ScreenDeps): FindState | null {
  if (call.name === 'form.cancel') return { ...state, form: null }
  if (call.name === 'pointer.press') {
    const pressed = pressInForm(watchSpec, form, call, placeForm(form, deps))
    return pressed === null ? state : actInWatch(state, pressed.form, pressed.call, deps)
  }
  const acted = actInForm(watchSpec, form, call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, form: null }
  if (acted.pressed !== 'watch') return { ...state, form: acted.state }
  const platform = chosenIn(form, 'platform')[0] ?? 'any'
  const body = { creator: textIn(form, 'creator').trim(), ...(platform === 'any' ? {} : { platform }) }
  deps.ask('watch', deps.http.post('/api/creators/monitor', body))
  return { ...state, form: { ...acted.state, isBusy: true } }
}

function answered(state: FindState, { tag, result }: NonNullable<ActionCall['answer']>, deps: ScreenDeps): FindState {
  deps.refresh('/api/creators')
  if (!result.ok) {
    if (state.form !== null) return { ...state, form: withProblem(state.form, result.message) }
    deps.say(result.message)
    return state
  }
  if (tag === 'unwatch') {
    deps.say('This creator is not watched any more.')
    return state
  }
  const watched = MonitoredSchema.safeParse(result.body)
  deps.say(watched.success ? watchedText(watched.data) : 'The creator is watched from now on.')
  return { ...state, form: null }
}

function watchedText({ creator, isNew }: Monitored): string {
  const name = creator.name || creator.handle || creator.creatorId
  return isNew ? `${name} is watched from now on.` : `You watched ${name} already.`
}
