import { describe, expect, it } from 'vitest'
import { gathered } from './gathered.ts'

describe('gathered work', () => {
  it('does for one at once, and together for those who came meanwhile', async () => {
    const rounds: number[][] = []
    const double = gathered(async (round: readonly number[]) => {
      rounds.push([...round])
      return round.map(each => each * 2)
    }, 3)
    expect(await Promise.all([1, 2, 3, 4, 5].map(double))).toEqual([2, 4, 6, 8, 10])
    expect(rounds).toEqual([[1], [2, 3, 4], [5]])
    expect(await double(6)).toBe(12)
  })

  it('lets only those fail who brought the trouble', async () => {
    const check = gathered(async (round: readonly number[]) => {
      if (round.includes(3)) throw new Error('three')
      return round.map(String)
    }, 10)
    const answers = await Promise.allSettled([1, 2, 3, 4].map(check))
    expect(answers.map(answer => (answer.status === 'fulfilled' ? answer.value : String(answer.reason)))).toEqual([
      '1',
      '2',
      'Error: three',
      '4',
    ])
  })
})
