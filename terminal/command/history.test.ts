import { describe, expect, it } from 'vitest'
import { historyMax, openHistory } from './history.ts'

function keep(past: readonly string[] = []) {
  const saved: string[][] = []
  return { saved, store: { load: () => past, save: (commands: readonly string[]) => saved.push([...commands]) } }
}

describe('openHistory', () => {
  it('walks to older and newer commands and back to where it began', () => {
    const history = openHistory(keep(['TOP', 'MOV', 'IDX']).store)
    expect([history.older(''), history.older(''), history.older(''), history.older('')]).toEqual([
      'IDX',
      'MOV',
      'TOP',
      null,
    ])
    expect([history.newer(''), history.newer(''), history.newer('')]).toEqual(['MOV', 'IDX', null])
  })

  it('walks only through commands that start as typed', () => {
    const history = openHistory(keep(['TOP CLIPS', 'MOV', 'TOP TOPICS']).store)
    expect([history.older('top'), history.older('top'), history.older('top')]).toEqual([
      'TOP TOPICS',
      'TOP CLIPS',
      null,
    ])
  })

  it('keeps each command once, at its latest use, and saves', () => {
    const { saved, store } = keep(['TOP', 'MOV', 'TOP'])
    const history = openHistory(store)
    expect(history.entries()).toEqual(['MOV', 'TOP'])
    history.add(' MOV ')
    expect(saved).toEqual([['TOP', 'MOV']])
  })

  it('keeps at most its bound, the newest', () => {
    const history = openHistory(keep(Array.from({ length: 2000 }, (_, i) => `HELP ${i}`)).store)
    expect(history.entries()).toHaveLength(historyMax)
    history.add('TOP')
    expect(history.entries()).toHaveLength(historyMax)
    expect(history.entries().at(-1)).toBe('TOP')
  })

  it('refuses what would not be safe to show again', () => {
    const history = openHistory(keep(['\u001b[2J', '', ' ', 'x'.repeat(1001), 'TOP']).store)
    history.add('a\u0007b')
    expect(history.entries()).toEqual(['TOP'])
  })

  it('searches inside commands, newest first', () => {
    const history = openHistory(keep(['TOP CLIPS', 'MOV', '@a GP', 'TOP TOPICS']).store)
    expect(history.search('op')).toEqual(['TOP TOPICS', 'TOP CLIPS'])
    expect(history.search('zzz')).toEqual([])
  })
})
