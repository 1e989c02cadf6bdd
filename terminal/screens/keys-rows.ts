import { amendment, type Credentials } from '../../contracts/platform-accounts.ts'
import { type ListState, listStart, selectedIndexOf, topOf } from '../state/list-state.ts'
import { formatAge } from '../text/format.ts'
import { wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { type CredentialKind, credentialKinds, platformTitles } from './credential-kinds.ts'
import { joinLine } from './join-line.ts'
import {
  credentialsResource,
  type PlatformAccountRow,
  platformAccountsResource,
  quotaResource,
} from './platform-resources.ts'
import { drawQuota, quotaRows, quotaSentence } from './quota-table.ts'
import { failedMark, noResourceBox } from './resource-notice.ts'
import { lackingText } from './scope-text.ts'
import type { ScreenView } from './screen.ts'

// What KEYS lists: credentials, the accounts that are linked with them, and what may still be asked with them.

/** What drawing needs to know of the screen's state. */
export interface KeysLists {
  view: 'accounts' | 'quota'
  list: ListState
  quota: ListState
  /** What the next press of the same key does, and with which row, by its key. */
  asking: { what: 'remove' | 'amend'; key: string } | null
}

/** One line of the screen: a kind of credentials, entered or not, or an account. */
export type KeysRow =
  | { key: string; kind: CredentialKind; entered: Credentials | null; account: null }
  | { key: string; kind: CredentialKind; entered: null; account: PlatformAccountRow }

/** Every kind of credentials, and below them the accounts. */
export function rowsOf({ resource }: Pick<ScreenView, 'resource'>): KeysRow[] {
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

/** The row that keys act on; null in the quota. */
export function selectedRow(state: KeysLists, view: Pick<ScreenView, 'resource'>): KeysRow | null {
  const rows = rowsOf(view)
  return state.view === 'quota' ? null : (rows[selectedIndexOf(state.list, rows)] ?? null)
}

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
    cell: row => ({ text: row.account?.reason ?? lackingText(row.account?.missingScopes ?? []), role: 'muted' }),
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

function ageOf(instant: string | null | undefined, nowMs: number): string {
  return instant === null || instant === undefined ? '' : formatAge(instant, nowMs)
}

/** The tables one below the other as far as there is room, or the quota alone: exactly `view.height` lines. */
export function drawKeys(state: KeysLists, view: ScreenView): string[] {
  const foot = footLines(state, view)
  const body = { ...view, height: view.height - foot.length }
  const lines = state.view === 'quota' ? drawQuotaAlone(state, body) : drawSections(state, body)
  return [...lines, ...foot].slice(0, view.height)
}

function drawQuotaAlone(state: KeysLists, view: ScreenView): string[] {
  const rows = quotaRows(view)
  if (rows.length === 0)
    return noResourceBox(
      view,
      view.resource(quotaResource),
      'Nothing was asked of a platform with your credentials yet: link an account.',
    )
  const selectedIndex = selectedIndexOf(state.quota, rows)
  const top = topOf(state.quota, selectedIndex, rows.length, Math.max(1, view.height - 1))
  return drawQuota(rows, view, { height: view.height, top, selectedIndex })
}

function drawSections(state: KeysLists, view: ScreenView): string[] {
  const rows = rowsOf(view)
  const selectedIndex = selectedIndexOf(state.list, rows)
  const kindCount = credentialKinds.length
  const accounts = rows.slice(kindCount)
  const heights = sectionHeights(view, selectedIndex)
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
  const kinds = rows.slice(0, kindCount)
  return [
    ...(heights.kinds === 0 ? [] : table(kinds, credentialColumns(isKnown, view.nowMs), selectedIndex, heights.kinds)),
    ...(heights.accounts === 0
      ? []
      : accounts.length === 0
        ? noResourceBox(
            { ...view, height: heights.accounts },
            view.resource(platformAccountsResource),
            'No account is linked yet: l on valid credentials links one.',
          )
        : table(accounts, accountColumns(view.nowMs), selectedIndex - kindCount, heights.accounts)),
    ...(heights.quota === 0
      ? []
      : drawQuota(quotaRows(view), view, { height: heights.quota, top: 0, selectedIndex: -1 })),
  ]
}

/** How the lines are shared out: where there is no room for all, to the part with the selection alone. */
function sectionHeights(
  view: Pick<ScreenView, 'height' | 'resource'>,
  selectedIndex: number,
): { kinds: number; accounts: number; quota: number } {
  const kindCount = credentialKinds.length
  const room = Math.max(1, view.height)
  const kinds = kindCount + 1
  if (room < kinds + 3)
    return selectedIndex >= kindCount ? { kinds: 0, accounts: room, quota: 0 } : { kinds: room, accounts: 0, quota: 0 }
  const accountCount = view.resource(platformAccountsResource).body?.data.length ?? 0
  const quotaCount = view.resource(quotaResource).body?.data.length ?? 0
  // A free line before the next part, and before the accounts as well where there is room for everything.
  const accounts = Math.max(3, accountCount + 2)
  const spare = room - kinds - accounts - (quotaCount === 0 ? 0 : quotaCount + 1)
  const upper = kinds + (spare > 0 ? 1 : 0)
  const quota = room - upper - accounts
  return quotaCount === 0 || quota < 2
    ? { kinds: upper, accounts: room - upper, quota: 0 }
    : { kinds: upper, accounts, quota }
}

/** What is known of the selected row, in full, and what can be done with it. */
export function footLines(state: KeysLists, view: ScreenView): string[] {
  const { style, width } = view
  const said = footSentence(state, view)
  if (said === null) return []
  const lines = wrap(said.text, Math.max(10, width - 2))
    .slice(0, view.height >= 12 ? 3 : 1)
    .map(line => style.paint(said.role, style.fit(` ${line}`, width)))
  const failed = failedMark(view, view.resource(credentialsResource), view.resource(platformAccountsResource))
  const left = failed === '' ? '' : ` ${failed}`
  return [...lines, joinLine([left], style.paint('muted', hintsOf(state, view)), width)]
}

function hintsOf(state: KeysLists, view: ScreenView): string {
  if (state.view === 'quota') return 't credentials and accounts'
  const row = selectedRow(state, view)
  if (row !== null && row.account !== null) return 'l link again  L with fewer permissions  x unlink  t quota'
  const hasTerms = typeof row?.entered?.derivedMetricsAccepted === 'boolean'
  return `Enter credentials  l link  ${hasTerms ? 'a terms  ' : ''}x remove  t quota`
}

function footSentence(state: KeysLists, view: ScreenView): { text: string; role: ColorRole } | null {
  if (state.view === 'quota') {
    const rows = quotaRows(view)
    const row = rows[selectedIndexOf(state.quota, rows)]
    return row === undefined ? { text: '', role: 'muted' } : quotaSentence(row, view.nowMs)
  }
  const row = selectedRow(state, view)
  if (row === null) return null
  if (state.asking?.key !== row.key) return describe(row, view)
  return { text: state.asking.what === 'remove' ? removalQuestion(row) : amendmentQuestion(row), role: 'warn' }
}

function describe(row: KeysRow, { resource }: ScreenView): { text: string; role: ColorRole } {
  const { account, entered, kind } = row
  if (account !== null) {
    const said = [account.reason ?? '', lackingText(account.missingScopes)].filter(text => text !== '').join(' ')
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
  if (entered.status !== 'valid') return { text: 'Enter takes others.', role: 'muted' }
  const accepted = entered.derivedMetricsAccepted
  if (accepted === false) return { text: `${use} Measures of YouTube wait for its amendment: a.`, role: 'muted' }
  return {
    text: `${use}${accepted === true ? ' Measures of YouTube are shown: a takes that back.' : ''}`,
    role: 'muted',
  }
}

function removalQuestion({ account, kind }: KeysRow): string {
  return account === null
    ? `! Remove the credentials ${kind.title}? Accounts linked with them stop. x again removes, Esc keeps them.`
    : `! Unlink ${account.name || account.handle}? Its tokens are revoked. x again unlinks, Esc keeps it.`
}

function amendmentQuestion({ entered }: KeysRow): string {
  return entered?.derivedMetricsAccepted === true
    ? '! Is the amendment not accepted any more? Measures of YouTube are hidden then. a again says so, Esc leaves it.'
    : `! Has Google accepted your amendment for derived metrics (${amendment.url})? Measures of YouTube are shown then. a again says so, Esc leaves it.`
}

/** The row under a line of the body, counted among those of `rowsOf`; null where there is none. */
export function rowAt(state: KeysLists, y: number, view: ScreenView): number | null {
  const rows = rowsOf(view)
  const kindCount = credentialKinds.length
  const selectedIndex = selectedIndexOf(state.list, rows)
  const room = { ...view, height: view.height - footLines(state, view).length }
  const { kinds, accounts } = sectionHeights(room, selectedIndex)
  const isUpper = y < kinds
  const [from, count, height] = isUpper ? [0, kindCount, kinds] : [kindCount, rows.length - kindCount, accounts]
  const line = isUpper ? y - 1 : y - kinds - 1
  if (line < 0 || line >= height - 1) return null
  const index = topOf(listStart, Math.max(0, selectedIndex - from), count, Math.max(1, height - 1)) + line
  return index < count ? from + index : null
}
