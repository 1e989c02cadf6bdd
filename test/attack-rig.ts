import { z } from 'zod'
import { anyOf } from '../server/auth/authenticator.ts'
import { openapiDocument } from '../server/openapi.ts'
import { allRoutes } from '../server/routes.ts'
import { startServer } from '../server/server.ts'
import { fillAccount } from './fill-account.ts'
import { fixedAuthenticator } from './fixed-authenticator.ts'
import { operationsOf } from './openapi-operations.ts'
import { type AttackReport, attack } from './random-requests.ts'
import { type RawClient, rawClient } from './raw-http.ts'
import { openServerRig, rigNow } from './server-rig.ts'

/** A real server with an account to attack and another that must stay out of sight. */
export interface AttackRig {
  readonly client: RawClient
  readonly port: number
  /** An access token that is good whatever the attack does. */
  readonly token: string
  run(options: { count: number; seed: number; parallel: number }): Promise<AttackReport>
  /** Rows of the other account, to compare. */
  otherRows(): Promise<string[]>
  close(): Promise<void>
}

export async function openAttackRig(): Promise<AttackRig> {
  const rig = await openServerRig()
  const account = await fillAccount(rig, 'attacked@example.com')
  const other = await fillAccount(rig, 'bystander@example.com')
  await rig.write(
    Array.from({ length: 50 }, (_, n) => [
      {
        platform: 'youtube' as const,
        videoId: `v${n}`,
        creatorId: 'c1',
        observedAtMs: rigNow.getTime() - 90_000_000,
        views: n,
      },
      {
        platform: 'youtube' as const,
        videoId: `v${n}`,
        creatorId: 'c1',
        observedAtMs: rigNow.getTime() - 60_000,
        views: n * 3,
      },
    ]).flat(),
  )
  const deps = await rig.deps()
  const token = 'token-that-survives-the-attack'
  const server = await startServer(
    {
      ...deps,
      auth: anyOf([fixedAuthenticator({ token, userId: account.userId }), deps.auth]),
      settings: { rateLimits: { perAddress: 1e7, perUser: 1e7, perKey: 1e7 } },
    },
    { host: '127.0.0.1', port: 0 },
  )
  const client = rawClient(server.port)
  const claims = { userId: account.userId, sessionId: account.ids.session, role: 'user' as const }
  const session = await rig.accounts.accounts.tokens.signAccess(claims, 900_000)
  const made = await client.send({
    method: 'POST',
    path: '/api/keys',
    headers: { authorization: `Bearer ${session}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'attack',
      scopes: ['trends:read', 'vods:read', 'creators:read', 'queries:run', 'webhooks:write'],
    }),
  })
  const { key } = z.object({ key: z.string() }).parse(JSON.parse(made.text))
  return {
    client,
    port: server.port,
    token,
    run: options =>
      attack({
        ...options,
        client,
        operations: operationsOf(openapiDocument(allRoutes, '1.2.3')),
        token,
        session,
        key,
        secrets: [
          other.userId,
          other.mark,
          other.email,
          session.slice(-43),
          key.slice(-30),
          'key of the rig, long enough',
          'secret of the rig, long enough',
          'cliptape-server-',
          process.cwd(),
        ],
      }),
    async otherRows() {
      const { rows } = await rig.db.executeSql(
        `select s::text as row from settings s where owner_id = '${other.userId}'
         union all select k::text from api_keys k where owner_id = '${other.userId}'
         union all select w::text from webhooks w where owner_id = '${other.userId}'`,
      )
      return rows.map(row => String(row.row))
    },
    async close() {
      client.close()
      await server.close(1000)
      await rig.close()
    },
  }
}
