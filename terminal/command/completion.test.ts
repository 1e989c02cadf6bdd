import { describe, expect, it } from 'vitest'
import { type CompletionContext, completeCommand, completionsMax } from './completion.ts'

const ctx: CompletionContext = {
  subjects: [
    { subject: { type: 'creator', id: 'youtube:UCX6OQ3DkcsbYNE6H8uQQuVA' }, title: 'MrBeast' },
    { subject: { type: 'topic', id: 'minecraft' }, title: 'minecraft' },
    { subject: { type: 'topic', id: 'try not to laugh' }, title: 'try not to laugh' },
    { subject: { type: 'clip', id: 'youtube:dQw4w9WgXcQ' }, title: 'Never Gonna Give You Up' },
  ],
  niches: ['brain-rot', 'gaming'],
}
const labels = (text: string, cursor = text.length) => completeCommand(text, cursor, ctx).map(each => each.label)

/** The text after taking the first completion. */
function take(text: string): string {
  const first = completeCommand(text, text.length, ctx)[0]
  return first === undefined ? text : text.slice(0, first.from) + first.insert + text.slice(first.to)
}

describe('completeCommand', () => {
  it('completes from the first letter, with one line about each', () => {
    expect(completeCommand('M', 1, ctx)[0]).toEqual({
      label: 'MOV',
      description: 'What moves fastest: rank jumps and accelerations',
      insert: 'MOV ',
      from: 0,
      to: 1,
    })
    expect(labels('m')).toEqual(['MOV', 'MEDIA', 'MOUSE', 'youtube:UCX6OQ3DkcsbYNE6H8uQQuVA', '#minecraft'])
  })

  it('lists the functions when nothing is typed', () => {
    expect(labels('')).toContain('TOP')
    expect(labels(':')).toContain('THEME')
  })

  it('completes known rows by title, id and word', () => {
    expect(take('never')).toBe('youtube:dQw4w9WgXcQ ')
    expect(take('@mrb')).toBe('youtube:UCX6OQ3DkcsbYNE6H8uQQuVA ')
    expect(take('dqw4')).toBe('youtube:dQw4w9WgXcQ ')
    expect(labels('gonna')).toEqual(['youtube:dQw4w9WgXcQ'])
    expect(labels('#')).toEqual(['#minecraft', '"#try not to laugh"'])
  })

  it('offers only functions about a subject after one', () => {
    expect(labels('@mrbeast ')).toEqual(['TOP', 'MOV', 'GP', 'DES', 'VOD', 'CUT', 'ALRT', 'WL'])
  })

  it('offers what an argument takes, and not what is there already', () => {
    expect(labels('TOP c')).toEqual(['CLIPS', 'CREATORS', 'CLIPPERS', 'COUNTRY=', 'CREATOR='])
    expect(labels('TOP CLIPS 24H c')).toEqual(['CLIPPERS', 'COUNTRY=', 'CREATOR='])
    expect(take('TOP NICHE=b')).toBe('TOP NICHE=brain-rot ')
    expect(take('TOP TOPIC="try')).toBe('TOP TOPIC="try not to laugh" ')
    expect(labels('IDX ga')).toEqual(['gaming'])
    expect(labels('#minecraft GP VS #')).toEqual(['#minecraft', '"#try not to laugh"'])
  })

  it('completes at the cursor, not at the end', () => {
    expect(completeCommand('TOP cl YT', 6, ctx)[0]).toMatchObject({ label: 'CLIPS', from: 4, to: 6 })
  })

  it('stays bounded and calm with many rows and with nonsense', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({
      subject: { type: 'topic' as const, id: `t${i}` },
      title: `t${i}`,
    }))
    expect(completeCommand('t', 1, { subjects: many, niches: [] })).toHaveLength(completionsMax)
    expect(completeCommand('\u0000\ud800"=', 4, ctx)).toEqual([])
    expect(completeCommand('x'.repeat(2000), 2000, ctx)).toEqual([])
  })
})
