import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UserIdSchema } from '../../../contracts/ids.ts'
import type { CutOptions, CutResult } from '../../../contracts/media.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import type { Vault } from '../../../core/vault/port.ts'
import type { MediaSource } from '../../../media/source/open-source.ts'
import { ClipParamsSchema } from '../clips/service.ts'
import { sourceOf } from '../vods/service.ts'
import { outputKey } from './files.ts'
import type { StoredFile } from './finish-job.ts'
import type { MediaJobRow } from './job-states.ts'
import type { MediaDesk } from './media-desk.ts'
import type { MadeByJob } from './worker.ts'

/** What works on media: the room of that name, with its engine. */
export interface MediaTools {
  /** Into a file of the folder. */
  cut(
    request: {
      readonly source: MediaSource
      readonly startSec: number
      readonly endSec: number
      readonly options: CutOptions
    },
    task: ToolTask,
  ): Promise<CutResult & { readonly path: string }>
}

interface ToolTask {
  /** Private to the job, absolute; whoever made it removes it. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly onProgress: (share: number) => void
}

export interface RunDeps {
  readonly db: Db
  readonly vault: Vault
  readonly log: Log
  readonly media: MediaDesk
  readonly tools: MediaTools
  /** A folder for one job, and how to remove it. */
  readonly openFolder: () => Promise<{ readonly path: string; remove(): Promise<void> }>
}

/** Does one job, and stores what came of it. Whatever happens, nothing stays in the folder it worked in. */
export async function runJob(
  deps: RunDeps,
  job: MediaJobRow,
  o: { readonly signal: AbortSignal; readonly onProgress: (share: number) => void },
): Promise<MadeByJob> {
  const folder = await deps.openFolder()
  const stored: StoredFile[] = []
  const task = { ...o, folder: folder.path }
  try {
    const source = await sourceOf(deps, UserIdSchema.parse(job.owner_id), job.vod_id)
    return await runClip(deps, job, { source, task, stored })
  } catch (error) {
    await discardFiles(deps, job, stored)
    throw error
  } finally {
    await folder.remove()
  }
}

/** Removes files that were stored for a job which came to nothing. */
export async function discardFiles(
  { media, log }: Pick<RunDeps, 'media' | 'log'>,
  job: MediaJobRow,
  files: readonly StoredFile[],
): Promise<void> {
  for (const { fileId } of files) {
    await media.blobs
      .delete(outputKey({ ownerId: job.owner_id, jobId: job.id, fileId }))
      .catch(err => log.warn({ err }, 'A file of a job that came to nothing could not be removed: the sweep finds it.'))
  }
}

interface Run {
  readonly source: MediaSource
  readonly task: ToolTask
  /** Files in the blob store, as they are added. */
  readonly stored: StoredFile[]
}

async function runClip(deps: RunDeps, job: MediaJobRow, { source, task, stored }: Run): Promise<MadeByJob> {
  const { startTime, endTime, options } = ClipParamsSchema.parse(job.params)
  const { path, ...result } = await deps.tools.cut({ source, startSec: startTime, endSec: endTime, options }, task)
  task.signal.throwIfAborted()
  stored.push(
    await store(deps, job, {
      body: createReadStream(path),
      name: `clip-${nameOfTime(startTime)}-${nameOfTime(endTime)}.${result.container}`,
      contentType: result.contentType,
    }),
  )
  return { result, files: stored, cpuSeconds: result.cpuSec }
}

/** Brings a file into the blob store, and measures it on its way. */
async function store(
  { media }: Pick<RunDeps, 'media'>,
  job: MediaJobRow,
  file: { readonly body: Readable; readonly name: string; readonly contentType: string },
): Promise<StoredFile> {
  const fileId = randomUUID()
  const hash = createHash('sha256')
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const [{ bytes }] = await Promise.all([
    media.blobs.put(outputKey({ ownerId: job.owner_id, jobId: job.id, fileId }), measure),
    pipeline(file.body, measure),
  ])
  return { fileId, name: file.name, contentType: file.contentType, bytes, sha256: hash.digest('hex') }
}

/** `0h01m02.500s`, for the name of a file. */
function nameOfTime(sec: number): string {
  const ms = Math.round(sec * 1000)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const rest = ms % 1000 === 0 ? '' : `.${String(ms % 1000).padStart(3, '0')}`
  return `${Math.floor(ms / 3_600_000)}h${two((ms / 60_000) % 60)}m${two((ms / 1000) % 60)}${rest}s`
}
