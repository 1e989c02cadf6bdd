import type { Count, DayReading } from '../../platforms/port.ts'
import { numbersExpireAtSec, seconds } from '../rows.ts'
import type { OwnNumbersDeps, OwnPoll } from './own-numbers.ts'
import { sourceOf } from './reading-items.ts'

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
  'expires_at',
] as const

/** Keeps days of an own account; a later reading of a day replaces an earlier one. Resolves when they are durable. */
export async function writeOwnDays(
  { store, world }: OwnNumbersDeps,
  poll: OwnPoll,
  days: readonly DayReading[],
): Promise<void> {
  const lines = days.map(day => `${JSON.stringify(rowOf(poll, day))}\n`)
  if (lines.length === 0) return
  await store.insertRaw(`${world.database}.own_days_v1`, Buffer.from(lines.join(''), 'utf8'), {
    format: 'JSONEachRow',
    columns,
    tag: 'ingest:own',
    settings: { max_partitions_per_insert_block: 0 },
  })
}

function rowOf(poll: OwnPoll, day: DayReading): Record<(typeof columns)[number], string | number | null> {
  const source = sourceOf(poll)
  return {
    owner_id: poll.ownerId,
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
    observed_at: seconds(day.observedAtMs),
    source,
    endpoint: day.endpoint,
    expires_at: numbersExpireAtSec({ source, observedAtMs: day.observedAtMs }),
  }
}

/** The engine reads numbers of 64 bits from texts. */
function textOf(count: Count): string | null {
  return count === null ? null : count.toString()
}
