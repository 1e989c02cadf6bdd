import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { KeyValue } from '../../core/key-value/port.ts'
import type { Principal } from '../auth/authenticator.ts'
import { createRateGuard, RateRefusal } from './rate-limit.ts'

const log = pino({ level: 'silent' })
const limits = { perAddress: 2, perUser: 100, perKey: 3 }

/**
 * How often who may ask, on either store of counts.
 * @param setup two ends of one store, as two nodes have them
 */
export function describeRateLimits(setup: () => { near: KeyValue; far: KeyValue }): void {
  const guards = (plan: number | null = null) => {
    const { near, far } = setup()
    const counted: string[] = []
    const usage = {
      limitsOf: async () => ({ apiCallsPerMinute: plan }),
      countUse: (userId: UserId, metric: string, n: number) => counted.push(`${userId} ${metric} ${n}`),
    }
    return {
      counted,
      here: createRateGuard({ keyValue: near, log, usage }, limits),
      there: createRateGuard({ keyValue: far, log, usage }, limits),
    }
  }

  describe('rate limits', () => {
    it('hold for an address, on all nodes together', async () => {
      const { here, there } = guards()
      const headers = await here.take({ address: '192.0.2.1' })
      expect(headers.get('RateLimit-Policy')).toBe('"address";q=2;w=60')
      expect(headers.get('RateLimit')).toMatch(/^"address";r=1;t=(59|60)$/)
      await there.take({ address: '192.0.2.1' })
      const refusal = await here.take({ address: '192.0.2.1' }).catch((error: unknown) => error)
      expect(refusal).toBeInstanceOf(RateRefusal)
      expect(refusal).toMatchObject({ code: 'RATE_LIMITED', status: 429 })
      expect(headersIn(refusal).get('RateLimit')).toMatch(/^"address";r=0;t=\d\d$/)
      await here.take({ address: '192.0.2.2' })
    })

    it('hold for each key alone where its plan has none, and count calls by key alone', async () => {
      const { here, counted } = guards()
      const userId = user(1)
      for (let count = 0; count < limits.perKey; count += 1) await here.take({ principal: withKey(userId, 'one') })
      await expect(here.take({ principal: withKey(userId, 'one') })).rejects.toThrow('wait')
      const two = await here.take({ principal: withKey(userId, 'two') })
      expect(two.get('RateLimit-Policy')).toBe('"key";q=3;w=60, "user";q=100;w=60')
      const session: Principal = { ...withKey(userId, 'sid'), scheme: 'jwt', scopes: 'all' }
      expect((await here.take({ principal: session })).get('RateLimit-Policy')).toBe('"user";q=100;w=60')
      expect(counted).toEqual(Array.from({ length: 4 }, () => `${userId} apiCalls 1`))
    })

    it('hold for all keys of an owner together where the plan says so', async () => {
      const { here, there } = guards(5)
      const userId = user(2)
      for (const key of ['one', 'two', 'three', 'four', 'five']) {
        await (key === 'two' ? there : here).take({ principal: withKey(userId, key) })
      }
      const refusal = await here.take({ principal: withKey(userId, 'six') }).catch((error: unknown) => error)
      const policy = '"key";q=5;w=60, "plan";q=5;w=60, "user";q=100;w=60'
      expect(headersIn(refusal).get('RateLimit-Policy')).toBe(policy)
      await here.take({ principal: withKey(user(3), 'one') })
    })
  })
}

function headersIn(refusal: unknown): Map<string, string> {
  if (refusal instanceof RateRefusal) return refusal.headers
  throw new Error('It was not refused.')
}

function withKey(userId: UserId, credentialId: string): Principal {
  return {
    userId,
    scheme: 'apiKey',
    role: 'user',
    scopes: ['trends:read'],
    credentialId: `${credentialId} of ${userId}`,
  }
}

function user(n: number): UserId {
  return UserIdSchema.parse(`00000000-0000-4000-8000-00000000000${n}`)
}
