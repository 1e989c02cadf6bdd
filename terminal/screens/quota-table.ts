import { formatCount, formatLocal, formatSpan } from '../text/format.ts'
import type { ColorRole } from '../theme/themes.ts'
import { roleOfShare, shareBar } from '../widgets/share-bar.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { credentialKinds, platformTitles } from './credential-kinds.ts'
import { type QuotaRow, quotaResource } from './platform-resources.ts'
import type { ScreenView } from './screen.ts'

// The quota cockpit: what of each platform's limits the user's own credentials have used.

const barWidth = 14

/** The limits, those with the least left first. */
export function quotaRows({ resource }: Pick<ScreenView, 'resource'>): readonly QuotaRow[] {
  return (resource(quotaResource).body?.data ?? []).toSorted((a, b) => shareOf(b) - shareOf(a))
}

/** Limits with what is used and left of them and when all is there again: exactly `height` lines. */
export function drawQuota(
  rows: readonly QuotaRow[],
  view: ScreenView,
  place: { height: number; top: number; selectedIndex: number },
): string[] {
  return drawTable({
    rows,
    columns: quotaColumns(view),
    width: view.width,
    ...place,
    hasFocus: view.isFocused,
    style: view.style,
    nowMs: view.nowMs,
    cellKey: `${Math.floor(view.nowMs / 1_000)}`,
  })
}

const quotaColumns = ({ nowMs, style }: ScreenView): readonly Column<QuotaRow>[] => [
  { title: 'QUOTA', width: 15, flex: 2, cell: row => ({ text: quotaTitle(row), role: 'subject' }) },
  { title: 'OF', width: 19, flex: 1, fromWidth: 96, cell: row => ({ text: ownerTitle(row), role: 'muted' }) },
  { title: '', width: barWidth, fromWidth: 58, cell: row => ({ text: barOf(row, style.isAscii), role: roleOf(row) }) },
  { title: 'USED', width: 6, align: 'right', cell: row => ({ text: formatCount(row.used), role: 'text' }) },
  { title: 'LEFT', width: 6, align: 'right', cell: row => ({ text: formatCount(row.left), role: roleOf(row) }) },
  {
    title: 'AGAIN',
    width: 12,
    align: 'right',
    fromWidth: 40,
    cell: row => ({ text: againText(row, nowMs), role: row.blockedUntil === null ? 'muted' : 'warn' }),
  },
]

/** What is to be known of one limit, in a sentence or two. */
export function quotaSentence(row: QuotaRow, nowMs: number): { text: string; role: ColorRole } {
  const limit = row.counts === 'day' ? `${row.limit}` : `${row.limit} calls at once`
  const of = `${quotaTitle(row)}, ${ownerTitle(row)}: ${row.used} of ${limit} used.`
  const told = row.usagePercent === null ? '' : ` The platform counts ${Math.round(row.usagePercent)} %.`
  if (row.blockedUntil !== null) {
    const until = `Nothing is asked until ${formatLocal(row.blockedUntil, nowMs)}`
    return { text: `${of}${told} ${until}: ${row.blockReason ?? 'the platform said to wait.'}`, role: 'warn' }
  }
  const again = row.used === 0 ? '' : ` All of it is there again at ${formatLocal(row.resetsAt, nowMs)}.`
  return { text: `${of}${told}${again}`, role: 'muted' }
}

const bucketTitles: Readonly<Record<string, string>> = {
  'youtube:units': 'units a day',
  'youtube:search': 'searches a day',
  'youtube:stats': 'statistics a day',
  'youtube:analytics': 'analytics',
  'tiktok:user.info': 'profile',
  'tiktok:video.list': 'posts',
  'tiktok:video.query': 'numbers of posts',
  'instagram:app': 'other creators',
}

/** The words for a limit; its own name where there are none. */
function quotaTitle({ platform, bucket, accountName }: QuotaRow): string {
  const ofAccount = bucket.startsWith('instagram:files') ? `${accountName} files` : accountName
  return `${platformTitles[platform]} ${ofAccount ?? bucketTitles[bucket] ?? bucket.slice(bucket.indexOf(':') + 1)}`
}

function ownerTitle({ kind }: QuotaRow): string {
  return credentialKinds.find(each => each.kind === kind)?.title ?? kind
}

function shareOf({ used, left, limit }: QuotaRow): number {
  return left === 0 || limit === 0 ? 1 : Math.min(1, used / limit)
}

function roleOf(row: QuotaRow): ColorRole {
  return row.blockedUntil === null ? roleOfShare(shareOf(row)) : 'warn'
}

function barOf(row: QuotaRow, isAscii: boolean): string {
  const { full, empty } = shareBar(Math.min(1, row.limit === 0 ? 1 : row.used / row.limit), barWidth, isAscii)
  return full + empty
}

function againText(row: QuotaRow, nowMs: number): string {
  const at = row.blockedUntil ?? row.resetsAt
  if (row.blockedUntil === null && row.used === 0) return 'all there'
  const leftMs = Date.parse(at) - nowMs
  return leftMs < 60_000 ? `in ${formatSpan(leftMs)}` : `${formatLocal(at, nowMs)} ${formatSpan(leftMs)}`
}
