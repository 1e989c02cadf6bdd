import { crmPeriods } from '../../contracts/crm.ts'
import { listStart, moveInList, selectedIndexOf, selectIndex, topOf } from '../state/list-state.ts'
import { firstPage, newerPage, olderPage, pageText } from '../state/pages.ts'
import { truncate } from '../text/width.ts'
import { drawOverview, layOverview } from './crm-overview.ts'
import { ageText, drawPosts } from './crm-posts.ts'
import { type AccountRow, bestTimeResource, type PostRow, performanceResource, postsResource } from './crm-resources.ts'
import { type CrmState, crmViews, moveHour, moveSideways, openCrm, sortPosts, step } from './crm-state.ts'
import { drawTimes } from './crm-times.ts'
import { joinLine } from './join-line.ts'
import { failedMark } from './resource-notice.ts'
import { lackingText } from './scope-text.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

/** A creator's own accounts: how they do, what they posted, and when posts do best. */
export const crmFactory = screenFactory<CrmState>({
  fn: 'CRM',
  contexts: ['crm', 'pages', 'list'],
  open: openCrm,
  title: state =>
    [
      'CRM',
      state.view === 'overview' ? '' : state.view.toUpperCase(),
      state.view === 'overview' ? state.period.toUpperCase() : '',
    ]
      .filter(word => word !== '')
      .join(' '),
  queries: () => [],
  resources: state => [resourceOf(state)],
  draw(state, view) {
    const body = { ...view, height: Math.max(0, view.height - 1) }
    return [...drawView(state, body), footLine(state, view)].slice(-view.height)
  },
  act: actInCrm,
  list(state, view) {
    if (state.view !== 'posts') return null
    const rows = view.resource(postsResource(state)).body?.data ?? []
    const counters = ['views', 'likes', 'comments', 'shares', 'saves', 'engagement', 'outlier']
    const columns = ['videoId', 'platform', 'kind', 'title', 'url', 'publishedAt', ...counters, 'observedAt']
    return { title: 'CRM posts', columns, rows, asOf: null }
  },
  copyText: (state, view) => (state.view === 'posts' ? (selectedPost(state, view)?.url ?? '') : ''),
})

function resourceOf(state: CrmState) {
  switch (state.view) {
    case 'overview':
      return performanceResource(state)
    case 'posts':
      return postsResource(state)
    case 'times':
      return bestTimeResource(state)
  }
}

function failedText(state: CrmState, view: ScreenView): string {
  switch (state.view) {
    case 'overview':
      return failedMark(view, view.resource(performanceResource(state)))
    case 'posts':
      return failedMark(view, view.resource(postsResource(state)))
    case 'times':
      return failedMark(view, view.resource(bestTimeResource(state)))
  }
}

function drawView(state: CrmState, view: ScreenView): string[] {
  switch (state.view) {
    case 'overview':
      return drawOverview(state, view)
    case 'posts':
      return drawPosts(state, view)
    case 'times':
      return drawTimes(state, view)
  }
}

function selectedAccount(state: CrmState, view: Pick<ScreenView, 'resource'>): AccountRow | null {
  const rows = view.resource(performanceResource(state)).body?.accounts ?? []
  return rows[selectedIndexOf(state.accounts, rows)] ?? null
}

function selectedPost(state: CrmState, view: Pick<ScreenView, 'resource'>): PostRow | null {
  const rows = view.resource(postsResource(state)).body?.data ?? []
  return rows[selectedIndexOf(state.posts, rows)] ?? null
}

/** What is known beside the view, and its keys. */
function footLine(state: CrmState, view: ScreenView): string {
  const { style, width } = view
  const failed = failedText(state, view)
  const hints = style.paint('muted', hintsOf(state, view))
  const said = state.view === 'posts' ? postText(state, view) : accountText(state, view)
  const room = Math.max(4, width - hintsOf(state, view).length - 3)
  const left = failed === '' ? style.paint('muted', ` ${truncate(said, room, style.glyphs.ellipsis)}`) : ` ${failed}`
  return joinLine([left], hints, width)
}

function hintsOf(state: CrmState, view: Pick<ScreenView, 'resource'>): string {
  if (state.view === 'overview') return 'p period  h l measure  t posts'
  if (state.view === 'times') return 'arrows hour  t numbers'
  const pages = pageText(state.pages, view.resource(postsResource(state)).body?.nextCursor)
  return [pages, 's order  t best times'].filter(text => text !== '').join('  ')
}

/** Which permissions the selected account lacks, and whether it is shown alone. */
function accountText(state: CrmState, view: Pick<ScreenView, 'resource'>): string {
  const only = state.accountId === null ? '' : 'This account alone; Esc shows all.'
  const row = state.view === 'overview' ? selectedAccount(state, view) : undefined
  const account = row?.account
  const lacking = lackingText(account?.missingScopes ?? [])
  const terms =
    row?.kpis.views.state === 'needs_amendment' ? `Its measures need YouTube's amendment: KEYS has the way.` : ''
  return [only, lacking === '' ? '' : `${lacking} KEYS links it again.`, terms].filter(text => text !== '').join(' ')
}

/** Views of the selected post at fixed ages, for where they have no columns. */
function postText(state: CrmState, view: ScreenView): string {
  const post = selectedPost(state, view)
  return post === null ? '' : post.ages.map(each => `${each.age} ${ageText(each)}`).join('  ')
}

function actInCrm(state: CrmState, call: ActionCall, deps: ScreenDeps): CrmState | null {
  const moved = moveIn(state, call, deps)
  if (moved !== null) return moved
  switch (call.name) {
    case 'crm.view':
      return { ...state, view: step(crmViews, state.view, 1) }
    case 'crm.left':
    case 'crm.right':
      return moveSideways(state, call.name === 'crm.right' ? 1 : -1)
    case 'sort.next':
    case 'sort.previous':
      return state.view === 'posts' ? sortPosts(state, call.name === 'sort.next' ? 1 : -1) : state
    case 'period.next':
    case 'period.previous':
      return {
        ...state,
        view: 'overview',
        period: step(crmPeriods, state.period, call.name === 'period.next' ? 1 : -1),
      }
    case 'page.older':
    case 'page.newer':
      return turnPage(state, call.name === 'page.older', deps)
    case 'row.open':
      return openAccount(state, deps)
    case 'back':
      if (state.accountId === null) return null
      return { ...state, accountId: null, accounts: listStart, posts: listStart, pages: firstPage }
    default:
      return null
  }
}

/** Rows and hours. */
function moveIn(state: CrmState, call: ActionCall, deps: ScreenDeps): CrmState | null {
  const height = deps.height - 1
  if (state.view === 'times') {
    const byHour: Readonly<Record<string, number>> = { 'move.up': -24, 'move.down': 24 }
    const by = byHour[call.name]
    return by === undefined ? null : moveHour(state, by)
  }
  if (state.view === 'posts') {
    const rows = deps.resource(postsResource(state)).body?.data ?? []
    const list =
      moveInList(state.posts, call.name, rows, height - 1) ?? pressed(state.posts, call, rows, { top: 1, height })
    return list === null ? null : { ...state, posts: list }
  }
  const rows = deps.resource(performanceResource(state)).body?.accounts ?? []
  const { chartHeight, tableHeight } = layOverview(rows.length, height)
  const area = { top: 4 + chartHeight, height: tableHeight }
  const list = moveInList(state.accounts, call.name, rows, tableHeight - 1) ?? pressed(state.accounts, call, rows, area)
  return list === null ? null : { ...state, accounts: list }
}

/** The list after a press of the mouse on one of its rows; the first of them is the line `top` of the body. */
function pressed(
  list: CrmState['posts'],
  call: ActionCall,
  rows: readonly { key: string }[],
  area: { top: number; height: number },
): CrmState['posts'] | null {
  if (call.name !== 'pointer.press' || call.at === undefined) return null
  const line = call.at.y - area.top
  const shown = Math.max(1, area.height - 1)
  const index = topOf(list, selectedIndexOf(list, rows), rows.length, shown) + line
  return line < 0 || line >= shown || index >= rows.length ? list : selectIndex(list, rows, index, shown)
}

function turnPage(state: CrmState, isOlder: boolean, deps: ScreenDeps): CrmState {
  if (state.view !== 'posts') return state
  const next = deps.resource(postsResource(state)).body?.nextCursor
  return { ...state, posts: listStart, pages: isOlder ? olderPage(state.pages, next) : newerPage(state.pages) }
}

/** The selected account alone, in every view. */
function openAccount(state: CrmState, deps: ScreenDeps): CrmState {
  if (state.view !== 'overview' || state.accountId !== null) return state
  const row = selectedAccount(state, deps)
  if (row === null) return state
  return { ...state, accountId: row.account.id, accounts: listStart, posts: listStart, pages: firstPage }
}
