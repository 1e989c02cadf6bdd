import { performance } from 'node:perf_hooks'
import { AppError } from '../contracts/errors.ts'
import type { UserId } from '../contracts/ids.ts'
import type { ImportProgress, ImportRequest, ImportSummary } from '../contracts/import.ts'
import type { Db } from '../core/db/port.ts'
import { checkItems } from './check.ts'
import { DeadLetterBatch, publishCount } from './dead-letters.ts'
import { openFile, type SurveyedFile } from './open-file.ts'
import { outOfRange, type StepResult, Tally } from './pipeline.ts'
import { fileSource } from './read/records.ts'
import type { IngestStats } from './stats.ts'
import { bulkLimits, createWriter, type Writer, type WriterDeps } from './writer.ts'

/** What an import stands on. `world` is where its rows go; `ownerId` whose dead letters and import records they are. */
export interface IngestDeps extends WriterDeps {
  readonly db: Db
  readonly ownerId: UserId
  /** Counts for OPS; left out where nobody looks. */
  readonly stats?: IngestStats
}

const progressEveryMs = 250

/**
 * Imports files one after the other. A file that cannot be read fails by itself and the next one begins; only a call to
 * `signal` ends the run early (the file under way is then reported as failed; what was written stays and a second run
 * completes it). Never rejects for a file's fault: `onProgress` tells it, and its last line is `done`.
 */
export async function runImport(
  deps: IngestDeps,
  request: ImportRequest,
  onProgress: (progress: ImportProgress) => void,
  signal?: AbortSignal,
): Promise<void> {
  const writer = request.dryRun ? null : createWriter(deps, bulkLimits)
  const unwatch = writer ? deps.stats?.watchWriter('import', writer) : undefined
  let failed = 0
  let files = 0
  try {
    for (const path of request.files) {
      files++
      try {
        signal?.throwIfAborted()
        const summary = await importFile(deps, { path, request, writer, onProgress }, signal)
        onProgress({ type: 'fileDone', summary })
      } catch (error) {
        failed++
        onProgress({ type: 'fileFailed', file: path, ...failureOf(deps, path, error, signal) })
        if (signal?.aborted) break
      }
    }
  } finally {
    // What a failed file had added is written too: rows are idempotent, and its bytes would else wait for ever.
    await writer?.close().catch(error => deps.log.warn({ err: error }, 'The last rows of an import were not written.'))
    unwatch?.()
  }
  onProgress({ type: 'done', files, failed })
}

async function importFile(
  deps: IngestDeps,
  job: {
    path: string
    request: ImportRequest
    writer: Writer | null
    onProgress: (progress: ImportProgress) => void
  },
  signal: AbortSignal | undefined,
): Promise<ImportSummary> {
  const startedMs = performance.now()
  const { path, request, writer, onProgress } = job
  const file = await openFile(path, { as: request.as, region: request.region }, signal)
  const { format } = file.recognised
  onProgress({ type: 'file', file: path, format: format.id, bytesTotal: file.head.sizeBytes })
  const source = fileSource(file)
  const record = writer ? await beginRecord(deps, file) : null
  const letters = new DeadLetterBatch(deps, {
    fileName: file.head.name,
    fileSha256: file.sha256,
    source: source.name,
    format: format.id,
    region: file.context.region,
  })
  const before = writer?.status().rowsWritten
  const tally = new Tally()
  const notes = [...file.notes]
  const progress = progressOf(file, tally, onProgress)
  const counter = deps.stats?.source(source.name)
  try {
    await source.poll(
      {
        onRecord({ line, result, keep }) {
          const checked = accept(writer, result)
          tally.count(checked)
          if (checked.type === 'dlq' && writer) {
            letters.add({ line, reason: checked.reason, message: checked.message, kept: keep() })
          }
        },
        async afterPiece(bytesRead) {
          await letters.flush()
          await writer?.room()
          signal?.throwIfAborted()
          counter?.update(tally)
          progress(bytesRead)
        },
        onNote: note => notes.push(note),
      },
      signal,
    )
    await letters.flush()
    await writer?.drain()
  } catch (error) {
    await record?.fail()
    throw error
  } finally {
    if (writer && tally.deadLettered.size > 0) await publishCount(deps)
  }
  const written = writer?.status().rowsWritten
  const summary: ImportSummary = {
    file: path,
    format: format.id,
    rowsRead: tally.read,
    accepted: tally.accepted,
    dropped: Object.fromEntries(tally.dropped),
    deadLettered: Object.fromEntries(tally.deadLettered),
    written: difference(before, written),
    notes: tally.read === 0 ? [...notes, 'The file holds no rows.'] : notes,
    durationMs: Math.round(performance.now() - startedMs),
  }
  await record?.finish(summary, source.name)
  return summary
}

/** The last step: rows out of range are dead letters too. */
function accept(writer: Writer | null, result: StepResult<Parameters<Writer['add']>[0]>): typeof result {
  if (result.type !== 'ok') return result
  const bad = writer ? writer.add(result.value) : checkItems(result.value)
  return bad === null ? result : { type: 'dlq', ...outOfRange(bad) }
}

/** Keeps the row of `imports` of one file's run. */
async function beginRecord(deps: IngestDeps, file: SurveyedFile) {
  const { db, ownerId } = deps
  const { id } = await db.asUser(ownerId, async trx => {
    // A run of this file that is still "running" was killed: had it ended, it would have said so.
    await trx
      .updateTable('imports')
      .set({ status: 'failed', finished_at: new Date(deps.clock.nowMs()) })
      .where('file_sha256', '=', file.sha256)
      .where('status', '=', 'running')
      .execute()
    return trx
      .insertInto('imports')
      .values({
        owner_id: ownerId,
        file_name: file.head.name,
        file_sha256: file.sha256,
        format: file.recognised.format.id,
        status: 'running',
        summary: null,
        finished_at: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
  })
  const now = () => new Date(deps.clock.nowMs())
  return {
    async fail() {
      const values = { status: 'failed' as const, finished_at: now() }
      await db.asUser(ownerId, trx => trx.updateTable('imports').set(values).where('id', '=', id).execute())
    },
    /** Drops are counted once per file content, however often it is imported. */
    async finish(summary: ImportSummary, source: string) {
      await db.asUser(ownerId, async trx => {
        const earlier = await trx
          .selectFrom('imports')
          .select('id')
          .where('file_sha256', '=', file.sha256)
          .where('status', '=', 'done')
          .limit(1)
          .executeTakeFirst()
        await trx
          .updateTable('imports')
          .set({ status: 'done', finished_at: now(), summary: JSON.stringify(summary) })
          .where('id', '=', id)
          .execute()
        if (earlier) return
        for (const [reason, count] of Object.entries(summary.dropped)) {
          await trx
            .insertInto('drop_counts')
            .values({ owner_id: ownerId, source, reason, row_count: count })
            .onConflict(conflict =>
              conflict.columns(['owner_id', 'source', 'reason']).doUpdateSet(expression => ({
                row_count: expression('drop_counts.row_count', '+', String(count)),
              })),
            )
            .execute()
        }
      })
    },
  }
}

/** Reports at most every quarter of a second; the rate is over the whole file so far. */
function progressOf(
  file: SurveyedFile,
  tally: Tally,
  onProgress: (progress: ImportProgress) => void,
): (bytesRead: number) => void {
  const startedMs = performance.now()
  let reportedMs = startedMs
  return bytesRead => {
    const nowMs = performance.now()
    if (nowMs - reportedMs < progressEveryMs) return
    reportedMs = nowMs
    const seconds = (nowMs - startedMs) / 1000
    const bytesTotal = file.head.sizeBytes
    const bytesPerSecond = bytesRead / seconds
    onProgress({
      type: 'progress',
      file: file.head.path,
      bytesRead,
      bytesTotal,
      rowsRead: tally.read,
      rowsPerSecond: Math.round(tally.read / seconds),
      etaSeconds: bytesPerSecond > 0 ? Math.round(Math.max(0, bytesTotal - bytesRead) / bytesPerSecond) : null,
    })
  }
}

function difference(
  before: Readonly<Record<string, number>> | undefined,
  after: Readonly<Record<string, number>> | undefined,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after ?? {})
      .map(([kind, count]): [string, number] => [kind, count - (before?.[kind] ?? 0)])
      .filter(([, count]) => count > 0),
  )
}

function failureOf(
  deps: IngestDeps,
  path: string,
  error: unknown,
  signal: AbortSignal | undefined,
): { code: string; message: string } {
  if (signal?.aborted) {
    return {
      code: 'UNAVAILABLE',
      message: 'The import was stopped. What was written stays; import the file again to complete it.',
    }
  }
  if (error instanceof AppError) return { code: error.code, message: error.message }
  deps.log.error({ err: error, file: path }, 'An import failed.')
  return { code: 'INTERNAL', message: 'The import of this file failed on our side; the log says why. Import it again.' }
}
