import { createHash } from 'node:crypto'
import { RateLimiterRes } from 'rate-limiter-flexible'
import { AppError } from '../../contracts/errors.ts'
import type { Clock } from '../../core/clock.ts'
import type { KeyValue } from '../../core/key-value/port.ts'
import type { Log } from '../../core/log.ts'
import { networkOf } from '../http/network-of.ts'

/** Attempts in an hour that cost no waiting; then each waits twice as long as the one before. */
interface Patience {
  readonly freeCount: number
  readonly firstWaitMs: number
  readonly waitMsMax: number
}

const windowMs = 3_600_000
const patience = {
  /** One account from one address: who mistypes is let be, who guesses waits up to a quarter of an hour. */
  pair: { freeCount: 5, firstWaitMs: 1000, waitMsMax: 15 * 60_000 },
  /** All accounts from one address: an office behind one address is let be, a list of stolen passwords is not. */
  address: { freeCount: 40, firstWaitMs: 1000, waitMsMax: 5 * 60_000 },
} as const satisfies Record<string, Patience>

/** Per address and hour, and what one account is sent by mail in an hour. */
const hourly = { register: 30, mailAsked: 20, mailSent: 4 } as const

/**
 * Slows guessing down without letting a stranger lock anybody out: nothing is counted against an account alone, only
 * against the pair of account and address, and against an address. Counts live in the key-value store, so that all
 * nodes share them; while it does not answer nobody is slowed down.
 */
export interface SignInThrottle {
  /**
   * Counts an attempt before it is made, so that many at once are counted too.
   * @returns what to call when the attempt was right: it is not held against anybody
   * @throws AppError RATE_LIMITED with `details.retryAfterMs`
   */
  attempt(who: { account: string; address: string | null }): Promise<() => Promise<void>>
  /** @throws AppError RATE_LIMITED with `details.retryAfterMs` */
  spend(what: Exclude<keyof typeof hourly, 'mailSent'>, address: string | null): Promise<void>
  /** Whether the account may be sent one more mail now. */
  mayMail(account: string): Promise<boolean>
}

export function createSignInThrottle(deps: { keyValue: KeyValue; clock: Clock; log: Log }): SignInThrottle {
  const { keyValue, log } = deps
  /** What the store says, or null when it says nothing. */
  const asked = async <T>(question: Promise<T>): Promise<T | null> =>
    await question.catch(error => {
      log.warn({ err: error }, 'Signing in is not slowed down: the key-value store does not answer.')
      return null
    })
  /** How long to wait, in ms, or 0. */
  const take = async (what: keyof typeof hourly, key: string): Promise<number> => {
    const limiter = keyValue.limiter({ name: `sign-in:${what}`, points: hourly[what], durationSec: windowMs / 1000 })
    const taken = limiter.consume(key).catch(refusal => {
      if (refusal instanceof RateLimiterRes) return refusal
      throw refusal
    })
    const result = await asked(taken)
    return result && result.consumedPoints > hourly[what] ? Math.max(1000, result.msBeforeNext) : 0
  }

  return {
    async attempt({ account, address }) {
      const from = networkOf(address)
      const pair = `sign-in:pair:${digest(`${account.toLowerCase()}\n${from}`)}`
      const network = `sign-in:address:${from}`
      const counted: string[] = []
      for (const [key, limit] of [
        [network, patience.address],
        [pair, patience.pair],
      ] as const) {
        const waitMs = await asked(waitOf(deps, key, limit))
        // A store that does not answer once is not asked again: each time costs a wait of its own.
        if (waitMs === null) return async () => undefined
        if (waitMs > 0) {
          for (const one of counted) await asked(keyValue.increment(one, -1, { ttlMs: windowMs }))
          throw tooMany(waitMs)
        }
        counted.push(key)
      }
      return async () => {
        await asked(Promise.all([keyValue.delete(pair), keyValue.delete(`${pair}:wait`)]))
        await asked(keyValue.increment(network, -1, { ttlMs: windowMs }))
      }
    },
    async spend(what, address) {
      const waitMs = await take(what, networkOf(address))
      if (waitMs > 0) throw tooMany(waitMs)
    },
    async mayMail(account) {
      return (await take('mailSent', account)) === 0
    },
  }
}

/** Counts one attempt; how long to wait instead, in ms, or 0. An attempt that must wait is not counted. */
async function waitOf(
  { keyValue, clock }: { keyValue: KeyValue; clock: Clock },
  key: string,
  limit: Patience,
): Promise<number> {
  const count = await keyValue.increment(key, 1, { ttlMs: windowMs })
  if (count <= limit.freeCount) return 0
  const stepMs = Math.min(limit.waitMsMax, limit.firstWaitMs * 2 ** Math.min(20, count - limit.freeCount - 1))
  const until = `${key}:wait`
  // Who sets the mark goes on; everybody else waits until it has ended.
  const endsAtMs = clock.nowMs() + stepMs
  if (await keyValue.setIfAbsent(until, String(endsAtMs), { ttlMs: stepMs })) return 0
  await keyValue.increment(key, -1, { ttlMs: windowMs })
  const marked = Number((await keyValue.get(until)) ?? endsAtMs)
  return Math.max(1000, marked - clock.nowMs())
}

function tooMany(waitMs: number): AppError {
  const seconds = Math.ceil(waitMs / 1000)
  return new AppError('RATE_LIMITED', `Too many attempts from here: wait ${seconds} s and try again.`, {
    details: { retryAfterMs: waitMs },
  })
}

/** Addresses of accounts are nobody's business in a shared store. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
