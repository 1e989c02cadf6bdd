import { expect, it } from 'vitest'
import { UserIdSchema } from '../../contracts/ids.ts'
import { SourceIndexes } from './source-indexes.ts'

const ownerId = UserIdSchema.parse('11111111-1111-4111-8111-111111111111')
const index = (bytes: number) => ({ bytes: 1000, version: '"1"', blocks: new Map([[0, new Uint8Array(bytes)]]) })

it('keeps what was asked for last, as far as there is room, and nothing that takes all of it', () => {
  const indexes = new SourceIndexes({ bytesMax: 100 }).of(ownerId)
  indexes.keep('a', index(40))
  indexes.keep('b', index(40))
  expect(indexes.find('a')?.bytes).toBe(1000)
  indexes.keep('c', index(40))
  indexes.keep('d', index(101))
  expect(['a', 'b', 'c', 'd'].filter(place => indexes.find(place) !== null)).toEqual(['a', 'c'])
  indexes.keep('a', index(10))
  indexes.keep('b', index(40))
  expect(['a', 'b', 'c'].filter(place => indexes.find(place) !== null)).toEqual(['a', 'b', 'c'])
})
