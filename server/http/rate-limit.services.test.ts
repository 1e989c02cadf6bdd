import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { KeyValue } from '../../core/key-value/port.ts'
import { redisKeyValue } from '../../core/key-value/redis.ts'
import { type RedisRig, startRedis } from '../../test/services/redis.ts'
import { createRateGuard } from './rate-limit.ts'
import { describeRateLimits } from './rate-limit-suite.ts'

let rig: RedisRig
let near: KeyValue
let far: KeyValue
beforeAll(async () => {
  rig = await startRedis()
  ;[near, far] = await Promise.all([redisKeyValue({ url: rig.url }), redisKeyValue({ url: rig.url })])
})
afterAll(async () => {
  await Promise.all([near.close(), far.close()])
  await rig.stop()
})

describeRateLimits(() => ({ near, far }))

it('limits nobody while Redis is down, and says so in the log', async () => {
  const lines = new PassThrough({ encoding: 'utf8' })
  const keyValue = await redisKeyValue({ url: rig.url })
  const usage = { limitsOf: async () => ({ apiCallsPerMinute: null }), countUse: () => undefined }
  const guard = createRateGuard({ keyValue, log: pino(lines), usage }, { perAddress: 1, perUser: 1, perKey: 1 })
  await guard.take({ address: 'a' })
  await expect(guard.take({ address: 'a' })).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  await rig.stop()
  while ((await guard.take({ address: 'a' }).catch(() => null)) === null) await new Promise(setImmediate)
  expect((await guard.take({ address: 'a' })).size).toBe(0)
  expect(String(lines.read())).toContain('Requests are not limited')
  await keyValue.close()
})
