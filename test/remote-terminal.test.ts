import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type RunningServer, startServer } from '../server/server.ts'
import { openAccountRig } from './account-rig.ts'
import { openServerRig, rigNow, type ServerRig } from './server-rig.ts'
import { openRig } from './terminal-rig.ts'

// A person at a terminal on a server of somebody else: an account, a key for a script, the plan, the audit log, and out again.
// Everything is real but the terminal's window.

let stores: ServerRig
let server: RunningServer
beforeAll(async () => {
  stores = await openServerRig()
  await stores.write(
    [0, 1].map(hour => ({
      platform: 'youtube' as const,
      videoId: 'dQw4w9WgXcQ',
      creatorId: 'UC0000000000000000000001',
      observedAtMs: rigNow.getTime() - hour * 3_600_000,
      views: 5_000 - hour * 1_000,
    })),
  )
  server = await startServer(await stores.deps(), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1_000)
  await stores.close()
})

test('a person registers, makes a key, uses it, revokes it, reads the log and signs out', async () => {
  const who = openAccountRig(server.url)
  const rig = await openRig({ columns: 80, rows: 30, url: server.url, isReal: true, account: who.account })
  await rig.shows('New account')
  await rig.type('ada@example.com\t\t\t\r')
  await rig.shows('REGISTER')
  await rig.type('correct horse battery\rcorrect horse battery\r')
  await rig.shows('Signed in as ada@example.com.')
  await rig.shows('CONNECTED')
  await rig.shows('import:test')
  expect(stores.mails.at(-1)?.to).toBe('ada@example.com')

  await rig.type('API\r')
  await rig.shows('No key yet: n creates one.')
  await rig.shows(/API calls +\d+ of 60/)
  await rig.type('nnightly report\r\r\r')
  const made = await rig.shows('This is the only time')
  const key = /cl_live_\w+/.exec(made)?.[0] ?? ''
  expect(await useKey(key)).toBe(200)
  await rig.type('\x1b')
  await rig.advance(50)
  const listed = await rig.shows('nightly')
  await rig.shows(/API calls +1 of 60/)
  expect(await useKey(key)).toBe(200)
  await rig.shows(/API calls +2 of 60/)
  expect(listed).not.toContain(key)
  expect(listed).toContain(key.slice(0, 16))
  await rig.type('xx')
  await rig.shows('revoked')
  expect(await useKey(key)).toBe(401)

  await rig.type('BILL\r')
  await rig.shows('renews then')
  await rig.shows('Premium')
  await rig.type('l\r\r')
  await rig.shows('Payment is not connected yet')

  await rig.type('ACCT\r')
  const log = await rig.shows('key.revoked')
  expect(log).toContain('key.created')
  expect(log).toContain('account.registered')
  await rig.type('p')
  await rig.type('wrong password\ranother password\ranother password\r')
  await rig.shows('The present password is not right')
  await rig.type('\x1b')
  await rig.advance(50)

  const kept = who.store.kept?.refreshToken ?? ''
  await rig.type('LOGOUT\r')
  await rig.shows('Sign in to')
  expect(who.store.kept).toBeNull()
  while ((await refresh(kept)) !== 401) await rig.advance(50)

  await rig.type('ada@example.com\rwrong password\r')
  await rig.shows('is not right')
  await rig.type('\x15correct horse battery\r')
  await rig.shows('Signed in as ada@example.com.')
  await rig.end()
})

test('a session that is ended elsewhere brings the form back', async () => {
  const who = openAccountRig(server.url)
  const registered = await who.account.register({ email: 'bob@example.com', password: 'correct horse battery' })
  expect(registered).toMatchObject({ ok: true })
  const rig = await openRig({ columns: 80, rows: 24, url: server.url, isReal: true, account: who.account })
  await rig.shows('CONNECTED')
  const elsewhere = openAccountRig(server.url)
  await elsewhere.account.signIn({ email: 'bob@example.com', password: 'correct horse battery' })
  const change = await fetch(`${server.url}/api/auth/password`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await elsewhere.account.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ current_password: 'correct horse battery', new_password: 'another horse battery' }),
  })
  expect(change.status).toBe(204)
  await rig.shows('Sign in to')
  expect(rig.lines().join('\n')).toContain('Your session has ended: sign in again.')
  await rig.end()
})

/** What a script with this key is answered. */
async function useKey(key: string): Promise<number> {
  const address = `${server.url}/api/analytics/trends?type=clips&period=24h`
  return (await fetch(address, { headers: { 'x-api-key': key } })).status
}

async function refresh(token: string): Promise<number> {
  const response = await fetch(`${server.url}/api/auth/refresh`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refresh_token: token }),
  })
  const body: unknown = await response.json()
  if (!response.ok) z.object({ error: z.object({ code: z.literal('AUTH_REQUIRED') }) }).parse(body)
  return response.status
}
