import type { BestTime, BestTimeCell } from '../../contracts/crm.ts'
import { amendment } from '../../contracts/platform-accounts.ts'
import { formatCount, formatMultiple } from '../text/format.ts'
import { wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { bestTimeResource } from './crm-resources.ts'
import type { CrmState } from './crm-state.ts'
import { noResourceBox } from './resource-notice.ts'
import type { ScreenView } from './screen.ts'

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const
const labelWidth = 5
/** Fewer posts than this are shown, but recommend no hour. */
const postsMin = 3

/** The hours of the week by what posts did in their first day: exactly `view.height` lines. */
export function drawTimes(state: CrmState, view: ScreenView): string[] {
  const times = view.resource(bestTimeResource(state))
  if (times.body?.state === 'needs_amendment') return noResourceBox(view, times, amendment.way)
  if (times.body === null || times.body.posts === 0)
    return noResourceBox(view, times, 'No post of a day or older was read yet, so no hour can be compared.')
  const { style, width, height } = view
  const { body } = times
  const cellWidth = width >= labelWidth + 72 ? 3 : width >= labelWidth + 48 ? 2 : 1
  const fill = (line: string, cells: number) => line + ' '.repeat(Math.max(0, width - cells))
  // A label needs three cells with the space behind it.
  const hourEvery = Math.ceil(3 / cellWidth)
  const hours = Array.from({ length: 24 }, (_, hour) =>
    hour % hourEvery === 0 ? String(hour).padEnd(cellWidth * hourEvery) : '',
  ).join('')
  const used = labelWidth + 24 * cellWidth
  const head = fill(style.paint('muted', ' '.repeat(labelWidth) + hours), used)
  const rows = days.map((day, i) => {
    const cells = body.cells
      .filter(cell => cell.weekday === i + 1)
      .map(cell => paintCell(cell, cellWidth, indexOf(cell) === state.hour, view))
    return fill(
      style.paint('muted', style.fit(` ${day}`, labelWidth)) + cells.join(''),
      labelWidth + cells.length * cellWidth,
    )
  })
  const text = (words: string, role: ColorRole) =>
    wrap(words, Math.max(10, width - 2)).map(line => style.paint(role, style.fit(` ${line}`, width)))
  const lines = [
    head,
    ...rows,
    ...text(cellText(body.cells[state.hour]), 'subject'),
    ...text(bestText(body), 'text'),
    ...text(legendText(body, cellWidth > 1, view), 'muted'),
  ]
  const blank = ' '.repeat(width)
  return Array.from({ length: height }, (_, y) => lines[y] ?? blank)
}

function indexOf({ weekday, hour }: BestTimeCell): number {
  return (weekday - 1) * 24 + hour
}

const shades = { unicode: ['░', '▒', '▓', '█'], ascii: ['.', '+', '*', '#'] } as const
const levels: readonly { from: number; role: ColorRole }[] = [
  { from: 0, role: 'down' },
  { from: 0.75, role: 'muted' },
  { from: 1.25, role: 'accent' },
  { from: 2, role: 'up' },
]

/** A shade for the multiple and behind it how many posts it is over; nothing where there are none. */
function paintCell(cell: BestTimeCell, width: number, isSelected: boolean, { style }: ScreenView): string {
  const level = cell.multiple === null ? -1 : levels.findLastIndex(({ from }) => (cell.multiple ?? 0) >= from)
  const shade = shades[style.isAscii ? 'ascii' : 'unicode'][level] ?? (cell.posts > 0 ? '?' : ' ')
  const count =
    cell.posts === 0 || width === 1 ? '' : cell.posts < 10 ** (width - 1) ? String(cell.posts) : '9'.repeat(width - 1)
  const text = `${shade}${count}`.padEnd(width)
  return isSelected ? style.inverse(text) : style.paint(levels[level]?.role ?? 'faint', text)
}

function hourText({ weekday, hour }: BestTimeCell): string {
  return `${days[weekday - 1] ?? ''} ${String(hour).padStart(2, '0')}:00`
}

function cellText(cell: BestTimeCell | undefined): string {
  if (cell === undefined) return ''
  if (cell.posts === 0) return `${hourText(cell)}: no post.`
  const posts = cell.posts === 1 ? 'one post' : `${cell.posts} posts`
  const views = cell.views === null ? 'views not known' : `median ${formatCount(cell.views)} views in 24 hours`
  const multiple = cell.multiple === null ? '' : `, ${formatMultiple(cell.multiple)} of what is usual`
  return `${hourText(cell)}: ${views}${multiple}, over ${posts}.`
}

/** The three best hours among those with enough posts. */
function bestText({ cells }: BestTime): string {
  const best = cells
    .filter(cell => cell.posts >= postsMin && cell.multiple !== null)
    .sort((a, b) => (b.multiple ?? 0) - (a.multiple ?? 0))
    .slice(0, 3)
  if (best.length === 0) return `No hour has ${postsMin} posts yet, so none can be recommended.`
  return `Best: ${best.map(cell => `${hourText(cell)} ${formatMultiple(cell.multiple ?? 0)} (${cell.posts})`).join(', ')}.`
}

function legendText(body: BestTime, hasCounts: boolean, { style }: ScreenView): string {
  const [low, usual, good, high] = shades[style.isAscii ? 'ascii' : 'unicode']
  const counts = hasCounts ? ', the number is how many posts' : ''
  return `${low} below 0.75x  ${usual} usual  ${good} from 1.25x  ${high} from 2x${counts}. Hours are those of ${body.timezone}; ${body.posts} posts since ${body.from.slice(0, 10)}.`
}
