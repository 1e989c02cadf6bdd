import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../core/outbound/port.ts'
import { QuotaBudget } from '../ingest/platforms/quota-budget.ts'
import { openPlatforms } from '../platforms/clients.ts'
import { type RunningSandbox, startSandbox } from '../platforms/sandbox/sandbox.ts'
import type { ServerDeps } from '../server/deps.ts'
import { validateDue } from '../server/features/credentials/validation.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from './server-rig.ts'
import { openRig, type Rig } from './terminal-rig.ts'

// A creator at a terminal, from credentials to numbers: a real server and the sandbox of the platforms; only the terminal's
// window and the hands that press buttons in the browser are the test's.

const creatorId = 'UC0000000000000000000001'

let stores: ServerRig
let sandbox: RunningSandbox
let outbound: Outbound
let deps: ServerDeps
let server: RunningServer
let rig: Rig
let budget: QuotaBudget
/** Where browsers are told that the server is; its own address by default. */
let linkBase: string | null = null
const opened: string[] = []

beforeAll(async () => {
  stores = await openServerRig()
  await stores.write([
    { platform: 'youtube', videoId: 'dQw4w9WgXcQ', creatorId, observedAtMs: rigNow.getTime(), views: 5_000 },
  ])
  sandbox = await startSandbox({
    clock: systemClock,
    creatorCount: 8,
    redirectUris: ['https://localhost:4400/api/auth/callback/instagram'],
  })
  outbound = openOutbound({ configuredOrigins: [sandbox.url] })
  const plain = await stores.deps()
  budget = new QuotaBudget({ db: stores.db, clock: systemClock })
  deps = {
    ...plain,
    quota: userId => budget.states(userId),
    clock: systemClock,
    outbound,
    platforms: openPlatforms({ outbound, clock: systemClock, urls: sandbox.urls }),
    accounts: { ...plain.accounts, linkBase: () => linkBase ?? server.url },
  }
  server = await startServer(deps, { host: '127.0.0.1', port: 0 })
  rig = await openRig({
    columns: 80,
    rows: 30,
    url: server.url,
    isReal: true,
    token: rigToken,
    startCommand: 'KEYS',
    async openBrowser(url) {
      opened.push(url)
      return true
    },
  })
})
afterAll(async () => {
  await rig.end()
  await server.close(1_000)
  await outbound.close()
  await sandbox.close()
  await stores.close()
})

/** Presses the button of the page of consent; returns where that leads. */
async function consent(address: string): Promise<string> {
  const page = await fetch(address)
  const html = await page.text()
  const valuesOf = (name: string) =>
    [...html.matchAll(new RegExp(`name="${name}" value="([^"]*)"`, 'g'))].map(match => match[1] ?? '')
  const fields: [string, string][] = [
    ['account', valuesOf('account')[0] ?? ''],
    ...valuesOf('scope').map((scope): [string, string] => ['scope', scope]),
    ['decision', 'allow'],
  ]
  const answer = await fetch(page.url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  return answer.headers.get('location') ?? ''
}

test('credentials are entered, tried and become valid, and an account is linked through the browser', async () => {
  const app = sandbox.controls.app('google', 'desktop')
  await rig.shows('not entered')
  await rig.type(`\r${app.clientId}\r${app.clientSecret}\r`)
  await rig.shows('being tried')
  await validateDue(deps)
  await rig.shows(/Google OAuth client +YouTube +valid/)

  await rig.type('l')
  await rig.shows('The browser was opened: go on there.')
  await fetch(await consent(opened.at(-1) ?? ''))
  await rig.shows('Done: the account is linked.')
  await rig.type('\r')
  await rig.shows(/YouTube +linked/)
  expect(rig.output()).not.toContain(app.clientSecret)
})

test('what was asked with the credentials is shown beside them, and what is left', async () => {
  const { vault_id: credentialKey } = await stores.db.system
    .selectFrom('developer_credentials')
    .select('vault_id')
    .executeTakeFirstOrThrow()
  await budget.reserve({ credentialKey, ownerId: stores.userId, bucket: 'youtube:units', path: 'own' }, 2_500)
  await rig.shows(/YouTube units a day .* 2\.5K +7\.5K/)
})

test('an account whose browser cannot come back is linked by the address that it ended on', async () => {
  linkBase = 'http://localhost:4400'
  const app = sandbox.controls.app('instagram')
  await rig.type('gjjjj\r')
  await rig.shows('Instagram Login, for Instagram')
  await rig.type(`${app.clientId}\r${app.clientSecret}\r`)
  await rig.shows(/Instagram Login +Instagram +being tried/)
  await validateDue(deps)
  await rig.shows(/Instagram Login +Instagram +(valid|inconclusive)/)
  await rig.type('l')
  await rig.shows('It ends on a page that does not load')
  await rig.type(`${await consent(opened.at(-1) ?? '')}\r`)
  await rig.shows(/Instagram +linked/)
})

test('the linked accounts are in the CRM, and their missing numbers are states', async () => {
  await rig.type('CRM 30D\r')
  const text = await rig.shows(/Instagram +(few|n\/a|scope|stale)/)
  expect(text).toMatch(/YouTube +(few|n\/a|scope|stale)/)
  await rig.type('t')
  await rig.shows('No post was read yet.')
  await rig.type('t')
  await rig.shows('No post of a day or older')
})

test('a creator is found and watched, and its videos are asked for', async () => {
  await rig.type(`FIND ${creatorId}\r`)
  await rig.shows(/UC0{21}1 +youtube/)
  await rig.type('w')
  await rig.shows('watched from now on')
  await rig.type('FIND WATCHED\r')
  await rig.shows(/● \S*UC0{21}1/)
  await rig.type('o')
  // It was counted, but no source has described it.
  await rig.shows('No source has named a video of this creator yet.')
})

test('an account is unlinked', async () => {
  await rig.type('KEYS\r')
  await rig.shows(/YouTube +linked/)
  await rig.type('G')
  await rig.type('xx')
  await rig.shows('not linked')
})
