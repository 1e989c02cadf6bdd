import { sql } from 'kysely'
import type { ServerDeps } from '../../deps.ts'
import { statusesBefore } from '../credentials/transitions.ts'
import { dropExpiredVods } from '../vods/service.ts'
import { removeFiles } from './files.ts'
import { jobTransitions } from './job-states.ts'

type Deps = Pick<ServerDeps, 'db' | 'store' | 'bus' | 'clock' | 'log' | 'media' | 'vault' | 'outbound'>

/** Of each kind, in one run. */
const perRunMax = 1000
/** Jobs that came to nothing are told of for so long. */
const endedKeptMs = 30 * 86_400_000

/**
 * The job: what has expired goes. Results (their requests stay, and say so), uploads that were not finished or not used,
 * uploaded media, and requests long over.
 */
export async function sweepMedia(deps: Deps): Promise<void> {
  const now = new Date(deps.clock.nowMs())
  const counts = {
    results: await dropResults(deps, now),
    vods: await dropExpiredVods(deps),
    uploads: await dropUploads(deps, now),
  }
  await deps.db.system
    .deleteFrom('media_jobs')
    .where('status', 'in', ['failed', 'cancelled', 'expired'])
    .where('finished_at', '<', new Date(now.getTime() - endedKeptMs))
    .where(eb => eb.or([eb('expires_at', 'is', null), eb('expires_at', '<', new Date(now.getTime() - endedKeptMs))]))
    .execute()
  if (Object.values(counts).some(count => count > 0)) deps.log.info(counts, 'Media that had expired was removed.')
}

async function dropResults(deps: Deps, now: Date): Promise<number> {
  const rows = await deps.db.transaction(async trx => {
    const due = await trx
      .updateTable('media_jobs')
      .set({ status: 'expired' })
      .where('id', 'in', query =>
        query
          .selectFrom('media_jobs')
          .select('id')
          .where('expires_at', '<=', now)
          .where('status', 'in', statusesBefore(jobTransitions, 'expired'))
          .limit(perRunMax),
      )
      .returning(['id', 'owner_id'])
      .execute()
    if (due.length > 0)
      await trx
        .deleteFrom('media_outputs')
        .where(
          'job_id',
          'in',
          due.map(row => row.id),
        )
        .execute()
    return due
  })
  for (const { id, owner_id } of rows) await removeFiles(deps, { ownerId: owner_id, jobId: id })
  return rows.length
}

/** Uploads that became the media of a VOD go with it. */
async function dropUploads(deps: Deps, now: Date): Promise<number> {
  const rows = await deps.db.system
    .deleteFrom('uploads')
    .where('expires_at', '<=', now)
    .where(sql<boolean>`not exists (select 1 from vods where vods.upload_id = uploads.id)`)
    .returning(['id', 'owner_id'])
    .execute()
  for (const { id, owner_id } of rows) await removeFiles(deps, { ownerId: owner_id, uploadId: id })
  return rows.length
}
