import type { Trending } from '../../contracts/trending.ts'
import type { Column } from '../widgets/table.ts'

const heights: Readonly<Record<Trending['level'], number>> = { rising: 1, hot: 2, breakout: 3 }

/** The column that marks what trends, one to three arrows high; none where the answer does not have it. */
export function trendingColumns<R extends { trending?: Trending | null | undefined }>(
  rows: readonly R[],
): readonly Column<R>[] {
  if (rows.every(row => row.trending === undefined)) return []
  return [
    {
      title: 'HOT',
      width: 3,
      cell: ({ trending }, { glyphs }) => ({
        text: trending ? glyphs.up.repeat(heights[trending.level]) : '',
        role: 'up',
      }),
    },
  ]
}

/** Why something trends, for a foot; empty when nothing is known. */
export function trendingText(trending: Trending | null | undefined): string {
  return trending ? `${trending.level}: ${trending.why.join(', ')}` : ''
}
