import { AppError } from '../../contracts/errors.ts'
import { splitQuoted } from '../read/csv.ts'
import { recogniseEncoding } from '../read/encoding.ts'
import type { FileHead } from '../read/file-text.ts'
import type { CsvFormat, Format, JsonObject, ObjectFormat } from './format.ts'
import { genericCsv, genericJsonLines, genericParquet } from './generic.ts'
import { influencersInstagram, influencersTiktok, influencersYoutube } from './influencers.ts'
import { instagramPosts, instagramReach } from './instagram.ts'
import { tiktokDiscover, tiktokTrending, tiktokUserVideos } from './tiktok.ts'
import { youtubeChannelDays, youtubeChannelList, youtubeChannelVideos, youtubeVideoLines } from './youtube-channels.ts'
import { youtubeSnapshots2025 } from './youtube-snapshots.ts'
import {
  youtubeScraper2018,
  youtubeTrending2017,
  youtubeTrending2018,
  youtubeTrending2020,
  youtubeTrending2024,
} from './youtube-trending.ts'

/** All formats, in the order in which they are tried: the particular ones before the generic one. */
const formats: readonly Format[] = [
  youtubeTrending2017,
  youtubeTrending2018,
  youtubeScraper2018,
  youtubeTrending2020,
  youtubeTrending2024,
  youtubeSnapshots2025,
  youtubeChannelDays,
  youtubeChannelList,
  youtubeChannelVideos,
  youtubeVideoLines,
  tiktokTrending,
  tiktokUserVideos,
  tiktokDiscover,
  instagramPosts,
  instagramReach,
  influencersInstagram,
  influencersTiktok,
  influencersYoutube,
  genericCsv,
  genericJsonLines,
  genericParquet,
]

/** What a file was found to be. */
export type Recognised =
  | { format: CsvFormat; delimiter: string; eol: '\n' | '\r'; columns: readonly string[] }
  | { format: ObjectFormat }

const delimiters = [',', ';', '\t', '|']

/** Tables that are real but hold nothing we measure: refused with the reason instead of a guess. */
const refusals: readonly { columns: readonly string[]; reason: string }[] = [
  {
    columns: ['channel', 'watch_time_minutes', 'peak_viewers'],
    reason:
      'is a table of Twitch streamers. Cliptape measures YouTube, TikTok and Instagram; Twitch is not among them.',
  },
  {
    columns: ['id', 'days', 'mature', 'partner', 'new_id'],
    reason: 'is a table of Twitch accounts. Cliptape measures YouTube, TikTok and Instagram; Twitch is not among them.',
  },
  { columns: ['message', 'time_in_seconds'], reason: chatReason() },
]

function chatReason(): string {
  return 'is a chat replay: it holds messages, not counters of videos, so there is nothing to import.'
}

/** Looks a format up by the name that `--as` takes; `generic` is any of the three generic ones. */
export function formatById(id: string): Format | null {
  return formats.find(format => format.id === id) ?? null
}

/**
 * Tells the format of a file by its content.
 * @param as the format that the user names, or undefined
 * @throws BAD_REQUEST with a sentence that names the file and the line
 */
export function recogniseFormat(head: FileHead, as: string | undefined): Recognised {
  const candidates = candidatesFor(as)
  if (head.bytes.subarray(0, 4).toString('latin1') === 'PAR1') return recogniseParquet(head, candidates, as)
  if (/\.(parquet|pq)(\.gz)?$/i.test(head.name) || as === 'generic-parquet') {
    throw refuse(head, 'is not a Parquet file: it does not begin with PAR1. Check that it was downloaded whole.')
  }
  const text = headText(head)
  const first = text.trimStart()
  if (first === '') throw refuse(head, 'holds nothing but blank space.')
  if (first.startsWith('{') || first.startsWith('[')) return recogniseJson(head, first, candidates, as)
  return recogniseTable(head, text, candidates, as)
}

function candidatesFor(as: string | undefined): readonly Format[] {
  if (as === undefined) return formats
  const named = formats.filter(format => format.id === as || (as === 'generic' && format.id.startsWith('generic-')))
  if (named.length > 0) return named
  const known = formats.map(format => format.id).join(', ')
  throw new AppError('BAD_REQUEST', `There is no format named ${as}. Known: generic, ${known}.`)
}

function recogniseParquet(head: FileHead, candidates: readonly Format[], as: string | undefined): Recognised {
  if (head.isGzip) throw refuse(head, 'is a Parquet file inside gzip: unpack it first with `gunzip`.')
  const format = candidates.find(candidate => candidate.container === 'parquet')
  if (!format || format.container === 'csv') throw refuse(head, `is a Parquet file, not ${as}.`)
  return { format }
}

function recogniseJson(
  head: FileHead,
  text: string,
  candidates: readonly Format[],
  as: string | undefined,
): Recognised {
  const lineEnd = text.indexOf('\n')
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd)
  const sample = parseObject(line)
  if (sample) {
    const lines = candidates.find(format => format.container === 'jsonl' && format.matches(sample))
    if (lines && lines.container !== 'csv') return { format: lines }
  }
  // A document is only known when it has been read whole: its own reader asks `matches` then.
  const hints: readonly [ObjectFormat, RegExp][] = [
    [youtubeSnapshots2025, /"categories"\s*:/],
    [tiktokTrending, /"collector"\s*:/],
  ]
  for (const [format, hint] of hints) {
    if (candidates.includes(format) && hint.test(text)) return { format }
  }
  if (/"time_in_seconds"|"time_text"/.test(text)) throw refuse(head, chatReason())
  if (/"youtube#videoCategor/.test(text)) {
    throw refuse(head, 'is YouTube’s list of categories, which Cliptape knows already: there is nothing to import.')
  }
  if (text.startsWith('[')) {
    throw refuse(head, 'is one JSON array: write one object a line (JSON lines), e.g. with `jq -c .[]`.')
  }
  const what = sample
    ? `line 1 has the fields ${Object.keys(sample).slice(0, 12).join(', ')}`
    : 'line 1 is not whole JSON'
  throw unknown(head, what, as)
}

function recogniseTable(
  head: FileHead,
  text: string,
  candidates: readonly Format[],
  as: string | undefined,
): Recognised {
  const eol = text.includes('\n') ? '\n' : text.includes('\r') ? '\r' : '\n'
  const tables = candidates.filter(format => format.container === 'csv')
  for (const delimiter of delimiters) {
    const [header, first] = firstRecords(text, delimiter, eol)
    const columns = header.map(name => name.trim().toLowerCase())
    const refusal = refusals.find(({ columns: names }) => names.every(name => columns.includes(name)))
    if (refusal) throw refuse(head, refusal.reason)
    for (const format of tables) {
      const isMatch = format.fixedColumns ? format.matches(columns, header) : format.matches(columns, first)
      if (!isMatch) continue
      if (!format.fixedColumns) refuseRepeated(head, columns)
      return { format, delimiter, eol, columns: format.fixedColumns ?? columns }
    }
  }
  const [header] = firstRecords(text, likeliestDelimiter(text), eol)
  const shown = header.slice(0, 12).map(name => name.slice(0, 40))
  throw unknown(head, `line 1 has ${header.length} column${header.length === 1 ? '' : 's'}: ${shown.join(', ')}`, as)
}

function refuseRepeated(head: FileHead, columns: readonly string[]): void {
  const repeated = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index)
  if (repeated) throw refuse(head, `has the column ${repeated} twice in line 1: rename one of them.`)
}

function firstRecords(text: string, delimiter: string, eol: string): [string[], string[]] {
  const records: [string[], string[]] = [[], []]
  let at = 0
  for (const record of records) {
    while (text[at] === '\n' || text[at] === '\r') at++
    if (at < text.length) at = splitQuoted(text, at, { delimiter, eol }, record).at + 1
  }
  return records
}

function likeliestDelimiter(text: string): string {
  const line = text.slice(0, 4096).split(/[\r\n]/)[0] ?? ''
  const counts = delimiters.map(delimiter => line.split(delimiter).length)
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ','
}

function headText(head: FileHead): string {
  const encoding = recogniseEncoding(head)
  const text = new TextDecoder(encoding).decode(head.bytes, { stream: !head.isWhole })
  return text
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** Whether a JSON value is an object with fields. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(head: FileHead, what: string): AppError {
  return new AppError('BAD_REQUEST', `The file ${head.name} ${what}`)
}

function unknown(head: FileHead, seen: string, as: string | undefined): AppError {
  return as === undefined
    ? refuse(
        head,
        `is in no known format: ${seen}. Use the generic columns (docs/import.md), or name the format with --as.`,
      )
    : refuse(head, `is not in the format ${as}: ${seen}.`)
}
