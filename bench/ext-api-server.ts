/**
 * The server process of `bench/ext-api.ts`: the real server with real stores, the same one with an authenticator that
 * looks at nothing, and a bare Express route with the same bytes. Ends when its parent does.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import express from 'express'
import pino from 'pino'
import { systemClock } from '../core/clock.ts'
import type { World } from '../core/world.ts'
import { createApiKeyAuthenticator } from '../server/auth/api-keys.ts'
import type { Authenticator, Principal } from '../server/auth/authenticator.ts'
import type { ServerDeps, WorldSource } from '../server/deps.ts'
import { UsageMeter } from '../server/features/billing/usage-meter.ts'
import { createKey } from '../server/features/keys/service.ts'
import { SharedAnswers } from '../server/features/shared-answers.ts'
import { startServer } from '../server/server.ts'
import { openServerRig } from '../test/server-rig.ts'

/** What the parent is told: addresses to ask, and the key to ask with. */
export interface ExtApiTargets {
  readonly cliptape: string
  readonly withoutAuth: string
  readonly express: string
  readonly key: string
}

const path = '/ext-api/v1/trends?type=clips&platform=youtube&period=24h&limit=50'
const videoCount = 500
const hourMs = 3_600_000

const log = pino({ level: 'warn' }, pino.destination(2))
const rig = await openServerRig()
const nowMs = systemClock.nowMs()
for (const hoursAgo of [20, 10, 1]) {
  await rig.write(
    Array.from({ length: videoCount }, (_, index) => ({
      platform: 'youtube',
      videoId: `v${index}`,
      creatorId: `c${index % 40}`,
      observedAtMs: nowMs - hoursAgo * hourMs,
      views: (30 - hoursAgo) * (index + 1) * 100,
    })),
  )
}
const principal: Principal = {
  userId: rig.userId,
  scheme: 'jwt',
  role: 'owner',
  scopes: 'all',
  credentialId: null,
}
const caller = { principal, requestId: 'bench', address: null }
const deps = { db: rig.db, bus: rig.bus, clock: systemClock, log }
const { key, id } = await createKey(deps, caller, { name: 'bench', scopes: ['trends:read'] })
const believing: Authenticator = {
  authenticate: async () => ({ ...principal, scheme: 'apiKey', scopes: ['trends:read'], credentialId: id }),
}
const cliptape = await serve(await createApiKeyAuthenticator({ ...deps, serviceKey: null }))
const withoutAuth = await serve(believing)
const body = Buffer.from(await (await fetch(cliptape, { headers: { 'x-api-key': key } })).arrayBuffer())
const targets: ExtApiTargets = { cliptape, withoutAuth, express: await serveBare(body), key }
process.send?.(targets)
// CPU time of this process so far, all threads, in microseconds.
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuUs: user + system })
})
await once(process, 'disconnect')
process.exit(0)

/** The rig's clock stands still; a server's own does not: answers are computed anew every second. */
async function serve(auth: Authenticator): Promise<string> {
  const world: World = { database: 'cliptape', clock: systemClock }
  const shown: WorldSource = {
    current: () => world,
    status: () => ({ mode: 'live', notice: 'Bench.', now: new Date(nowMs).toISOString(), speed: 1, sources: [] }),
  }
  const real: ServerDeps = {
    ...(await rig.deps()),
    auth,
    log,
    clock: systemClock,
    world: shown,
    answers: new SharedAnswers({ world: shown, clock: systemClock }),
    usage: new UsageMeter({ db: rig.db, clock: systemClock, log }),
    settings: { rateLimits: { perAddress: 1e9, perUser: 1e9, perKey: 1e9 } },
  }
  return `${(await startServer(real, { host: '127.0.0.1', port: 0 })).url}${path}`
}

async function serveBare(bytes: Buffer): Promise<string> {
  const app = express()
  app.get('/ext-api/v1/trends', (_request, response) => {
    response.set('Content-Type', 'application/json; charset=utf-8').send(bytes)
  })
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${portOf(server)}${path}`
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.')
  return address.port
}
