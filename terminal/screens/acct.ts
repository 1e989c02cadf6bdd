import { NewPasswordSchema, type User } from '../../contracts/accounts.ts'
import {
  actInForm,
  type FormSpec,
  type FormState,
  hasMasked,
  openForm,
  schemaCheck,
  spokenField,
  textIn,
  withProblem,
} from '../state/form.ts'
import { selectedIndexOf } from '../state/list-state.ts'
import { pageText } from '../state/pages.ts'
import { clean } from '../text/clean.ts'
import { formatInstant } from '../text/format.ts'
import type { ColorRole } from '../theme/themes.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { ruleLine } from '../widgets/rule.ts'
import type { Column } from '../widgets/table.ts'
import { auditResource, type KeyedAuditRow, userResource } from './account-resources.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { drawPage, moveInPages, type PagedList, pagedStart } from './paged-list.ts'
import { failedMark, noResourceBox } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface AcctState extends PagedList {
  /** The form that changes the password. */
  form: FormState | null
}

/** Who one is on this server, and every change of credentials, keys, plans and sharing. */
export const acctFactory = screenFactory<AcctState>({
  fn: 'ACCT',
  contexts: ['account', 'pages', 'list'],
  open: () => ({ ...pagedStart, form: null }),
  title: state => (state.form === null ? 'ACCT' : 'ACCT PASSWORD'),
  queries: () => [],
  resources: state => [userResource, auditResource(state.pages)],
  isTyping: state => state.form !== null,
  hasSecret: () => hasMasked(passwordSpec),
  cursor: (state, view) => (state.form === null ? null : placeForm(state.form, view).cursor),
  spoken: state => (state.form === null ? '' : spokenField(passwordSpec, state.form)),
  draw: (state, view) => (state.form === null ? drawAcct(state, view) : placeForm(state.form, view).lines),
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    return state.form === null ? actInAudit(state, call, deps) : actInPassword(state, state.form, call, deps)
  },
  list(state, view) {
    const rows = view.resource(auditResource(state.pages)).body?.data ?? []
    const columns = ['at', 'action', 'target', 'actor', 'actorId', 'address', 'requestId']
    return { title: 'ACCT audit', columns, rows, asOf: null }
  },
  copyText: (_state, view) => view.resource(userResource).body?.id ?? '',
})

const passwordSpec: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'current',
      label: 'Present',
      isMasked: true,
      check: text => (text === '' ? 'Type your present password.' : null),
    },
    {
      kind: 'text',
      name: 'next',
      label: 'New',
      isMasked: true,
      hint: 'at least 10 characters',
      check: schemaCheck('The new password', NewPasswordSchema),
    },
    {
      kind: 'text',
      name: 'again',
      label: 'Once more',
      isMasked: true,
      check: (text, state) => (text === textIn(state, 'next') ? null : 'The two new passwords are not the same.'),
    },
    { kind: 'button', name: 'change', label: 'Change the password' },
    { kind: 'button', name: 'cancel', label: 'Cancel' },
  ],
  submit: 'change',
}

const auditColumns: readonly Column<KeyedAuditRow>[] = [
  { title: 'AT', width: 16, cell: row => ({ text: formatInstant(Date.parse(row.at)), role: 'muted' }) },
  { title: 'WHAT', width: 18, cell: row => ({ text: row.action, role: 'subject' }) },
  { title: 'TO', width: 8, flex: 2, fromWidth: 48, cell: row => ({ text: row.target ?? '', role: 'text' }) },
  { title: 'BY', width: 8, flex: 1, fromWidth: 60, cell: row => ({ text: row.actor, role: 'muted' }) },
  { title: 'FROM', width: 10, flex: 1, fromWidth: 74, cell: row => ({ text: row.address ?? '', role: 'muted' }) },
]

function drawAcct(state: AcctState, view: ScreenView): string[] {
  const { style, width } = view
  const user = view.resource(userResource)
  const audit = view.resource(auditResource(state.pages))
  const head = user.body === null ? noResourceBox({ ...view, height: 4 }, user, '') : drawUser(user.body, view)
  const height = Math.max(2, view.height - head.length - 1)
  const table = drawPage(state.list, view, {
    ...{ page: audit, columns: auditColumns, height, empty: 'Nothing was changed yet.', cellKey: 'audit' },
  })
  const rows = audit.body?.data ?? []
  const selected = rows[selectedIndexOf(state.list, rows)]
  const failed = failedMark(view, user, audit)
  const hints = pageText(state.pages, audit.body?.nextCursor)
  const room = Math.max(10, width - hints.length - 3)
  const details = selected === undefined ? '' : style.fit(detailText(selected), room).trimEnd()
  const left = failed === '' ? style.paint('muted', ` ${details}`) : ` ${failed}`
  return [...head, ...table, joinLine([left], style.paint('muted', hints), width)].slice(0, view.height)
}

/** What the row says beside its columns. */
function detailText(row: KeyedAuditRow): string {
  const details = Object.entries(row.details).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return clean([row.target ?? '', ...details].filter(text => text !== '').join('  '))
}

function drawUser(user: User, view: ScreenView): string[] {
  const { style, width } = view
  const isLocal = user.email === null
  const verified: [ColorRole, string] = user.emailVerified
    ? ['good', 'verified']
    : ['warn', 'not verified: m sends the mail']
  const facts: [string, ColorRole, string][] = [
    ['Who', 'subject', user.email ?? 'the owner of this installation'],
    ...(isLocal ? [] : [['Address', ...verified] satisfies [string, ColorRole, string]]),
    ['Role', 'text', `${user.role}, plan ${user.subscription_level}`],
    ['Since', 'text', `${formatInstant(Date.parse(user.createdAt))} UTC on ${view.serverUrl}`],
  ]
  return [
    ...facts.map(
      ([name, role, text]) =>
        style.paint('muted', style.fit(` ${name}`, 10)) + style.paint(role, style.fit(text, width - 10)),
    ),
    style.paint(
      'faint',
      style.fit(
        isLocal ? '' : ' p changes the password   LOGOUT signs out   API lists keys   BILL shows the plan',
        width,
      ),
    ),
    ruleLine('CHANGES OF CREDENTIALS, KEYS, PLANS AND SHARING', view),
  ]
}

function placeForm(form: FormState, view: ScreenView): DrawnForm {
  const head: FormHead[] = [
    { text: 'Change the password. All other sessions are signed out.', role: 'title', isTitle: true },
  ]
  return centredForm(view, head, room => drawForm(passwordSpec, form, { ...room, style: view.style }))
}

function actInAudit(state: AcctState, call: ActionCall, deps: ScreenDeps): AcctState | null {
  const page = deps.resource(auditResource(state.pages))
  const y = drawUserRows(deps)
  const moved = moveInPages(state, call, { page, height: Math.max(2, deps.height - y - 1), y })
  if (moved !== null) return { ...state, ...moved }
  switch (call.name) {
    case 'account.password':
      if (deps.resource(userResource).body?.email !== null) return { ...state, form: openForm(passwordSpec) }
      deps.say('The owner of this installation signs in without a password.')
      return state
    case 'account.verify':
      deps.say('Asking for the mail…')
      deps.ask('verify', deps.http.post('/api/auth/verify-email/send', {}))
      return state
    default:
      return null
  }
}

function drawUserRows(view: ScreenView): number {
  const { body } = view.resource(userResource)
  return body === null ? 4 : drawUser(body, view).length
}

function actInPassword(state: AcctState, form: FormState, call: ActionCall, deps: ScreenDeps): AcctState | null {
  if (call.name === 'form.cancel') return { ...state, form: null }
  if (call.name === 'pointer.press') {
    const pressed = pressInForm(passwordSpec, form, call, placeForm(form, deps))
    return pressed === null ? state : actInPassword(state, pressed.form, pressed.call, deps)
  }
  const acted = actInForm(passwordSpec, form, call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, form: null }
  if (acted.pressed !== 'change') return { ...state, form: acted.state }
  const body = { current_password: textIn(form, 'current'), new_password: textIn(form, 'next') }
  deps.ask('password', deps.http.post('/api/auth/password', body))
  return { ...state, form: { ...acted.state, isBusy: true } }
}

function answered(state: AcctState, { tag, result }: NonNullable<ActionCall['answer']>, deps: ScreenDeps): AcctState {
  deps.refresh('/api/audit')
  if (tag === 'verify') {
    deps.say(result.ok ? 'A mail with a link is on its way.' : result.message)
    return state
  }
  if (result.ok) {
    deps.say('The password was changed; all other sessions were ended.')
    return { ...state, form: null }
  }
  if (state.form === null) deps.say(result.message)
  return state.form === null ? state : { ...state, form: withProblem(state.form, result.message) }
}
