import { expect, test } from 'vitest'
import { cacheTokens, SignInRequired } from './access-token.ts'

const startMs = Date.parse('2026-03-01T12:00:00Z')

/** A token in JWS form that lives for so many seconds from an instant. */
function tokenOf(name: string, lifeSec: number, iatMs = startMs): string {
  const claims = { sub: name, iat: iatMs / 1000, exp: iatMs / 1000 + lifeSec }
  return `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
}

function open(make: (number: number) => string) {
  const clock = { nowMs: startMs }
  let count = 0
  const tokens = cacheTokens(
    async () => make(++count),
    () => clock.nowMs,
  )
  return { tokens, clock, asked: () => count }
}

test('asks once for everybody who asks at the same time, and again shortly before the end', async () => {
  const { tokens, clock, asked } = open(number => tokenOf(`t${number}`, 900, clock.nowMs))
  const [a, b] = await Promise.all([tokens.get(), tokens.get()])
  expect(a).toBe(b)
  clock.nowMs += 869_000
  expect(await tokens.get()).toBe(a)
  clock.nowMs += 1_000
  expect(await tokens.get()).not.toBe(a)
  expect(asked()).toBe(2)
})

test('takes what is left of a token that is not new', async () => {
  const { tokens, clock, asked } = open(() => tokenOf('old', 900, startMs - 780_000))
  await tokens.get()
  clock.nowMs += 91_000
  await tokens.get()
  expect(asked()).toBe(2)
})

test.each([-86_400_000, 86_400_000])('keeps a token for its life when the clock is off by %i ms', async offMs => {
  const { tokens, clock, asked } = open(() => tokenOf('far', 900, startMs + offMs))
  await tokens.get()
  clock.nowMs += 860_000
  await tokens.get()
  expect(asked()).toBe(1)
  clock.nowMs += 20_000
  await tokens.get()
  expect(asked()).toBe(2)
})

test('keeps a token that says nothing of its end until it is refused', async () => {
  const { tokens, clock, asked } = open(number => `opaque ${number}`)
  await tokens.get()
  clock.nowMs += 365 * 86_400_000
  expect(await tokens.get()).toBe('opaque 1')
  tokens.refuse('another')
  expect(await tokens.get()).toBe('opaque 1')
  tokens.refuse('opaque 1')
  expect(await tokens.get()).toBe('opaque 2')
  expect(asked()).toBe(2)
})

test('never keeps a token that was on its way when everybody was told to forget', async () => {
  const waiting = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  let asked = 0
  const tokens = cacheTokens(
    () => waiting[asked++]?.promise ?? Promise.reject(new Error('Asked too often.')),
    () => startMs,
  )
  const old = tokens.get()
  tokens.forget()
  const next = tokens.get()
  waiting[0]?.resolve('of the one before')
  waiting[1]?.resolve('of the next one')
  expect([await old, await next, await tokens.get()]).toEqual([
    'of the one before',
    'of the next one',
    'of the next one',
  ])
})

test('asks anew after a failure', async () => {
  let isOut = true
  const tokens = cacheTokens(
    async () => {
      if (isOut) throw new SignInRequired('Sign in.')
      return 'in'
    },
    () => startMs,
  )
  await expect(tokens.get()).rejects.toThrow('Sign in.')
  isOut = false
  expect(await tokens.get()).toBe('in')
})
