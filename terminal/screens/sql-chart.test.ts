import { expect, test } from 'vitest'
import type { QueryColumn } from '../../contracts/queries.ts'
import { createStyle } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'
import type { GridSource } from '../widgets/grid.ts'
import { type ChartChoice, drawSqlChart, suggestChart } from './sql-chart.ts'

const style = createStyle({ theme: themes.mono, depth: 0, isAscii: true, isReducedMotion: true })
const sgr = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g')
const columns: readonly QueryColumn[] = [
  { name: 'day', type: 'Nullable(DateTime)' },
  { name: 'creator', type: 'String' },
  { name: 'views', type: 'UInt64' },
  { name: 'likes', type: 'Nullable(UInt64)' },
]

function sourceOf(rows: readonly (readonly unknown[])[]): GridSource {
  return { columns, rowCount: rows.length, rows: (from, count) => rows.slice(from, from + count) }
}

function drawn(choice: ChartChoice, source: GridSource, size = { width: 40, height: 6 }): string[] {
  return drawSqlChart(choice, source, { ...size, style }).map(line => line.replace(sgr, ''))
}

test('suggests numbers over time, else ranked by text, else by order', () => {
  const suggested = (from: number, to: number, selected: number, row: readonly unknown[] = []) =>
    suggestChart({ columns: columns.slice(from, to), rowCount: 1, rows: () => [row] }, selected)
  expect(suggested(0, 4, 0, ['', '', 100, 30])).toEqual({ x: 'day', y: ['views', 'likes'], kind: 'line' })
  expect(suggested(0, 4, 0, ['', '', 10_000, 30])).toEqual({ x: 'day', y: ['views'], kind: 'line' })
  expect(suggested(0, 4, 3)).toEqual({ x: 'day', y: ['likes'], kind: 'line' })
  expect(suggested(1, 4, 0)).toEqual({ x: 'creator', y: ['views'], kind: 'ranked' })
  expect(suggested(2, 4, 0)).toEqual({ x: 'views', y: ['likes'], kind: 'line' })
  expect(suggested(2, 3, 0)).toEqual({ x: '', y: ['views'], kind: 'line' })
  expect(suggested(0, 2, 0)).toBeNull()
})

test('ranks rows by bars from zero, and says where there is no number', () => {
  const source = sourceOf([
    [null, 'first', '4000', null],
    [null, 'second', 1000, null],
    [null, 'third', null, null],
  ])
  expect(drawn({ x: 'creator', y: ['views'], kind: 'ranked' }, source)).toEqual([
    ' views  by creator, ranked              ',
    ` first  ${'#'.repeat(22)}       4K `.padEnd(40),
    ` second ${'#'.repeat(6)}${' '.repeat(16)}       1K `.padEnd(40),
    ` third  ${' '.repeat(22)}     NULL `.padEnd(40),
    ' '.repeat(40),
    ' '.repeat(40),
  ])
})

test('draws times of the engine as UTC, in their order whatever the order of the rows', () => {
  const source = sourceOf([
    ['2017-11-15 00:00:00', '', 20, null],
    ['2017-11-14 00:00:00', '', 10, null],
  ])
  const lines = drawn({ x: 'day', y: ['views'], kind: 'line' }, source, { width: 60, height: 12 })
  expect(lines[0]).toContain('* views  by day, line')
  expect(lines.at(-1)).toMatch(/Nov 14|14 Nov|12:00/)
})

test('counts along numbers and rows as numbers, not as times', () => {
  const source = sourceOf(Array.from({ length: 5 }, (_, i) => [null, '', i * 100, i]))
  expect(drawn({ x: 'views', y: ['likes'], kind: 'line' }, source, { width: 60, height: 12 }).at(-1)).toMatch(/\b200\b/)
  expect(drawn({ x: '', y: ['views'], kind: 'line' }, source, { width: 60, height: 12 }).at(-1)).toMatch(/\b3\b/)
})

test('says so when there is nothing to draw', () => {
  const one = sourceOf([['2017-11-15 00:00:00', '', 20, null]])
  expect(drawn({ x: 'day', y: ['views'], kind: 'line' }, one)[1]).toContain('too few different values')
  expect(drawn({ x: 'day', y: ['gone'], kind: 'line' }, one)[1]).toContain('no such column')
})
