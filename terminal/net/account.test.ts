import { afterEach, expect, test } from 'vitest'
import {
  type HttpRig,
  memorySessionStore,
  openAccountRig,
  openHttpRig,
  refusal,
  sessionReply,
} from '../../test/account-rig.ts'
import { SignInRequired } from './access-token.ts'
import { createAccount } from './account.ts'

let http: HttpRig | null = null
afterEach(async () => {
  await http?.close()
  http = null
})

const stored = { refreshToken: 'refresh 0', email: 'ada@example.com' }
const noBrowser = {
  open: async () => false,
  listen: async () => Promise.reject(new Error('There is no browser.')),
}

test('says that somebody has to sign in when nothing is kept, without asking the server', async () => {
  http = await openHttpRig({})
  const { account } = openAccountRig(http.url)
  await expect(account.token()).rejects.toThrow(SignInRequired)
  expect(account.state).toEqual({ status: 'signedOut', message: 'Sign in to use this server.' })
  expect(http.asked).toEqual([])
})

test('gives the token of a sign-in once, then refreshes with the newest refresh token', async () => {
  let number = 1
  http = await openHttpRig({
    'POST /api/auth/login': sessionReply('ada@example.com'),
    'POST /api/auth/refresh': () => sessionReply('ada@example.com', ++number),
  })
  const { account } = openAccountRig(http.url)
  await account.signIn({ email: 'ada@example.com', password: 'correct horse' })
  expect([await account.token(), await account.token(), await account.token()]).toEqual([
    'access 1',
    'access 2',
    'access 3',
  ])
  expect(http.askedFor('POST /api/auth/refresh').map(one => one.body)).toEqual([
    { refresh_token: 'refresh 1' },
    { refresh_token: 'refresh 2' },
  ])
})

test('never uses a refresh token twice, however many terminals share the session', async () => {
  const used: unknown[] = []
  let number = 0
  http = await openHttpRig({
    'POST /api/auth/refresh': ({ body }) => {
      used.push(body)
      return sessionReply('ada@example.com', ++number)
    },
  })
  const store = memorySessionStore(stored)
  const { url } = http
  const terminals = [1, 2, 3].map(() => createAccount({ url, store, browser: noBrowser }))
  await Promise.all(terminals.flatMap(account => [account.token(), account.token()]))
  expect(used).toEqual([0, 1, 2, 3, 4, 5].map(each => ({ refresh_token: `refresh ${each}` })))
  expect(store.kept?.refreshToken).toBe('refresh 6')
})

test.each([
  ['is overloaded', refusal(503, 'UNAVAILABLE', 'A part of Cliptape is not answering.')],
  ['asks for patience', refusal(429, 'RATE_LIMITED', 'Too many requests: wait a moment.')],
  ['is another program', { body: { hello: 'world' } }],
])('keeps the session when the server %s', async (_why, reply) => {
  http = await openHttpRig({ 'POST /api/auth/refresh': reply })
  const { account, store } = openAccountRig(http.url, { stored })
  const error = await account.token().catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(SignInRequired)
  expect(store.kept).toEqual(stored)
  http.replies['POST /api/auth/refresh'] = sessionReply('ada@example.com', 5)
  expect(await account.token()).toBe('access 5')
})

test('keeps the session while the server cannot be reached', async () => {
  const { account, store } = openAccountRig('http://127.0.0.1:1', { stored })
  await expect(account.token()).rejects.toThrow('The server did not answer: it cannot be reached.')
  expect(store.kept).toEqual(stored)
})

test('forgets a session that the server has ended', async () => {
  http = await openHttpRig({ 'POST /api/auth/refresh': refusal(401, 'AUTH_REQUIRED', 'The session is over.') })
  const { account, store } = openAccountRig(http.url, { stored })
  await expect(account.token()).rejects.toThrow('Your session has ended: sign in again.')
  expect(store.kept).toBeNull()
  // Asking again says no less.
  await expect(account.token()).rejects.toThrow(SignInRequired)
  expect(account.state).toEqual({ status: 'signedOut', message: 'Your session has ended: sign in again.' })
})

test('signs out here at once, and on a server that cannot be reached not at all', async () => {
  http = await openHttpRig({ 'POST /api/auth/login': sessionReply('ada@example.com') })
  const { account, store } = openAccountRig(http.url)
  await account.signIn({ email: 'ada@example.com', password: 'correct horse' })
  await http.close()
  http = null
  const ending = account.signOut()
  await ending
  expect(store.kept).toBeNull()
  expect(account.state.status).toBe('signedOut')
})

test('takes no answer for a session that is none', async () => {
  http = await openHttpRig({ 'POST /api/auth/login': { body: { access_token: 'x' } } })
  const { account } = openAccountRig(http.url)
  expect(await account.signIn({ email: 'a@b.example', password: 'x' })).toMatchObject({
    ok: false,
    message: "The server's answer was not understood: it may run another version.",
  })
  expect(account.state.status).toBe('unknown')
})
