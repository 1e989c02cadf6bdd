/**
 * Uploads that may break off. Each request that brings bytes becomes a part in the blob store, also when it was cut: what
 * has arrived is kept, and the next request goes on behind it. A part counts when the row of the upload names it, in a
 * statement that holds only while nobody else has added one: of two that send the same bytes at once, one is refused.
 * When all has arrived the parts become one file, which is looked at before it is taken.
 */
import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { type Selectable, sql } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import { type Upload, uploadLimits } from '../../../contracts/uploads.ts'
import type { BlobStore } from '../../../core/blob/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { assertDiskHasRoom } from '../media-jobs/disk-room.ts'
import { removeBelow, removeFiles, uploadFile, uploadFolder } from '../media-jobs/files.ts'
import { beginsLikeMedia, magicBytes, magicBytesMin } from './media-magic.ts'

export type UploadRow = Selectable<Database['uploads']>
export type UploadDeps = Pick<ServerDeps, 'db' | 'clock' | 'log' | 'media'>

const nameCharsMax = 200
/** How long reading the head of a finished upload may take, in ms. */
const probeMsMax = 30_000

/**
 * Begins an upload.
 * @param upload `metadata` as the tus protocol writes it
 * @throws AppError PAYLOAD_TOO_LARGE; CONFLICT when the user has too many under way, or no room for this one; UNAVAILABLE
 *   while the disk is almost full
 */
export async function beginUpload(
  deps: UploadDeps,
  userId: UserId,
  upload: { readonly id: string; readonly bytes: number; readonly fileName: string; readonly metadata: string },
): Promise<UploadRow> {
  const { bytesMax, openMax, userBytesMax, unfinishedKeptMs } = uploadLimits
  if (upload.bytes < 1) throw new AppError('BAD_REQUEST', 'An empty file is no media: nothing was uploaded.')
  if (upload.bytes > bytesMax)
    throw new AppError('PAYLOAD_TOO_LARGE', `A file may have at most ${bytesMax} bytes: this one has ${upload.bytes}.`)
  await assertDiskHasRoom(deps.media)
  const now = new Date(deps.clock.nowMs())
  return await deps.db.asUser(userId, async trx => {
    await sql`select pg_advisory_xact_lock(hashtext('uploads'), hashtext(${userId}))`.execute(trx)
    const { bytes, open } = await trx
      .selectFrom('uploads')
      .select(eb => [
        eb.fn.sum<string | null>('declared_bytes').as('bytes'),
        eb.fn.countAll<string>().filterWhere('status', '=', 'receiving').as('open'),
      ])
      .where('owner_id', '=', userId)
      .where('status', '<>', 'refused')
      .executeTakeFirstOrThrow()
    if (Number(open) >= openMax)
      throw new AppError('CONFLICT', `${openMax} uploads of yours are under way: finish or delete one first.`)
    if (Number(bytes ?? 0) + upload.bytes > userBytesMax)
      throw new AppError('CONFLICT', `Your uploads may take ${userBytesMax} bytes together: delete some first.`)
    return await trx
      .insertInto('uploads')
      .values({
        id: upload.id,
        owner_id: userId,
        file_name: basename(upload.fileName).slice(0, nameCharsMax) || 'upload',
        declared_bytes: upload.bytes,
        reason: null,
        metadata: upload.metadata,
        created_at: now,
        expires_at: new Date(now.getTime() + unfinishedKeptMs),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

/** @throws AppError NOT_FOUND for another user's, or one whose time is over */
export async function uploadOf(
  { db, clock }: Pick<UploadDeps, 'db' | 'clock'>,
  userId: UserId,
  id: string,
): Promise<UploadRow> {
  const row = await db.asUser(userId, trx =>
    trx.selectFrom('uploads').selectAll().where('id', '=', id).where('owner_id', '=', userId).executeTakeFirst(),
  )
  if (row && row.expires_at.getTime() > clock.nowMs()) return row
  throw new AppError('NOT_FOUND', 'There is no such upload of yours.')
}

/**
 * Takes the bytes that come next, as many as arrive.
 * @returns how many there are now in all
 * @throws AppError UNSUPPORTED_MEDIA_TYPE when the file does not begin like media: the upload is over then; CONFLICT when
 *   others have arrived meanwhile
 */
export async function receivePart(
  deps: UploadDeps,
  userId: UserId,
  part: { readonly id: string; readonly offset: number; readonly body: Readable },
): Promise<number> {
  const { id, offset } = part
  const arriving = untilCut(part.body)
  const head = offset === 0 ? await readHead(arriving) : Buffer.alloc(0)
  // Too few to tell what it is: they come again.
  if (offset === 0 && head.length < magicBytesMin) return 0
  if (offset === 0 && !beginsLikeMedia(head))
    throw await refuse(deps, userId, id, 'This is no file of a kind that media is read from.', 'UNSUPPORTED_MEDIA_TYPE')
  const folder = uploadFolder({ ownerId: userId, uploadId: id })
  const key = `${folder}parts/${randomUUID()}`
  const { bytes } = await deps.media.blobs.put(key, Readable.from(prepended(head, arriving), { objectMode: false }))
  const added =
    bytes > 0 &&
    (await deps.db.asUser(userId, trx =>
      trx
        .updateTable('uploads')
        .set({ received_bytes: offset + bytes, parts: sql`array_append(parts, ${key})` })
        .where('id', '=', id)
        .where('received_bytes', '=', String(offset))
        .where('status', '=', 'receiving')
        .returning('id')
        .executeTakeFirst(),
    ))
  if (added) return offset + bytes
  await deps.media.blobs.delete(key)
  if (bytes === 0) return offset
  throw new AppError(
    'CONFLICT',
    'Other bytes of this upload have arrived meanwhile: ask how many, and go on behind them.',
  )
}

/**
 * Makes one file of an upload that has arrived whole, and looks at it; again is harmless.
 * @throws AppError BAD_REQUEST with what is wrong with the file: the upload is over then; NOT_READY when bytes are missing
 */
export async function finishUpload(deps: UploadDeps, userId: UserId, id: string): Promise<UploadRow> {
  const row = await uploadOf(deps, userId, id)
  if (row.status === 'ready') return row
  if (row.status === 'refused') throw new AppError('BAD_REQUEST', row.reason ?? 'This upload was refused.')
  if (row.received_bytes !== row.declared_bytes)
    throw new AppError('NOT_READY', 'This upload is not complete yet: send the rest of it.')
  const { blobs } = deps.media
  const key = uploadFile({ ownerId: userId, uploadId: id })
  await blobs.put(key, Readable.from(joined(blobs, row.parts), { objectMode: false }))
  try {
    await deps.media.probe({ kind: 'blob', blobs, key }, AbortSignal.timeout(probeMsMax))
  } catch (error) {
    if (!(error instanceof AppError) || error.isRetryable) throw error
    throw await refuse(deps, userId, id, error.message, 'BAD_REQUEST')
  }
  const expiresAt = new Date(deps.clock.nowMs() + uploadLimits.finishedKeptMs)
  const ready = await deps.db.asUser(userId, trx =>
    trx
      .updateTable('uploads')
      .set({ status: 'ready', parts: [], expires_at: expiresAt })
      .where('id', '=', id)
      .where('status', '=', 'receiving')
      .returningAll()
      .executeTakeFirst(),
  )
  await removeBelow(blobs, `${uploadFolder({ ownerId: userId, uploadId: id })}parts/`)
  return ready ?? (await uploadOf(deps, userId, id))
}

/** A user's uploads, newest first: there are few. */
export async function listUploads({ db, clock }: UploadDeps, caller: Caller): Promise<Upload[]> {
  const userId = ownerOf(caller)
  const rows = await db.asUser(userId, trx =>
    trx
      .selectFrom('uploads')
      .selectAll()
      .where('owner_id', '=', userId)
      .where('expires_at', '>', new Date(clock.nowMs()))
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(1000)
      .execute(),
  )
  return rows.map(toUpload)
}

/** @throws AppError NOT_FOUND */
export async function getUpload(deps: UploadDeps, caller: Caller, id: string): Promise<Upload> {
  return toUpload(await uploadOf(deps, ownerOf(caller), id))
}

/** Removes an upload that is the media of no VOD. @throws AppError NOT_FOUND */
export async function deleteUpload(deps: UploadDeps, userId: UserId, id: string): Promise<void> {
  const gone = await deps.db.asUser(userId, trx =>
    trx.deleteFrom('uploads').where('id', '=', id).where('owner_id', '=', userId).returning('id').executeTakeFirst(),
  )
  if (!gone) throw new AppError('NOT_FOUND', 'There is no such upload of yours.')
  await removeFiles(deps, { ownerId: userId, uploadId: id })
}

/** The upload is over: why stays to be read until it would have ended. @returns what to throw */
async function refuse(
  deps: UploadDeps,
  userId: UserId,
  id: string,
  reason: string,
  code: 'BAD_REQUEST' | 'UNSUPPORTED_MEDIA_TYPE',
): Promise<AppError> {
  await deps.db.asUser(userId, trx =>
    trx.updateTable('uploads').set({ status: 'refused', reason, parts: [] }).where('id', '=', id).execute(),
  )
  await removeFiles(deps, { ownerId: userId, uploadId: id })
  return new AppError(code, reason)
}

/** What arrives of a body before the connection breaks off. */
async function* untilCut(body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield Buffer.from(chunk)
  } catch {
    // The sender went away: what has arrived is a part all the same.
  }
}

/** Its first bytes, `magicBytes` or more where there are as many. */
async function readHead(arriving: AsyncGenerator<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  while (bytes < magicBytes) {
    const next = await arriving.next()
    if (next.done) break
    chunks.push(next.value)
    bytes += next.value.length
  }
  return Buffer.concat(chunks)
}

async function* prepended(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  yield* rest
}

async function* joined(blobs: BlobStore, keys: readonly string[]): AsyncGenerator<Buffer> {
  for (const key of keys) for await (const chunk of await blobs.get(key)) yield Buffer.from(chunk)
}

function toUpload(row: UploadRow): Upload {
  return {
    uploadId: row.id,
    fileName: row.file_name,
    bytes: Number(row.declared_bytes),
    receivedBytes: Number(row.received_bytes),
    status: row.status,
    reason: row.reason,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  }
}
