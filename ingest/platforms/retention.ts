import { sql } from 'kysely'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'

/** Rows of one statement. */
const batchMax = 5_000

/**
 * The job: forgets posts that their platform's terms want gone and that it did not name again. One that is found anew is
 * a new one.
 * @returns how many were forgotten
 */
export async function purgePosts({
  db,
  clock,
}: {
  readonly db: Db
  readonly clock: Clock
}): Promise<{ posts: number }> {
  const now = new Date(clock.nowMs())
  let posts = 0
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from polled_posts where ctid in (
        select ctid from polled_posts where expires_at <= ${now} limit ${batchMax})`.execute(db.system)
    posts += Number(numAffectedRows)
    if (numAffectedRows < BigInt(batchMax)) return { posts }
  }
}
