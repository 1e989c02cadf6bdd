/**
 * The end of what was read of a linked account: its numbers and the names of its posts. Platforms' terms want them gone when
 * the grant is. Whoever ends a grant writes on the account's row until when they may be kept, and says so on the bus; a worker
 * removes them at once. The sweep finds what nobody heard of, and what was written meanwhile.
 */
import type { Kysely } from 'kysely'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Log } from '../../../core/log.ts'
import type { ServerDeps } from '../../deps.ts'
import {
  type AccountRef,
  accountsOfNumbers,
  ownersOfNumbers,
  removeNumbersBeside,
  removeOwnNumbers,
} from './own-numbers.ts'

type NumbersDeps = Pick<ServerDeps, 'db' | 'store' | 'clock'>

/** How long what was read is kept for an account that may be linked again: as long as terms let a grant go unverified. */
const graceMs = 30 * 24 * 3_600_000
/** Owners, and accounts of theirs, that one run of the sweep looks at. */
const rowsPerSweep = 10_000

/** Until when numbers may be kept of an account whose grant ended now; a grant that was taken back leaves nothing. */
export function numbersUntil(nowMs: number, o: { isRevoked: boolean }): Date {
  return new Date(o.isRevoked ? nowMs : nowMs + graceMs)
}

/** Tells who removes them that numbers of some account of the user must go. Where nobody hears it, the sweep does. */
export async function tellNumbersEnded(
  { bus, log }: { readonly bus: Pick<Bus, 'publish'>; readonly log: Log },
  userId: UserId,
): Promise<void> {
  await bus
    .publish('numbers.ended', { userId })
    .catch(err => log.warn({ err, userId }, 'Nobody could be told of numbers that must go: they go within the hour.'))
}

/** Removes, from both stores, what was read of the user's accounts whose time is up, or that are not there any more. */
export async function removeEndedNumbers({ db, store, clock }: NumbersDeps, userId: UserId): Promise<void> {
  const now = new Date(clock.nowMs())
  const kept = await db.transaction(async trx => {
    const ended = trx
      .selectFrom('platform_accounts')
      .select('id')
      .where('user_id', '=', userId)
      .where('numbers_until', '<=', now)
    // What is under way loses its row, and with it the right to mark another page.
    await trx.deleteFrom('polls').where('account_id', 'in', ended).execute()
    await trx.deleteFrom('polled_posts').where('account_id', 'in', ended).execute()
    return await keptAccounts(trx, [userId], now)
  })
  await removeNumbersBeside(store, userId, kept)
}

/**
 * The job: removes private numbers whose owner is gone, and those of accounts whose time is up.
 * @returns of how many owners something was removed
 */
export async function sweepOwnNumbers(deps: NumbersDeps): Promise<{ owners: number }> {
  const { db, store, clock } = deps
  const now = new Date(clock.nowMs())
  const gone = await ownersGone(deps)
  for (const owner of gone) await removeOwnNumbers(store, owner)
  const read = await accountsOfNumbers(store, rowsPerSweep)
  const kept = new Set((await keptAccounts(db.system, [...new Set(read.map(one => one.owner))], now)).map(keyOf))
  const due = new Set(read.filter(one => !kept.has(keyOf(one))).map(one => one.owner))
  for (const owner of await ownersOfEndedPosts(db, now)) due.add(owner)
  for (const owner of due) await removeEndedNumbers(deps, owner)
  return { owners: gone.length + due.size }
}

async function ownersGone({ db, store }: NumbersDeps): Promise<UserId[]> {
  const found = [...(await ownersOfNumbers(store, rowsPerSweep))]
  if (found.length === 0) return []
  const users = await db.system.selectFrom('users').select('id').where('id', 'in', found).execute()
  const known = new Set(users.map(user => user.id))
  return found.filter(id => !known.has(id)).map(id => UserIdSchema.parse(id))
}

async function ownersOfEndedPosts(db: ServerDeps['db'], now: Date): Promise<UserId[]> {
  const rows = await db.system
    .selectFrom('platform_accounts')
    .innerJoin('polled_posts', 'polled_posts.account_id', 'platform_accounts.id')
    .select('user_id')
    .distinct()
    .where('numbers_until', '<=', now)
    .limit(rowsPerSweep)
    .execute()
  return rows.map(row => UserIdSchema.parse(row.user_id))
}

interface KeptAccount extends AccountRef {
  readonly owner: UserId
}

async function keptAccounts(db: Kysely<Database>, owners: readonly UserId[], now: Date): Promise<KeptAccount[]> {
  if (owners.length === 0) return []
  const rows = await db
    .selectFrom('platform_accounts')
    .select(['user_id', 'platform_name', 'platform_account_id'])
    .where('user_id', 'in', owners)
    .where(eb => eb.or([eb('numbers_until', 'is', null), eb('numbers_until', '>', now)]))
    .execute()
  return rows.map(row => ({
    owner: UserIdSchema.parse(row.user_id),
    platform: row.platform_name,
    creatorId: row.platform_account_id,
  }))
}

function keyOf({ owner, platform, creatorId }: KeptAccount): string {
  return `${owner} ${platform} ${creatorId}`
}
