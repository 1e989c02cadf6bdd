import type { FrozenAge, PostSort } from '../../contracts/crm.ts'
import { selectedIndexOf, topOf } from '../state/list-state.ts'
import { formatAge, formatCount, formatMultiple, formatShare } from '../text/format.ts'
import { type Cell, type Column, drawTable } from '../widgets/table.ts'
import { type PostRow, postsResource } from './crm-resources.ts'
import type { CrmState } from './crm-state.ts'
import { missingText } from './kpi-text.ts'
import { noResourceBox } from './resource-notice.ts'
import type { ScreenView } from './screen.ts'

const sortTitles: Readonly<Record<PostSort, string>> = {
  newest: 'AGE',
  views: 'VIEWS',
  likes: 'LIKES',
  comments: 'COMM',
  shares: 'SHARES',
  saves: 'SAVES',
  engagement: 'ENGAGE',
  outlier: 'OUTLIER',
}
type Counter = 'views' | 'likes' | 'comments' | 'shares' | 'saves'
type Age = FrozenAge['age']

/** Posts with their counters, how far they stand out, and their views at fixed ages: exactly `view.height` lines. */
export function drawPosts(state: CrmState, view: ScreenView): string[] {
  const posts = view.resource(postsResource(state))
  const rows = posts.body?.data ?? []
  if (rows.length === 0) return noResourceBox(view, posts, 'No post was read yet.')
  const selectedIndex = selectedIndexOf(state.posts, rows)
  return drawTable({
    rows,
    columns: columnsAt(view.nowMs),
    width: view.width,
    height: view.height,
    top: topOf(state.posts, selectedIndex, rows.length, Math.max(1, view.height - 1)),
    selectedIndex,
    hasFocus: view.isFocused,
    style: view.style,
    sortedBy: sortTitles[state.sort],
    nowMs: view.nowMs,
    cellKey: `${Math.floor(view.nowMs / 60_000)}`,
  })
}

function columnsAt(nowMs: number): readonly Column<PostRow>[] {
  return [
    { title: 'POST', width: 12, flex: 1, cell: row => ({ text: row.title || row.videoId, role: 'subject' }) },
    { title: 'KIND', width: 6, fromWidth: 96, cell: row => ({ text: row.kind, role: 'muted' }) },
    {
      title: 'AGE',
      width: 4,
      align: 'right',
      cell: row => ({ text: row.publishedAt === null ? '-' : formatAge(row.publishedAt, nowMs), role: 'muted' }),
    },
    counter('views', 0),
    counter('likes', 48),
    counter('comments', 60),
    counter('shares', 88),
    counter('saves', 88),
    {
      title: 'ENGAGE',
      width: 6,
      align: 'right',
      fromWidth: 68,
      cell: row => numberCell(row, 'engagement', row.engagement, formatShare),
    },
    {
      title: 'OUTLIER',
      width: 7,
      align: 'right',
      fromWidth: 40,
      cell: row => numberCell(row, 'outlier', row.outlier, formatMultiple),
    },
    age('V1h', 112),
    age('V1', 112),
    age('V3', 120),
    age('V7', 112),
    age('V30', 120),
  ]
}

function counter(name: Counter, fromWidth: number): Column<PostRow> {
  return {
    title: sortTitles[name],
    width: 6,
    align: 'right',
    fromWidth,
    cell: row => numberCell(row, name, row[name], formatCount),
  }
}

function age(name: Age, fromWidth: number): Column<PostRow> {
  return {
    title: name.toUpperCase(),
    width: 6,
    align: 'right',
    fromWidth,
    cell(row) {
      const found = row.ages.find(each => each.age === name)
      return { text: found === undefined ? '-' : ageText(found), role: found?.views == null ? 'faint' : 'text' }
    },
  }
}

/** Views at a fixed age, or why there are none; a post that is not that old yet has three dots. */
export function ageText({ views, state }: FrozenAge): string {
  if (views !== null) return formatCount(views)
  return state === 'pending' ? '...' : missingText(state)
}

function numberCell(row: PostRow, name: string, value: number | null, text: (value: number) => string): Cell {
  return value === null ? { text: missingText(row.missing[name]), role: 'faint' } : { text: text(value), role: 'text' }
}
