import { type ApiKey, keyScopes, NewApiKeySchema, type Scope, serviceScopes } from '../../contracts/api-keys.ts'
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
import {
  type ListState,
  listStart,
  moveInList,
  pressInList,
  selectedIndexOf,
  selectIndex,
  topOf,
} from '../state/list-state.ts'
import { formatAge, formatInstant, formatSpan } from '../text/format.ts'
import { chunk, wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { ruleLine } from '../widgets/rule.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { drawUse } from '../widgets/use-bars.ts'
import { type KeyRow, keysResource, usageResource, userResource } from './account-resources.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { failedMark, noResourceBox } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

interface ApiState {
  list: ListState
  /** The key that the next `x` revokes. */
  revoking: string | null
  form: FormState | null
  /** Whether the form offers scopes that act for others. */
  canServe: boolean
  /** A key that has just been made. It is nowhere else: leaving it forgets it. */
  made: { name: string; key: string; scopes: readonly Scope[] } | null
}

/** Keys for scripts, and what was used of each limit. */
export const apiFactory = screenFactory<ApiState>({
  fn: 'API',
  contexts: ['api', 'list'],
  open: () => ({ list: listStart, revoking: null, form: null, canServe: false, made: null }),
  title: state => (state.made !== null ? 'API KEY MADE' : state.form !== null ? 'API NEW KEY' : 'API'),
  queries: () => [],
  resources: () => [keysResource, usageResource, userResource],
  isTyping: state => state.form !== null,
  cursor: (state, view) => (state.form === null ? null : placeForm(state.form, state, view).cursor),
  spoken: state => (state.form === null ? '' : spokenField(formSpec(state), state.form)),
  draw(state, view) {
    if (state.made !== null) return drawMade(state.made, view)
    return state.form === null ? drawKeys(state, view) : placeForm(state.form, state, view).lines
  },
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    if (state.made !== null) return call.name === 'back' ? { ...state, made: null } : null
    return state.form === null ? actInList(state, call, deps) : actInNew(state, state.form, call, deps)
  },
  copyText: (state, view) => state.made?.key ?? exampleOf(selectedKey(state, view), view.serverUrl),
  copyName: state => (state.made === null ? null : 'the key'),
})

const scopeTitles: Readonly<Record<Scope, string>> = {
  'trends:read': 'trends:read',
  'vods:read': 'vods:read',
  'creators:read': 'creators:read',
  'queries:run': 'queries:run',
  'queries:write': 'queries:write',
  'webhooks:write': 'webhooks:write',
  'clips:read': 'clips:read',
  'clips:write': 'clips:write',
  'alerts:read': 'alerts:read',
  'alerts:write': 'alerts:write',
  'watchlists:read': 'watchlists:read',
  'watchlists:write': 'watchlists:write',
  'integrations:write': 'integrations:write (service)',
  'databases:write': 'databases:write (service)',
  'tools:execute': 'tools:execute (service)',
}
const dayMs = 86_400_000
/** How long a key lives, by the choice in the form. */
const lives = [
  { value: '30', title: '30 days' },
  { value: '90', title: '90 days' },
  { value: '365', title: 'a year' },
  { value: 'never', title: 'no end' },
] as const

function formSpec({ canServe }: Pick<ApiState, 'canServe'>): FormSpec {
  const scopes: readonly Scope[] = canServe ? [...keyScopes, ...serviceScopes] : keyScopes
  return {
    fields: [
      {
        kind: 'text',
        name: 'name',
        label: 'Name',
        hint: 'what will use it, e.g. nightly report',
        lengthMax: 80,
        check: text => (text.trim() === '' ? 'A key needs a name, so that you know it again.' : null),
      },
      {
        kind: 'choice',
        name: 'scopes',
        label: 'May',
        options: scopes.map(value => ({ value, title: scopeTitles[value] })),
        isMultiple: true,
        check: chosen => (chosen.length === 0 ? 'Choose with the space bar what the key may do.' : null),
      },
      { kind: 'choice', name: 'life', label: 'Ends after', options: lives, isMultiple: false },
      { kind: 'button', name: 'create', label: 'Create the key' },
      { kind: 'button', name: 'cancel', label: 'Cancel' },
    ],
    submit: 'create',
  }
}

const keyColumns = (nowMs: number): readonly Column<KeyRow>[] => [
  { title: 'NAME', width: 10, flex: 2, cell: row => ({ text: row.name, role: 'subject' }) },
  { title: 'PREFIX', width: 16, cell: row => ({ text: row.prefix, role: 'text' }) },
  { title: 'MAY', width: 12, flex: 3, fromWidth: 58, cell: row => ({ text: row.scopes.join(' '), role: 'muted' }) },
  {
    title: 'MADE',
    width: 4,
    align: 'right',
    fromWidth: 66,
    cell: row => ({ text: formatAge(row.createdAt, nowMs), role: 'muted' }),
  },
  {
    title: 'USED',
    width: 5,
    fromWidth: 46,
    align: 'right',
    cell: row => ({ text: row.lastUsedAt === null ? 'never' : formatAge(row.lastUsedAt, nowMs), role: 'muted' }),
  },
  {
    title: 'ENDS',
    width: 10,
    fromWidth: 90,
    cell: row => ({
      text: row.expiresAt === null ? 'never' : formatInstant(Date.parse(row.expiresAt)).slice(0, 10),
      role: 'muted',
    }),
  },
  { title: 'STATE', width: 8, cell: row => stateOf(row, nowMs) },
]

function stateOf(row: ApiKey, nowMs: number): { text: string; role: ColorRole } {
  if (row.revokedAt !== null) return { text: 'revoked', role: 'faint' }
  if (row.expiresAt === null) return { text: 'good', role: 'good' }
  const leftMs = Date.parse(row.expiresAt) - nowMs
  if (leftMs <= 0) return { text: 'ended', role: 'error' }
  return { text: `good ${formatSpan(leftMs)}`, role: leftMs < 7 * dayMs ? 'warn' : 'good' }
}

function drawKeys(state: ApiState, view: ScreenView): string[] {
  const { style, width } = view
  const keys = view.resource(keysResource)
  const rows = keys.body?.data ?? []
  const foot = drawFoot(state, view)
  const tableHeight = Math.max(2, view.height - foot.length)
  const selectedIndex = selectedIndexOf(state.list, rows)
  const table =
    rows.length === 0
      ? noResourceBox({ ...view, height: tableHeight }, keys, 'No key yet: n creates one.')
      : drawTable({
          rows,
          columns: keyColumns(view.nowMs),
          width,
          height: tableHeight,
          top: topOf(state.list, selectedIndex, rows.length, tableHeight - 1),
          selectedIndex,
          hasFocus: view.isFocused,
          style,
          nowMs: view.nowMs,
          cellKey: `keys ${Math.floor(view.nowMs / 1_000)}`,
        })
  return [...table, ...foot].slice(0, view.height)
}

/** Use against limits, the example for the selected key, and what can be done. In a low pane the example goes first. */
function drawFoot(state: ApiState, view: ScreenView): string[] {
  const { style, width } = view
  const usage = view.resource(usageResource)
  const row = selectedKey(state, view)
  const use = usage.body === null ? [] : drawUse(usage.body, view)
  const title = ruleLine('USE AGAINST LIMITS, LIVE', view)
  const example = chunk(exampleOf(row, view.serverUrl), width - 2).map(line => paddedLine(line, 'accent', view))
  const failed = failedMark(view, usage, view.resource(keysResource))
  const hints = style.paint('muted', `n new${row === null ? '' : '  x revoke'}  y copy`)
  const last =
    state.revoking !== null && state.revoking === row?.id
      ? paddedLine(`! Revoke ${row.name}? What uses it stops at once. x again revokes, Esc keeps it.`, 'warn', view)
      : joinLine([failed === '' ? style.paint('faint', ' A key is shown once.') : ` ${failed}`], hints, width)
  const parts =
    view.height >= 16
      ? [title, ...use, ruleLine('EXAMPLE', view), ...example]
      : view.height >= 12
        ? [title, ...use]
        : []
  return [...parts, last]
}

function paddedLine(text: string, role: ColorRole, { style, width }: ScreenView): string {
  return style.paint(role, style.fit(` ${text}`, width))
}

function selectedKey(state: ApiState, view: ScreenView): KeyRow | null {
  const rows = view.resource(keysResource).body?.data ?? []
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

/** A curl line that a key of these scopes can run. The key itself is not known any more. */
function exampleOf(row: Pick<ApiKey, 'prefix' | 'scopes'> | null, serverUrl: string): string {
  return curlLine(row === null ? 'YOUR-KEY' : `${row.prefix}...`, row?.scopes ?? ['trends:read'], serverUrl)
}

function curlLine(key: string, scopes: readonly Scope[], serverUrl: string): string {
  const path =
    examplePaths.find(([scope]) => scopes.includes(scope))?.[1] ?? '/ext-api/v1/trends?type=clips&period=24h&limit=10'
  return `curl -H "X-API-Key: ${key}" "${serverUrl}${path}"`
}

const examplePaths: readonly (readonly [Scope, string])[] = [
  ['trends:read', '/ext-api/v1/trends?type=clips&period=24h&limit=10'],
  ['vods:read', '/ext-api/v1/vods?limit=10'],
  ['creators:read', '/ext-api/v1/creators?limit=10'],
]

function drawMade(made: NonNullable<ApiState['made']>, view: ScreenView): string[] {
  const { style, width, height } = view
  const text = (words: string, role: ColorRole) =>
    wrap(words, Math.max(10, width - 4)).map(line => style.paint(role, style.fit(`  ${line}`, width)))
  const blank = ' '.repeat(width)
  const lines = [
    blank,
    style.bold('title', style.fit(`  The key ${made.name}`, width)),
    blank,
    ...chunk(made.key, width - 4).map(line => style.bold('accent', style.fit(`  ${line}`, width))),
    blank,
    ...text(
      '! This is the only time that it is shown: copy it now with y. It is kept nowhere, here or on the server.',
      'warn',
    ),
    blank,
    ...chunk(curlLine('YOUR-KEY', made.scopes, view.serverUrl), width - 4).map(line =>
      style.paint('muted', style.fit(`  ${line}`, width)),
    ),
    blank,
    ...text('y copies the key   Esc forgets it and goes back to the list', 'muted'),
  ]
  return Array.from({ length: height }, (_, y) => lines[y] ?? blank)
}

function placeForm(form: FormState, state: ApiState, view: ScreenView): DrawnForm {
  const head: FormHead[] = [{ text: 'A key lets a script ask in your name.', role: 'title', isTitle: true }]
  return centredForm(view, head, room => drawForm(formSpec(state), form, { ...room, style: view.style }))
}

function actInList(state: ApiState, call: ActionCall, deps: ScreenDeps): ApiState | null {
  const rows = deps.resource(keysResource).body?.data ?? []
  const height = Math.max(1, deps.height - drawFoot(state, deps).length - 1)
  const moved = moveInList(state.list, call.name, rows, height)
  if (moved !== null) return { ...state, list: moved, revoking: null }
  const row = selectedKey(state, deps)
  switch (call.name) {
    case 'key.create': {
      const role = deps.resource(userResource).body?.role
      const canServe = role === 'owner' || role === 'admin'
      const chosen = { scopes: ['trends:read', 'vods:read', 'creators:read'], life: ['90'] }
      return { ...state, revoking: null, canServe, form: openForm(formSpec({ canServe }), { chosen }) }
    }
    case 'key.revoke':
      if (row === null) return state
      if (row.revokedAt !== null) {
        deps.say('This key was revoked already.')
        return { ...state, revoking: null }
      }
      // The selection is pinned, so that a key that comes in between is not the one that is revoked.
      if (state.revoking !== row.id)
        return { ...state, revoking: row.id, list: selectIndex(state.list, rows, rows.indexOf(row), height) }
      deps.say('Revoking…')
      deps.ask('revoke', deps.http.delete(`/api/keys/${row.id}`))
      return { ...state, revoking: null }
    case 'pointer.press':
      return { ...state, revoking: null, list: pressInList(state.list, (call.at?.y ?? 0) - 1, rows, height) }
    case 'back':
      return state.revoking === null ? null : { ...state, revoking: null }
    default:
      return null
  }
}

function actInNew(state: ApiState, form: FormState, call: ActionCall, deps: ScreenDeps): ApiState | null {
  if (call.name === 'form.cancel') return { ...state, form: null }
  const spec = formSpec(state)
  if (call.name === 'pointer.press') {
    const pressed = pressInForm(spec, form, call, placeForm(form, state, deps))
    return pressed === null ? state : actInNew(state, pressed.form, pressed.call, deps)
  }
  const acted = actInForm(spec, form, call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, form: null }
  if (acted.pressed !== 'create') return { ...state, form: acted.state }
  const days = chosenIn(form, 'life')[0]
  const expiresAt =
    days === undefined || days === 'never' ? null : new Date(deps.nowMs + Number(days) * dayMs).toISOString()
  deps.ask(
    'create',
    deps.http.post('/api/keys', {
      name: textIn(form, 'name').trim(),
      scopes: chosenIn(form, 'scopes'),
      ...(expiresAt === null ? {} : { expiresAt }),
    }),
  )
  return { ...state, form: { ...acted.state, isBusy: true } }
}

function answered(state: ApiState, { tag, result }: NonNullable<ActionCall['answer']>, deps: ScreenDeps): ApiState {
  deps.refresh('/api/keys')
  if (tag === 'revoke') {
    deps.say(result.ok ? 'The key was revoked.' : result.message)
    return state
  }
  if (!result.ok) {
    if (state.form === null) deps.say(result.message)
    return state.form === null ? state : { ...state, form: withProblem(state.form, result.message) }
  }
  const made = NewApiKeySchema.safeParse(result.body)
  if (made.success) return { ...state, form: null, made: made.data }
  deps.say("The server's answer was not understood: look for the new key in the list, and revoke it.")
  return { ...state, form: null }
}
