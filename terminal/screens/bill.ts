import type { Plan, PlanLimits, Subscription } from '../../contracts/billing.ts'
import { type ListState, listStart, moveInList, selectedIndexOf, topOf } from '../state/list-state.ts'
import { firstPage, newerPage, olderPage, type Pages, pageText } from '../state/pages.ts'
import { formatCount, formatInstant } from '../text/format.ts'
import { wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { ruleLine } from '../widgets/rule.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { drawUse } from '../widgets/use-bars.ts'
import {
  type KeyedLedgerRow,
  ledgerResource,
  plansResource,
  subscriptionResource,
  usageResource,
} from './account-resources.ts'
import { joinLine } from './join-line.ts'
import { failedMark, noResourceBox } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface BillState {
  view: 'plans' | 'ledger'
  /** The plan that Enter chooses, by name; null is the present one. */
  plan: string | null
  /** The plan that the next Enter asks for. */
  choosing: string | null
  /** What the server said to the last choice. */
  said: { text: string; role: ColorRole } | null
  list: ListState
  pages: Pages
}

/** Plans with their limits, what was used of them, and where the credits went. */
export const billFactory = screenFactory<BillState>({
  fn: 'BILL',
  contexts: ['bill', 'pages', 'list'],
  open: command => ({
    view: command.args.view === 'ledger' ? 'ledger' : 'plans',
    plan: null,
    choosing: null,
    said: null,
    list: listStart,
    pages: firstPage,
  }),
  title: state => (state.view === 'ledger' ? 'BILL LEDGER' : 'BILL'),
  queries: () => [],
  resources: state => [plansResource, subscriptionResource, usageResource, ledgerResource(state.pages)],
  draw: (state, view) => (state.view === 'ledger' ? drawLedgerView(state, view) : drawPlansView(state, view)),
  act: actInBill,
  list(state, view) {
    const rows = view.resource(ledgerResource(state.pages)).body?.data ?? []
    const columns = ['createdAt', 'entry', 'amount', 'reason', 'availableAfter', 'reservedAfter', 'expiresAt']
    return { title: 'BILL ledger', columns, rows, asOf: null }
  },
  copyText: state => state.said?.text ?? '',
})

function drawPlansView(state: BillState, view: ScreenView): string[] {
  const plans = view.resource(plansResource)
  const subscription = view.resource(subscriptionResource)
  const usage = view.resource(usageResource)
  if (plans.body === null) return noResourceBox(view, plans, 'This server has no plans.')
  const table = drawPlans(plans.body.data, subscription.body, state, view)
  const use = usage.body === null ? [] : [ruleLine('USE AGAINST LIMITS', view), ...drawUse(usage.body, view)]
  const head = [cycleLine(subscription.body, view), ...table]
  const foot = footLines(state, view)
  const room = view.height - head.length - foot.length
  const rest = room - use.length
  const ledger = rest >= 4 ? [ruleLine('LEDGER', view), ...drawLedger(state, { ...view, height: rest - 1 })] : []
  return squared([...head, ...(rest < 0 ? [] : use), ...ledger], foot, view)
}

function drawLedgerView(state: BillState, view: ScreenView): string[] {
  const foot = footLines(state, view)
  return squared(drawLedger(state, { ...view, height: view.height - foot.length }), foot, view)
}

function squared(lines: readonly string[], foot: readonly string[], { width, height }: ScreenView): string[] {
  const room = Math.max(0, height - foot.length)
  const blank = ' '.repeat(width)
  return [...Array.from({ length: room }, (_, y) => lines[y] ?? blank), ...foot].slice(0, height)
}

function cycleLine(subscription: Subscription | null, { style, width }: ScreenView): string {
  if (subscription === null) return style.paint('muted', style.fit(' Asking for your plan…', width))
  if (subscription.isUnlimited)
    return style.paint('good', style.fit(' This server is your own: nothing is limited and nothing costs.', width))
  const day = (instant: string) => formatInstant(Date.parse(instant)).slice(0, 10)
  const plan = style.bold('accent', ` ${subscription.plan.toUpperCase()}`)
  const cycle = style.paint('text', `${day(subscription.periodStart)} to ${day(subscription.periodEnd)}`)
  const status = { active: 'renews then', past_due: 'PAYMENT IS OVERDUE', canceled: 'ends then' }[subscription.status]
  const payment = subscription.isPaymentConnected ? '' : style.paint('faint', 'payment is not connected')
  const statusRole = subscription.status === 'past_due' ? 'error' : 'muted'
  return joinLine([plan, cycle, style.paint(statusRole, status), payment], '', width)
}

const limitRows: readonly { title: string; text(plan: Plan): string }[] = [
  { title: 'A month', text: plan => priceText(plan.priceUsdCents) },
  { title: 'API calls a minute', text: plan => limitText(plan.limits.apiCallsPerMinute) },
  { title: 'Live queries', text: plan => limitText(plan.limits.liveQueries) },
  { title: 'Downloads a month', text: plan => limitText(plan.limits.downloadsPerMonth) },
  { title: 'Credits a month', text: plan => limitText(plan.limits.creditsPerMonth) },
  { title: 'Premium indicators', text: plan => indicatorText(plan.limits) },
]

function indicatorText({ premiumIndicators }: PlanLimits): string {
  return premiumIndicators ? 'yes' : 'no'
}

/** Plans side by side: the present one is marked, the selected one is inverse. */
function drawPlans(
  plans: readonly Plan[],
  subscription: Subscription | null,
  state: BillState,
  { style, width }: ScreenView,
): string[] {
  const labelWidth = Math.min(21, Math.floor(width / 3))
  const planWidth = Math.min(18, Math.floor((width - labelWidth) / Math.max(1, plans.length)))
  const selected = selectedPlan(state, subscription)
  const line = (label: string, cell: (plan: Plan) => string) =>
    style.paint('muted', style.fit(` ${label}`, labelWidth)) +
    plans.map(cell).join('') +
    ' '.repeat(Math.max(0, width - labelWidth - planWidth * plans.length))
  const title = (plan: Plan) => {
    const mark = plan.name === subscription?.plan ? `${style.glyphs.dot} ` : ''
    const text = style.fit(`${mark}${plan.title}`, planWidth - 1, 'right')
    return `${plan.name === selected ? style.inverse(text) : style.bold('title', text)} `
  }
  return [
    line('', title),
    ...limitRows.map(row =>
      line(row.title, plan =>
        style.paint(
          plan.name === selected ? 'subject' : 'text',
          `${style.fit(row.text(plan), planWidth - 1, 'right')} `,
        ),
      ),
    ),
  ]
}

function priceText(cents: number | null): string {
  if (cents === null) return 'not set'
  return cents === 0 ? 'free' : `$${(cents / 100).toFixed(cents % 100 === 0 ? 0 : 2)}`
}

function limitText(limit: number | null): string {
  return limit === null ? 'no limit' : limit.toLocaleString('en-US')
}

function selectedPlan(state: BillState, subscription: Subscription | null): string | null {
  return state.plan ?? subscription?.plan ?? null
}

const ledgerColumns: readonly Column<KeyedLedgerRow>[] = [
  { title: 'AT', width: 16, cell: row => ({ text: formatInstant(Date.parse(row.createdAt)), role: 'muted' }) },
  { title: 'ENTRY', width: 8, fromWidth: 52, cell: row => ({ text: row.entry, role: entryRoles[row.entry] }) },
  { title: 'CREDITS', width: 8, align: 'right', cell: row => ({ text: amountText(row), role: entryRoles[row.entry] }) },
  { title: 'REASON', width: 12, flex: 1, cell: row => ({ text: row.reason, role: 'subject' }) },
  {
    title: 'BALANCE',
    width: 8,
    fromWidth: 60,
    align: 'right',
    cell: row => ({ text: formatCount(row.availableAfter), role: 'text' }),
  },
  {
    title: 'ASIDE',
    width: 7,
    align: 'right',
    fromWidth: 74,
    cell: row => ({ text: formatCount(row.reservedAfter), role: 'muted' }),
  },
]
const entryRoles: Readonly<Record<KeyedLedgerRow['entry'], ColorRole>> = {
  grant: 'up',
  release: 'up',
  reserve: 'muted',
  capture: 'down',
  expire: 'down',
}

/** With the sign of what it does to the balance; a capture spends what was set aside before. */
function amountText(row: KeyedLedgerRow): string {
  const sign = { grant: '+', release: '+', reserve: '-', expire: '-', capture: '' }[row.entry]
  return `${sign}${row.amount}`
}

function drawLedger(state: BillState, view: ScreenView): string[] {
  const ledger = view.resource(ledgerResource(state.pages))
  const rows = ledger.body?.data ?? []
  if (rows.length === 0) return noResourceBox(view, ledger, 'No credits were given or spent yet.')
  const selectedIndex = state.view === 'ledger' ? selectedIndexOf(state.list, rows) : -1
  return drawTable({
    rows,
    columns: ledgerColumns,
    width: view.width,
    height: view.height,
    top: state.view === 'ledger' ? topOf(state.list, selectedIndex, rows.length, view.height - 1) : 0,
    selectedIndex,
    hasFocus: view.isFocused,
    style: view.style,
    nowMs: view.nowMs,
    cellKey: 'ledger',
  })
}

/** What was said or is asked, in full, and the hints of the view. */
function footLines(state: BillState, view: ScreenView): string[] {
  const { style, width } = view
  const ledger = view.resource(ledgerResource(state.pages))
  const failed = failedMark(view, view.resource(subscriptionResource), view.resource(usageResource), ledger)
  const pages = state.view === 'ledger' ? pageText(state.pages, ledger.body?.nextCursor) : ''
  const hints = state.view === 'plans' ? 'Left/Right plan  Enter choose  t ledger' : 't plans'
  const asked =
    state.choosing === null
      ? state.said
      : ({ text: `Choose ${state.choosing.toUpperCase()}? Enter again does, Esc does not.`, role: 'warn' } as const)
  const said =
    asked === null
      ? []
      : wrap(asked.text, Math.max(10, width - 2)).map(line => style.paint(asked.role, style.fit(` ${line}`, width)))
  const left = failed === '' ? style.paint('faint', ` ${state.view === 'ledger' ? 'Newest first.' : ''}`) : ` ${failed}`
  return [...said, joinLine([left], style.paint('muted', [pages, hints].filter(text => text !== '').join('  ')), width)]
}

function actInBill(state: BillState, call: ActionCall, deps: ScreenDeps): BillState | null {
  const ledger = deps.resource(ledgerResource(state.pages)).body
  const rows = ledger?.data ?? []
  if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
  if (state.view === 'ledger') {
    const moved = moveInList(state.list, call.name, rows, Math.max(1, deps.height - 2))
    if (moved !== null) return { ...state, list: moved }
  }
  switch (call.name) {
    case 'bill.view':
      return { ...state, view: state.view === 'plans' ? 'ledger' : 'plans', choosing: null }
    case 'page.older':
      return { ...state, view: 'ledger', list: listStart, pages: olderPage(state.pages, ledger?.nextCursor) }
    case 'page.newer':
      return { ...state, list: listStart, pages: newerPage(state.pages) }
    case 'plan.previous':
    case 'plan.next':
      return state.view === 'ledger' ? state : movePlan(state, call.name === 'plan.next' ? 1 : -1, deps)
    case 'plan.choose':
      return state.view === 'ledger' ? state : choose(state, deps)
    case 'back':
      if (state.choosing !== null) return { ...state, choosing: null }
      return state.view === 'ledger' ? { ...state, view: 'plans' } : null
    default:
      return null
  }
}

function movePlan(state: BillState, by: 1 | -1, deps: ScreenDeps): BillState {
  const plans = deps.resource(plansResource).body?.data ?? []
  const now = selectedPlan(state, deps.resource(subscriptionResource).body)
  const index = plans.findIndex(plan => plan.name === now) + by
  const plan = plans[Math.max(0, Math.min(plans.length - 1, index))]?.name ?? null
  return { ...state, plan, choosing: null, said: null }
}

function choose(state: BillState, deps: ScreenDeps): BillState {
  const subscription = deps.resource(subscriptionResource).body
  const plan = selectedPlan(state, subscription)
  if (plan === null) return state
  if (plan === subscription?.plan)
    return { ...state, choosing: null, said: { text: 'This is your plan already.', role: 'muted' } }
  if (state.choosing !== plan) return { ...state, choosing: plan, said: null }
  deps.ask('choose', deps.http.post('/api/subscription', { plan }))
  return { ...state, choosing: null, said: { text: 'Asking…', role: 'muted' } }
}

function answered(state: BillState, { result }: NonNullable<ActionCall['answer']>, deps: ScreenDeps): BillState {
  for (const path of ['/api/subscription', '/api/usage', '/api/credits']) deps.refresh(path)
  if (!result.ok) return { ...state, said: { text: result.message, role: 'warn' } }
  return { ...state, plan: null, said: { text: 'Your plan has changed.', role: 'good' } }
}
