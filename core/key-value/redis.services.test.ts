import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RedisRig, startRedis } from '../../test/services/redis.ts'
import type { KeyValue } from './port.ts'
import { describeKeyValue } from './port-suite.ts'
import { redisKeyValue } from './redis.ts'

/** Lets time pass on the server without waiting: everything that has an end gets older. */
const passLua = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end
end`

let rig: RedisRig
let keyValue: KeyValue
let admin: Redis

beforeAll(async () => {
  rig = await startRedis()
  keyValue = await redisKeyValue({ url: rig.url })
  admin = new Redis(rig.url)
})

afterAll(async () => {
  await keyValue.close()
  admin.disconnect()
  await rig.stop()
})

describeKeyValue(() => ({
  keyValue,
  async passMs(ms) {
    await admin.eval(passLua, 0, ms)
  },
}))

it('leaves no key of a counter without an end', async () => {
  await keyValue.increment('ends', 1, { ttlMs: 5_000 })
  expect(await admin.pttl('cliptape:kv:ends')).toBeGreaterThan(0)
})

it('works on after the server was restarted', async () => {
  await rig.restart()
  // Retried by the caller as the error says: the connection comes back by itself.
  while (!(await keyValue.set('again', '1').then(...isDone))) await new Promise(resolve => setImmediate(resolve))
  expect(await keyValue.get('again')).toBe('1')
})

it('says that Redis is not answering', async () => {
  await expect(redisKeyValue({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

const isDone = [() => true, () => false] as const
