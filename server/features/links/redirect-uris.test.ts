import { describe, expect, it } from 'vitest'
import { mayReturnTo, redirectUriOf } from './redirect-uris.ts'

describe('the redirect URI', () => {
  it.each([
    ['google', 'http://127.0.0.1:4400', 'http://127.0.0.1:4400/api/auth/callback/youtube', true],
    ['tiktok_desktop', 'http://127.0.0.1:4400', 'http://127.0.0.1:4400/api/auth/callback/tiktok', true],
    ['tiktok_web', 'http://127.0.0.1:4400', 'https://localhost:4400/api/auth/callback/tiktok', false],
    ['instagram_login', 'http://127.0.0.1:4400', 'https://localhost:4400/api/auth/callback/instagram', false],
    ['google', 'https://tape.example', 'https://tape.example/api/auth/callback/youtube', true],
    ['tiktok_desktop', 'https://tape.example', 'http://127.0.0.1:443/api/auth/callback/tiktok', false],
    ['tiktok_web', 'https://tape.example/clips', 'https://tape.example/clips/api/auth/callback/tiktok', true],
    ['facebook_login', 'https://tape.example', 'https://tape.example/api/auth/callback/instagram', true],
    ['google', 'http://10.0.0.7:4400', 'http://127.0.0.1:4400/api/auth/callback/youtube', false],
  ] as const)('of %s at %s is one that the platform takes', (kind, base, uri, comesBack) => {
    expect(redirectUriOf(kind, base)).toEqual({ uri, comesBack })
  })
})

describe('the address at the end of a link', () => {
  const rules = { base: 'https://tape.example', corsOrigins: ['https://app.example'] }

  it.each([
    'https://tape.example/accounts',
    'https://app.example/done?x=1',
    'http://localhost:8123/',
    'http://127.0.0.1:51004/linked',
  ])('may be %s', address => {
    expect(mayReturnTo(address, rules)).toBe(true)
  })

  it.each([
    'https://evil.example/',
    'https://tape.example.evil.example/',
    'https://tape.example@evil.example/',
    'https://me:word@tape.example/',
    'http://app.example/',
    'javascript:alert(1)',
    'data:text/html,hello',
    '//evil.example/',
    '/accounts',
    'http://127.0.0.1.evil.example/',
  ])('may not be %s', address => {
    expect(mayReturnTo(address, rules)).toBe(false)
  })
})
