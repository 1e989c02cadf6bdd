import type { SavedQuery } from '../../contracts/queries.ts'
import { type ListState, moveInList, selectedIndexOf, topOf } from '../state/list-state.ts'
import { formatInstant } from '../text/format.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { noResourceBox } from './resource-notice.ts'
import type { ActionCall, ScreenDeps, ScreenView } from './screen.ts'
import { diffResource, savedQueryPath, sqlLineFields, type VersionRow, versionsResource } from './sql-resources.ts'
import type { SqlPanel, SqlState } from './sql-state.ts'

type VersionsPanel = Extract<SqlPanel, { kind: 'versions' }>

const columns: readonly Column<VersionRow>[] = [
  { title: 'VER', width: 4, align: 'right', cell: row => ({ text: String(row.version), role: 'text' }) },
  { title: 'SAVED', width: 16, cell: row => ({ text: formatInstant(Date.parse(row.createdAt)), role: 'muted' }) },
  { title: 'NAME', width: 16, flex: 1, cell: row => ({ text: row.name, role: 'subject' }) },
]

function versionsOf(saved: SavedQuery, { resource }: Pick<ScreenView, 'resource'>): readonly VersionRow[] {
  return resource(versionsResource(saved.id)).body?.data ?? []
}

function selectedVersion(saved: SavedQuery, list: ListState, view: Pick<ScreenView, 'resource'>): VersionRow | null {
  const rows = versionsOf(saved, view)
  return rows[selectedIndexOf(list, rows)] ?? null
}

/** What the panel shows beside the list: how the selected version differs from what is saved now. */
export function versionsResources(saved: SavedQuery, { list }: VersionsPanel, view: Pick<ScreenView, 'resource'>) {
  const versions = versionsResource(saved.id)
  const selected = selectedVersion(saved, list, view)
  return selected === null || selected.version === saved.version
    ? [versions]
    : [versions, diffResource(saved.id, selected.version, saved.version)]
}

/** Versions above, the difference of the selected one below: exactly `height` lines. */
export function drawVersions(saved: SavedQuery, panel: VersionsPanel, view: ScreenView): string[] {
  const { style, width, height, nowMs } = view
  const answer = view.resource(versionsResource(saved.id))
  const rows = answer.body?.data ?? []
  if (rows.length === 0) return noResourceBox(view, answer, 'There are no versions.')
  const selectedIndex = selectedIndexOf(panel.list, rows)
  const listHeight = Math.max(3, Math.min(rows.length + 1, Math.floor(height * 0.4)))
  const table = drawTable({
    rows,
    columns,
    width,
    height: listHeight,
    top: topOf(panel.list, selectedIndex, rows.length, listHeight - 1),
    selectedIndex,
    hasFocus: view.isFocused,
    style,
    nowMs,
    cellKey: 'versions',
  })
  const foot = style.paint('muted', style.fit(' R restores the selected version   Esc leaves', width))
  const diff = drawDiff(saved, rows[selectedIndex] ?? null, { ...view, height: Math.max(0, height - listHeight - 1) })
  return [...table, ...diff, foot].slice(0, height)
}

function drawDiff(saved: SavedQuery, selected: VersionRow | null, view: ScreenView): string[] {
  const { style, width, height } = view
  const padded = (lines: readonly string[]) => Array.from({ length: height }, (_, y) => lines[y] ?? ' '.repeat(width))
  const says = (text: string) => style.paint('muted', style.fit(` ${text}`, width))
  if (selected === null) return padded([])
  if (selected.version === saved.version) return padded([says('This is what is saved now.')])
  const { body, message } = view.resource(diffResource(saved.id, selected.version, saved.version))
  if (body === null) return padded([says(message === '' ? 'Comparing…' : message)])
  const head = says(
    `From version ${body.from} to version ${body.to}${body.fields.length === 0 ? '' : `; also other: ${body.fields.join(', ')}`}`,
  )
  const lines = body.lines.map(({ kind, text }) => {
    const line = style.fit(`${kind === 'added' ? '+' : kind === 'removed' ? '-' : ' '} ${text}`, width)
    return style.paint(kind === 'added' ? 'up' : kind === 'removed' ? 'down' : 'muted', line)
  })
  return padded([head, ...lines])
}

/** The state after an action among the versions, or null when it is none of them. */
export function actInVersions(
  state: SqlState,
  panel: VersionsPanel,
  call: ActionCall,
  deps: ScreenDeps,
): SqlState | null {
  const { saved } = state
  if (call.name === 'back' || saved === null) return { ...state, panel: null }
  const rows = versionsOf(saved, deps)
  const named = { 'grid.up': 'move.up', 'grid.down': 'move.down', 'grid.first': 'move.first', 'grid.last': 'move.last' }
  const move = Object.entries(named).find(([name]) => name === call.name)?.[1] ?? call.name
  const list = moveInList(panel.list, move, rows, Math.max(2, Math.floor(deps.height * 0.4) - 1))
  if (list !== null) return { ...state, panel: { ...panel, list } }
  if (call.name !== 'sql.restore') return null
  const version = selectedVersion(saved, panel.list, deps)?.version
  if (version === undefined || version === saved.version) {
    deps.say('This version is what is saved now.')
    return state
  }
  deps.ask('restore', deps.http.post(`${savedQueryPath(saved.id)}/restore`, { version }, { lineFields: sqlLineFields }))
  return state
}
