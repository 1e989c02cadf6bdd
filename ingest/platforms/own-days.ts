import type { UserId } from '../../contracts/ids.ts'
import type { Count, DayReading } from '../../platforms/port.ts'
import type { OwnNumbersDeps } from './own-numbers.ts'
import { ownSource } from './reading-items.ts'

const columns = [
  'owner_id',
  'platform',
  'creator_id',
  'day',
  'views',
  'likes',
  'comments',
  'shares',
  'saves',
  'watch_minutes',
  'followers_gained',
  'followers_lost',
  'observed_at',
  'source',
  'endpoint',
] as const

/** Keeps days of an account that is the owner's own; a later reading of a day replaces an earlier one. Resolves when they are durable. */
export async function writeOwnDays(
  { store, world }: OwnNumbersDeps,
  ownerId: UserId,
  days: readonly DayReading[],
): Promise<void> {
  const lines = days.map(day => `${JSON.stringify(rowOf(ownerId, day))}\n`)
  if (lines.length === 0) return
  await store.insertRaw(`${world.database}.own_days_v1`, Buffer.from(lines.join(''), 'utf8'), {
    format: 'JSONEachRow',
    columns,
    tag: 'ingest:own',
    settings: { max_partitions_per_insert_block: 0 },
  })
}

function rowOf(ownerId: UserId, day: DayReading): Record<(typeof columns)[number], string | number | null> {
  return {
    owner_id: ownerId,
    platform: day.platform,
    creator_id: day.creatorId,
    day: day.day,
    views: textOf(day.views),
    likes: textOf(day.likes),
    comments: textOf(day.comments),
    shares: textOf(day.shares),
    saves: textOf(day.saves),
    watch_minutes: textOf(day.watchMinutes),
    followers_gained: textOf(day.followersGained),
    followers_lost: textOf(day.followersLost),
    observed_at: day.observedAtMs / 1000,
    source: ownSource(day.platform),
    endpoint: day.endpoint,
  }
}

/** The engine reads numbers of 64 bits from texts. */
function textOf(count: Count): string | null {
  return count === null ? null : count.toString()
}
