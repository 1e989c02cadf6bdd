import pino from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserIdSchema } from '../../../contracts/ids.ts'
import { redisBus } from '../../../core/bus/redis.ts'
import { systemClock } from '../../../core/clock.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import type { Db } from '../../../core/db/port.ts'
import { openPostgres } from '../../../core/db/postgres.ts'
import { redisKeyValue } from '../../../core/key-value/redis.ts'
import { type PostgresRig, startPostgres } from '../../../test/services/postgres.ts'
import { type RedisRig, startRedis } from '../../../test/services/redis.ts'
import { type OpenAccounts, openAccounts } from '../../auth/open-accounts.ts'
import { createPasswords } from '../../auth/passwords.ts'
import type { AccountDeps } from './account-steps.ts'
import { describeAccounts } from './accounts-suite.ts'
import { login, logout, refresh, register } from './service.ts'

const log = pino({ level: 'silent' })
const caller = { principal: null, requestId: 'test', address: '192.0.2.1' }
const password = 'a long enough password'

let postgres: PostgresRig
let redis: RedisRig
let db: Db

beforeAll(async () => {
  ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  db = await openPostgres({ url: postgres.url, log })
})
afterAll(async () => {
  await db.close()
  await Promise.all([postgres.stop(), redis.stop()])
})

describe('accounts on Postgres', () => {
  describeAccounts(() => ({ db }))
})

describe('two nodes on one Postgres and Redis', () => {
  interface Node extends AccountDeps {
    open: OpenAccounts
    close(): Promise<void>
  }
  const openNode = async (): Promise<Node> => {
    const own = await openPostgres({ url: postgres.url, log })
    const bus = await redisBus({ url: redis.url, log })
    const keyValue = await redisKeyValue({ url: redis.url })
    const deps = { db: own, bus, keyValue, clock: systemClock, log }
    const open = await openAccounts(deps, {
      secret: 'k'.repeat(43),
      ownerId: await ensureLocalOwner(own),
      mailer: null,
      google: null,
      registration: 'open',
      linkBase: () => null,
      passwords: createPasswords({ memoryKib: 64, passes: 1, parallelism: 1 }),
    })
    return {
      ...deps,
      open,
      accounts: open.accounts,
      async close() {
        await open.close()
        await Promise.all([bus.close(), keyValue.close(), own.close()])
      },
    }
  }
  const believes = async (node: Node, token: string) => (await node.open.sessions.authenticate(token, ['jwt'])) !== null

  it('believe the tokens of each other, and both stop at once when a session ends on one', async () => {
    const [here, there] = await Promise.all([openNode(), openNode()])
    const session = await register(here, { email: 'nodes@example.com', password }, caller)
    for (const node of [here, there]) expect(await believes(node, session.access_token)).toBe(true)
    const principal = await there.open.sessions.authenticate(session.access_token, ['jwt'])
    const { promise: heard, resolve } = Promise.withResolvers<unknown>()
    await there.bus.subscribe('session.ended', resolve)
    const userId = UserIdSchema.parse(session.user.id)
    await logout(here, userId, { ...caller, principal })
    expect(await heard).toMatchObject({ userId })
    for (const node of [here, there]) expect(await believes(node, session.access_token)).toBe(false)
    await Promise.all([here.close(), there.close()])
  })

  it('count wrong passwords together', async () => {
    const [here, there] = await Promise.all([openNode(), openNode()])
    await register(here, { email: 'counted@example.com', password }, caller)
    const guess = (node: Node) =>
      login(node, { email: 'counted@example.com', password: 'x' }, caller).catch(error => error.code)
    const codes: string[] = []
    for (let turn = 0; turn < 10; turn += 1) codes.push(await guess(turn % 2 === 0 ? here : there))
    expect(codes.filter(code => code === 'AUTH_REQUIRED').length).toBeLessThanOrEqual(7)
    expect(codes.at(-1)).toBe('RATE_LIMITED')
    await Promise.all([here.close(), there.close()])
  })

  it('let people sign in and out while Redis is away', async () => {
    const node = await openNode()
    await register(node, { email: 'away@example.com', password }, caller)
    await redis.stop()
    const session = await login(node, { email: 'away@example.com', password }, caller)
    const principal = await node.open.sessions.authenticate(session.access_token, ['jwt'])
    expect(principal).not.toBeNull()
    await logout(node, UserIdSchema.parse(session.user.id), { ...caller, principal })
    await expect(refresh(node, session.refresh_token, caller)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
    await Promise.all([node.bus.close(), node.db.close()])
    redis = await startRedis()
  })
})
