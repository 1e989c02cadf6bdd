/**
 * Records that could not be read, kept whole in the relational store until a person replays or discards them. One
 * record of one file content and reason is kept once, however often the file is imported; what was replayed or
 * discarded stays so.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '../contracts/errors.ts'
import type { UserId } from '../contracts/ids.ts'
import type { DeadLetterRow } from '../contracts/ws.ts'
import type { Bus } from '../core/bus/port.ts'
import type { Db } from '../core/db/port.ts'
import { outOfRange } from './pipeline.ts'
import { rereadRecord } from './read/records.ts'
import type { KeptRecord } from './source.ts'
import { cutText } from './values.ts'
import type { Writer } from './writer.ts'

interface DeadLetterDeps {
  readonly db: Db
  readonly bus: Bus
  readonly ownerId: UserId
}

/** The format of what a platform said through its interface: it is in no file, and the next poll asks for it anew. */
export const readingFormat = 'platform'

/** A record on its way to the dead letters. */
export interface NewDeadLetter {
  readonly line: number
  readonly reason: string
  readonly message: string
  readonly kept: KeptRecord
}

/** The file that dead letters come from. */
export interface DeadLetterOrigin {
  readonly fileName: string
  readonly fileSha256: string
  readonly source: string
  readonly format: string
  readonly region: string
}

const batchRowsMax = 250
/** Bytes of one insert's payloads. */
const batchCharsMax = 2 * 1024 * 1024
const listMax = 200
const excerptChars = 300

const PayloadSchema = z.object({
  record: z.string(),
  table: z.object({ columns: z.array(z.string()), delimiter: z.string() }).nullable(),
  snapshotAtMs: z.number(),
})

/** Writes dead letters of one file in batches. */
export class DeadLetterBatch {
  readonly #deps: DeadLetterDeps
  readonly #origin: DeadLetterOrigin
  #waiting: NewDeadLetter[] = []

  constructor(deps: DeadLetterDeps, origin: DeadLetterOrigin) {
    this.#deps = deps
    this.#origin = origin
  }

  add(letter: NewDeadLetter): void {
    this.#waiting.push(letter)
  }

  /** Writes what waits. A flood of broken records holds its file back here. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      let chars = 0
      const end = this.#waiting.findIndex((letter, index) => {
        chars += letter.kept.record.length
        return index > 0 && (index >= batchRowsMax || chars > batchCharsMax)
      })
      const batch = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
      await this.#insert(batch)
    }
  }

  async #insert(letters: readonly NewDeadLetter[]): Promise<void> {
    const { db, ownerId } = this.#deps
    const { fileName, fileSha256, source, format, region } = this.#origin
    const rows = letters.map(({ line, reason, message, kept }) => ({
      owner_id: ownerId,
      dedupe_key: createHash('sha256').update(`${ownerId}\n${fileSha256}\n${line}\n${reason}`).digest('hex'),
      source,
      format,
      region,
      reason,
      message,
      file_name: fileName,
      line,
      payload: Buffer.from(JSON.stringify(kept), 'utf8'),
    }))
    await db.asUser(ownerId, trx =>
      trx
        .insertInto('dead_letters')
        .values(rows)
        .onConflict(conflict => conflict.column('dedupe_key').doNothing())
        .execute(),
    )
  }
}

/**
 * The newest dead letters of an owner, at most 200, with the start of each record.
 * @param filter `skip` leaves out that many of the newest, to read on page by page
 */
export async function listDeadLetters(
  deps: Pick<DeadLetterDeps, 'db' | 'ownerId'>,
  filter: { status?: DeadLetterRow['status']; skip?: number } = {},
): Promise<DeadLetterRow[]> {
  const rows = await deps.db.asUser(deps.ownerId, trx => {
    const query = trx
      .selectFrom('dead_letters')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(listMax)
      .offset(filter.skip ?? 0)
    return (filter.status ? query.where('status', '=', filter.status) : query).execute()
  })
  return rows.map(row => ({
    key: row.id,
    at: row.created_at.toISOString(),
    source: row.source,
    reason: row.reason,
    file: row.file_name,
    line: row.line,
    message: row.message,
    excerpt: excerptOf(row.payload),
    status: row.status,
  }))
}

/** How many dead letters of an owner wait for a decision, by reason. */
export async function countDeadLetters(
  deps: Pick<DeadLetterDeps, 'db' | 'ownerId'>,
): Promise<{ reason: string; count: number }[]> {
  const rows = await deps.db.asUser(deps.ownerId, trx =>
    trx
      .selectFrom('dead_letters')
      .select(['reason', expression => expression.fn.countAll<string>().as('count')])
      .where('status', '=', 'kept')
      .groupBy('reason')
      .orderBy('reason')
      .execute(),
  )
  return rows.map(row => ({ reason: row.reason, count: Number(row.count) }))
}

/**
 * Reads a dead letter again with the same format and the same steps. What is readable by now (a newer version of
 * Cliptape may know it) is written and marked as replayed after it is durable; else it stays, with the reason of today.
 * @throws NOT_FOUND, or CONFLICT when it is not kept any more
 */
export async function replayDeadLetter(
  deps: DeadLetterDeps & { readonly writer: Writer },
  id: string,
): Promise<{ status: 'kept' | 'replayed'; reason: string | null; message: string | null }> {
  const row = await keptLetter(deps, id)
  if (row.format === readingFormat) {
    const message = `${row.message} The platform is asked again by itself: discard this once you have seen it.`
    return { status: 'kept', reason: row.reason, message }
  }
  const kept = PayloadSchema.parse(JSON.parse(row.payload.toString('utf8')))
  const result = rereadRecord(row.format, kept, row.region)
  if (result.type === 'ok') {
    const bad = deps.writer.add(result.value)
    if (bad !== null) return { status: 'kept', ...outOfRange(bad) }
    await deps.writer.drain()
    await setStatus(deps, id, 'replayed')
    return { status: 'replayed', reason: null, message: null }
  }
  return { status: 'kept', reason: result.reason, message: result.type === 'dlq' ? result.message : null }
}

/**
 * Marks a dead letter as not wanted; it is kept on record but not offered again.
 * @throws NOT_FOUND, or CONFLICT when it is not kept any more
 */
export async function discardDeadLetter(deps: DeadLetterDeps, id: string): Promise<void> {
  await keptLetter(deps, id)
  await setStatus(deps, id, 'discarded')
}

async function keptLetter(deps: DeadLetterDeps, id: string) {
  if (!z.uuid().safeParse(id).success) throw new AppError('NOT_FOUND', 'There is no dead letter with that id.')
  const row = await deps.db.asUser(deps.ownerId, trx =>
    trx.selectFrom('dead_letters').selectAll().where('id', '=', id).executeTakeFirst(),
  )
  if (!row) throw new AppError('NOT_FOUND', 'There is no dead letter with that id.')
  if (row.status !== 'kept') throw new AppError('CONFLICT', `This dead letter was ${row.status} already.`)
  return row
}

async function setStatus(deps: DeadLetterDeps, id: string, status: 'replayed' | 'discarded'): Promise<void> {
  await deps.db.asUser(deps.ownerId, trx =>
    trx.updateTable('dead_letters').set({ status }).where('id', '=', id).execute(),
  )
  await publishCount(deps)
}

/** Tells others how many dead letters wait. */
export async function publishCount(deps: DeadLetterDeps): Promise<void> {
  const counts = await countDeadLetters(deps)
  await deps.bus.publish('deadletters.changed', { count: counts.reduce((sum, { count }) => sum + count, 0) })
}

function excerptOf(payload: Buffer): string {
  const { record } = PayloadSchema.parse(JSON.parse(payload.toString('utf8')))
  return cutText(record.slice(0, excerptChars * 2).replace(/\p{Cc}+/gu, ' '), excerptChars)
}
