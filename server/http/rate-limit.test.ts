import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { UserIdSchema } from '../../contracts/ids.ts'
import { systemClock } from '../../core/clock.ts'
import { memoryKeyValue } from '../../core/key-value/memory.ts'
import { createRateGuard } from './rate-limit.ts'
import { describeRateLimits } from './rate-limit-suite.ts'

describeRateLimits(() => {
  const keyValue = memoryKeyValue({ clock: systemClock })
  return { near: keyValue, far: keyValue }
})

it('holds the limits of the installation while those of a plan cannot be read, and says so once', async () => {
  const lines = new PassThrough({ encoding: 'utf8' })
  const guard = createRateGuard(
    {
      keyValue: memoryKeyValue({ clock: systemClock }),
      log: pino(lines),
      usage: {
        limitsOf: () => Promise.reject(new AppError('UNAVAILABLE')),
        countUse: () => undefined,
      },
    },
    { perAddress: 1, perUser: 9, perKey: 2 },
  )
  const userId = UserIdSchema.parse('00000000-0000-4000-8000-000000000001')
  const take = () =>
    guard.take({ principal: { userId, scheme: 'apiKey', role: 'user', scopes: 'all', credentialId: 'k' } })
  expect((await take()).get('RateLimit-Policy')).toBe('"key";q=2;w=60, "user";q=9;w=60')
  await take()
  await expect(take()).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  const logged = String(lines.read()).trim().split('\n')
  expect(logged).toHaveLength(1)
  expect(logged[0]).toContain('The limits of a plan could not be read')
})
