/**
 * Tries developer credentials by the cheap probe of their platform. The rows themselves say what is due: a claim moves the
 * next try behind a lease, so that two nodes never try the same at once and a node that dies forgets nothing. What was
 * replaced meanwhile is left to the next try, by its version.
 */
import { sql } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import type { Vault } from '../../../core/vault/port.ts'
import { type DeveloperCredentials, PlatformError, type Verdict } from '../../../platforms/port.ts'
import type { PlatformRegistry } from '../../../platforms/registry.ts'
import { readCredentials } from './stored.ts'
import { credentialTransitions, statusesBefore } from './transitions.ts'

export interface ValidationDeps {
  readonly db: Db
  readonly vault: Vault
  readonly platforms: PlatformRegistry
  readonly clock: Clock
  readonly log: Log
}

const batchMax = 8
/** Longer than a probe can take. */
const leaseMs = 2 * 60_000
/** After each try that said nothing: a later one may know more. */
const pausesMs = [60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000]
/** What is good is tried so often: an app may be closed, or its secret replaced, at the platform. */
const dailyMs = 24 * 3_600_000

interface Claimed {
  readonly id: string
  readonly version: number
  readonly attempts: number
  /** Null: the vault does not open it. */
  readonly credentials: DeveloperCredentials | null
}

/** Tries everything that is due, `batchMax` at a time. @returns how many were tried */
export async function validateDue(deps: ValidationDeps): Promise<{ tried: number }> {
  let tried = 0
  for (;;) {
    const claimed = await claim(deps)
    await Promise.all(claimed.map(one => validate(deps, one)))
    tried += claimed.length
    if (claimed.length < batchMax) return { tried }
  }
}

async function claim({ db, vault, clock, log }: ValidationDeps): Promise<Claimed[]> {
  const nowMs = clock.nowMs()
  const rows = await db.transaction(trx =>
    trx
      .updateTable('developer_credentials')
      .set(eb => ({
        validation_attempts: eb('validation_attempts', '+', 1),
        next_validation_at: new Date(nowMs + leaseMs),
      }))
      .where('id', 'in', eb =>
        eb
          .selectFrom('developer_credentials')
          .select('id')
          .where('next_validation_at', '<=', new Date(nowMs))
          .orderBy('next_validation_at')
          .limit(batchMax)
          .forUpdate()
          .skipLocked(),
      )
      .returning(['id', 'owner_id', 'vault_id', 'version', 'validation_attempts'])
      .execute(),
  )
  const open = (ownerId: UserId, vaultId: string) =>
    db
      .transaction(trx => readCredentials(vault, trx, { ownerId, vaultId }))
      .catch(err => {
        if (!(err instanceof AppError)) throw err
        log.warn({ err, vaultId }, 'Developer credentials could not be opened: they are tried again later.')
        return null
      })
  const claimed: Claimed[] = []
  for (const row of rows) {
    claimed.push({
      id: row.id,
      version: row.version,
      attempts: row.validation_attempts,
      credentials: await open(UserIdSchema.parse(row.owner_id), row.vault_id),
    })
  }
  return claimed
}

async function validate({ db, platforms, clock, log }: ValidationDeps, claimed: Claimed): Promise<void> {
  const { credentials } = claimed
  const verdict = credentials
    ? await probe(credentials, platforms, log)
    : { status: 'inconclusive' as const, reason: 'The vault does not open these credentials here.' }
  const nowMs = clock.nowMs()
  const next = nextTry(verdict.status, claimed.attempts, nowMs)
  await db.transaction(async trx => {
    const own = trx
      .updateTable('developer_credentials')
      .where('id', '=', claimed.id)
      .where('version', '=', claimed.version)
    const { numUpdatedRows } = await own
      .set({
        ...next,
        status: verdict.status,
        reason: verdict.reason?.slice(0, 500) ?? null,
        last_validated_at: new Date(nowMs),
        updated_at: sql<Date>`greatest(updated_at, ${new Date(nowMs)})`,
      })
      .where('status', 'in', statusesBefore(credentialTransitions, verdict.status))
      .executeTakeFirst()
    // A platform that is away for a moment says nothing against what was good.
    if (numUpdatedRows === 0n) await own.set(next).execute()
  })
}

/** What was refused is not tried again until it is saved again. */
function nextTry(
  status: Verdict['status'],
  attempts: number,
  nowMs: number,
): { next_validation_at: Date | null; validation_attempts: number } {
  switch (status) {
    case 'invalid':
      return { next_validation_at: null, validation_attempts: attempts }
    case 'valid':
      return { next_validation_at: new Date(nowMs + dailyMs), validation_attempts: 0 }
    case 'inconclusive':
      return {
        next_validation_at: new Date(nowMs + (pausesMs[attempts - 1] ?? dailyMs)),
        validation_attempts: attempts,
      }
  }
}

async function probe(credentials: DeveloperCredentials, platforms: PlatformRegistry, log: Log): Promise<Verdict> {
  try {
    return await platforms.auth(credentials.kind).validate(credentials)
  } catch (err) {
    const isExpected = err instanceof PlatformError || err instanceof AppError
    if (!isExpected) log.error({ err }, 'Trying developer credentials failed.')
    return { status: 'inconclusive', reason: isExpected ? err.message : 'Trying them failed on our side.' }
  }
}
