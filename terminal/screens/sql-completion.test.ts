import { expect, test } from 'vitest'
import type { QueryCatalog } from '../../contracts/queries.ts'
import { completeSql } from './sql-completion.ts'

const column = (name: string, type = 'UInt64', comment = '') => ({ name, type, comment })
const catalog: QueryCatalog = {
  schemas: [
    {
      name: 'v',
      comment: 'public',
      tables: [
        {
          name: 'samples',
          comment: 'Readings of videos.',
          columns: [column('views'), column('video_id', 'String', 'The id.')],
        },
        {
          name: 'videos',
          comment: 'What is known of videos.',
          columns: [column('video_id', 'String'), column('title', 'String')],
        },
      ],
    },
    { name: 'mine', comment: 'yours', tables: [{ name: 'samples', comment: 'Your own.', columns: [column('views')] }] },
  ],
  functions: [
    { name: 'sum', isAggregate: true, description: 'The sum.' },
    { name: 'toDate', isAggregate: false, description: '' },
  ],
  tableFunctions: ['numbers'],
  parameterTypes: ['String'],
}

/** The labels at `|`. */
function labelsAt(text: string, isAsked = false): string[] {
  const cursor = text.indexOf('|')
  return completeSql(text.replace('|', ''), cursor, { catalog, isAsked }).map(({ label }) => label)
}

test.each([
  ['select * from v.|', ['videos', 'samples']],
  ['select * from sa|', ['v.samples', 'mine.samples']],
  ['select s.v| from v.samples s', ['views', 'video_id']],
  ['select s.v| from v.videos as v join v.samples as s using video_id', ['views', 'video_id']],
  ['select ti| from v.videos', ['title']],
  ['select * from v.samples, v.vid|', ['videos']],
  ['with best as (select 1) select * from be|', ['best']],
  ['select views as seen from v.samples order by se|', ['seen', 'SECOND']],
  ['select {per:String}, pe|', ['per']],
])('offers at %j what can stand there', (text, expected) => {
  expect(labelsAt(text).slice(0, expected.length)).toEqual(expected)
})

test('offers nothing in strings and comments, nor before anything was typed', () => {
  expect(labelsAt("select 'vi|' from v.videos")).toEqual([])
  expect(labelsAt('select 1 -- vi|')).toEqual([])
  expect(labelsAt('select | from v.videos')).toEqual([])
  expect(labelsAt('select | from v.videos', true).slice(0, 2)).toEqual(['title', 'video_id'])
})

test('takes columns of the statement at the cursor only', () => {
  expect(labelsAt('select title from v.videos; select vie| from v.samples')[0]).toBe('views')
  expect(labelsAt('select title from v.videos; select tit| from v.samples')).not.toContain('title')
})

test('says the type of a column, and puts the cursor into the brackets of a function', () => {
  expect(completeSql('select video_i from v.samples', 14, { catalog, isAsked: false })[0]).toMatchObject({
    description: 'String  The id.',
    insert: 'video_id',
    from: 7,
    to: 14,
  })
  expect(completeSql('select su', 9, { catalog, isAsked: false })[0]).toMatchObject({ insert: 'sum()', back: 1 })
})

test('knows keywords before the server has told anything', () => {
  expect(completeSql('sel', 3, { catalog: null, isAsked: false }).map(({ insert }) => insert)).toEqual(['SELECT'])
})
