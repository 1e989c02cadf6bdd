/**
 * Writes that may be sent twice. A request with an `Idempotency-Key` is done once: for a day the same key of the same
 * user gives the same answer again, whatever became of the first connection.
 *
 * The row that says "under way" is written before the work begins, so two at once cannot both begin. What was answered is
 * kept with it: successes, and refusals that would be the same again. After a refusal that may pass (`UNAVAILABLE`, a
 * limit) the row goes, and the request may be repeated. When a process dies between, nobody knows whether the work was
 * done: the key then answers `CONFLICT`, because doing it twice is what the caller asked to be kept from.
 *
 * Some answers hold a secret that is shown once. So the answer is sealed with a key made of the Idempotency-Key itself,
 * of which only a hash is kept: a copy of the database opens nothing.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import type { Log } from '../../core/log.ts'
import { errorBody, toAppError } from './error-answer.ts'
import type { Answer } from './route.ts'

export const idempotencyKeptMs = 24 * 3_600_000
/** No request takes longer: one that is older was cut off. */
const underWayMsMax = 120_000
const sweepEveryMs = 3_600_000
/** 22 characters of base64url, or a UUID, cannot be guessed. */
const secretKeyCharsMin = 22
const nonceBytes = 12
const tagBytes = 16

export interface IdempotentRequest {
  readonly userId: UserId
  /** The header as it came. */
  readonly key: string
  /** Method, path, query and body: the same key with another request is a mistake. */
  readonly content: string
  readonly hasSecretAnswer: boolean
  /** Of a success that names none itself. */
  readonly status: number
  readonly requestId: string
}

export interface IdempotentWrites {
  /**
   * Does the work, or gives the answer of the first time with `Idempotency-Replayed: true`.
   * @throws AppError BAD_REQUEST for a key of a wrong form, CONFLICT for one of another request, NOT_READY while the first
   * is under way; whatever the work throws
   */
  once(request: IdempotentRequest, work: () => Promise<Answer>): Promise<Answer>
}

const Stored = z.object({
  request_hash: z.instanceof(Buffer),
  status: z.number().int().nullable(),
  sealed: z.instanceof(Buffer).nullable(),
  created_at: z.date(),
})
type Stored = z.infer<typeof Stored>

/** @param deps.clock real time */
export function createIdempotentWrites(deps: { db: Db; clock: Clock; log: Log }): IdempotentWrites {
  const { db, clock, log } = deps
  let sweptAtMs = clock.nowMs()

  const sweep = (): void => {
    const nowMs = clock.nowMs()
    if (nowMs - sweptAtMs < sweepEveryMs) return
    sweptAtMs = nowMs
    db.system
      .deleteFrom('idempotent_answers')
      .where('created_at', '<=', new Date(nowMs - idempotencyKeptMs))
      .execute()
      .catch(err => log.warn({ err }, 'Old answers of writes could not be removed.'))
  }

  return {
    async once(request, work) {
      checkKey(request)
      sweep()
      const keys = keysOf(request)
      const first = await begin(deps, request.userId, keys)
      if (first) return replay(deps, keys, first)
      let answer: Answer
      try {
        answer = await work()
      } catch (error) {
        const refusal = toAppError(error)
        const kept = refusal.isRetryable
          ? null
          : { status: refusal.status, body: JSON.stringify(errorBody(refusal, request.requestId)) }
        await end(deps, request.userId, keys, kept)
        throw error
      }
      await end(deps, request.userId, keys, keepable(answer, request.status))
      return answer
    },
  }
}

interface Kept {
  readonly status: number
  /** Empty for an answer without one. */
  readonly body: string
}

interface Keys {
  readonly keyHash: Buffer
  readonly requestHash: Buffer
  readonly sealingKey: Buffer
}

function checkKey({ key, hasSecretAnswer }: IdempotentRequest): void {
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new AppError('BAD_REQUEST', 'The Idempotency-Key must have 1 to 255 printable characters, without spaces.')
  }
  if (hasSecretAnswer && key.length < secretKeyCharsMin) {
    throw new AppError('BAD_REQUEST', 'This answer holds a secret: send a random Idempotency-Key, such as a UUID.')
  }
}

function keysOf({ userId, key, content }: IdempotentRequest): Keys {
  const sealingKey = Buffer.from(hkdfSync('sha256', key, userId, 'cliptape idempotent answer', 32))
  return {
    keyHash: createHash('sha256').update(`${userId}\n${key}`).digest(),
    // Keyed: the body may hold a password, which a fast hash alone would let be guessed from a copy of the database.
    requestHash: createHmac('sha256', sealingKey).update(content).digest(),
    sealingKey,
  }
}

/** Marks the request as under way; null when this call did, else what is there. */
async function begin(deps: { db: Db; clock: Clock }, userId: UserId, keys: Keys): Promise<Stored | null> {
  const now = new Date(deps.clock.nowMs())
  return await deps.db.asUser(userId, async trx => {
    await trx
      .deleteFrom('idempotent_answers')
      .where('owner_id', '=', userId)
      .where('key_hash', '=', keys.keyHash)
      .where('created_at', '<=', new Date(now.getTime() - idempotencyKeptMs))
      .execute()
    const begun = await trx
      .insertInto('idempotent_answers')
      .values({
        owner_id: userId,
        key_hash: keys.keyHash,
        request_hash: keys.requestHash,
        status: null,
        sealed: null,
        created_at: now,
      })
      .onConflict(conflict => conflict.doNothing())
      .returning('created_at')
      .executeTakeFirst()
    if (begun) return null
    const found = await trx
      .selectFrom('idempotent_answers')
      .select(['request_hash', 'status', 'sealed', 'created_at'])
      .where('owner_id', '=', userId)
      .where('key_hash', '=', keys.keyHash)
      .executeTakeFirst()
    // The first was refused between the two statements, and may be repeated.
    if (!found) throw underWay()
    return Stored.parse(found)
  })
}

function replay(deps: { clock: Clock }, keys: Keys, first: Stored): Answer {
  if (!first.request_hash.equals(keys.requestHash)) {
    throw new AppError('CONFLICT', 'This Idempotency-Key was used for another request: send a new one.')
  }
  if (first.status === null || first.sealed === null) {
    if (deps.clock.nowMs() - first.created_at.getTime() < underWayMsMax) throw underWay()
    throw new AppError(
      'CONFLICT',
      'The first request with this Idempotency-Key was cut off: look whether it was done, then send a new key.',
    )
  }
  const body = open(keys.sealingKey, first.sealed, keys.requestHash)
  const headers = { 'Idempotency-Replayed': 'true' }
  return body === '' ? { empty: true, headers } : { json: JSON.parse(body), status: first.status, headers }
}

function underWay(): AppError {
  return new AppError('NOT_READY', 'The first request with this Idempotency-Key is still under way: ask again.', {
    details: { retryAfterMs: 1000 },
  })
}

/** A stream is not kept: it is not the answer of a write. */
function keepable(answer: Answer, status: number): Kept | null {
  if ('empty' in answer) return { status: 204, body: '' }
  return 'json' in answer ? { status: answer.status ?? status, body: JSON.stringify(answer.json) } : null
}

/** Keeps the answer; without one the request may be sent again. A work that is done is never failed by this. */
async function end(deps: { db: Db; log: Log }, userId: UserId, keys: Keys, answer: Kept | null): Promise<void> {
  const sealed = answer && seal(keys.sealingKey, answer.body, keys.requestHash)
  try {
    await deps.db.asUser(userId, async trx => {
      if (answer === null) {
        await trx
          .deleteFrom('idempotent_answers')
          .where('owner_id', '=', userId)
          .where('key_hash', '=', keys.keyHash)
          .execute()
        return
      }
      await trx
        .updateTable('idempotent_answers')
        .set({ status: answer.status, sealed })
        .where('owner_id', '=', userId)
        .where('key_hash', '=', keys.keyHash)
        .execute()
    })
  } catch (err) {
    deps.log.error({ err }, 'The answer of a write could not be kept: its Idempotency-Key is of no more use.')
  }
}

function seal(key: Buffer, text: string, boundTo: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

function open(key: Buffer, sealed: Buffer, boundTo: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes)).setAAD(boundTo)
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
  return decipher.update(sealed.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
}
