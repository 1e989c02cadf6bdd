import type { UserId } from '../../contracts/ids.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { Db } from '../../core/db/port.ts'
import type { AccountReading, PostReading } from '../../platforms/port.ts'
import { DeadLetterBatch, publishCount, readingFormat } from '../dead-letters.ts'
import { outOfRange } from '../pipeline.ts'
import type { Poll } from './poll-rows.ts'
import { sourceOf } from './reading-items.ts'

export interface OddReadingDeps {
  readonly db: Db
  readonly bus: Bus
  /** Who is told of what nobody's credentials read. */
  readonly ownerId: UserId
}

/**
 * Keeps counters that platforms gave and that can be none as dead letters, of each post or account and its counters once: the
 * others of the same reading are none the worse for it. Reading it again is what the next poll does.
 */
export async function keepOddReadings(
  deps: OddReadingDeps,
  poll: Poll,
  readings: readonly (PostReading | AccountReading)[],
): Promise<void> {
  const found = readings.filter(reading => reading.odd.length > 0)
  if (found.length === 0) return
  const owned = { ...deps, ownerId: poll.ownerId ?? poll.payerId ?? deps.ownerId }
  for (const reading of found) {
    const id = 'videoId' in reading ? reading.videoId : reading.creatorId
    const names = reading.odd.map(one => one.name).join(', ')
    const batch = new DeadLetterBatch(owned, {
      fileName: reading.endpoint,
      fileSha256: `${reading.platform} ${reading.endpoint} ${id} ${names}`,
      source: sourceOf(poll),
      format: readingFormat,
      region: '',
    })
    batch.add({
      line: 0,
      ...outOfRange(names),
      kept: { record: JSON.stringify({ id, odd: reading.odd }), table: null, snapshotAtMs: reading.observedAtMs },
    })
    await batch.flush()
  }
  await publishCount(owned)
}
