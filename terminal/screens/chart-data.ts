import type { Fact, SeriesPoint } from '../../contracts/measures.ts'
import type { ChartPoint } from '../charts/plot.ts'
import type { ChartOptions } from '../charts/render-chart.ts'
import type { Style } from '../theme/style.ts'

/** The title or name among the facts of a description. */
export function nameIn(facts: readonly Fact[]): string | null {
  const fact = facts.find(each => each.key === 'title') ?? facts.find(each => each.key === 'name')
  return typeof fact?.value === 'string' && fact.value !== '' ? fact.value : null
}

const parsedPoints = new WeakMap<readonly SeriesPoint[], readonly ChartPoint[]>()

/** Points of a chart; parsed once for the same rows, because rows stay the same array until one changes. */
export function chartPoints(rows: readonly SeriesPoint[]): readonly ChartPoint[] {
  const known = parsedPoints.get(rows)
  if (known !== undefined) return known
  const points = rows.map(({ at, value }) => ({ atMs: Date.parse(at), value }))
  parsedPoints.set(rows, points)
  return points
}

const parsedInstants = new WeakMap<readonly ChartPoint[], readonly number[]>()

/** The instants of points; made once for the same points. */
export function instantsOf(points: readonly ChartPoint[]): readonly number[] {
  const known = parsedInstants.get(points)
  if (known !== undefined) return known
  const instants = points.map(point => point.atMs)
  parsedInstants.set(points, instants)
  return instants
}

/**
 * How charts look in a style. The mono theme has one colour, so its charts are drawn as without colour: several lines get
 * digits.
 */
export function chartLook(style: Style): Pick<ChartOptions<'line'>, 'theme' | 'depth' | 'ascii'> {
  return {
    theme: style.theme.chart,
    depth: style.theme.name === 'mono' ? 0 : style.depth,
    ascii: style.isAscii,
  }
}
