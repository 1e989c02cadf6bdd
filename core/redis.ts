import { Redis } from 'ioredis'
import { AppError } from '../contracts/errors.ts'
import type { Log } from './log.ts'

const retryDelayMsMax = 2_000

/**
 * Opens one connection and waits until it answers. Afterwards it reconnects by itself for ever (0.1 s to 2 s apart);
 * a command that meets two failed connections in a row is given up as `UNAVAILABLE` by `redisCall`.
 *
 * @throws AppError UNAVAILABLE when nothing answers at that address
 */
export async function openRedis(options: { url: string; log?: Log | undefined }): Promise<Redis> {
  const redis = new Redis(options.url, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: attempt => Math.min(attempt * 100, retryDelayMsMax),
  })
  // Without a listener a lost connection would be printed by the library; it comes back by itself.
  redis.on('error', (error: Error) => options.log?.warn({ err: error }, 'The connection to Redis was lost.'))
  try {
    await redis.connect()
  } catch (cause) {
    redis.disconnect()
    throw new AppError('UNAVAILABLE', 'Redis does not answer at REDIS_URL: start it, or correct the address.', {
      cause,
    })
  }
  return redis
}

/** Runs one command, translating a lost connection to `UNAVAILABLE` and a refused command to `INTERNAL`. */
export async function redisCall<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command()
  } catch (cause) {
    const isRefusal = cause instanceof Error && cause.name === 'ReplyError'
    throw isRefusal
      ? new AppError('INTERNAL', 'Redis refused a command.', { cause })
      : new AppError('UNAVAILABLE', 'Redis is not answering: try again in a moment.', { cause })
  }
}
