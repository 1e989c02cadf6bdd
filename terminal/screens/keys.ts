import {
  type Credentials,
  SavedCredentialsSchema,
  StartedLinkSchema,
  UnlinkedSchema,
} from '../../contracts/platform-accounts.ts'
import type { HttpResult } from '../net/http-client.ts'
import { actInForm, type FormState, openForm, spokenField, textIn, withProblem } from '../state/form.ts'
import { type ListState, listStart, moveInList, selectedIndexOf, selectIndex, topOf } from '../state/list-state.ts'
import { formatAge } from '../text/format.ts'
import { wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { type CredentialKind, credentialForm, credentialKinds, platformTitles } from './credential-kinds.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { linkSpec, type OpenLink, placeLink, progressOf, progressSentence } from './link-form.ts'
import {
  credentialsResource,
  linkResource,
  type PlatformAccountRow,
  platformAccountsResource,
} from './platform-resources.ts'
import { failedMark, noResourceBox } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface KeysState {
  list: ListState
  /** The row that the next `x` removes, by its key. */
  removing: string | null
  /** Credentials that are being entered. */
  entry: { kind: CredentialKind; form: FormState } | null
  link: OpenLink | null
}

/** One line of the screen: a kind of credentials, entered or not, or an account. */
type KeysRow =
  | { key: string; kind: CredentialKind; entered: Credentials | null; account: null }
  | { key: string; kind: CredentialKind; entered: null; account: PlatformAccountRow }

/** Developer credentials for each platform, and the accounts that are linked with them. */
export const keysFactory = screenFactory<KeysState>({
  fn: 'KEYS',
  contexts: ['credentials', 'list'],
  open: () => ({ list: listStart, removing: null, entry: null, link: null }),
  title: state => (state.link !== null ? 'KEYS LINK' : state.entry !== null ? 'KEYS CREDENTIALS' : 'KEYS'),
  queries: () => [],
  resources: state =>
    state.link === null
      ? [credentialsResource, platformAccountsResource]
      : [credentialsResource, platformAccountsResource, linkResource(state.link.started.linkId)],
  isTyping: state => state.entry !== null || state.link !== null,
  cursor: (state, view) => placed(state, view)?.cursor ?? null,
  spoken(state, view) {
    if (state.link !== null) return progressSentence(state.link, view)?.text ?? spokenField(linkSpec, state.link.form)
    return state.entry === null ? '' : spokenField(credentialForm(state.entry.kind), state.entry.form)
  },
  draw: (state, view) => placed(state, view)?.lines ?? drawKeys(state, view),
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    if (state.link !== null) return actInLink(state, state.link, call, deps)
    if (state.entry !== null) return actInEntry(state, state.entry, call, deps)
    return actInRows(state, call, deps)
  },
  list(_state, view) {
    const rows = view.resource(platformAccountsResource).body?.data ?? []
    const columns = ['platform', 'name', 'handle', 'kind', 'status', 'reason', 'scopes', 'missingScopes', 'createdAt']
    return { title: 'KEYS accounts', columns, rows, asOf: null }
  },
  copyText: (state, view) => state.link?.started.authorizationUrl ?? selectedRow(state, view)?.account?.handle ?? '',
  copyName: state => (state.link === null ? null : 'the link'),
})

function rowsOf({ resource }: Pick<ScreenView, 'resource'>): KeysRow[] {
  const entered = resource(credentialsResource).body ?? []
  const accounts = resource(platformAccountsResource).body?.data ?? []
  return [
    ...credentialKinds.map((kind): KeysRow => {
      const found = entered.find(each => each.kind === kind.kind) ?? null
      return { key: kind.kind, kind, entered: found, account: null }
    }),
    ...accounts.flatMap((account): KeysRow[] => {
      const kind = credentialKinds.find(each => each.kind === account.kind)
      return kind === undefined ? [] : [{ key: account.key, kind, entered: null, account }]
    }),
  ]
}

function selectedRow(state: KeysState, view: Pick<ScreenView, 'resource'>): KeysRow | null {
  const rows = rowsOf(view)
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

// Drawing

const credentialColumns = (isKnown: boolean, nowMs: number): readonly Column<KeysRow>[] => [
  { title: 'CREDENTIALS', width: 19, flex: 1, cell: row => ({ text: row.kind.title, role: 'subject' }) },
  { title: 'FOR', width: 9, fromWidth: 50, cell: row => ({ text: platformTitles[row.kind.platform], role: 'muted' }) },
  { title: 'STATE', width: 14, cell: row => credentialState(row.entered, isKnown) },
  {
    title: 'REASON',
    width: 8,
    flex: 4,
    fromWidth: 70,
    cell: row => ({ text: row.entered?.reason ?? '', role: 'muted' }),
  },
  {
    title: 'TRIED',
    width: 5,
    align: 'right',
    fromWidth: 44,
    cell: row => ({ text: ageOf(row.entered?.lastValidatedAt, nowMs), role: 'muted' }),
  },
]

const accountColumns = (nowMs: number): readonly Column<KeysRow>[] => [
  { title: 'ACCOUNT', width: 14, flex: 2, cell: row => ({ text: accountName(row), role: 'subject' }) },
  { title: 'ON', width: 9, fromWidth: 50, cell: row => ({ text: platformTitles[row.kind.platform], role: 'muted' }) },
  { title: 'STATE', width: 14, cell: row => accountState(row.account) },
  {
    title: 'REASON',
    width: 8,
    flex: 3,
    fromWidth: 70,
    cell: row => ({ text: row.account?.reason ?? missingText(row.account), role: 'muted' }),
  },
  {
    title: 'SEEN',
    width: 5,
    align: 'right',
    fromWidth: 44,
    cell: row => ({ text: ageOf(row.account?.lastValidatedAt, nowMs), role: 'muted' }),
  },
]

function credentialState(entered: Credentials | null, isKnown: boolean): { text: string; role: ColorRole } {
  if (entered === null) return { text: isKnown ? 'not entered' : '', role: 'faint' }
  const states = {
    pending_validation: { text: 'being tried', role: 'accent' },
    valid: { text: 'valid', role: 'good' },
    invalid: { text: 'invalid', role: 'error' },
    inconclusive: { text: 'inconclusive', role: 'warn' },
  } as const
  return states[entered.status]
}

function accountState(account: PlatformAccountRow | null): { text: string; role: ColorRole } {
  if (account === null) return { text: '', role: 'faint' }
  const states = {
    connected: { text: 'linked', role: 'good' },
    needs_reauth: { text: 'link it again', role: 'warn' },
    disconnected: { text: 'not linked', role: 'faint' },
  } as const
  return states[account.status]
}

function accountName({ account }: KeysRow): string {
  return account === null ? '' : account.name || account.handle || account.platformAccountId
}

function missingText(account: PlatformAccountRow | null): string {
  return account === null || account.missingScopes.length === 0
    ? ''
    : `Not granted: ${account.missingScopes.join(', ')}.`
}

function ageOf(instant: string | null | undefined, nowMs: number): string {
  return instant === null || instant === undefined ? '' : formatAge(instant, nowMs)
}

/** The two tables one below the other; where there is no room, the one with the selection alone. */
function drawKeys(state: KeysState, view: ScreenView): string[] {
  const foot = footLines(state, view)
  const rows = rowsOf(view)
  const selectedIndex = selectedIndexOf(state.list, rows)
  const kindCount = credentialKinds.length
  const { upper, lower } = splitHeight(view.height - foot.length, selectedIndex >= kindCount)
  const isKnown = view.resource(credentialsResource).body !== null
  const second = Math.floor(view.nowMs / 1_000)
  const table = (part: readonly KeysRow[], columns: readonly Column<KeysRow>[], at: number, height: number) =>
    drawTable({
      rows: part,
      columns,
      width: view.width,
      height,
      top: topOf(listStart, Math.max(0, at), part.length, Math.max(1, height - 1)),
      selectedIndex: at < part.length ? at : -1,
      hasFocus: view.isFocused,
      style: view.style,
      nowMs: view.nowMs,
      cellKey: `${second}`,
    })
  const accounts = rows.slice(kindCount)
  return [
    ...(upper === 0
      ? []
      : table(rows.slice(0, kindCount), credentialColumns(isKnown, view.nowMs), selectedIndex, upper)),
    ...(lower === 0
      ? []
      : accounts.length === 0
        ? noResourceBox(
            { ...view, height: lower },
            view.resource(platformAccountsResource),
            'No account is linked yet: l on valid credentials links one.',
          )
        : table(accounts, accountColumns(view.nowMs), selectedIndex - kindCount, lower)),
    ...foot,
  ].slice(0, view.height)
}

function splitHeight(room: number, isInAccounts: boolean): { upper: number; lower: number } {
  const kindLines = credentialKinds.length + 1
  if (room >= kindLines + 3) return { upper: kindLines, lower: room - kindLines }
  const height = Math.max(1, room)
  return isInAccounts ? { upper: 0, lower: height } : { upper: height, lower: 0 }
}

/** What is known of the selected row, in full, and what can be done with it. */
function footLines(state: KeysState, view: ScreenView): string[] {
  const { style, width } = view
  const row = selectedRow(state, view)
  if (row === null) return []
  const said = state.removing === row.key ? { text: removalQuestion(row), role: 'warn' as const } : describe(row, view)
  const lines = wrap(said.text, Math.max(10, width - 2))
    .slice(0, view.height >= 12 ? 3 : 1)
    .map(line => style.paint(said.role, style.fit(` ${line}`, width)))
  const failed = failedMark(view, view.resource(credentialsResource), view.resource(platformAccountsResource))
  const hints = row.account === null ? 'Enter credentials  l link  x remove' : 'l link again  x unlink'
  const left = failed === '' ? '' : ` ${failed}`
  return [...lines, joinLine([left], style.paint('muted', hints), width)]
}

function describe(row: KeysRow, { resource }: ScreenView): { text: string; role: ColorRole } {
  const { account, entered, kind } = row
  if (account !== null) {
    const said = [account.reason ?? '', missingText(account)].filter(text => text !== '').join(' ')
    const role = account.status === 'needs_reauth' ? 'warn' : 'muted'
    if (said !== '') return { text: said, role }
    return { text: `${account.handle} with ${kind.title}, ${account.scopes.length} permissions.`, role }
  }
  if (entered === null) {
    const isKnown = resource(credentialsResource).body !== null
    return { text: isKnown ? `From ${kind.where}. Enter takes them.` : 'Asking the server.', role: 'muted' }
  }
  if (entered.reason !== undefined && entered.reason !== '')
    return { text: entered.reason, role: entered.status === 'valid' ? 'muted' : 'warn' }
  if (entered.status === 'pending_validation')
    return { text: `${platformTitles[kind.platform]} is being asked whether they are good.`, role: 'muted' }
  const use = kind.idLabel === null ? 'Public numbers are read with it; it links no account.' : 'l links an account.'
  return { text: entered.status === 'valid' ? use : 'Enter takes others.', role: 'muted' }
}

function removalQuestion({ account, kind }: KeysRow): string {
  return account === null
    ? `! Remove the credentials ${kind.title}? Accounts linked with them stop. x again removes, Esc keeps them.`
    : `! Unlink ${account.name || account.handle}? Its tokens are revoked. x again unlinks, Esc keeps it.`
}

// Forms

function placed(state: KeysState, view: ScreenView): DrawnForm | null {
  if (state.link !== null) return placeLink(state.link, view)
  if (state.entry === null) return null
  const { kind, form } = state.entry
  const head: FormHead[] = [
    { text: `${kind.title}, for ${platformTitles[kind.platform]}`, role: 'title', isTitle: true },
    { text: `From ${kind.where}. Secrets are sealed, and never shown again.`, role: 'muted' },
  ]
  return centredForm(view, head, room => drawForm(credentialForm(kind), form, { ...room, style: view.style }))
}

function actInEntry(
  state: KeysState,
  { kind, form }: NonNullable<KeysState['entry']>,
  call: ActionCall,
  deps: ScreenDeps,
): KeysState | null {
  if (call.name === 'form.cancel') return { ...state, entry: null }
  const spec = credentialForm(kind)
  if (call.name === 'pointer.press') {
    const drawn = placed(state, deps)
    const pressed = drawn === null ? null : pressInForm(spec, form, call, drawn)
    return pressed === null ? state : actInEntry(state, { kind, form: pressed.form }, pressed.call, deps)
  }
  const acted = actInForm(spec, form, call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, entry: null }
  if (acted.pressed !== 'save') return { ...state, entry: { kind, form: acted.state } }
  const names = spec.fields.flatMap(field => (field.kind === 'text' ? [field.name] : []))
  const values = Object.fromEntries(names.map(name => [name, textIn(form, name).trim()]))
  deps.ask('save', deps.http.post(`/api/credentials/${kind.platform}`, { kind: kind.kind, ...values }))
  return { ...state, entry: { kind, form: { ...acted.state, isBusy: true } } }
}

function actInLink(state: KeysState, link: OpenLink, call: ActionCall, deps: ScreenDeps): KeysState | null {
  if (call.name === 'form.cancel' || progressOf(link, deps)?.status === 'connected') return leaveLink(state, deps)
  if (call.name === 'pointer.press') {
    const pressed = pressInForm(linkSpec, link.form, call, placeLink(link, deps))
    return pressed === null ? state : actInLink(state, { ...link, form: pressed.form }, pressed.call, deps)
  }
  const acted = actInForm(linkSpec, link.form, call)
  if (acted === null) return null
  const next = { ...link, form: acted.state }
  switch (acted.pressed) {
    case 'take': {
      const body = { url: textIn(link.form, 'address').trim() }
      deps.ask('complete', deps.http.post(`/api/auth/link/${link.platform}/complete`, body))
      return { ...state, link: { ...next, form: { ...acted.state, isBusy: true } } }
    }
    case 'copy':
      deps.copy(link.started.authorizationUrl, 'the link')
      return { ...state, link: next }
    case 'open':
      deps.ask('browser', opening(deps.openBrowser(link.started.authorizationUrl)))
      return { ...state, link: next }
    case 'back':
      return leaveLink(state, deps)
    default:
      return { ...state, link: next }
  }
}

function leaveLink(state: KeysState, deps: ScreenDeps): KeysState {
  deps.refresh('/api/accounts')
  return { ...state, link: null }
}

/** Whether a browser was opened, as an answer. */
async function opening(isOpen: Promise<boolean>): Promise<HttpResult> {
  return { ok: true, body: await isOpen }
}

// The list

function actInRows(state: KeysState, call: ActionCall, deps: ScreenDeps): KeysState | null {
  const rows = rowsOf(deps)
  const height = Math.max(1, deps.height - footLines(state, deps).length - 1)
  const moved = moveInList(state.list, call.name, rows, height)
  if (moved !== null) return { ...state, list: moved, removing: null }
  const row = selectedRow(state, deps)
  switch (call.name) {
    case 'credentials.enter':
      if (row === null) return state
      return { ...state, removing: null, entry: { kind: row.kind, form: openForm(credentialForm(row.kind)) } }
    case 'account.link':
      return row === null ? state : startLink({ ...state, removing: null }, row, deps)
    case 'account.unlink':
      return row === null ? state : remove(state, row, rows, deps)
    case 'pointer.press': {
      const index = rowAt(state, call.at?.y ?? 0, deps)
      return index === null ? state : { ...state, removing: null, list: selectIndex(state.list, rows, index, height) }
    }
    case 'back':
      return state.removing === null ? null : { ...state, removing: null }
    default:
      return null
  }
}

/** The row under a line of the body. */
function rowAt(state: KeysState, y: number, view: ScreenView): number | null {
  const rows = rowsOf(view)
  const kindCount = credentialKinds.length
  const selectedIndex = selectedIndexOf(state.list, rows)
  const { upper, lower } = splitHeight(view.height - footLines(state, view).length, selectedIndex >= kindCount)
  const isUpper = y < upper
  const [from, count, height] = isUpper ? [0, kindCount, upper] : [kindCount, rows.length - kindCount, lower]
  const line = isUpper ? y - 1 : y - upper - 1
  if (line < 0 || line >= height - 1) return null
  const index = topOf(listStart, Math.max(0, selectedIndex - from), count, Math.max(1, height - 1)) + line
  return index < count ? from + index : null
}

function startLink(state: KeysState, row: KeysRow, deps: ScreenDeps): KeysState {
  if (row.kind.idLabel === null) {
    deps.say('An API key links no account: the Google OAuth client does.')
    return state
  }
  if (row.account === null && row.entered === null && deps.resource(credentialsResource).body !== null) {
    deps.say(`Enter the credentials ${row.kind.title} first.`)
    return state
  }
  deps.say('Asking for the link…')
  const body = { kind: row.kind.kind, ...(row.account === null ? {} : { account_id: row.account.id }) }
  deps.ask(`link ${row.kind.platform}`, deps.http.post(`/api/auth/link/${row.kind.platform}`, body))
  return state
}

function remove(state: KeysState, row: KeysRow, rows: readonly KeysRow[], deps: ScreenDeps): KeysState {
  const { account, entered, kind } = row
  if (account === null ? entered === null : account.status === 'disconnected') {
    deps.say(account === null ? 'There are no credentials to remove.' : 'This account is unlinked already.')
    return { ...state, removing: null }
  }
  // The selection is pinned, so that a row that comes in between is not the one that is removed.
  if (state.removing !== row.key)
    return {
      ...state,
      removing: row.key,
      list: selectIndex(
        state.list,
        rows,
        rows.findIndex(each => each.key === row.key),
        rows.length,
      ),
    }
  if (account === null) {
    deps.say('Removing…')
    deps.ask('remove', deps.http.delete(`/api/credentials/${kind.platform}?kind=${kind.kind}`))
  } else {
    deps.say('Unlinking…')
    deps.ask('unlink', deps.http.delete(`/api/auth/link/${kind.platform}/${account.id}`))
  }
  return { ...state, removing: null }
}

// Answers

function answered(state: KeysState, { tag, result }: NonNullable<ActionCall['answer']>, deps: ScreenDeps): KeysState {
  if (tag === 'browser') {
    const isBrowserOpen = result.ok && result.body === true
    return state.link === null ? state : { ...state, link: { ...state.link, isBrowserOpen } }
  }
  deps.refresh('/api/credentials')
  deps.refresh('/api/accounts')
  if (!result.ok) return refused(state, tag, result.message, deps)
  const platform = credentialKinds.find(each => tag === `link ${each.platform}`)?.platform
  if (platform !== undefined) {
    const started = StartedLinkSchema.safeParse(result.body)
    if (!started.success) {
      deps.say("The server's answer was not understood: no link was started.")
      return state
    }
    deps.ask('browser', opening(deps.openBrowser(started.data.authorizationUrl)))
    const link: OpenLink = { platform, started: started.data, isBrowserOpen: null, form: openForm(linkSpec) }
    return { ...state, entry: null, link }
  }
  switch (tag) {
    case 'save': {
      const saved = SavedCredentialsSchema.safeParse(result.body)
      const again = saved.success ? saved.data.needsReauth.length : 0
      const accounts = again === 1 ? 'One account has' : `${again} accounts have`
      deps.say(`Saved; they are being tried.${again === 0 ? '' : ` ${accounts} to be linked again.`}`)
      return { ...state, entry: null }
    }
    case 'complete':
      deps.say('The account is linked.')
      return { ...state, link: null }
    case 'unlink': {
      const unlinked = UnlinkedSchema.safeParse(result.body)
      const isRevoked = unlinked.success && unlinked.data.revokedAtPlatform
      deps.say(isRevoked ? 'The account is unlinked.' : 'Unlinked here; end the grant in your account there as well.')
      return state
    }
    default:
      deps.say('The credentials were removed.')
      return state
  }
}

/** Nothing that was typed is lost by a refusal. */
function refused(state: KeysState, tag: string, message: string, deps: ScreenDeps): KeysState {
  if (tag === 'save' && state.entry !== null)
    return { ...state, entry: { ...state.entry, form: withProblem(state.entry.form, message) } }
  if (tag === 'complete' && state.link !== null)
    return { ...state, link: { ...state.link, form: withProblem(state.link.form, message, 'address') } }
  deps.say(message)
  return state
}
