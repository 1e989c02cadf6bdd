import { describe, expect, test } from 'vitest'
import { topicsOf } from './topics.ts'

const nothing = { title: '', description: '', tags: [] as string[] }

describe('topicsOf', () => {
  test('takes hashtags of title and description, lower case, each once', () => {
    expect(topicsOf({ ...nothing, title: 'Dance #FYP #fyp', description: 'more #Café_2 #1' })).toEqual([
      'fyp',
      'café_2',
    ])
  })

  test('takes runs of capitalised words of the title, cut at punctuation', () => {
    const title = 'The Trump Presidency: Last Week Tonight with John Oliver (HBO)'
    expect(topicsOf({ ...nothing, title })).toEqual(['the trump presidency', 'last week tonight', 'john oliver'])
  })

  test('takes the pieces of a title without capitals as they are', () => {
    expect(topicsOf({ ...nothing, title: 'MEGA BUILD | part of the long story that goes on' })).toEqual(['mega build'])
    expect(topicsOf({ ...nothing, title: '임영웅 신곡 | 뉴스' })).toEqual(['임영웅 신곡'])
  })

  test('takes short tags of the author and leaves out phrases of the trade', () => {
    const tags = ['Bruno Mars', 'Official Video', 'one two three four words']
    expect(topicsOf({ ...nothing, tags })).toEqual(['bruno mars'])
  })

  test('gives at most twenty', () => {
    const description = Array.from({ length: 50 }, (_, index) => `#tag${index}`).join(' ')
    expect(topicsOf({ ...nothing, description })).toHaveLength(20)
  })
})
