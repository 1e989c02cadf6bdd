import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CredentialsSchema, PlatformAccountSchema, StartedLinkSchema } from '../../../contracts/platform-accounts.ts'
import { systemClock } from '../../../core/clock.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../../../core/outbound/port.ts'
import { openPlatforms } from '../../../platforms/clients.ts'
import { type RunningSandbox, startSandbox } from '../../../platforms/sandbox/sandbox.ts'
import { openServerRig, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import type { ServerDeps } from '../../deps.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { validateDue } from '../credentials/validation.ts'

// As a browser and a terminal see it: one follows addresses and sends no token, the other sends one.

let rig: ServerRig
let sandbox: RunningSandbox
let outbound: Outbound
let deps: ServerDeps
let server: RunningServer

beforeAll(async () => {
  rig = await openServerRig()
  sandbox = await startSandbox({
    clock: systemClock,
    creatorCount: 8,
    redirectUris: ['http://127.0.0.1:*/api/auth/callback/tiktok'],
  })
  outbound = openOutbound({ configuredOrigins: [sandbox.url] })
  const plain = await rig.deps()
  deps = {
    ...plain,
    clock: systemClock,
    outbound,
    platforms: openPlatforms({ outbound, clock: systemClock, urls: sandbox.urls }),
    accounts: { ...plain.accounts, linkBase: () => server.url },
  }
  server = await startServer(deps, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1000)
  await outbound.close()
  await sandbox.close()
  await rig.close()
})

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${rigToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? null : JSON.parse(text) }
}

async function start(platform: string): Promise<z.infer<typeof StartedLinkSchema>> {
  const started = await call('POST', `/api/auth/link/${platform}`, {})
  expect(started).toMatchObject({ status: 201 })
  return StartedLinkSchema.parse(started.json)
}

/** Fills in the page of consent and presses a button, without scripts. */
async function consent(address: string, decision: 'allow' | 'deny'): Promise<Response> {
  const page = await fetch(address)
  const html = await page.text()
  const valuesOf = (name: string) =>
    [...html.matchAll(new RegExp(`name="${name}" value="([^"]*)"`, 'g'))].map(match => match[1] ?? '')
  const fields: [string, string][] = [
    ['account', valuesOf('account')[0] ?? ''],
    ...valuesOf('scope').map((scope): [string, string] => ['scope', scope]),
    ['decision', decision],
  ]
  return await fetch(page.url, { method: 'POST', body: new URLSearchParams(fields) })
}

describe('linking over HTTP', () => {
  it('goes from credentials to an account by the pages of the platform, and back', async () => {
    const app = sandbox.controls.app('google', 'desktop')
    const saved = await call('POST', '/api/credentials/youtube', {
      client_id: app.clientId,
      client_secret: app.clientSecret,
    })
    expect(saved).toMatchObject({ status: 202, json: { status: 'pending_validation', needsReauth: [] } })
    await validateDue(deps)
    const { json } = await call('GET', '/api/credentials/status')
    expect(z.array(CredentialsSchema).parse(json)).toMatchObject([{ platform: 'youtube', status: 'valid' }])

    const started = await start('youtube')
    expect(started).toMatchObject({ comesBack: true, redirectUri: `${server.url}/api/auth/callback/youtube` })
    const end = await consent(started.ticketUrl, 'allow')
    expect(end).toMatchObject({ status: 200, url: `${server.url}/auth/linked` })
    expect(await end.text()).toContain('go back to the terminal')

    const { json: listed } = await call('GET', '/api/accounts')
    const [account] = z.object({ data: z.array(PlatformAccountSchema) }).parse(listed).data
    expect(account).toMatchObject({ platform: 'youtube', status: 'connected' })
    expect(await call('GET', `/api/auth/links/${started.linkId}`)).toMatchObject({
      json: { status: 'connected', accountId: account?.id },
    })
    expect(await call('DELETE', `/api/auth/link/youtube/${account?.id}`)).toEqual({
      status: 200,
      json: { status: 'disconnected', revokedAtPlatform: true },
    })
  })

  it('says on a page why nothing was linked', async () => {
    const app = sandbox.controls.app('tiktok', 'desktop')
    await call('POST', '/api/credentials/tiktok', { client_id: app.clientId, client_secret: app.clientSecret })
    const started = await start('tiktok')
    const end = await consent(started.authorizationUrl, 'deny')
    expect(end.status).toBe(400)
    expect(end.headers.get('content-type')).toContain('text/html')
    expect(await end.text()).toMatch(/The account was not linked.*declined/s)
    const again = await fetch(end.url)
    expect(await again.text()).toContain('belongs to no link that is under way')
  })

  it('takes a ticket once, without a token', async () => {
    const { ticketUrl, authorizationUrl } = await start('tiktok')
    const first = await fetch(ticketUrl, { redirect: 'manual' })
    expect([first.status, first.headers.get('location')]).toEqual([302, authorizationUrl])
    const second = await fetch(ticketUrl, { redirect: 'manual' })
    expect([second.status, second.headers.get('location')]).toEqual([400, null])
  })

  it('takes what a platform adds to its answer, and repeats none of it', async () => {
    const url = `${server.url}/api/auth/callback/youtube?state=x&code=4%2Fplanted&iss=https%3A%2F%2Faccounts.google.com&authuser=0`
    const answer = await fetch(url)
    expect(answer.status).toBe(400)
    expect(await answer.text()).not.toContain('planted')
  })
})
