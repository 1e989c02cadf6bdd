import type { Platform } from '../../contracts/ids.ts'
import type { Item, VideoRecord } from '../../contracts/samples.ts'
import { dlq, drop, ok, type StepResult } from '../pipeline.ts'
import { normaliseTopic, topicsOf } from '../topics.ts'
import { cutText, ownText, parseCount, parseInstant } from '../values.ts'
import {
  badCount,
  badInstant,
  type CsvFormat,
  checkSpreadsheetId,
  checkYoutubeId,
  emptyVideo,
  isDue,
  type JsonObject,
  Memo,
  type ObjectFormat,
  type ReadContext,
  type RowReader,
  sourceName,
} from './format.ts'

/**
 * The generic format: anybody's own history as a table, JSON lines or Parquet, with the column names below. A row with
 * a `video_id` is one reading of a video; without one, a row with a `creator_id` is a reading of a creator, and a row
 * with a `topic` one of a topic. `docs/import.md` is the reference for users.
 */
const columns = [
  'platform',
  'video_id',
  'creator_id',
  'topic',
  'observed_at',
  'views',
  'likes',
  'comments',
  'shares',
  'saves',
  'followers',
  'videos',
  'creator_name',
  'creator_handle',
  'kind',
  'title',
  'url',
  'thumbnail_url',
  'published_at',
  'duration_seconds',
  'category',
  'tags',
  'region',
  'source',
] as const
type Column = (typeof columns)[number]

const defaultSource = 'generic'
const idPattern = /^[^\p{Cc}]{1,280}$/u
const subjects = ['video_id', 'creator_id', 'topic'] as const
const isGeneric = (names: readonly string[]) =>
  names.includes('observed_at') && subjects.some(subject => names.includes(subject))

export const genericCsv: CsvFormat = {
  id: 'generic-csv',
  title: 'Generic table (platform, video_id, observed_at, views, …)',
  source: 'import:generic',
  container: 'csv',
  fixedColumns: null,
  matches: header => isGeneric(header) && !header.includes('count'),
  open(header, context) {
    const at: Partial<Record<Column, number>> = {}
    for (const column of columns) {
      const index = header.indexOf(column)
      if (index !== -1) at[column] = index
    }
    return openGeneric(
      (fields: readonly string[], column) => {
        const index = at[column]
        return index === undefined ? undefined : fields[index]
      },
      context,
      column => at[column] !== undefined,
    )
  },
}

const openObjects = (context: ReadContext): RowReader<JsonObject> =>
  openGeneric(
    (record: JsonObject, column) => record[column],
    context,
    () => true,
  )

export const genericJsonLines: ObjectFormat = {
  id: 'generic-jsonl',
  title: 'Generic JSON lines, one object a line, with the columns of the generic table',
  source: 'import:generic',
  container: 'jsonl',
  matches: sample => isGeneric(Object.keys(sample)),
  open: openObjects,
}

export const genericParquet: ObjectFormat = {
  id: 'generic-parquet',
  title: 'Generic Parquet, with the columns of the generic table',
  source: 'import:generic',
  container: 'parquet',
  matches: sample => isGeneric(Object.keys(sample)),
  open: openObjects,
}

/** The columns that describe a video: when one of them changes, the description is told anew. */
const describing = [
  'creator_id',
  'creator_name',
  'creator_handle',
  'kind',
  'title',
  'url',
  'thumbnail_url',
  'published_at',
  'duration_seconds',
  'category',
  'tags',
  'topic',
] as const satisfies readonly Column[]

/** What only a video has: a row with one of them and no `video_id` is broken, not a creator's. */
const ofVideosOnly = ['title', 'url', 'published_at', 'duration_seconds', 'comments', 'shares', 'saves'] as const

/** What is kept of a video so that its description is built once, not on every reading. */
interface Known {
  readonly videoId: string
  readonly creatorId: string
  /** Of `describing`, in that order. */
  readonly texts: readonly string[]
  readonly source: string
  readonly video: Omit<VideoRecord, 'observedAtMs'>
  readonly creatorName: string
  readonly creatorHandle: string
  toldAtMs: number
}

/** Which source and country a row names; rows in a row name the same ones. */
interface Origin {
  readonly sourceText: string
  readonly regionText: string
  readonly source: string
  readonly region: string
}

/** @param has says which columns there are at all, so that absent ones cost nothing */
function openGeneric<R>(
  get: (record: R, column: Column) => unknown,
  context: ReadContext,
  has: (column: Column) => boolean,
): RowReader<R> {
  const text = (record: R, column: Column) => textOf(get(record, column))
  const described = describing.filter(has)
  const memo = new Memo<Known>()
  let origin: Origin | null = null

  return record => {
    const rawId = get(record, 'video_id')
    if (typeof rawId === 'number' && !Number.isSafeInteger(rawId)) {
      return dlq('invalid_id', 'The video_id is a number that has lost digits (beyond 2^53): write ids as text.')
    }
    const { platform, videoId } = splitWireId(text(record, 'platform'), textOf(rawId))
    if (platform === null) {
      return dlq('invalid_platform', 'The platform of this record is not youtube, tiktok or instagram.')
    }
    const observedAtMs = instantOf(get(record, 'observed_at'))
    if (observedAtMs === undefined || observedAtMs === null) return badInstant('observed_at')
    const sourceText = text(record, 'source')
    const regionText = text(record, 'region')
    if (origin === null || origin.sourceText !== sourceText || origin.regionText !== regionText) {
      const read = readOrigin(sourceText, regionText)
      if ('type' in read) return read
      origin = read
    }
    const { source, region } = origin
    if (videoId === '') return readOther(record, { platform, observedAtMs, source })
    return readVideo(record, { platform, videoId, observedAtMs, source, region })
  }

  function readOrigin(sourceText: string, regionText: string): Origin | StepResult<never> {
    const region = (regionText.trim() || context.region).toUpperCase()
    if (region !== '' && !/^[A-Z]{2}$/.test(region)) {
      return dlq('invalid_region', 'The region of this record is not a two-letter country code.')
    }
    const name = sourceText.trim() || defaultSource
    if (!/^[\w.:-]{1,80}$/.test(name)) {
      return dlq('invalid_source', 'The source of this record is not 1 to 80 letters, digits, dots, colons or hyphens.')
    }
    const source = ownText(sourceName(`import:${name}`, region))
    return { sourceText: ownText(sourceText), regionText: ownText(regionText), source, region: ownText(region) }
  }

  function readVideo(
    record: R,
    key: { platform: Platform; videoId: string; observedAtMs: number; source: string; region: string },
  ): StepResult<readonly Item[]> {
    const { platform, observedAtMs, source } = key
    const refusal = platform === 'youtube' ? checkYoutubeId(key.videoId) : checkId(key.videoId)
    if (refusal) return refusal
    const views = countOf(get(record, 'views'))
    if (views === undefined) return badCount('views')
    const likes = countOf(get(record, 'likes'))
    if (likes === undefined) return badCount('likes')
    const comments = countOf(get(record, 'comments'))
    if (comments === undefined) return badCount('comments')
    const shares = countOf(get(record, 'shares'))
    if (shares === undefined) return badCount('shares')
    const saves = countOf(get(record, 'saves'))
    if (saves === undefined) return badCount('saves')
    if (views === null && likes === null && comments === null && shares === null && saves === null) {
      return drop('no_counter')
    }
    let known = memo.get(key.videoId)
    if (known === undefined || !isSame(known, record, key)) {
      const made = describe(record, key)
      if ('type' in made) return made
      known = made
      memo.set(known.videoId, known)
    }
    const sample: Item = {
      kind: 'sample',
      row: {
        platform,
        videoId: known.videoId,
        creatorId: known.creatorId,
        observedAtMs,
        views,
        likes,
        comments,
        shares,
        saves,
        source,
        endpoint: 'generic',
        definitionVersion: 1,
        expiresAtMs: null,
      },
    }
    if (!isDue(known, observedAtMs)) return ok([sample])
    const { creatorId, creatorName, creatorHandle } = known
    const items: Item[] = [sample, { kind: 'video', row: { ...known.video, observedAtMs } }]
    if (creatorId !== '' && creatorName !== '') {
      const row = { platform, creatorId, name: creatorName, handle: creatorHandle, observedAtMs, source }
      items.push({ kind: 'creator', row })
    }
    return ok(items)
  }

  function isSame(known: Known, record: R, key: { platform: Platform; source: string }): boolean {
    if (known.source !== key.source || known.video.platform !== key.platform) return false
    for (let index = 0; index < described.length; index++) {
      const column = described[index]
      if (column && known.texts[index] !== text(record, column)) return false
    }
    return true
  }

  function describe(
    record: R,
    key: { platform: Platform; videoId: string; source: string; region: string },
  ): Known | StepResult<never> {
    const publishedAtMs = instantOf(get(record, 'published_at'))
    if (publishedAtMs === undefined) return badInstant('published_at')
    const durationSeconds = secondsOf(get(record, 'duration_seconds'))
    if (durationSeconds === undefined) {
      return dlq('bad_number', 'The duration_seconds of this record are not a number from 0 to 10000000.')
    }
    const kind = text(record, 'kind').trim().toLowerCase()
    if (kind !== '' && kind !== 'clip' && kind !== 'vod' && kind !== 'stream') {
      return dlq('invalid_kind', 'The kind of this record is not clip, vod or stream.')
    }
    const creatorName = cutText(ownText(text(record, 'creator_name').trim()), 500)
    const creatorId = creatorIdOf(text(record, 'creator_id').trim(), creatorName)
    const tags = tagsOf(get(record, 'tags'))
    const title = cutText(ownText(text(record, 'title')), 2000)
    const videoId = ownText(key.videoId)
    return {
      videoId,
      creatorId,
      texts: described.map(column => ownText(text(record, column))),
      source: key.source,
      toldAtMs: Number.NEGATIVE_INFINITY,
      creatorName,
      creatorHandle: cutText(ownText(text(record, 'creator_handle').trim()).replace(/^@/, ''), 300),
      video: {
        ...emptyVideo,
        platform: key.platform,
        videoId,
        creatorId,
        kind: kind === '' ? (key.platform === 'youtube' ? 'vod' : 'clip') : kind,
        title,
        url: cutText(ownText(text(record, 'url').trim()), 2000),
        thumbnailUrl: cutText(ownText(text(record, 'thumbnail_url').trim()), 2000),
        publishedAtMs,
        durationSeconds,
        category: cutText(ownText(text(record, 'category').trim()), 200),
        tags,
        regions: key.region === '' ? [] : [key.region],
        topics: topicsOf({ title, description: '', tags, hashtags: [text(record, 'topic')] }),
        source: key.source,
      },
    }
  }

  function readOther(
    record: R,
    key: { platform: Platform; observedAtMs: number; source: string },
  ): StepResult<readonly Item[]> {
    if (ofVideosOnly.some(column => text(record, column) !== '')) {
      return dlq('no_subject', 'The record describes a video but has no video_id.')
    }
    const counts = { views: countOf(get(record, 'views')), videos: countOf(get(record, 'videos')) }
    const followers = countOf(get(record, 'followers'))
    const likes = countOf(get(record, 'likes'))
    if (counts.views === undefined) return badCount('views')
    if (counts.videos === undefined) return badCount('videos')
    if (followers === undefined) return badCount('followers')
    if (likes === undefined) return badCount('likes')
    const { views, videos } = counts
    if (views === null && videos === null && followers === null && likes === null) return drop('no_counter')
    const rest = { ...key, definitionVersion: 1, expiresAtMs: null, endpoint: 'generic' }
    const name = cutText(ownText(text(record, 'creator_name').trim()), 500)
    const creatorId = creatorIdOf(text(record, 'creator_id').trim(), name)
    if (creatorId !== '') {
      if (!idPattern.test(creatorId))
        return dlq('invalid_id', 'The creator_id of this record holds control characters.')
      const handle = cutText(ownText(text(record, 'creator_handle').trim()).replace(/^@/, ''), 300)
      const items: Item[] = [{ kind: 'creatorSample', row: { ...rest, creatorId, followers, views, videos, likes } }]
      if (name !== '' || handle !== '') {
        const { platform, observedAtMs, source } = rest
        items.push({ kind: 'creator', row: { platform, creatorId, name, handle, observedAtMs, source } })
      }
      return ok(items)
    }
    const topic = normaliseTopic(text(record, 'topic'))
    if (topic === '') return dlq('no_subject', 'The record names no video_id, creator_id or topic.')
    return ok([{ kind: 'topicSample', row: { ...rest, topic, views, videos } }])
  }
}

/** Takes `youtube:dQw4w9WgXcQ` apart when no platform is given beside it. */
function splitWireId(platform: string, id: string): { platform: Platform | null; videoId: string } {
  if (platform !== '') return { platform: platformOf(platform), videoId: id }
  const colon = id.indexOf(':')
  return { platform: platformOf(id.slice(0, Math.max(0, colon))), videoId: id.slice(colon + 1) }
}

function platformOf(text: string): Platform | null {
  return exactPlatform(text) ?? exactPlatform(text.trim().toLowerCase())
}

function exactPlatform(text: string): Platform | null {
  return text === 'youtube' || text === 'tiktok' || text === 'instagram' ? text : null
}

function checkId(id: string): StepResult<never> | null {
  if (idPattern.test(id)) return checkSpreadsheetId(id)
  return dlq('invalid_id', 'The video_id is longer than 280 characters or holds control characters.')
}

function creatorIdOf(id: string, name: string): string {
  if (id !== '') return cutText(ownText(id), 280)
  return name === '' ? '' : cutText(`name:${name}`, 280)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Date) return String(value.getTime())
  return Array.isArray(value) ? value.map(textOf).join('|') : ''
}

function countOf(value: unknown): number | bigint | null | undefined {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return parseCount(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value === 'bigint') return parseCount(value.toString())
  return undefined
}

function instantOf(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null
  if (value instanceof Date) return parseInstant(Number.isNaN(value.getTime()) ? '?' : value.toISOString())
  return parseInstant(textOf(value))
}

function secondsOf(value: unknown): number | null | undefined {
  const text = textOf(value).trim()
  if (text === '') return null
  const seconds = Number(text)
  return seconds >= 0 && seconds <= 1e7 ? seconds : undefined
}

function tagsOf(value: unknown): string[] {
  const tags = Array.isArray(value) ? value.map(textOf) : textOf(value).split('|')
  return tags
    .map(tag => cutText(ownText(tag.trim()), 300))
    .filter(tag => tag !== '')
    .slice(0, 500)
}
