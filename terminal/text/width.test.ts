import { expect, test } from 'vitest'
import { cellWidth, fitCells, padLine, truncate, wrap } from './width.ts'

test.each([
  ['short', 8, 'short   '],
  ['exactly8', 8, 'exactly8'],
  ['much too long', 8, 'much to…'],
  ['猫の動画まとめ', 8, '猫の動… '],
  ['猫の動画', 8, '猫の動画'],
  ['🎬🎬🎬🎬🎬', 8, '🎬🎬🎬… '],
  ['e\u0301a\u0300x', 2, 'e\u0301…'],
  ['anything', 0, ''],
  ['', 3, '   '],
])('fits %j into %i cells', (text, width, expected) => {
  expect(fitCells(text, width)).toBe(expected)
  expect(cellWidth(fitCells(text, width))).toBe(width)
})

test('aligns to the right and to the middle', () => {
  expect(fitCells('12', 5, 'right')).toBe('   12')
  expect(fitCells('12', 5, 'center')).toBe(' 12  ')
})

test('is exactly as wide as asked for every text and width', () => {
  for (const text of ['ascii only text', '猫とcat 🎬 mixed', 'Ｆｕｌｌ', '한국어 text', 'हिन्दी']) {
    for (let width = 0; width < 20; width++) expect(cellWidth(fitCells(text, width))).toBe(width)
  }
})

test('cuts with another ellipsis where the terminal has only ASCII', () => {
  expect(truncate('much too long', 8, '~')).toBe('much to~')
})

test('pads a coloured line by what can be seen of it', () => {
  expect(padLine('\x1b[31mred\x1b[39m', 5)).toBe('\x1b[31mred\x1b[39m  ')
})

test('wraps at words and cuts a word that is longer than the line', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrap('unbelievable', 6)).toEqual(['unbel…'])
  expect(wrap('', 6)).toEqual([''])
})
