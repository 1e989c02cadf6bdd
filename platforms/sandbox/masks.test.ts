import { describe, expect, it } from 'vitest'
import { masked, parseGraphFields } from './masks.ts'

describe("Google's fields", () => {
  const json = { kind: 'k', items: [{ id: 'a', snippet: { title: 't', tags: ['x'] }, statistics: { viewCount: '1' } }] }

  it.each([
    ['kind', { kind: 'k' }],
    ['items(id)', { items: [{ id: 'a' }] }],
    ['items/id', { items: [{ id: 'a' }] }],
    ['items(id,statistics/viewCount)', { items: [{ id: 'a', statistics: { viewCount: '1' } }] }],
    ['items/snippet(title)', { items: [{ snippet: { title: 't' } }] }],
    ['items/id,items/snippet/title', { items: [{ id: 'a', snippet: { title: 't' } }] }],
    ['items/*/viewCount', { items: [{ id: 'a', snippet: {}, statistics: { viewCount: '1' } }] }],
    ['*', json],
    ['nothing', {}],
  ])('are read as "%s"', (fields, expected) => {
    expect(masked(json, fields)).toEqual(expected)
  })

  it.each(['', 'items(', 'items)', 'items//id', 'items(id))', ',kind'])('are refused as "%s"', fields => {
    expect(masked(json, fields)).toBeUndefined()
  })
})

describe("the Graph API's fields", () => {
  it('have arguments and fields of their own', () => {
    expect(parseGraphFields('id,media.limit(10).after(X){id,children{id}}')).toEqual([
      { name: 'id', args: new Map(), under: [] },
      {
        name: 'media',
        args: new Map([
          ['limit', '10'],
          ['after', 'X'],
        ]),
        under: [
          { name: 'id', args: new Map(), under: [] },
          { name: 'children', args: new Map(), under: [{ name: 'id', args: new Map(), under: [] }] },
        ],
      },
    ])
  })

  it.each(['', 'id,', 'media{id', 'media}', 'id;name'])('are refused as "%s"', text => {
    expect(parseGraphFields(text)).toBeNull()
  })
})
