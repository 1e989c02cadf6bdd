import { SavedCredentialsSchema, StartedLinkSchema, UnlinkedSchema } from '../../contracts/platform-accounts.ts'
import { actInForm, type FormState, hasMasked, openForm, spokenField, textIn, withProblem } from '../state/form.ts'
import { listStart, moveInList, selectIndex } from '../state/list-state.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { type CredentialKind, credentialForm, credentialKinds, platformTitles } from './credential-kinds.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { drawKeys, footLines, type KeysLists, type KeysRow, rowAt, rowsOf, selectedRow } from './keys-rows.ts'
import {
  linkSpec,
  type OpenLink,
  openLink,
  placeLink,
  progressOf,
  progressSentence,
  withoutBrowser,
} from './link-form.ts'
import { openAddress } from './open-address.ts'
import { credentialsResource, linkResource, platformAccountsResource, quotaResource } from './platform-resources.ts'
import { quotaRows } from './quota-table.ts'
import { chosenScopes, openScopes, placeScopes, type ScopeEntry, scopeForm } from './scope-form.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface KeysState extends KeysLists {
  /** Credentials that are being entered. */
  entry: { kind: CredentialKind; form: FormState } | null
  /** Permissions that are being chosen. */
  scopes: ScopeEntry | null
  link: OpenLink | null
}

/** Developer credentials for each platform, and the accounts that are linked with them. */
export const keysFactory = screenFactory<KeysState>({
  fn: 'KEYS',
  contexts: ['credentials', 'list'],
  open: () => ({
    view: 'accounts',
    list: listStart,
    quota: listStart,
    asking: null,
    entry: null,
    scopes: null,
    link: null,
  }),
  title: titleOf,
  queries: () => [],
  resources: state => [
    credentialsResource,
    platformAccountsResource,
    state.link === null ? quotaResource : linkResource(state.link.started.linkId),
  ],
  isTyping: state => state.entry !== null || state.scopes !== null || state.link !== null,
  hasSecret: ({ entry }) => entry !== null && hasMasked(credentialForm(entry.kind)),
  cursor: (state, view) => placed(state, view)?.cursor ?? null,
  spoken(state, view) {
    if (state.link !== null) return progressSentence(state.link, view)?.text ?? spokenField(linkSpec, state.link.form)
    if (state.scopes !== null) return spokenField(scopeForm(state.scopes.kind), state.scopes.form)
    return state.entry === null ? '' : spokenField(credentialForm(state.entry.kind), state.entry.form)
  },
  draw: (state, view) => placed(state, view)?.lines ?? drawKeys(state, view),
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    if (state.link !== null) return actInLink(state, state.link, call, deps)
    if (state.entry !== null) return actInEntry(state, state.entry, call, deps)
    if (state.scopes !== null) return actInScopes(state, state.scopes, call, deps)
    return actInRows(state, call, deps)
  },
  list(state, view) {
    if (state.view === 'quota') {
      const lines = quotaRows(view)
      const columns = ['platform', 'kind', 'bucket', 'accountName', 'limit', 'used', 'left', 'resetsAt', 'blockedUntil']
      return { title: 'KEYS quota', columns, rows: lines, asOf: null }
    }
    const rows = view.resource(platformAccountsResource).body?.data ?? []
    const columns = ['platform', 'name', 'handle', 'kind', 'status', 'reason', 'scopes', 'missingScopes', 'createdAt']
    return { title: 'KEYS accounts', columns, rows, asOf: null }
  },
  copyText: (state, view) => state.link?.started.authorizationUrl ?? selectedRow(state, view)?.account?.handle ?? '',
  copyName: state => (state.link === null ? null : 'the link'),
})

function titleOf({ link, entry, scopes, view }: KeysState): string {
  if (link !== null || scopes !== null) return 'KEYS LINK'
  if (entry !== null) return 'KEYS CREDENTIALS'
  return view === 'quota' ? 'KEYS QUOTA' : 'KEYS'
}

// Forms

function placed(state: KeysState, view: ScreenView): DrawnForm | null {
  if (state.link !== null) return placeLink(state.link, view)
  if (state.scopes !== null) return placeScopes(state.scopes, view)
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

function actInScopes(state: KeysState, entry: ScopeEntry, call: ActionCall, deps: ScreenDeps): KeysState | null {
  if (call.name === 'form.cancel') return { ...state, scopes: null }
  const spec = scopeForm(entry.kind)
  if (call.name === 'pointer.press') {
    const pressed = pressInForm(spec, entry.form, call, placeScopes(entry, deps))
    return pressed === null ? state : actInScopes(state, { ...entry, form: pressed.form }, pressed.call, deps)
  }
  const acted = actInForm(spec, entry.form, call)
  if (acted === null) return null
  if (acted.pressed === null) return { ...state, scopes: { ...entry, form: acted.state } }
  if (acted.pressed === 'link') askForLink(entry.kind, entry.accountId, chosenScopes(acted.state), deps)
  return { ...state, scopes: null }
}

function actInLink(state: KeysState, link: OpenLink, call: ActionCall, deps: ScreenDeps): KeysState | null {
  if (progressOf(link, deps)?.status === 'connected') return leaveLink(state, deps)
  if (link.isCodeShown) {
    const next = { ...state, link: { ...link, isCodeShown: false } }
    return call.name === 'form.text' ? actInLink(next, next.link, call, deps) : next
  }
  if (call.name === 'form.cancel') return leaveLink(state, deps)
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
    case 'code':
      return { ...state, link: { ...next, isCodeShown: true } }
    case 'open':
      openAddress(link.started.authorizationUrl, deps)
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

// The list

function actInRows(state: KeysState, call: ActionCall, deps: ScreenDeps): KeysState | null {
  const height = Math.max(1, deps.height - footLines(state, deps).length - 1)
  if (call.name === 'credentials.view')
    return { ...state, asking: null, view: state.view === 'quota' ? 'accounts' : 'quota' }
  if (state.view === 'quota') {
    const quota = moveInList(state.quota, call.name, quotaRows(deps), height)
    if (quota !== null) return { ...state, quota }
    return call.name === 'back' ? { ...state, view: 'accounts' } : null
  }
  const rows = rowsOf(deps)
  const moved = moveInList(state.list, call.name, rows, height)
  if (moved !== null) return { ...state, list: moved, asking: null }
  const row = selectedRow(state, deps)
  switch (call.name) {
    case 'credentials.enter':
      if (row === null) return state
      return { ...state, asking: null, entry: { kind: row.kind, form: openForm(credentialForm(row.kind)) } }
    case 'account.link':
    case 'account.linkSome':
      return row === null ? state : startLink({ ...state, asking: null }, row, call, deps)
    case 'account.unlink':
      return row === null ? state : remove(state, row, rows, deps)
    case 'credentials.amendment':
      return row === null ? state : amend(state, row, rows, deps)
    case 'pointer.press': {
      const index = rowAt(state, call.at?.y ?? 0, deps)
      return index === null ? state : { ...state, asking: null, list: selectIndex(state.list, rows, index, height) }
    }
    case 'back':
      return state.asking === null ? null : { ...state, asking: null }
    default:
      return null
  }
}

function startLink(state: KeysState, row: KeysRow, call: ActionCall, deps: ScreenDeps): KeysState {
  if (row.kind.idLabel === null) {
    deps.say('An API key links no account: the Google OAuth client does.')
    return state
  }
  if (row.account === null && row.entered === null && deps.resource(credentialsResource).body !== null) {
    deps.say(`Enter the credentials ${row.kind.title} first.`)
    return state
  }
  if (call.name === 'account.linkSome') return { ...state, scopes: openScopes(row.kind, row.account) }
  askForLink(row.kind, row.account?.id ?? null, null, deps)
  return state
}

/** @param scopes null for all */
function askForLink(
  { kind, platform }: CredentialKind,
  accountId: string | null,
  scopes: readonly string[] | null,
  deps: ScreenDeps,
): void {
  deps.say('Asking for the link…')
  const body = {
    kind,
    ...(accountId === null ? {} : { account_id: accountId }),
    ...(scopes === null ? {} : { scopes }),
  }
  deps.ask(`link ${platform}`, deps.http.post(`/api/auth/link/${platform}`, body))
}

function remove(state: KeysState, row: KeysRow, rows: readonly KeysRow[], deps: ScreenDeps): KeysState {
  const { account, entered, kind } = row
  if (account === null ? entered === null : account.status === 'disconnected') {
    deps.say(account === null ? 'There are no credentials to remove.' : 'This account is unlinked already.')
    return { ...state, asking: null }
  }
  if (!isAsked(state, row, 'remove')) return askFirst(state, row, rows, 'remove')
  if (account === null) {
    deps.say('Removing…')
    deps.ask('remove', deps.http.delete(`/api/credentials/${kind.platform}?kind=${kind.kind}`))
  } else {
    deps.say('Unlinking…')
    deps.ask('unlink', deps.http.delete(`/api/auth/link/${kind.platform}/${account.id}`))
  }
  return { ...state, asking: null }
}

/** What only Google can decide: here is said that it did. */
function amend(state: KeysState, row: KeysRow, rows: readonly KeysRow[], deps: ScreenDeps): KeysState {
  const accepted = row.entered?.derivedMetricsAccepted ?? null
  if (accepted === null) {
    deps.say('No terms of its platform hold back measures here.')
    return { ...state, asking: null }
  }
  if (!isAsked(state, row, 'amend')) return askFirst(state, row, rows, 'amend')
  const change = { kind: row.kind.kind, derived_metrics_accepted: !accepted }
  deps.ask('amend', deps.http.patch(`/api/credentials/${row.kind.platform}`, change))
  return { ...state, asking: null }
}

function isAsked({ asking }: KeysState, row: KeysRow, what: 'remove' | 'amend'): boolean {
  return asking !== null && asking.what === what && asking.key === row.key
}

/** The selection is pinned, so that a row that comes in between is not the one that is meant. */
function askFirst(state: KeysState, row: KeysRow, rows: readonly KeysRow[], what: 'remove' | 'amend'): KeysState {
  const index = rows.findIndex(each => each.key === row.key)
  return { ...state, asking: { what, key: row.key }, list: selectIndex(state.list, rows, index, rows.length) }
}

// Answers

function answered(state: KeysState, { tag, result }: NonNullable<ActionCall['answer']>, deps: ScreenDeps): KeysState {
  if (tag === 'browser') {
    if (state.link === null) return state
    const isOpen = result.ok && result.body === true
    return { ...state, link: isOpen ? { ...state.link, isBrowserOpen: true } : withoutBrowser(state.link, deps) }
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
    openAddress(started.data.authorizationUrl, deps)
    return { ...state, entry: null, link: openLink(platform, started.data) }
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
      deps.say(
        isRevoked
          ? 'The account is unlinked.'
          : 'Unlinked here. Unless another account needs the grant, end it in your account there.',
      )
      return state
    }
    case 'amend':
      deps.say('Saved: measures of YouTube follow it.')
      return state
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
