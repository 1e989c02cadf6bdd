import { sql } from 'kysely'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import { readingFormat } from '../dead-letters.ts'

/** Rows of one statement. */
const batchMax = 5_000

/** How long what a platform said is kept as a dead letter: as long as the strictest terms allow. */
const lettersMs = 30 * 24 * 3_600_000

/**
 * The job: forgets posts that their platform's terms want gone and that it did not name again, and dead letters of readings
 * that are as old. A post that is found anew is a new one.
 * @returns how many posts were forgotten
 */
export async function purgePosts({
  db,
  clock,
}: {
  readonly db: Db
  readonly clock: Clock
}): Promise<{ posts: number }> {
  const now = new Date(clock.nowMs())
  await db.system
    .deleteFrom('dead_letters')
    .where('format', '=', readingFormat)
    .where('created_at', '<=', new Date(now.getTime() - lettersMs))
    .execute()
  let posts = 0
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from polled_posts where ctid in (
        select ctid from polled_posts where expires_at <= ${now} limit ${batchMax})`.execute(db.system)
    posts += Number(numAffectedRows)
    if (numAffectedRows < BigInt(batchMax)) return { posts }
  }
}
