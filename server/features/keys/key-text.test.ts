import { describe, expect, it } from 'vitest'
import { apiKeyPattern } from '../../../contracts/api-keys.ts'
import { hashOfKey, makeKeyText, prefixOfKey } from './key-text.ts'

describe('the text of a key', () => {
  it.each(['plain', 'service'] as const)('has a form that a scanner finds and a beginning that names it: %s', kind => {
    const made = makeKeyText(kind)
    expect(made.key).toMatch(apiKeyPattern)
    expect(made.prefix).toMatch(kind === 'plain' ? /^cl_live_\w{8}$/ : /^cl_svc_\w{8}$/)
    expect(made.key.startsWith(`${made.prefix}_`)).toBe(true)
    expect(prefixOfKey(made.key)).toBe(made.prefix)
    expect(made.hash.equals(hashOfKey(made.key))).toBe(true)
    expect(makeKeyText(kind).key).not.toBe(made.key)
  })

  it('shows every typing error of one character, and two that changed places', () => {
    const { key } = makeKeyText('plain')
    for (let at = 8; at < key.length; at += 1) {
      const other = key[at] === 'x' ? 'y' : 'x'
      expect(prefixOfKey(key.slice(0, at) + other + key.slice(at + 1))).toBeNull()
      const swapped = key.slice(0, at) + (key[at + 1] ?? '') + (key[at] ?? '') + key.slice(at + 2)
      if (swapped !== key) expect(prefixOfKey(swapped)).toBeNull()
    }
  })

  it('knows nothing else as a key', () => {
    const { key } = makeKeyText('plain')
    for (const text of ['', 'cl_live_', key.slice(1), `${key}0`, key.slice(0, -1), ` ${key}`, key.toUpperCase()]) {
      expect(prefixOfKey(text)).toBeNull()
    }
  })
})
