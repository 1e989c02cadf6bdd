import { z } from 'zod'
import { AlertRuleSchema, type Backtest, BacktestSchema } from '../../contracts/alerts.ts'
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
} from '../state/list-state.ts'
import type { LiveQuery } from '../state/live-data.ts'
import { pageText } from '../state/pages.ts'
import { formatAge, formatInstant } from '../text/format.ts'
import { ruleLine } from '../widgets/rule.ts'
import type { Column } from '../widgets/table.ts'
import { type AlertRow, alertsResource, type FiringListRow, firingsResource } from './alert-resources.ts'
import {
  type AlertForm,
  alertFormSpec,
  alertRequestOf,
  editAlertForm,
  openAlertForm,
  placeAlertForm,
  readAbout,
  subjectOfForm,
  withFoundSubject,
} from './alrt-form.ts'
import { deliveriesText, levelText, ruleText, stateCell } from './alrt-text.ts'
import { drawTrial, type Trial, trialResult, trialRowCount } from './alrt-trial.ts'
import { nameIn } from './chart-data.ts'
import { pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { drawPage, moveInPages, type PagedList, pagedStart } from './paged-list.ts'
import { failedMark } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface AlrtState {
  /** Alerts, what fired, and the rows of one firing. */
  view: 'alerts' | 'firings' | 'rows'
  list: ListState
  firings: PagedList
  /** The alert whose firings are shown; null for those of all. */
  of: { id: string; name: string } | null
  rows: ListState
  form: AlertForm | null
  trial: Trial | null
  trialList: ListState
  /** What the next press deletes. */
  deleting: string | null
}

/** ALRT: alerts with their states, what fired with the rows that caused it, and tries on the past. */
export const alrtFactory = screenFactory<AlrtState>({
  fn: 'ALRT',
  contexts: ['alerts', 'pages', 'list'],
  open: command => ({
    view: command.args.view === 'firings' ? 'firings' : 'alerts',
    list: listStart,
    firings: pagedStart,
    of: null,
    rows: listStart,
    form: isAboutSomething(command) ? openAlertForm(command) : null,
    trial: null,
    trialList: listStart,
    deleting: null,
  }),
  title: titleOf,
  queries: nowQueries,
  resources: state => [alertsResource, ...(state.view === 'alerts' ? [] : [firingsOf(state)])],
  isTyping: ({ form, trial }) => form !== null && trial === null,
  cursor: (state, view) => (state.form === null ? null : placeForm(state.form, state, view).cursor),
  spoken: ({ form }) => (form === null ? '' : spokenField(alertFormSpec(form.form), form.form)),
  draw: drawAlrt,
  act: actAlrt,
  subject: subjectIn,
  list(state, view) {
    if (state.view === 'alerts') {
      const columns = [
        'id',
        'name',
        'state',
        'isEnabled',
        'value',
        'valueAt',
        'firedAt',
        'unseenCount',
        'error',
        'rule',
      ]
      return { title: 'ALRT', columns, rows: alertsIn(view), asOf: null }
    }
    const columns = ['id', 'name', 'at', 'firedAt', 'sentence', 'value', 'rowCount', 'isMuted', 'rows', 'deliveries']
    return { title: 'ALRT FIRINGS', columns, rows: firingsIn(state, view), asOf: null }
  },
  copyText: (state, view) =>
    state.view === 'alerts' ? (selectedAlert(state, view)?.id ?? '') : (selectedFiring(state, view)?.sentence ?? ''),
})

type Reading = Pick<ScreenView, 'resource'>

function isAboutSomething({ subject, args }: { subject: Subject | null; args: Readonly<Record<string, string>> }) {
  return subject !== null || args.view === 'new' || args.query !== undefined || args.list !== undefined
}

function titleOf({ view, of, form, trial }: AlrtState): string {
  if (trial !== null) return `ALRT TRY ${trial.name}`
  if (form !== null) return form.of === null ? 'ALRT NEW' : 'ALRT CHANGE'
  if (view === 'alerts') return 'ALRT'
  return `ALRT ${view === 'rows' ? 'ROWS' : 'FIRINGS'}${of === null ? '' : ` ${of.name}`}`
}

/** What is known of the form's subject now. */
function nowQueries({ form, trial }: AlrtState): LiveQuery<'describe'>[] {
  const subject = form === null || trial !== null ? null : subjectOfForm(form)
  if (subject === null || subject.id.startsWith('own:')) return []
  return [{ name: 'describe', params: { type: `${subject.type}s`, id: subject.id, period: '24h' } }]
}

function firingsOf({ of, firings }: AlrtState) {
  return firingsResource(of?.id ?? null, firings.pages)
}

function alertsIn({ resource }: Reading): readonly AlertRow[] {
  return resource(alertsResource).body?.data ?? []
}

function firingsIn(state: AlrtState, { resource }: Reading): readonly FiringListRow[] {
  return resource(firingsOf(state)).body?.data ?? []
}

function selectedAlert({ list }: AlrtState, view: Reading): AlertRow | null {
  const rows = alertsIn(view)
  return rows[selectedIndexOf(list, rows)] ?? null
}

function selectedFiring(state: AlrtState, view: Reading): FiringListRow | null {
  const rows = firingsIn(state, view)
  return rows[selectedIndexOf(state.firings.list, rows)] ?? null
}

type CauseRow = FiringListRow['rows'][number]

function causesIn(state: AlrtState, view: Reading): readonly CauseRow[] {
  return selectedFiring(state, view)?.rows ?? []
}

/** What the selected row is about: commands and linked panes use it. */
function subjectIn(state: AlrtState, view: ScreenView): Subject | null {
  if (state.form !== null) return subjectOfForm(state.form)
  if (state.view === 'alerts') {
    const measure = selectedAlert(state, view)?.rule.measure
    return measure?.source === 'subject' ? subjectOf(measure.type, measure.id) : null
  }
  const causes = causesIn(state, view)
  return subjectOfCause(state.view === 'rows' ? causes[selectedIndexOf(state.rows, causes)] : causes[0])
}

function subjectOfCause(cause: CauseRow | undefined): Subject | null {
  return cause === undefined || cause.type === null ? null : subjectOf(cause.type, cause.key)
}

// Drawing

const footHeight = 2

function placeForm(form: AlertForm, state: AlrtState, view: ScreenView) {
  const [query] = nowQueries(state)
  return placeAlertForm(form, view, query === undefined ? [] : view.live(query).rows)
}

function drawAlrt(state: AlrtState, view: ScreenView): string[] {
  if (state.trial !== null) return drawTrial(state.trial, state.trialList, view)
  if (state.form !== null) return placeForm(state.form, state, view).lines
  switch (state.view) {
    case 'alerts':
      return drawAlerts(state, view)
    case 'firings':
      return drawFirings(state, view)
    case 'rows':
      return drawCauses(state, view)
  }
}

const alertColumns = (nowMs: number): readonly Column<AlertRow>[] => [
  { title: 'STATE', width: 10, cell: (row, style) => stateCell(row, style) },
  { title: 'NAME', width: 14, flex: 2, cell: row => ({ text: row.name, role: 'subject' }) },
  { title: 'FIRES', width: 20, flex: 3, fromWidth: 70, cell: row => ({ text: ruleText(row.rule), role: 'text' }) },
  {
    title: 'NOW',
    width: 8,
    align: 'right',
    cell: row => ({ text: levelText(row.rule.condition, row.value), role: 'accent' }),
  },
  {
    title: 'FIRED',
    width: 6,
    align: 'right',
    fromWidth: 50,
    cell: row => ({ text: row.firedAt === null ? 'never' : formatAge(row.firedAt, nowMs), role: 'muted' }),
  },
  {
    title: 'NEW',
    width: 3,
    align: 'right',
    cell: row => ({ text: row.unseenCount === 0 ? '' : String(row.unseenCount), role: 'warn', isBold: true }),
  },
  {
    title: 'TELLS',
    width: 16,
    fromWidth: 110,
    cell: ({ rule: { channels } }) => ({
      text: (['terminal', 'webhook', 'email'] as const).filter(name => channels[name]).join(' ') || 'nobody',
      role: 'muted',
    }),
  },
]

function drawAlerts(state: AlrtState, view: ScreenView): string[] {
  const page = view.resource(alertsResource)
  const table = drawPage(state.list, view, {
    page,
    columns: alertColumns(view.nowMs),
    height: Math.max(1, view.height - footHeight),
    empty: 'No alert yet: n makes one, or press ! on a row of TOP.',
    cellKey: `alerts ${Math.floor(view.nowMs / 10_000)}`,
  })
  const row = selectedAlert(state, view)
  return [...table, alertDetail(state, row, view), alertFoot(row, view)].slice(0, view.height)
}

function alertDetail({ deleting }: AlrtState, row: AlertRow | null, { style, width }: ScreenView): string {
  if (row === null) return ' '.repeat(width)
  if (deleting === row.id)
    return style.paint('warn', style.fit(' ! Delete it, with what it told? x again deletes. Esc keeps it.', width))
  if (row.error !== null) return style.paint('error', style.fit(` ! ${row.error}`, width))
  const muted = row.mutedUntil === null ? '' : `muted until ${formatInstant(Date.parse(row.mutedUntil))}  `
  const read = row.valueAt === null ? 'not read yet' : `read at ${formatInstant(Date.parse(row.valueAt))}`
  return style.paint('muted', style.fit(` ${muted}${ruleText(row.rule)}  ${read}`, width))
}

function alertFoot(row: AlertRow | null, view: ScreenView): string {
  const { style, width } = view
  const page = view.resource(alertsResource)
  const failed = failedMark(view, page)
  const count = page.body === null ? '' : `${page.body.data.length} of ${page.body.limit} alerts`
  const hints = row === null ? 'n new' : 'n new  Enter what it told  b try  u on/off  m mute  i change  x delete'
  const first = failed === '' ? style.paint('faint', ` ${count}`) : ` ${failed}`
  return joinLine([first], style.paint('muted', `${width < 100 ? 'n b u m i x t  ? keys' : hints} `), width)
}

const firingColumns = (nowMs: number, isOfAll: boolean): readonly Column<FiringListRow>[] => [
  {
    title: '',
    width: 1,
    cell: row => ({ text: row.seenAt === null ? '!' : ' ', role: 'warn', isBold: true }),
  },
  { title: 'FIRED', width: 5, align: 'right', cell: row => ({ text: formatAge(row.firedAt, nowMs), role: 'muted' }) },
  {
    title: 'DATA AT',
    width: 16,
    fromWidth: 80,
    cell: row => ({ text: formatInstant(Date.parse(row.at)), role: 'muted' }),
  },
  ...(isOfAll
    ? [
        {
          title: 'ALERT',
          width: 12,
          flex: 1,
          fromWidth: 64,
          cell: (row: FiringListRow) => ({ text: row.name, role: 'text' as const }),
        },
      ]
    : []),
  { title: 'WHAT', width: 20, flex: 3, cell: row => ({ text: row.sentence, role: 'subject' }) },
  { title: 'ROWS', width: 4, align: 'right', cell: row => ({ text: String(row.rowCount), role: 'muted' }) },
  {
    title: 'TOLD',
    width: 18,
    fromWidth: 100,
    cell: row => ({ text: row.isMuted ? 'muted' : deliveriesText(row.deliveries), role: toldRole(row) }),
  },
]

function toldRole({ deliveries }: FiringListRow): 'error' | 'muted' {
  return deliveries.some(({ status }) => status === 'failed') ? 'error' : 'muted'
}

function drawFirings(state: AlrtState, view: ScreenView): string[] {
  const { style, width } = view
  const page = view.resource(firingsOf(state))
  const table = drawPage(state.firings.list, view, {
    page,
    columns: firingColumns(view.nowMs, state.of === null),
    height: Math.max(1, view.height - footHeight),
    empty: state.of === null ? 'Nothing has fired yet.' : 'This alert has not fired yet; b tries it on the past.',
    cellKey: `firings ${Math.floor(view.nowMs / 10_000)}`,
  })
  const row = selectedFiring(state, view)
  const failed = failedMark(view, page)
  const paging = pageText(state.firings.pages, page.body?.nextCursor)
  return [
    ...table,
    row === null ? ' '.repeat(width) : style.paint('muted', style.fit(` ${firingText(row)}`, width)),
    joinLine(
      [failed === '' ? '' : ` ${failed}`],
      style.paint('muted', `${paging}  Enter rows  t alerts  Esc back `),
      width,
    ),
  ].slice(0, view.height)
}

function firingText(row: FiringListRow): string {
  const failed = row.deliveries.find(({ status, detail }) => status !== 'delivered' && detail !== '')
  const where = row.isReplay ? 'of a replay  ' : ''
  return `${where}rule version ${row.version}  ${failed === undefined ? row.sentence : `${failed.channel}: ${failed.detail}`}`
}

const causeColumns: readonly Column<CauseRow>[] = [
  {
    title: '#',
    width: 4,
    align: 'right',
    cell: row => ({ text: row.rank === null ? '-' : String(row.rank), role: 'muted' }),
  },
  { title: 'WHAT', width: 20, flex: 2, cell: row => ({ text: row.label, role: 'subject' }) },
  { title: 'VALUE', width: 12, align: 'right', cell: row => ({ text: numberText(row.value), role: 'accent' }) },
  { title: 'BEFORE', width: 12, align: 'right', cell: row => ({ text: numberText(row.before), role: 'muted' }) },
  { title: 'ID', width: 20, flex: 1, fromWidth: 90, cell: row => ({ text: row.key, role: 'muted' }) },
]

function numberText(value: number | null): string {
  return value === null ? '-' : value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 2 })
}

function drawCauses(state: AlrtState, view: ScreenView): string[] {
  const { style, width } = view
  const firing = selectedFiring(state, view)
  const rows = causesIn(state, view)
  const page = { status: 'ready' as const, body: { data: rows }, message: '' }
  const table = drawPage(state.rows, view, {
    page,
    columns: causeColumns,
    height: Math.max(1, view.height - 3),
    empty: 'No row is kept of this firing.',
    cellKey: 'causes',
  })
  const more =
    firing !== null && firing.rowCount > rows.length ? `the first ${rows.length} of ${firing.rowCount}  ` : ''
  return [
    style.bold('title', style.fit(` ${firing?.sentence ?? ''}`, width)),
    ruleLine('ROWS THAT CAUSED IT', view),
    ...table,
    joinLine([], style.paint('muted', `${more}Enter describes  c charts  Esc back `), width),
  ].slice(0, view.height)
}

// Acting

function actAlrt(state: AlrtState, call: ActionCall, deps: ScreenDeps): AlrtState | null {
  if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
  if (state.trial !== null) return actInTrial(state, state.trial, call, deps)
  if (state.form !== null) return actInAlertForm(state, state.form, call, deps)
  if (call.name === 'alert.create')
    return { ...state, form: openAlertForm({ subject: null, args: {} }), deleting: null }
  if (call.name === 'alert.view')
    return seen({ ...state, view: state.view === 'alerts' ? 'firings' : 'alerts', of: null }, deps)
  switch (state.view) {
    case 'alerts':
      return actInAlerts(state, call, deps)
    case 'firings':
      return actInFirings(state, call, deps)
    case 'rows':
      return actInCauses(state, call, deps)
  }
}

/** What fired is looked at when its list is: it counts as seen. */
function seen(state: AlrtState, deps: ScreenDeps): AlrtState {
  if (state.view === 'firings') {
    const body = state.of === null ? {} : { alertId: state.of.id }
    deps.ask('seen', deps.http.post('/api/alerts/firings/seen', body))
  }
  return { ...state, firings: pagedStart, deleting: null }
}

function actInAlerts(state: AlrtState, call: ActionCall, deps: ScreenDeps): AlrtState | null {
  const rows = alertsIn(deps)
  const height = Math.max(1, deps.height - footHeight - 1)
  const moved = moveInList(state.list, call.name, rows, height)
  if (moved !== null) return { ...state, list: moved, deleting: null }
  const row = selectedAlert(state, deps)
  if (call.name === 'pointer.press')
    return { ...state, list: pressInList(state.list, (call.at?.y ?? 0) - 1, rows, height), deleting: null }
  if (call.name === 'back') return state.deleting === null ? null : { ...state, deleting: null }
  if (row === null) return null
  const path = `/api/alerts/${row.id}`
  const kept = { ...state, deleting: null }
  switch (call.name) {
    case 'row.open':
      return seen({ ...kept, view: 'firings', of: { id: row.id, name: row.name } }, deps)
    case 'row.chart': {
      const { measure } = row.rule
      if (measure.source === 'subject') deps.run(`${formatSubject(subjectOf(measure.type, measure.id))} GP`)
      return kept
    }
    case 'alert.edit':
      return { ...kept, form: editAlertForm(row) }
    case 'alert.try':
      return tried(kept, { name: row.name, rule: row.rule }, deps)
    case 'alert.switch': {
      const { name, rule } = row
      deps.ask('switch', deps.http.put(path, { name, rule, isEnabled: !row.isEnabled }, `"${row.version}"`))
      return kept
    }
    case 'alert.mute':
      deps.ask('mute', deps.http.post(`${path}/mute`, { until: nextMute(row, deps.nowMs) }))
      return kept
    case 'alert.delete':
      // The selection is pinned, so that an alert that comes in between is not the one that is deleted.
      if (state.deleting !== row.id)
        return { ...state, deleting: row.id, list: selectIndex(state.list, rows, rows.indexOf(row), height) }
      deps.ask('delete', deps.http.delete(path))
      return kept
    default:
      return null
  }
}

/** The longest that a trial may take: the server ends by itself before. */
const trialMsMax = 60_000
const hourMs = 3_600_000

/** An hour, then a day, then no longer. */
function nextMute({ mutedUntil }: AlertRow, nowMs: number): string | null {
  const leftMs = mutedUntil === null ? 0 : Date.parse(mutedUntil) - nowMs
  if (leftMs <= 0) return new Date(nowMs + hourMs).toISOString()
  return leftMs <= hourMs ? new Date(nowMs + 24 * hourMs).toISOString() : null
}

function actInFirings(state: AlrtState, call: ActionCall, deps: ScreenDeps): AlrtState | null {
  const page = deps.resource(firingsOf(state))
  const moved = moveInPages(state.firings, call, { page, height: Math.max(1, deps.height - footHeight), y: 0 })
  if (moved !== null) return { ...state, firings: moved }
  switch (call.name) {
    case 'row.open':
      return selectedFiring(state, deps) === null ? state : { ...state, view: 'rows', rows: listStart }
    case 'row.chart':
      return runOn(subjectIn(state, deps), 'GP', state, deps)
    case 'back':
      return { ...state, view: 'alerts', of: null }
    default:
      return null
  }
}

function actInCauses(state: AlrtState, call: ActionCall, deps: ScreenDeps): AlrtState | null {
  const rows = causesIn(state, deps)
  const height = Math.max(1, deps.height - 4)
  const moved = moveInList(state.rows, call.name, rows, height)
  if (moved !== null) return { ...state, rows: moved }
  switch (call.name) {
    case 'row.open':
      return runOn(subjectIn(state, deps), 'DES', state, deps)
    case 'row.chart':
      return runOn(subjectIn(state, deps), 'GP', state, deps)
    case 'pointer.press':
      return { ...state, rows: pressInList(state.rows, (call.at?.y ?? 0) - 3, rows, height) }
    case 'back':
      return { ...state, view: 'firings' }
    default:
      return null
  }
}

function runOn(subject: Subject | null, fn: 'DES' | 'GP', state: AlrtState, deps: ScreenDeps): AlrtState {
  if (subject === null) deps.say('This row is of a query: it has no description.')
  else deps.run(`${formatSubject(subject)} ${fn}`)
  return state
}

function actInTrial(state: AlrtState, trial: Trial, call: ActionCall, deps: ScreenDeps): AlrtState | null {
  if (call.name === 'back') {
    trial.stop.abort()
    return { ...state, trial: null }
  }
  const rows = trial.result?.rows ?? []
  const height = Math.max(1, trialRowCount(deps) - 1)
  const moved = moveInList(state.trialList, call.name, rows, height)
  if (moved !== null) return { ...state, trialList: moved }
  if (call.name !== 'row.open' && call.name !== 'row.chart') return null
  const cause = rows[selectedIndexOf(state.trialList, rows)]?.rows[0]
  return runOn(subjectOfCause(cause), call.name === 'row.open' ? 'DES' : 'GP', state, deps)
}

function actInAlertForm(state: AlrtState, alert: AlertForm, call: ActionCall, deps: ScreenDeps): AlrtState | null {
  if (call.name === 'form.cancel' || call.name === 'back') return { ...state, form: null }
  const spec = alertFormSpec(alert.form)
  const pressed =
    call.name === 'pointer.press' ? pressInForm(spec, alert.form, call, placeForm(alert, state, deps)) : null
  const acted = actInForm(spec, pressed?.form ?? alert.form, pressed?.call ?? call)
  if (acted === null) return null
  const form = { ...alert, form: acted.state }
  if (acted.pressed === 'cancel') return { ...state, form: null }
  return acted.pressed === 'save' || acted.pressed === 'try'
    ? submit({ ...state, form }, form, acted.pressed, deps)
    : { ...state, form }
}

/** A name is found first; then the alert is saved, or its rule tried. */
function submit(state: AlrtState, alert: AlertForm, what: 'save' | 'try', deps: ScreenDeps): AlrtState {
  const about = readAbout(textIn(alert.form, 'about'))
  const busy = { ...alert, pending: what, form: { ...alert.form, isBusy: true } }
  if (about?.source === 'search') {
    deps.ask('found', findCreator(deps.http, about.text))
    return { ...state, form: busy }
  }
  const [query] = nowQueries({ ...state, form: alert })
  const request = alertRequestOf(alert, query === undefined ? null : nameIn(deps.live(query).rows))
  if (request === null) return state
  if (what === 'try') return tried(state, request, deps)
  const { of } = alert
  const sent =
    of === null
      ? deps.http.post('/api/alerts', request)
      : deps.http.put(`/api/alerts/${of.id}`, request, `"${of.version}"`)
  deps.ask('save', sent)
  return { ...state, form: busy }
}

/** Tries a rule; one that the server would refuse is refused here, where it was typed. */
function tried(state: AlrtState, { name, rule }: { name: string; rule: object }, deps: ScreenDeps): AlrtState {
  const parsed = AlertRuleSchema.safeParse(rule)
  if (!parsed.success) return withRefusal(state, sentenceOf(parsed.error), deps)
  const stop = new AbortController()
  const options = { timeoutMs: trialMsMax, signal: stop.signal }
  deps.ask('try', deps.http.post('/api/alerts/backtest', { rule }, options))
  const { condition } = parsed.data
  return { ...state, trial: { name, condition, result: null, stop }, trialList: listStart }
}

function sentenceOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.at(-1)?.toString() ?? 'The rule'}: ${issue?.message ?? 'is not valid'}.`
}

/** In the form where there is one, else in the status line. */
function withRefusal(state: AlrtState, message: string, deps: ScreenDeps): AlrtState {
  if (state.form !== null) return { ...state, form: { ...state.form, form: withProblem(state.form.form, message) } }
  deps.say(message)
  return state
}

function answered(state: AlrtState, { tag, result }: { tag: string; result: HttpResult }, deps: ScreenDeps): AlrtState {
  switch (tag) {
    case 'try':
      return triedAnswer(state, result, deps)
    case 'found':
      return foundAnswer(state, result, deps)
    default:
      break
  }
  deps.refresh('/api/alerts')
  if (tag === 'save') {
    if (result.ok) deps.say(state.form?.of === null ? 'The alert is on.' : 'The alert was changed.')
    else if (state.form !== null)
      return { ...state, form: { ...state.form, form: withProblem(state.form.form, result.message) } }
    return { ...state, form: null, view: 'alerts', list: state.form?.of === null ? listStart : state.list }
  }
  if (!result.ok) deps.say(result.message)
  return state
}

function triedAnswer(state: AlrtState, result: HttpResult, deps: ScreenDeps): AlrtState {
  if (state.trial === null) return state
  const found: Backtest | undefined = result.ok ? BacktestSchema.safeParse(result.body).data : undefined
  if (found !== undefined) return { ...state, trial: { ...state.trial, result: trialResult(found) } }
  const message = result.ok ? "The server's answer was not understood: it may be of another version." : result.message
  return withRefusal({ ...state, trial: null }, message, deps)
}

const FoundSchema = z.object({ id: z.string() })

function foundAnswer(state: AlrtState, result: HttpResult, deps: ScreenDeps): AlrtState {
  const { form } = state
  if (form === null) return state
  if (!result.ok) return { ...state, form: { ...form, form: withProblem(form.form, result.message, 'about') } }
  const found = FoundSchema.parse(result.body)
  const about = withFoundSubject({ ...form, form: withProblem(form.form, null) }, found.id)
  return submit({ ...state, form: about }, about, form.pending ?? 'save', deps)
}
