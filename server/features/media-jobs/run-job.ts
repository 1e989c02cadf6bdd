import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError, assertNever } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { type CutOptions, CutOptionsSchema, type MediaInfo } from '../../../contracts/media.ts'
import { mediaWork } from '../../../contracts/media-jobs.ts'
import type { TimelineLevel } from '../../../contracts/timeline.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { AnalyticsStore } from '../../../core/clickhouse/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import type { Outbound } from '../../../core/outbound/port.ts'
import type { Vault } from '../../../core/vault/port.ts'
import { cutClip } from '../../../media/cut/cut-clip.ts'
import type { MediaEngine } from '../../../media/engine/port.ts'
import { exactPicture } from '../../../media/filmstrip/exact-picture.ts'
import { printSound } from '../../../media/fingerprint/print-sound.ts'
import type { JobFolder } from '../../../media/job-folder.ts'
import { highRangeOf } from '../../../media/source/high-range.ts'
import { type MediaSource, type OpenedMedia, openMediaSource } from '../../../media/source/open-source.ts'
import { probeMedia } from '../../../media/source/probe.ts'
import { analyzeTimeline, type TimelineAnalysis } from '../../../media/timeline/analyze-timeline.ts'
import { encodePng } from '../../../media/timeline/png.ts'
import { writeWaveform } from '../../../media/timeline/waveform.ts'
import type { PlatformRegistry } from '../../../platforms/registry.ts'
import { ClipParamsSchema } from '../clips/service.ts'
import { copyPrint, rememberPrint } from '../copies/keep-print.ts'
import { sourceOf } from '../vods/service.ts'
import type { ClipPart } from './clip-part.ts'
import { decoderOf } from './decoder.ts'
import { outputKey } from './files.ts'
import type { StoredFile } from './finish-job.ts'
import type { MediaJobRow } from './job-states.ts'
import { type MediaDesk, readingFor } from './media-desk.ts'
import { levelNeeded, storedTimeline, timelineFile } from './stored-timeline.ts'
import { keyframesIn, wholeFile } from './whole-file.ts'
import type { MadeByJob } from './worker.ts'

export interface RunDeps {
  readonly db: Db
  readonly store: AnalyticsStore
  readonly clock: Clock
  readonly vault: Vault
  readonly bus: Pick<Bus, 'publish'>
  readonly platforms: PlatformRegistry
  readonly outbound: Outbound
  readonly log: Log
  readonly media: MediaDesk
  /** Null: nothing can be decoded on this machine. */
  readonly engine: MediaEngine | null
  readonly openFolder: () => Promise<JobFolder>
}

interface Task {
  readonly signal: AbortSignal
  readonly onProgress: (share: number) => void
}

/** A job under way. */
interface Run extends Task {
  readonly job: MediaJobRow
  readonly ownerId: UserId
  readonly source: MediaSource
  readonly folder: string
  readonly take: JobFolder['take']
  /** Files in the blob store, as they are added. */
  readonly stored: StoredFile[]
}

/** Does one job, and stores what came of it. Whatever happens, nothing stays in the folder it worked in. */
export async function runJob(deps: RunDeps, job: MediaJobRow, task: Task): Promise<MadeByJob> {
  const ownerId = UserIdSchema.parse(job.owner_id)
  const folder = await deps.openFolder()
  const stored: StoredFile[] = []
  try {
    const source = await sourceOf(deps, ownerId, job.vod_id)
    const run: Run = { ...task, job, ownerId, source, folder: folder.path, take: folder.take, stored }
    const made = await work(deps, run)
    task.signal.throwIfAborted()
    return { ...made, files: stored }
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

type Made = Omit<MadeByJob, 'files'>

async function work(deps: RunDeps, run: Run): Promise<Made> {
  const { type, params } = run.job
  switch (type) {
    case 'clip':
      return await runClip(deps, run)
    case 'video/clips':
      return await runClips(deps, run, mediaWork[type].parse(params))
    case 'video/frames':
      return await runFrames(deps, run, mediaWork[type].parse(params))
    case 'video/scenes':
    case 'timeline/analyze':
      return await runAnalysis(deps, run, mediaWork[type].parse(params))
    case 'audio/silence':
    case 'audio/energy':
      return await runAnalysis(deps, run, {})
    default:
      return assertNever(type)
  }
}

async function runClip(deps: RunDeps, run: Run): Promise<Made> {
  const { startTime, endTime, options } = ClipParamsSchema.parse(run.job.params)
  const result = await cutAndStore(deps, run, { startTime, endTime, options })
  return { result, cpuSeconds: result.cpuSec }
}

async function runClips(
  deps: RunDeps,
  run: Run,
  { segments, ...given }: { readonly segments: readonly ClipPart[] } & CutOptions,
): Promise<Made> {
  const options = CutOptionsSchema.parse(given)
  const clips = []
  for (const [index, segment] of segments.entries()) {
    const folder = join(run.folder, String(index))
    await mkdir(folder)
    const onProgress = (share: number) => run.onProgress((index + share) / segments.length)
    clips.push(await cutAndStore(deps, { ...run, folder, onProgress }, { ...segment, options }))
  }
  return { result: { clips }, cpuSeconds: sumOrNull(clips.map(clip => clip.cpuSec)) }
}

async function cutAndStore(deps: RunDeps, run: Run, clip: ClipPart & { readonly options: CutOptions }) {
  const { startTime, endTime, options } = clip
  const request = { source: run.source, startSec: startTime, endSec: endTime, options }
  const { path, ...result } = await cutClip({ ...readingFor(deps, run.ownerId), engine: deps.engine }, request, run)
  await store(deps, run, {
    body: createReadStream(path),
    name: `clip-${nameOfTime(startTime)}-${nameOfTime(endTime)}.${result.container}`,
    contentType: result.contentType,
  })
  return result
}

async function runFrames(
  deps: RunDeps,
  run: Run,
  { times, widthPx }: { readonly times: readonly number[]; readonly widthPx: number },
): Promise<Made> {
  const engine = decoderOf(deps.engine)
  return await withMedia(deps, run, async (media, info) => {
    if (!info.video) throw new AppError('BAD_REQUEST', 'This media has no picture.')
    const width = Math.min(widthPx, info.video.widthPx)
    const height = Math.max(2, Math.round((width * info.video.heightPx) / info.video.widthPx))
    const path = run.source.kind === 'file' ? (await wholeFile(media, run.source, run)).path : null
    const frames: { time: number; name: string }[] = []
    const cpu: (number | null)[] = []
    for (const [index, time] of times.entries()) {
      const name = `frame-${nameOfTime(time)}.png`
      const wanted = { atSec: Math.min(time, info.durationSec), widthPx: width, heightPx: height }
      const { picture, usage } = await exactPicture(engine, { opened: media, path, folder: run.folder }, wanted, {
        signal: run.signal,
      })
      cpu.push(usage.cpuSec)
      await store(deps, run, { body: Readable.from([await encodePng(picture)]), name, contentType: 'image/png' })
      frames.push({ time, name })
      run.onProgress((index + 1) / times.length)
    }
    return { result: { widthPx: width, heightPx: height, frames }, cpuSeconds: sumOrNull(cpu) }
  })
}

/** Makes a timeline of the level that the work needs, or takes one that is there; what is read of it is chosen when it is read. */
async function runAnalysis(deps: RunDeps, run: Run, params: { readonly level?: TimelineLevel }): Promise<Made> {
  const level = levelNeeded(run.job.type, params) ?? 'audio'
  const engine = decoderOf(deps.engine)
  return await withMedia(deps, run, async (media, info) => {
    const vod = { owner: run.ownerId, vodId: run.job.vod_id, durationSec: info.durationSec }
    const wanted = { contentId: info.contentId, level, now: new Date(deps.clock.nowMs()) }
    const known = await storedTimeline(deps.db, run.ownerId, wanted)
    if (known) {
      await copyFiles(deps, run, known.jobId)
      if (known.level !== 'audio' && known.vodId !== run.job.vod_id) await copyPrint(deps, vod, known.vodId, run.signal)
      return { result: { level: known.level }, cpuSeconds: 0 }
    }
    const file = await wholeFile(media, run.source, run)
    const keyframes = await keyframesIn(deps, file, run.signal)
    const range = media.video && (await highRangeOf(media.video))
    const analysis = await analyzeTimeline(engine, { ...file, ...range, info, keyframes }, { level }, run)
    await storeAnalysis(deps, run, analysis)
    if (level !== 'audio') {
      const sound = await printSound(engine, { ...file, info }, run.signal)
      await rememberPrint(deps, vod, { views: analysis.views, parts: analysis.parts, sound }, run.signal)
    }
    return { result: { level }, cpuSeconds: analysis.usage.cpuSec }
  })
}

async function storeAnalysis(
  deps: RunDeps,
  run: Run,
  { timeline, waveform, thumbnails }: TimelineAnalysis,
): Promise<void> {
  const add = (name: string, contentType: string, body: Uint8Array | string) =>
    store(deps, run, { body: Readable.from([Buffer.from(body)]), name, contentType })
  await add(timelineFile, 'application/json', JSON.stringify(timeline))
  if (waveform) await add('waveform.bin', 'application/octet-stream', writeWaveform(waveform))
  if (thumbnails) await add('thumbnails.png', 'image/png', thumbnails)
}

/** Files of one job as those of another: each goes with its own. */
async function copyFiles(deps: RunDeps, run: Run, jobId: string): Promise<void> {
  const files = await deps.db.asUser(run.ownerId, trx =>
    trx.selectFrom('media_outputs').select(['id', 'name', 'content_type']).where('job_id', '=', jobId).execute(),
  )
  for (const { id, name, content_type } of files) {
    const body = await deps.media.blobs.get(outputKey({ ownerId: run.ownerId, jobId, fileId: id }))
    await store(deps, run, { body, name, contentType: content_type })
  }
}

async function withMedia<T>(
  deps: RunDeps,
  run: Run,
  use: (media: OpenedMedia, info: MediaInfo) => Promise<T>,
): Promise<T> {
  const media = await openMediaSource(readingFor(deps, run.ownerId), run.source, { signal: run.signal })
  try {
    return await use(media, await probeMedia(media, { signal: run.signal }))
  } finally {
    await media.close()
  }
}

/** Brings a file into the blob store, and measures it on its way. */
async function store(
  { media }: Pick<RunDeps, 'media'>,
  { job, stored, signal }: Run,
  file: { readonly body: Readable; readonly name: string; readonly contentType: string },
): Promise<void> {
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
    pipeline(file.body, measure, { signal }),
  ])
  stored.push({ fileId, name: file.name, contentType: file.contentType, bytes, sha256: hash.digest('hex') })
}

/** Null when one of them is not known. */
function sumOrNull(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce<number | null>((sum, one) => (sum === null || one === null ? null : sum + one), 0)
}

/** `0h01m02.500s`, for the name of a file. */
function nameOfTime(sec: number): string {
  const ms = Math.round(sec * 1000)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const rest = ms % 1000 === 0 ? '' : `.${String(ms % 1000).padStart(3, '0')}`
  return `${Math.floor(ms / 3_600_000)}h${two((ms / 60_000) % 60)}m${two((ms / 1000) % 60)}${rest}s`
}
