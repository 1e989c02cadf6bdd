import type { Usage, UsageRow } from '../../contracts/billing.ts'
import { joinLine } from '../screens/join-line.ts'
import { formatCount, formatSpan } from '../text/format.ts'
import type { Style } from '../theme/style.ts'
import { roleOfShare, shareBar } from './share-bar.ts'

const titles: Readonly<Record<UsageRow['metric'], string>> = {
  apiCalls: 'API calls',
  liveQueries: 'Live queries',
  downloads: 'Downloads',
  credits: 'Credits',
}
const barWidthMax = 40

/**
 * What was used of each limit, a line each, and a line about credits: exactly `width` cells. A bar is full where the limit is
 * reached; without a limit there is none.
 */
export function drawUse(
  usage: Usage,
  { width, style, nowMs }: { width: number; style: Style; nowMs: number },
): string[] {
  return [...usage.data.map(row => useLine(row, { width, style, nowMs })), creditLine(usage, width, style)]
}

function useLine(row: UsageRow, { width, style, nowMs }: { width: number; style: Style; nowMs: number }): string {
  const title = style.paint('muted', style.fit(` ${titles[row.metric]}`, 14))
  const countText = row.limit === null ? formatCount(row.used) : `${formatCount(row.used)} of ${formatCount(row.limit)}`
  const count = style.paint('text', style.fit(countText, 16))
  if (row.limit === null) return joinLine([title, count, style.paint('faint', 'no limit')], '', width)
  const share = row.limit === 0 ? 1 : Math.min(1, row.used / row.limit)
  const role = roleOfShare(share)
  const barWidth = Math.max(6, Math.min(barWidthMax, width - 56))
  const { full, empty } = shareBar(share, barWidth, style.isAscii)
  const bar = style.paint(role, full) + style.paint('faint', empty)
  const percent = style.paint(role, `${Math.round(share * 100)}%`.padStart(4))
  const left = Date.parse(row.resetsAt) - nowMs
  const reset = left > 0 ? style.paint('faint', `again in ${formatSpan(left)}`) : ''
  return joinLine([title, count, bar, percent, reset], '', width)
}

function creditLine({ credits }: Usage, width: number, style: Style): string {
  const title = style.paint('muted', style.fit(' Balance', 14))
  if (credits.isUnlimited) return joinLine([title, style.paint('text', 'credits without limit')], '', width)
  const available = style.paint('text', `${formatCount(credits.available)} credits`)
  const reserved = credits.reserved === 0 ? '' : style.paint('muted', `${formatCount(credits.reserved)} set aside`)
  return joinLine([title, available, reserved], '', width)
}
