import { expect, it } from 'vitest'
import { renderTable } from './render-table.ts'

it('aligns numbers to the right and cuts what is long, by the width that a terminal shows', () => {
  const table = renderTable({
    columns: [
      { name: 'title', type: 'String' },
      { name: 'views', type: 'Nullable(UInt64)' },
    ],
    rows: [
      ['레드벨벳', 4340000],
      ['x'.repeat(80), null],
    ],
  })
  expect(table.split('\n')).toEqual([
    `title${' '.repeat(55)}    views`,
    `${'-'.repeat(60)}  -------`,
    `레드벨벳${' '.repeat(52)}  4340000`,
    `${'x'.repeat(59)}…     NULL`,
    '(2 rows)',
  ])
})

it('lets nothing through that a terminal would obey', () => {
  const table = renderTable({ columns: [{ name: 'a', type: 'String' }], rows: [['\x1b[2Jred\x07\nline']] })
  expect(table).toContain('red line')
  expect(table.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
})
