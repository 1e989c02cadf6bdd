import { pino } from 'pino'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ApiKeyRequest, ApiKeySchema, apiKeyPattern, serviceScopes } from '../../../contracts/api-keys.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { Bus } from '../../../core/bus/port.ts'
import { manualClock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import { actingUser } from '../../auth/act-for.ts'
import { createApiKeyAuthenticator } from '../../auth/api-keys.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { createKey, keysMax, listKeys, revokeKey } from './service.ts'

const log = pino({ level: 'silent' })
const clock = manualClock(Date.parse('2026-01-31T12:00:00Z'))
/** Nobody hears what is published: a node whose messages are lost. */
const lossyBus: Bus = {
  publish: async () => undefined,
  subscribe: async () => async () => undefined,
  close: async () => undefined,
}

/**
 * What keys must do, on either store.
 * @param setup a migrated store with its local owner, and two ends of one bus
 */
export function describeKeys(setup: () => { db: Db; ownerId: UserId; near: Bus; far: Bus }): void {
  let db: Db
  let near: Bus
  let far: Bus
  let owner: UserId
  let stranger: UserId
  beforeAll(async () => {
    ;({ db, near, far, ownerId: owner } = setup())
    stranger = await addUser(db, 'keys-stranger@example.com')
  })

  const deps = (bus: Bus = near) => ({ db, bus, clock, log })
  const make = (request: Partial<ApiKeyRequest> = {}, by: Caller = session(owner, 'owner'), bus: Bus = near) =>
    createKey(deps(bus), by, { name: 'test', scopes: ['trends:read'], ...request })
  const open = (bus: Bus = near, serviceKey: string | null = null) =>
    createApiKeyAuthenticator({
      db,
      bus,
      clock,
      log,
      serviceKey: serviceKey === null ? null : { key: serviceKey, userId: owner },
    })

  describe('keys', () => {
    it('are shown once and kept as a hash', async () => {
      const made = await make({ name: 'shown once', expiresAt: '2026-03-01T00:00:00+01:00' })
      expect(made).toMatchObject({
        key: expect.stringMatching(apiKeyPattern),
        scopes: ['trends:read'],
        isService: false,
        createdAt: '2026-01-31T12:00:00.000Z',
        expiresAt: '2026-02-28T23:00:00.000Z',
        lastUsedAt: null,
        revokedAt: null,
      })
      const { key: _, ...shown } = made
      expect(ApiKeySchema.strict().parse(shown)).toEqual(shown)
      expect(await listKeys(deps(), session(owner, 'owner'))).toContainEqual(shown)
      const row = await db.system.selectFrom('api_keys').selectAll().where('id', '=', made.id).executeTakeFirstOrThrow()
      expect(JSON.stringify(row)).not.toContain(made.key.slice(-49))
      const audit = await db.system
        .selectFrom('audit_log')
        .selectAll()
        .where('target', '=', `key:${made.id}`)
        .executeTakeFirstOrThrow()
      expect(audit).toMatchObject({ user_id: owner, action: 'key.created', actor: 'jwt', request_id: 'r1' })
      expect(JSON.stringify(audit)).not.toContain(made.key)
    })

    it('open what their scopes say, for the one who made them', async () => {
      const made = await make({ scopes: ['vods:read', 'trends:read', 'vods:read'] }, session(stranger, 'user'))
      const auth = await open()
      expect(await auth.authenticate(made.key, ['jwt', 'apiKey'])).toEqual({
        userId: stranger,
        scheme: 'apiKey',
        role: 'user',
        scopes: ['vods:read', 'trends:read'],
        credentialId: made.id,
      })
      expect(await auth.authenticate(made.key, ['jwt'])).toBeNull()
      const last = made.key.at(-50) === 'a' ? 'b' : 'a'
      expect(await auth.authenticate(made.key.slice(0, -50) + last + made.key.slice(-49), ['apiKey'])).toBeNull()
      await auth.close()
    })

    it('are not believed after their end', async () => {
      const auth = await open()
      const made = await make({ expiresAt: new Date(clock.nowMs() + 60_000).toISOString() })
      clock.advance(59_999)
      expect(await auth.authenticate(made.key, ['apiKey'])).not.toBeNull()
      clock.advance(1)
      expect(await auth.authenticate(made.key, ['apiKey'])).toBeNull()
      await expect(make({ expiresAt: new Date(clock.nowMs()).toISOString() })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      })
      await auth.close()
    })

    it('belong to their owner alone', async () => {
      const made = await make()
      const other = session(stranger, 'user')
      expect((await listKeys(deps(), other)).map(key => key.id)).not.toContain(made.id)
      await expect(revokeKey(deps(), other, made.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(revokeKey(deps(), other, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      const auth = await open()
      expect(await auth.authenticate(made.key, ['apiKey'])).not.toBeNull()
      await auth.close()
    })

    it('say when they were used last, at most once a minute', async () => {
      const made = await make()
      const lastUsed = async () => {
        const auth = await open()
        await auth.authenticate(made.key, ['apiKey'])
        clock.advance(30_000)
        await auth.authenticate(made.key, ['apiKey'])
        await auth.close()
        const keys = await listKeys(deps(), session(owner, 'owner'))
        return keys.find(key => key.id === made.id)?.lastUsedAt
      }
      const firstAt = new Date(clock.nowMs()).toISOString()
      expect(await lastUsed()).toBe(firstAt)
      clock.advance(60_000)
      const secondAt = new Date(clock.nowMs()).toISOString()
      expect(await lastUsed()).toBe(secondAt)
    })

    it(`are at most ${keysMax} that are good, however many are made at once`, async () => {
      const busy = await addUser(db, 'keys-busy@example.com')
      const by = session(busy, 'user')
      const tries = await Promise.allSettled(Array.from({ length: keysMax + 5 }, () => make({}, by)))
      expect(tries.filter(one => one.status === 'fulfilled')).toHaveLength(keysMax)
      await expect(make({}, by)).rejects.toMatchObject({ code: 'CONFLICT' })
      const [first] = await listKeys(deps(), by)
      await revokeKey(deps(), by, first?.id ?? '')
      await make({}, by)
    })
  })

  describe('revoking a key', () => {
    it('is heard of by every node at once', async () => {
      const [here, there] = await Promise.all([open(near), open(far)])
      const made = await make()
      for (const node of [here, there]) expect(await node.authenticate(made.key, ['apiKey'])).not.toBeNull()
      const heard = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
      // Each bus tells its listeners in the order in which they came: these after those of the nodes.
      const unsubscribe = await Promise.all(
        [near, far].map((bus, index) =>
          bus.subscribe('keys.changed', ({ prefix }) => {
            if (prefix === made.prefix) heard[index]?.resolve()
          }),
        ),
      )
      await revokeKey(deps(near), session(owner, 'owner'), made.id)
      await Promise.all(heard.map(one => one.promise))
      for (const node of [here, there]) expect(await node.authenticate(made.key, ['apiKey'])).toBeNull()
      await Promise.all(unsubscribe.map(stop => stop()))
      await Promise.all([here.close(), there.close()])
    })

    it('is found out within a second by a node that missed the message', async () => {
      const deaf = await open(lossyBus)
      const made = await make({}, session(owner, 'owner'), lossyBus)
      expect(await deaf.authenticate(made.key, ['apiKey'])).not.toBeNull()
      await revokeKey(deps(lossyBus), session(owner, 'owner'), made.id)
      clock.advance(800)
      expect(await deaf.authenticate(made.key, ['apiKey'])).toBeNull()
      await deaf.close()
    })

    it('twice changes nothing the second time', async () => {
      const made = await make()
      await revokeKey(deps(), session(owner, 'owner'), made.id)
      const revokedAt = new Date(clock.nowMs()).toISOString()
      clock.advance(5000)
      await revokeKey(deps(), session(owner, 'owner'), made.id)
      const keys = await listKeys(deps(), session(owner, 'owner'))
      expect(keys.find(key => key.id === made.id)?.revokedAt).toBe(revokedAt)
      const { count } = await db.system
        .selectFrom('audit_log')
        .select(eb => eb.fn.countAll<string>().as('count'))
        .where('target', '=', `key:${made.id}`)
        .where('action', '=', 'key.revoked')
        .executeTakeFirstOrThrow()
      expect(Number(count)).toBe(1)
    })

    it('does not outlive a look-up that failed', async () => {
      const made = await make()
      let isDown = true
      const auth = await createApiKeyAuthenticator({
        db: {
          ...db,
          get system() {
            if (isDown) throw new Error('down')
            return db.system
          },
        },
        bus: near,
        clock,
        log,
        serviceKey: null,
      })
      await expect(auth.authenticate(made.key, ['apiKey'])).rejects.toThrow('down')
      isDown = false
      expect(await auth.authenticate(made.key, ['apiKey'])).not.toBeNull()
      await auth.close()
    })
  })

  describe('service keys', () => {
    it('are made by the owner and by admins alone', async () => {
      await expect(make({ scopes: ['tools:execute'] }, session(stranger, 'user'))).rejects.toMatchObject({
        code: 'FORBIDDEN',
      })
      const made = await make({ scopes: ['tools:execute', 'trends:read'] })
      expect(made).toMatchObject({ isService: true, prefix: expect.stringMatching(/^cl_svc_/) })
    })

    it('act for any user that they name, and open nothing without a name', async () => {
      const made = await make({ scopes: ['tools:execute'] })
      const auth = await open()
      const principal = await auth.authenticate(made.key, ['apiKey'])
      if (!principal) throw new Error('The key was refused.')
      expect(principal).toMatchObject({ isService: true, role: 'user' })
      expect(await actingUser({ db }, principal, stranger)).toBe(stranger)
      expect(await actingUser({ db }, principal, stranger.toUpperCase())).toBe(stranger)
      for (const nobody of ['00000000-0000-4000-8000-00000000ffff', 'nobody', '']) {
        await expect(actingUser({ db }, principal, nobody)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      }
      expect(() => ownerOf({ principal, requestId: '', address: null })).toThrow('service key')
      await auth.close()
    })

    it('end when the one who made them may make none any more', async () => {
      const admin = await addUser(db, 'keys-admin@example.com', 'admin')
      const made = await make({ scopes: ['tools:execute'] }, session(admin, 'admin'))
      await db.system.updateTable('users').set({ role: 'user' }).where('id', '=', admin).execute()
      const auth = await open()
      expect(await auth.authenticate(made.key, ['apiKey'])).toBeNull()
      await auth.close()
    })

    it('may be set by the operator, of any length', async () => {
      for (const key of ['x', 'a key with no form of its own', 'k'.repeat(3000)]) {
        const auth = await open(near, key)
        expect(await auth.authenticate(key, ['apiKey'])).toEqual({
          userId: owner,
          scheme: 'apiKey',
          role: 'user',
          scopes: serviceScopes,
          credentialId: null,
          isService: true,
        })
        expect(await auth.authenticate(`${key}x`, ['apiKey'])).toBeNull()
        expect(await auth.authenticate(key, ['jwt', 'connectorToken'])).toBeNull()
        await auth.close()
      }
    })

    it('are the only ones that act for somebody else', async () => {
      const { principal } = session(owner, 'owner')
      if (!principal) throw new Error('A session has a principal.')
      expect(await actingUser({ db }, principal, owner)).toBe(owner)
      await expect(actingUser({ db }, principal, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
}

async function addUser(db: Db, email: string, role: 'user' | 'admin' = 'user'): Promise<UserId> {
  const row = await db.system
    .insertInto('users')
    .values({ email, role, is_local: false, email_verified_at: null })
    .returning('id')
    .executeTakeFirstOrThrow()
  return UserIdSchema.parse(row.id)
}

/** A person at the other end of a session. */
function session(userId: UserId, role: 'owner' | 'user' | 'admin'): Caller {
  return {
    principal: { userId, scheme: 'jwt', role, scopes: 'all', credentialId: 's1' },
    requestId: 'r1',
    address: '127.0.0.1',
  }
}
