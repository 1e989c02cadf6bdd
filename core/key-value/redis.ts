import { RateLimiterRedis } from 'rate-limiter-flexible'
import { z } from 'zod'
import { openRedis, redisCall } from '../redis.ts'
import type { KeyValue } from './port.ts'

const prefix = 'cliptape:kv:'
const limiterPrefix = 'cliptape:rate:'

/** One step on the server, so that a counter never lives without its end. KEYS: key. ARGV: by, ttl in ms. */
const incrementLua = `
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum`

/** The key-value store shared by all nodes, on Redis. Rejects with `UNAVAILABLE` when it does not answer. */
export async function redisKeyValue(options: { url: string }): Promise<KeyValue> {
  const redis = await openRedis(options)
  const limiters = new Map<string, RateLimiterRedis>()
  return {
    get: key => redisCall(() => redis.get(prefix + key)),
    async set(key, value, setOptions) {
      const ttlMs = setOptions?.ttlMs
      await redisCall(() =>
        ttlMs === undefined ? redis.set(prefix + key, value) : redis.set(prefix + key, value, 'PX', ttlMs),
      )
    },
    async setIfAbsent(key, value, { ttlMs }) {
      return (await redisCall(() => redis.set(prefix + key, value, 'PX', ttlMs, 'NX'))) === 'OK'
    },
    async delete(key) {
      await redisCall(() => redis.del(prefix + key))
    },
    async increment(key, by, { ttlMs }) {
      return z.int().parse(await redisCall(() => redis.eval(incrementLua, 1, prefix + key, by, ttlMs)))
    },
    limiter({ name, points, durationSec }) {
      const key = `${name} ${points} ${durationSec}`
      const known =
        limiters.get(key) ??
        new RateLimiterRedis({
          storeClient: redis,
          keyPrefix: limiterPrefix + name,
          points,
          duration: durationSec,
          rejectIfRedisNotReady: true,
        })
      limiters.set(key, known)
      return known
    },
    async close() {
      redis.disconnect()
    },
  }
}
