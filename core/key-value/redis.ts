import { RateLimiterRedis } from 'rate-limiter-flexible'
import { z } from 'zod'
import { openRedis, redisCall } from '../redis.ts'
import { assertBucket } from './bucket.ts'
import type { KeyValue } from './port.ts'

const prefix = 'cliptape:kv:'
const bucketPrefix = 'cliptape:bucket:'
const limiterPrefix = 'cliptape:rate:'

/** One step on the server, so that a counter never lives without its end. KEYS: key. ARGV: by, ttl in ms. */
const incrementLua = `
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum`

/**
 * `refill` of bucket.ts on the server and by the server's clock, so that all nodes share one bucket. Fractions travel as
 * text: Redis cuts Lua numbers to whole ones. KEYS: key. ARGV: capacity, tokens per second, cost.
 */
const takeTokensLua = `
local capacity, perSecond, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HMGET', KEYS[1], 'tokens', 'atMs')
local filled = capacity
if before[1] then
  local passedMs = math.max(0, nowMs - tonumber(before[2]))
  filled = math.min(capacity, tonumber(before[1]) + passedMs * perSecond / 1000)
end
local allowed, tokens, retryAfterMs = 0, filled, 0
if filled >= cost then
  allowed, tokens = 1, filled - cost
else
  retryAfterMs = math.ceil((cost - filled) / perSecond * 1000)
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'atMs', string.format('%d', nowMs))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / perSecond * 1000) + 1)
return { allowed, math.floor(tokens), retryAfterMs }`

const TakenSchema = z.tuple([z.int(), z.int(), z.int()])

/** The key-value store shared by all nodes, on Redis. Rejects with `UNAVAILABLE` when it does not answer. */
export async function redisKeyValue(options: { url: string }): Promise<KeyValue> {
  const redis = await openRedis(options)
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
    async takeTokens(key, limit) {
      assertBucket(limit)
      const { capacity, perSecond, cost } = limit
      const answer = await redisCall(() => redis.eval(takeTokensLua, 1, bucketPrefix + key, capacity, perSecond, cost))
      const [allowed, remaining, retryAfterMs] = TakenSchema.parse(answer)
      return { isAllowed: allowed === 1, remaining, retryAfterMs }
    },
    limiter: ({ name, points, durationSec }) =>
      new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: limiterPrefix + name,
        points,
        duration: durationSec,
        rejectIfRedisNotReady: true,
      }),
    async close() {
      redis.disconnect()
    },
  }
}
