import { describe, expect, it } from 'vitest'
import { derivedKey } from './derived-key.ts'

describe('the key of what was computed of a file', () => {
  const of = { contentId: 'a', kind: 'timeline', params: { level: 'full', weights: { cuts: 1, chat: 0 } } }

  it('is the same for the same content, kind and parameters, in whatever order they are given', () => {
    const again = derivedKey({ ...of, params: { weights: { chat: 0, cuts: 1, speech: undefined }, level: 'full' } })
    expect(again).toBe(derivedKey(of))
    expect(again).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is another for any other', () => {
    const keys = [
      of,
      { ...of, contentId: 'b' },
      { ...of, kind: 'filmstrip' },
      { ...of, params: { ...of.params, level: 'audio' } },
      { ...of, params: [of.params] },
    ].map(derivedKey)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
