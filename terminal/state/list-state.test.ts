import { expect, test } from 'vitest'
import { listStart, moveInList, pressInList, selectedIndexOf, selectIndex, topOf } from './list-state.ts'

const rows = Array.from({ length: 30 }, (_, i) => ({ key: `k${i}` }))

test('selects the first row, whichever that is, until the user moves', () => {
  expect(selectedIndexOf(listStart, rows)).toBe(0)
  expect(selectedIndexOf(listStart, [...rows].reverse())).toBe(0)
  expect(selectedIndexOf(listStart, [])).toBe(-1)
})

test('follows the selected row when the order changes', () => {
  const list = selectIndex(listStart, rows, 4, 10)
  expect(selectedIndexOf(list, [...rows].reverse())).toBe(25)
})

test('stays in its place when the selected row is gone', () => {
  const list = selectIndex(listStart, rows, 4, 10)
  expect(
    selectedIndexOf(
      list,
      rows.filter(row => row.key !== 'k4'),
    ),
  ).toBe(4)
  expect(selectedIndexOf(list, rows.slice(0, 2))).toBe(1)
})

test('moves by rows and pages, stops at the ends, and scrolls only as far as it must', () => {
  let list = listStart
  for (let i = 0; i < 12; i++) list = moveInList(list, 'move.down', rows, 10) ?? list
  expect([list.selectedIndex, list.top]).toEqual([12, 3])
  list = moveInList(list, 'move.up', rows, 10) ?? list
  expect([list.selectedIndex, list.top]).toEqual([11, 3])
  list = moveInList(list, 'page.down', rows, 10) ?? list
  expect([list.selectedIndex, list.top]).toEqual([20, 11])
  list = moveInList(list, 'move.last', rows, 10) ?? list
  expect([list.selectedIndex, list.top]).toEqual([29, 20])
  list = moveInList(list, 'move.down', rows, 10) ?? list
  expect(list.selectedIndex).toBe(29)
  list = moveInList(list, 'move.first', rows, 10) ?? list
  expect([list.selectedIndex, list.top]).toEqual([0, 0])
  expect(moveInList(list, 'sort.next', rows, 10)).toBeNull()
})

test('shows the selection in a window of any height', () => {
  for (let height = 1; height < 40; height++) {
    const top = topOf({ selectedKey: null, selectedIndex: 17, top: 3 }, 17, rows.length, height)
    expect(top).toBeLessThanOrEqual(17)
    expect(top + height).toBeGreaterThan(17)
  }
})

test('selects the row that is pressed, and nothing beside the rows', () => {
  const scrolled = selectIndex(listStart, rows, 15, 10)
  expect(pressInList(scrolled, 0, rows, 10)).toMatchObject({ selectedIndex: 6, top: 6 })
  expect(pressInList(scrolled, 9, rows, 10)).toMatchObject({ selectedIndex: 15, top: 6 })
  for (const line of [-1, 10]) expect(pressInList(scrolled, line, rows, 10)).toBe(scrolled)
  expect(pressInList(listStart, 2, rows.slice(0, 2), 10)).toBe(listStart)
})
