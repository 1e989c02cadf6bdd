/**
 * How often somebody may ask. Every limited answer says so in the headers `RateLimit-Policy` and `RateLimit` of the IETF
 * draft (draft-ietf-httpapi-ratelimit-headers-10): which quotas hold, what is left of each, and when they fill again.
 *
 * - `address`: open routes, and requests whose credential is not believed;
 * - `user`: everything that one account asks, by sessions and keys together;
 * - `key`: what one API key asks. The plan of the key's owner says how much where it has a limit, else
 *   `EXTERNAL_API_RATE_LIMIT`;
 * - `plan`: what all keys of one owner ask together, where their plan has a limit.
 *
 * A window begins with the first request and lasts a minute. While the store of the counts does not answer nobody is
 * limited, and the log says so.
 */
import { RateLimiterRes } from 'rate-limiter-flexible'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import type { KeyValue } from '../../core/key-value/port.ts'
import type { Log } from '../../core/log.ts'
import type { Principal } from '../auth/authenticator.ts'

/** Requests a minute. */
export interface RateLimits {
  readonly perAddress: number
  readonly perUser: number
  /** Of a key whose owner's plan has no limit. */
  readonly perKey: number
}

export interface RateGuard {
  /**
   * Counts one request of an address, or of whoever was believed.
   * @returns the headers of the answer
   * @throws RateRefusal
   */
  take(who: { address: string } | { principal: Principal }): Promise<RateHeaders>
}

/** Names and values, as `response.setHeaders` takes them. */
export type RateHeaders = Map<string, string>

/** `RATE_LIMITED` with the headers that go with it; `details.retryAfterMs` says when to come back. */
export class RateRefusal extends AppError {
  readonly headers: RateHeaders

  constructor(retryAfterMs: number, headers: RateHeaders) {
    super('RATE_LIMITED', `Too many requests: wait ${Math.ceil(retryAfterMs / 1000)} s and try again.`, {
      details: { retryAfterMs },
    })
    this.headers = headers
  }
}

const windowSec = 60
/** How often the log says that the store of the counts does not answer. */
const warnEveryMs = 60_000

type QuotaName = 'address' | 'user' | 'key' | 'plan'

interface Quota {
  readonly name: QuotaName
  readonly key: string
  readonly points: number
}

interface Taken {
  readonly quota: Quota
  readonly left: number
  readonly resetMs: number
  readonly isRefused: boolean
}

/** @param deps.usage says what a plan allows and counts what was used of it */
export function createRateGuard(
  deps: {
    keyValue: Pick<KeyValue, 'limiter'>
    log: Log
    usage: {
      limitsOf(userId: UserId): Promise<{ readonly apiCallsPerMinute: number | null }>
      countUse(userId: UserId, metric: 'apiCalls', n: number): void
    }
  },
  limits: RateLimits,
): RateGuard {
  let warnedAtMs = Number.NEGATIVE_INFINITY
  const warn = (err: unknown, message: string): void => {
    const nowMs = performance.now()
    if (nowMs - warnedAtMs < warnEveryMs) return
    warnedAtMs = nowMs
    deps.log.warn({ err }, message)
  }

  const consume = async (quota: Quota): Promise<Taken | null> => {
    const { name, points, key } = quota
    const limiter = deps.keyValue.limiter({ name: `http:${name}`, points, durationSec: windowSec })
    try {
      const { remainingPoints, msBeforeNext } = await limiter.consume(key)
      return { quota, left: remainingPoints, resetMs: msBeforeNext, isRefused: false }
    } catch (reason) {
      if (reason instanceof RateLimiterRes)
        return { quota, left: 0, resetMs: Math.max(1, reason.msBeforeNext), isRefused: true }
      warn(reason, 'Requests are not limited: the key-value store does not answer.')
      return null
    }
  }

  const planLimit = async (userId: UserId): Promise<number | null> => {
    try {
      return (await deps.usage.limitsOf(userId)).apiCallsPerMinute
    } catch (error) {
      warn(error, 'The limits of a plan could not be read: those of the installation hold meanwhile.')
      return null
    }
  }

  const quotasOf = async ({ userId, scheme, credentialId }: Principal): Promise<Quota[]> => {
    const user: Quota = { name: 'user', key: userId, points: limits.perUser }
    if (scheme !== 'apiKey') return [user]
    const perPlan = await planLimit(userId)
    const key: Quota = { name: 'key', key: credentialId ?? `of:${userId}`, points: perPlan ?? limits.perKey }
    return perPlan === null ? [key, user] : [key, { name: 'plan', key: userId, points: perPlan }, user]
  }

  return {
    async take(who) {
      const quotas =
        'principal' in who
          ? await quotasOf(who.principal)
          : [{ name: 'address', key: who.address, points: limits.perAddress } satisfies Quota]
      const taken = (await Promise.all(quotas.map(consume))).filter(one => one !== null)
      const headers = headersOf(taken)
      const refused = taken.filter(one => one.isRefused)
      if (refused.length > 0) throw new RateRefusal(Math.max(...refused.map(one => one.resetMs)), headers)
      if ('principal' in who && who.principal.scheme === 'apiKey') {
        deps.usage.countUse(who.principal.userId, 'apiCalls', 1)
      }
      return headers
    },
  }
}

/** Lists of structured fields: `"key";q=60;w=60` and `"key";r=59;t=12`. Nothing when nothing was counted. */
function headersOf(taken: readonly Taken[]): RateHeaders {
  if (taken.length === 0) return new Map()
  const policy = taken.map(({ quota }) => `"${quota.name}";q=${quota.points};w=${windowSec}`)
  const left = taken.map(one => `"${one.quota.name}";r=${one.left};t=${Math.ceil(one.resetMs / 1000)}`)
  return new Map([
    ['RateLimit-Policy', policy.join(', ')],
    ['RateLimit', left.join(', ')],
  ])
}
