import type { Kpi, KpiName } from '../../contracts/crm.ts'
import { MissingReasonSchema } from '../../contracts/measures.ts'
import { formatChange, formatCount, formatMissing, formatPercentChange, formatShare } from '../text/format.ts'
import type { Style } from '../theme/style.ts'
import type { Cell } from '../widgets/table.ts'

/** The heads of KPIs where there are few cells. */
export const kpiTitles: Readonly<Record<KpiName, string>> = {
  followers: 'FOLLOW',
  views: 'VIEWS',
  likes: 'LIKES',
  comments: 'COMM',
  shares: 'SHARES',
  saves: 'SAVES',
  engagement: 'ENGAGE',
}

/** A KPI's number as tiles and tables show it. */
export function formatKpi(name: KpiName, value: number): string {
  return name === 'engagement' ? formatShare(value) : formatCount(value)
}

/**
 * A KPI, or why there is none; `~` says that it is over a part of the period, `=` that it is the counter itself, which nothing may
 * be made of.
 */
export function kpiCell(name: KpiName, { value, state, counter }: Pick<Kpi, 'value' | 'state' | 'counter'>): Cell {
  if (value === null && typeof counter === 'number') return { text: `=${formatKpi(name, counter)}`, role: 'muted' }
  if (value === null) return { text: missingText(state), role: 'faint' }
  return { text: `${state === 'partial' ? '~' : ''}${formatKpi(name, value)}`, role: 'text' }
}

/** How a KPI stands against the period before: in per cent, else by how much, else why that is not known. */
export function kpiChange({ change, changePct, changeState }: Kpi, { glyphs }: Pick<Style, 'glyphs'>): Cell {
  const by = changePct ?? change
  if (by === null) return { text: missingText(changeState), role: 'faint' }
  const text = changePct === null ? formatChange(by) : formatPercentChange(by)
  if (by === 0) return { text: `${glyphs.flat}${text}`, role: 'muted' }
  return { text: `${by > 0 ? glyphs.up : glyphs.down}${text}`, role: by > 0 ? 'up' : 'down' }
}

/** A number of a post, or why there is none. */
export function missingText(state: string | undefined): string {
  return formatMissing(MissingReasonSchema.safeParse(state).data)
}
