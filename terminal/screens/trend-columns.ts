import type { TrendRow } from '../../contracts/measures.ts'
import { sparkline } from '../charts/sparkline.ts'
import { formatAge, formatChange, formatCount, formatMissing, formatMultiple, formatShare } from '../text/format.ts'
import type { Style } from '../theme/style.ts'
import type { Cell, Column } from '../widgets/table.ts'
import { trendingColumns } from './trending-mark.ts'

/** A row of a list or a watchlist, with its numbers. */
type MeasuredRow = Omit<TrendRow, 'rank' | 'rankChange' | 'trending'>

type Measure = 'views' | 'gain' | 'velocity' | 'acceleration' | 'engagement' | 'outlier' | 'clippers' | 'followers'

/** The head of the column that shows a measure; the sorted one is marked by it. */
export const measureTitles: Readonly<Record<Measure, string>> = {
  views: 'VIEWS',
  gain: 'GAIN',
  velocity: 'VEL/H',
  acceleration: 'ACCEL',
  engagement: 'ENGAGE',
  outlier: 'OUTLIER',
  clippers: 'CLIPPERS',
  followers: 'FOLLOW',
}

/**
 * Columns of a ranked list, the important ones first to stay in narrow panes; the one that `sortedBy` names is in every
 * pane. `nowMs` is data time, for ages.
 */
export function trendColumns(
  type: 'clips' | 'creators' | 'topics',
  { rows, nowMs, sortedBy }: { rows: readonly TrendRow[]; nowMs: number; sortedBy: string },
): readonly Column<TrendRow>[] {
  const name = { clips: 'CLIP', creators: 'CREATOR', topics: 'TOPIC' }[type]
  const measure = (name: Measure, width: number, fromWidth: number) =>
    measureColumn(name, width, sortedBy === measureTitles[name] ? 0 : fromWidth)
  const only = (types: readonly string[], column: Column<TrendRow>) => (types.includes(type) ? [column] : [])
  return [
    { title: '#', width: 3, align: 'right', cell: row => ({ text: String(row.rank), role: 'muted' }) },
    { title: 'CHG', width: 4, cell: rankCell },
    {
      title: name,
      width: 16,
      flex: 3,
      cell: row => ({ text: type === 'topics' ? `#${row.title}` : row.title, role: 'subject' }),
    },
    ...trendingColumns(rows),
    ...only(['clips'], {
      title: 'CREATOR',
      width: 10,
      flex: 1,
      fromWidth: 88,
      cell: row => ({ text: row.creatorName ?? '-', role: 'text' }),
    }),
    ...only(['clips', 'creators'], { title: 'ON', width: 2, fromWidth: 64, cell: platformCell }),
    measure('views', 7, 0),
    { ...measure('gain', 8, 0), isLive: true, cell: gainCell },
    measure('velocity', 7, 60),
    { ...measure('acceleration', 8, 74), cell: accelerationCell },
    measure('engagement', 6, 104),
    ...only(['clips'], measure('outlier', 7, 128)),
    // Few users have any of clips.
    ...(type !== 'clips' || rows.some(row => row.clippers !== null) ? [measure('clippers', 9, 104)] : []),
    ...only(['creators'], measure('followers', 7, 112)),
    ...only(['creators', 'topics'], {
      title: 'CLIPS',
      width: 5,
      align: 'right',
      fromWidth: 84,
      cell: row => ({ text: formatCount(row.videos), role: 'muted' }),
    }),
    ...only(['clips'], {
      title: 'AGE',
      width: 4,
      align: 'right',
      fromWidth: 112,
      cell: row => ({ text: row.publishedAt === null ? '-' : formatAge(row.publishedAt, nowMs), role: 'muted' }),
    }),
    { title: 'NICHE', width: 11, fromWidth: 140, cell: row => ({ text: row.niches[0] ?? '-', role: 'muted' }) },
    {
      title: 'TREND',
      width: 10,
      fromWidth: 96,
      cell: (row, style) => ({ text: sparkline(row.spark, 10, style.isAscii), role: 'accent' }),
    },
  ]
}

/** The column of one measure. */
export function measureColumn(name: Measure, width: number, fromWidth: number): Column<MeasuredRow> {
  return {
    title: measureTitles[name],
    width,
    align: 'right',
    fromWidth,
    cell: row => ({ text: measureText(row, name), role: row[name] === null ? 'faint' : 'text' }),
  }
}

function measureText(row: MeasuredRow, name: Measure): string {
  const value = row[name]
  if (value === null) return formatMissing(row.missing[name])
  if (name === 'engagement') return formatShare(value)
  return name === 'outlier' ? formatMultiple(value) : formatCount(value)
}

/** A climb or fall with arrow and number; `NEW` where it was not ranked one window ago. */
function rankCell(row: TrendRow, style: Style): Cell {
  const { rankChange } = row
  if (rankChange === null) return { text: 'NEW', role: 'accent' }
  if (rankChange === 0) return { text: style.glyphs.flat, role: 'faint' }
  return rankChange > 0
    ? { text: `${style.glyphs.up}${formatCount(rankChange)}`, role: 'up' }
    : { text: `${style.glyphs.down}${formatCount(-rankChange)}`, role: 'down' }
}

/** The gain with its sign; `n` marks a video published inside the window, `p` one first read inside it. */
export function gainCell(row: MeasuredRow): Cell {
  if (row.gain === null) return { text: `${formatMissing(row.missing.gain)} `, role: 'faint' }
  const mark = { value: ' ', new: 'n', partial: 'p' }[row.gainState]
  const role = row.gain > 0 ? 'up' : row.gain < 0 ? 'down' : 'muted'
  return { text: `${formatChange(row.gain)}${mark}`, role, isBold: true }
}

/** Above one it speeds up, below it slows down. */
export function accelerationCell(row: MeasuredRow, style: Style): Cell {
  const { acceleration } = row
  if (acceleration === null) return { text: formatMissing(row.missing.acceleration), role: 'faint' }
  const shown = formatMultiple(acceleration)
  if (acceleration > 1.05) return { text: `${style.glyphs.up}${shown}`, role: 'up' }
  if (acceleration < 0.95) return { text: `${style.glyphs.down}${shown}`, role: 'down' }
  return { text: shown, role: 'muted' }
}

/** Two letters of the platform. */
export function platformCell(row: Pick<TrendRow, 'platform'>): Cell {
  const short = row.platform === null ? '--' : { youtube: 'YT', tiktok: 'TT', instagram: 'IG' }[row.platform]
  return { text: short, role: 'muted' }
}
