import { describe, expect, it } from 'vitest'
import { type Board, type BoardInput, BoardSchema, checkBoard, defaultValues, fillSource } from './dashboards.ts'

const top: BoardInput['panels'][number] = {
  id: 'top',
  title: 'Top',
  kind: 'table',
  at: { x: 0, y: 0, width: 6, height: 4 },
  source: { query: 'trends', params: { platform: '$platform', niche: '$niche', limit: 5 } },
}
const variables: BoardInput['variables'] = [
  { name: 'platform', title: 'Platform', type: 'platform' },
  { name: 'niche', title: 'Niche', type: 'text' },
]

function board(part: Partial<BoardInput>): Board {
  return BoardSchema.parse({ name: 'A board', variables, panels: [top], ...part })
}

describe('a source with its variables filled in', () => {
  it('leaves an empty value out of a query of the protocol, and gives it to SQL', () => {
    const values = defaultValues(board({}))
    expect(values).toEqual({ platform: 'all', niche: '' })
    expect(fillSource(board({}).panels[0]?.source ?? { query: 'world', params: {} }, values)).toEqual({
      name: 'trends',
      params: { platform: 'all', limit: 5 },
    })
    expect(fillSource({ sql: 'SELECT {niche:String}', params: { niche: '$niche', price: '$$5' } }, values)).toEqual({
      sql: 'SELECT {niche:String}',
      params: { niche: '', price: '$5' },
    })
  })
})

describe('the check of a board', () => {
  const problems = (part: Partial<BoardInput>) =>
    checkBoard(board(part)).map(({ path, message }) => `${path.join('.')}: ${message}`)

  it('finds nothing wrong with one that fits', () => {
    expect(problems({})).toEqual([])
  })

  it('names what does not: twins, panels on top of each other, strange variables and parameters', () => {
    const other = { ...top, at: { x: 6, y: 0, width: 6, height: 4 } }
    expect(problems({ panels: [top, other] })).toEqual(['panels.1.id: is the id of another panel already'])
    expect(problems({ panels: [top, { ...top, id: 'b', at: { x: 5, y: 3, width: 2, height: 2 } }] })).toEqual([
      'panels.1.at: lies on the panel top',
    ])
    const from = (params: Record<string, string | number>) => [{ ...top, source: { query: 'trends' as const, params } }]
    expect(problems({ panels: from({ creator: '$who' }) })).toEqual([
      'panels.0.source.params.creator: names the variable who, which the board does not have',
    ])
    expect(problems({ panels: from({ limit: 501 }) })[0]).toMatch(/^panels\.0\.source\.params\.limit: /)
    expect(problems({ panels: from({ colour: 'red' }) })).toEqual([
      'panels.0.source.params: has no parameter colour in the query trends',
    ])
    expect(problems({ variables: [...variables, { name: 'niche', title: 'Again', type: 'text' }] })).toEqual([
      'variables.2.name: is the name of another variable already',
    ])
  })

  it('asks nothing of a parameter whose choice is not known yet', () => {
    const creator = {
      name: 'creator',
      title: 'Creator',
      type: 'choice' as const,
      choices: { source: { query: 'trends' as const, params: { type: 'creators' } }, value: 'key' },
    }
    const line = {
      ...top,
      kind: 'line' as const,
      source: { query: 'series' as const, params: { type: 'creators', id: '$creator' } },
      options: { x: 'at', y: ['value'] },
    }
    expect(problems({ variables: [creator], panels: [line] })).toEqual([])
  })
})
