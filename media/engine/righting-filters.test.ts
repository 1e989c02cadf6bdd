import { expect, it } from 'vitest'
import { rightingFilters } from './righting-filters.ts'

const one = 65_536

it.each([
  ['as it is', [one, 0, 0, 0, one, 0], []],
  ['a quarter turn clockwise', [0, one, 0, -one, 0, 0], ['transpose=clock']],
  ['upside down', [-one, 0, 0, 0, -one, 0], ['hflip', 'vflip']],
  ['a quarter turn the other way', [0, -one, 0, one, 0, 0], ['transpose=cclock']],
  ['mirrored', [-one, 0, 0, 0, one, 0], ['hflip']],
  ['turned and mirrored', [0, one, 0, one, 0, 0], ['transpose=cclock_flip']],
])('turns a picture upright that is shown %s', (_how, matrix, filters) => {
  expect(rightingFilters(Int32Array.from([...matrix, 0, 0, 2 ** 30]))).toEqual(filters)
})

it('leaves a picture without a matrix alone', () => {
  expect(rightingFilters(null)).toEqual([])
})
