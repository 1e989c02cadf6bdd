import { expect, test } from 'vitest'
import { gridStart, moveInGrid, selectCell } from '../state/grid-state.ts'
import { createStyle } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'
import { drawGrid, type GridOptions, type GridSource, isNumberType, placeGridColumns } from './grid.ts'

const style = createStyle({ theme: themes.amber, depth: 24, isAscii: false, isReducedMotion: true })
const sgr = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g')

/** Rows that count how often they were asked for. */
function sourceOf(columns: GridSource['columns'], rows: readonly (readonly unknown[])[]) {
  const asked: [number, number][] = []
  const source: GridSource = {
    columns,
    rowCount: rows.length,
    rows(from, count) {
      asked.push([from, count])
      return rows.slice(from, from + count)
    },
  }
  return { source, asked }
}

function lines(options: Partial<GridOptions> & { source: GridSource }): string[] {
  const drawn = drawGrid({ grid: gridStart, width: 40, height: 5, hasFocus: true, style, ...options })
  return drawn.map(line => line.replace(sgr, ''))
}

const mixed = sourceOf(
  [
    { name: 'title', type: 'LowCardinality(String)' },
    { name: 'views', type: 'Nullable(UInt64)' },
    { name: 'tags', type: 'Array(String)' },
  ],
  [
    ['a\u001b[31m猫', 12, ['x']],
    ['', null, []],
    ['NULL', '18446744073709551615', null],
  ],
)

test('aligns numbers to the right, tells NULL from an empty text, and cleans every cell', () => {
  expect(lines({ source: mixed.source })).toEqual([
    '     title                views tags    ',
    '   1 a猫                     12 ["x"]   ',
    '   2                       NULL []      ',
    '   3 NULL  18446744073709551615 NULL    ',
    '                                        ',
  ])
  const faint = style.paint('faint', 'NULL'.padStart(20))
  expect(drawGrid({ ...mixed, grid: gridStart, width: 40, height: 5, hasFocus: false, style })[2]).toContain(faint)
})

test('asks for no more rows than are seen, wherever one is', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => [i, `row ${i}`])
  const columns = [
    { name: 'n', type: 'UInt32' },
    { name: 't', type: 'String' },
  ]
  const { source, asked } = sourceOf(columns, many)
  lines({ source })
  asked.length = 0
  const size = { rowCount: source.rowCount, columnCount: 2, height: 4 }
  const grid = moveInGrid(gridStart, 'grid.last', size) ?? gridStart
  expect(lines({ source, grid }).at(-1)).toContain('100000 99999 row 99999')
  expect(asked).toEqual([[99_996, 4]])
})

test('keeps the first column while the others move, and shows the selected one', () => {
  const columns = Array.from({ length: 12 }, (_, i) => ({ name: `column_${i}`, type: 'String' }))
  const { source } = sourceOf(columns, [columns.map(({ name }) => name.toUpperCase())])
  const size = { rowCount: 1, columnCount: 12, height: 4 }
  const grid = selectCell(gridStart, { column: 7 }, size)
  expect(placeGridColumns({ source, grid, width: 40 }).map(({ index }) => index)).toEqual([0, 5, 6, 7])
  expect(lines({ source, grid })[1]).toBe('   1 COLUMN_0 COLUMN_5 COLUMN_6 COLUMN_7')
  const loose = moveInGrid(grid, 'grid.freeze', size) ?? grid
  expect(placeGridColumns({ source, grid: loose, width: 40 }).map(({ index }) => index)).toEqual([4, 5, 6, 7])
})

test('cuts a long cell, and shows it whole where its column is made wide', () => {
  const { source } = sourceOf([{ name: 't', type: 'String' }], [['x'.repeat(60)]])
  expect(lines({ source, width: 80 })[1]?.trimEnd()).toBe(`   1 ${'x'.repeat(35)}…`)
  const grid = moveInGrid(gridStart, 'grid.wide', { rowCount: 1, columnCount: 1, height: 4 }) ?? gridStart
  expect(lines({ source, grid, width: 80 })[1]?.trimEnd()).toBe(`   1 ${'x'.repeat(60)}`)
})

test('is exactly as large as asked for, at every size', () => {
  for (let width = 10; width < 60; width += 7)
    for (let height = 1; height < 6; height++) {
      const drawn = lines({ source: mixed.source, width, height })
      expect(drawn).toHaveLength(height)
      // The cat takes two cells.
      for (const line of drawn) expect(line.length + (line.includes('猫') ? 1 : 0)).toBe(width)
    }
})

test('knows numbers behind what is put around them', () => {
  expect(['Nullable(LowCardinality(Float64))', 'Decimal(9, 2)', 'String', 'Array(UInt8)'].map(isNumberType)).toEqual([
    true,
    true,
    false,
    false,
  ])
})
