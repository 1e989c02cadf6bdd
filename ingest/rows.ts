import {
  type CreatorRecord,
  type CreatorSample,
  type Item,
  policyOf,
  type Sample,
  type TopicSample,
  type VideoRecord,
} from '../contracts/samples.ts'

/**
 * Rows as the engine takes them. Samples, which are many, go as tab-separated text: no column names to repeat and about
 * half the bytes of JSON to write here and to parse there. Descriptions, which are few and hold arrays and any text, go
 * as JSON lines.
 */

export type ItemKind = Item['kind']

/** Where each kind goes: table, columns in the order of its lines, input format. */
export const targets: Readonly<
  Record<ItemKind, { table: string; format: 'TabSeparated' | 'JSONEachRow'; columns: readonly string[] }>
> = {
  video: {
    table: 'videos_v1',
    format: 'JSONEachRow',
    columns: [
      'platform',
      'video_id',
      'creator_id',
      'kind',
      'title',
      'url',
      'thumbnail_url',
      'published_at',
      'ended_at',
      'duration_seconds',
      'category',
      'tags',
      'regions',
      'topics',
      'source',
      'observed_at',
      'expires_at',
    ],
  },
  creator: {
    table: 'creators_v1',
    format: 'JSONEachRow',
    columns: ['platform', 'creator_id', 'name', 'handle', 'source', 'observed_at', 'expires_at'],
  },
  creatorSample: {
    table: 'creator_samples_v1',
    format: 'TabSeparated',
    columns: [
      'platform',
      'creator_id',
      'observed_at',
      'followers',
      'views',
      'videos',
      'likes',
      'source',
      'endpoint',
      'definition_version',
      'expires_at',
    ],
  },
  topicSample: {
    table: 'topic_samples_v1',
    format: 'TabSeparated',
    columns: [
      'platform',
      'topic',
      'observed_at',
      'views',
      'videos',
      'source',
      'endpoint',
      'definition_version',
      'expires_at',
    ],
  },
  sample: {
    table: 'samples_v1',
    format: 'TabSeparated',
    columns: [
      'platform',
      'video_id',
      'creator_id',
      'observed_at',
      'views',
      'likes',
      'comments',
      'shares',
      'saves',
      'source',
      'endpoint',
      'definition_version',
      'expires_at',
    ],
  },
}

/** 2106-02-07 00:00:00 UTC in seconds: what the tables mean by "keep". */
const keepAtSec = 4_294_944_000

/** One line of `sample`, with its line end. */
export function sampleLine(row: Sample): string {
  return (
    `${row.platform}\t${escaped(row.videoId)}\t${escaped(row.creatorId)}\t${seconds(row.observedAtMs)}\t` +
    `${row.views ?? '\\N'}\t${row.likes ?? '\\N'}\t${row.comments ?? '\\N'}\t${row.shares ?? '\\N'}\t${row.saves ?? '\\N'}\t` +
    origin(row)
  )
}

/** One line of `creatorSample`, with its line end. */
export function creatorSampleLine(row: CreatorSample): string {
  return (
    `${row.platform}\t${escaped(row.creatorId)}\t${seconds(row.observedAtMs)}\t` +
    `${row.followers ?? '\\N'}\t${row.views ?? '\\N'}\t${row.videos ?? '\\N'}\t${row.likes ?? '\\N'}\t${origin(row)}`
  )
}

/** One line of `topicSample`, with its line end. */
export function topicSampleLine(row: TopicSample): string {
  return (
    `${row.platform}\t${escaped(row.topic)}\t${seconds(row.observedAtMs)}\t` +
    `${row.views ?? '\\N'}\t${row.videos ?? '\\N'}\t${origin(row)}`
  )
}

/** One line of `video`, with its line end. */
export function videoLine(row: VideoRecord): string {
  const record = {
    platform: row.platform,
    video_id: row.videoId.toWellFormed(),
    creator_id: row.creatorId.toWellFormed(),
    kind: row.kind,
    title: row.title.toWellFormed(),
    url: row.url.toWellFormed(),
    thumbnail_url: row.thumbnailUrl.toWellFormed(),
    published_at: row.publishedAtMs === null ? null : seconds(row.publishedAtMs),
    ended_at: row.endedAtMs === null ? null : seconds(row.endedAtMs),
    duration_seconds: row.durationSeconds,
    category: row.category.toWellFormed(),
    tags: row.tags.map(tag => tag.toWellFormed()),
    regions: row.regions,
    topics: row.topics.map(topic => topic.toWellFormed()),
    source: row.source,
    observed_at: seconds(row.observedAtMs),
    expires_at: textExpiresAtSec(row),
  }
  return `${JSON.stringify(record)}\n`
}

/** One line of `creator`, with its line end. */
export function creatorLine(row: CreatorRecord): string {
  const record = {
    platform: row.platform,
    creator_id: row.creatorId.toWellFormed(),
    name: row.name.toWellFormed(),
    handle: row.handle.toWellFormed(),
    source: row.source,
    observed_at: seconds(row.observedAtMs),
    expires_at: textExpiresAtSec(row),
  }
  return `${JSON.stringify(record)}\n`
}

/** When a description must be gone by its source's terms. */
function textExpiresAtSec({ source, observedAtMs }: VideoRecord | CreatorRecord): number {
  return expiresAtSec(observedAtMs, policyOf(source).keepTextMsMax)
}

/** When numbers of an instant must be gone by their source's terms, in epoch seconds; what the tables mean by "keep" without any. */
export function numbersExpireAtSec({ source, observedAtMs }: Pick<Sample, 'source' | 'observedAtMs'>): number {
  return expiresAtSec(observedAtMs, policyOf(source).keepMsMax)
}

function expiresAtSec(observedAtMs: number, keepMsMax: number | null): number {
  return keepMsMax === null ? keepAtSec : Math.floor((observedAtMs + keepMsMax) / 1000)
}

type Origin = Pick<Sample, 'source' | 'endpoint' | 'definitionVersion' | 'expiresAtMs' | 'observedAtMs'>

function origin(row: Origin): string {
  const asked = row.expiresAtMs === null ? keepAtSec : Math.floor(row.expiresAtMs / 1000)
  const endSec = Math.min(asked, numbersExpireAtSec(row))
  return `${escaped(row.source)}\t${escaped(row.endpoint)}\t${row.definitionVersion}\t${endSec}\n`
}

/** Epoch seconds with milliseconds, as the engine reads a DateTime64(3). Ten digits: four would be taken for a year. */
export function seconds(ms: number): string {
  const whole = Math.floor(ms / 1000)
  const rest = ms - whole * 1000
  const text = whole >= 1_000_000_000 ? `${whole}` : `${whole}`.padStart(10, '0')
  return rest === 0 ? text : `${text}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`
}

const special = /[\t\n\r\0\\]/
const escapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0', '\\': '\\\\' }

function escaped(text: string): string {
  return special.test(text) ? text.replace(/[\t\n\r\0\\]/g, character => escapes[character] ?? '') : text
}

/** Bytes of lines that grow as needed. */
export class LineBuffer {
  #bytes = Buffer.allocUnsafe(4 * 1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  append(line: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const need = this.#length + line.length * 3
    if (need > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(need, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#length += this.#bytes.write(line, this.#length, 'utf8')
  }

  /** What is there; valid until the next `append`. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}

/** Which fields of a description are not empty: part of its key, as the column `known` is of the table's. */
export function knownFields(row: VideoRecord | CreatorRecord): string {
  const fields =
    'title' in row
      ? [
          row.creatorId !== '',
          row.title !== '',
          row.url !== '',
          row.thumbnailUrl !== '',
          row.publishedAtMs !== null,
          row.endedAtMs !== null,
          row.durationSeconds !== null,
          row.category !== '',
          row.tags.length > 0,
        ]
      : [row.name !== '', row.handle !== '']
  return fields.map(Number).join('')
}
