import type { Readable } from 'node:stream'
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import type { DownloadLink } from '../../../contracts/clips.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { ServerDeps } from '../../deps.ts'
import { billingAccount } from '../billing/account.ts'
import type { LinkQuery } from './download-links.ts'
import { outputKey, readFileOf } from './files.ts'
import type { MediaJobRow } from './job-states.ts'

type Deps = Pick<ServerDeps, 'db' | 'clock' | 'media' | 'accounts'>

/**
 * Links to the files of a job, made now. The first link to a file counts as a download; another one to the same file
 * does not, and none makes anything anew.
 * @throws AppError NOT_READY before the job is done; CONFLICT when it failed; GONE when its files are gone; FORBIDDEN when the plan's downloads
 *   of this month are used up
 */
export async function linksOf(
  deps: Deps,
  userId: UserId,
  job: MediaJobRow,
): Promise<(DownloadLink & { contentType: string })[]> {
  const now = new Date(deps.clock.nowMs())
  assertHasFiles(job, now)
  const files = await deps.db.transaction(async trx => {
    const files = await trx
      .selectFrom('media_outputs')
      .selectAll()
      .where('job_id', '=', job.id)
      .where('owner_id', '=', userId)
      .orderBy('name')
      .execute()
    const first = files.filter(file => !file.is_downloaded).map(file => file.id)
    if (first.length > 0 && isClip(job)) {
      await countDownloads(trx, userId, { at: now, count: first.length })
      await trx.updateTable('media_outputs').set({ is_downloaded: true }).where('id', 'in', first).execute()
    }
    return files
  })
  return files.map(file => {
    const { path, expiresAt } = deps.media.links.sign(file.id)
    return {
      url: (deps.accounts.linkBase() ?? '') + path,
      expiresAt: expiresAt.toISOString(),
      fileName: file.name,
      contentType: file.content_type,
      bytes: Number(file.bytes),
      fileExpiresAt: job.expires_at?.toISOString() ?? null,
    }
  })
}

/** What the plan's downloads are: other results are looked at, not taken away. */
function isClip({ type }: MediaJobRow): boolean {
  return type === 'clip' || type === 'video/clips'
}

/** A file that a link opens, and the part of it that was asked for. */
export interface ServedFile {
  readonly name: string
  readonly contentType: string
  readonly bytes: number
  readonly etag: string
  read(range?: { start: number; end: number }): Promise<Readable>
}

/** @throws AppError FORBIDDEN and GONE as `DownloadLinks.check`; GONE when the file is not kept any more */
export async function fileOfLink(
  { db, clock, media }: Pick<Deps, 'db' | 'clock' | 'media'>,
  fileId: string,
  query: LinkQuery,
): Promise<ServedFile> {
  media.links.check(fileId, query)
  const row = await db.system
    .selectFrom('media_outputs')
    .innerJoin('media_jobs', 'media_jobs.id', 'media_outputs.job_id')
    .select(['name', 'content_type', 'bytes', 'sha256', 'media_outputs.owner_id', 'job_id', 'expires_at'])
    .where('media_outputs.id', '=', fileId)
    .executeTakeFirst()
  if (!row || (row.expires_at && row.expires_at.getTime() <= clock.nowMs())) throw filesAreGone()
  const key = outputKey({ ownerId: row.owner_id, jobId: row.job_id, fileId })
  return {
    name: row.name,
    contentType: row.content_type,
    bytes: Number(row.bytes),
    etag: `"${row.sha256.slice(0, 32)}"`,
    read: range => readFileOf({ media }, key, range),
  }
}

function assertHasFiles(job: MediaJobRow, now: Date): void {
  const isExpired = job.status === 'expired' || (job.expires_at !== null && job.expires_at <= now)
  if (job.status === 'done' && !isExpired) return
  if (job.status === 'queued' || job.status === 'running')
    throw new AppError('NOT_READY', 'This is not ready yet: ask for its status, or wait for the event.', {
      details: { progress: job.progress, retryAfterMs: 1000 },
    })
  if (job.status === 'failed')
    throw new AppError('CONFLICT', `There is no file: ${job.error_message ?? 'the work failed.'}`)
  if (job.status === 'cancelled') throw new AppError('CONFLICT', 'There is no file: the work was cancelled.')
  throw filesAreGone()
}

/** Counts against the plan, one after the other for each user, so that two at once stay within it. */
async function countDownloads(
  trx: Transaction<Database>,
  userId: UserId,
  { at, count }: { at: Date; count: number },
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('downloads'), hashtext(${userId}))`.execute(trx)
  const { limits, period } = await billingAccount(trx, userId, at)
  const counted = await trx
    .insertInto('usage_counters')
    .values({ user_id: userId, metric: 'downloads', period_start: period.startAt, used: count })
    .onConflict(conflict =>
      conflict
        .columns(['user_id', 'metric', 'period_start'])
        .doUpdateSet({ used: sql`usage_counters.used + excluded.used` }),
    )
    .returning('used')
    .executeTakeFirstOrThrow()
  const limit = limits.downloadsPerMonth
  if (limit === null || z.coerce.number().parse(counted.used) <= limit) return
  throw new AppError('FORBIDDEN', `Your plan has ${limit} downloads a month, and they are used up.`, {
    details: { limit, resetsAt: period.endAt.toISOString() },
  })
}

function filesAreGone(): AppError {
  return new AppError('GONE', 'The file has expired and is no longer kept: ask for it again.')
}
