import type { Item } from '../../contracts/samples.ts'
import { youtubeCategories } from '../../platforms/youtube/categories.ts'
import { ok } from '../pipeline.ts'
import { topicsOf } from '../topics.ts'
import { cutText, ownText, parseCount, parseInstant, utcDay } from '../values.ts'
import {
  badCount,
  badInstant,
  type CsvFormat,
  checkYoutubeId,
  columnReader,
  emptyVideo,
  isDue,
  Memo,
  type ReadContext,
  type RowReader,
  sourceName,
} from './format.ts'

/**
 * The tables of YouTube's trending lists, 2017 to 2024: one row per video, country and day. Generations differ in the
 * names of columns and in how a day is written; what they mean is the same, so one reader serves all.
 */

const source = 'import:youtube-trending'

/** Days repeat for hundreds of rows: the last one is remembered. */
function dayReader(parse: (text: string) => number | undefined): (text: string) => number | undefined {
  let lastText = ''
  let lastMs: number | undefined
  return text => {
    if (text !== lastText) {
      lastMs = parse(text)
      lastText = ownText(text)
    }
    return lastMs
  }
}

/** `17.14.11`: year, **day**, month. */
function parseYearDayMonth(text: string): number | undefined {
  const match = /^(\d{2})\.(\d{2})\.(\d{2})$/.exec(text)
  return match ? utcDay(2000 + Number(match[1]), Number(match[3]), Number(match[2])) : undefined
}

/** `13.09`: day and month of 2017, the only year that this layout was written in; spreadsheets drop a trailing zero. */
function parseDayMonth2017(text: string): number | undefined {
  const match = /^(\d{1,2})\.(\d{1,2})$/.exec(text)
  if (!match) return undefined
  const month = match[2] === '1' ? 10 : Number(match[2])
  return utcDay(2017, month, Number(match[1]))
}

const isYearDayMonth = (text: string) => /^\d{2}\.\d{2}\.\d{2}$/.test(text)
const isIso = (text: string) => /^\d{4}-\d{2}-\d{2}/.test(text)

interface Layout {
  readonly generation: string
  readonly dayColumn: string
  readonly parseDay: (text: string) => number | undefined
}

const newColumns = [
  'video_id',
  'title',
  'publishedat',
  'channelid',
  'channeltitle',
  'categoryid',
  'trending_date',
  'tags',
  'view_count',
  'likes',
  'dislikes',
  'comment_count',
  'thumbnail_link',
  'comments_disabled',
  'ratings_disabled',
  'description',
] as const

const has = (columns: readonly string[], ...names: string[]) => names.every(name => columns.includes(name))
const dayOf = (columns: readonly string[], first: readonly string[]) => first[columns.indexOf('trending_date')] ?? ''

/** September and October 2017: `comment_total`, and days as dd.mm without a year. */
export const youtubeTrending2017: CsvFormat = {
  id: 'youtube-trending-2017',
  title: 'YouTube trending, Kaggle, the layout of September 2017 (day as dd.mm, comment_total)',
  source,
  isPerCountry: true,
  container: 'csv',
  fixedColumns: null,
  matches: columns => has(columns, 'video_id', 'channel_title', 'views', 'comment_total', 'date'),
  open: (columns, context) =>
    openTrending(columns, context, { generation: '2017-09', dayColumn: 'date', parseDay: parseDayMonth2017 }),
}

/** November 2017 to June 2018, in all cuts: what columns there are beside id, day and counters does not matter. */
export const youtubeTrending2018: CsvFormat = {
  id: 'youtube-trending-2018',
  title: 'YouTube trending, Kaggle, November 2017 to June 2018 (day as yy.dd.mm, channel titles)',
  source,
  isPerCountry: true,
  container: 'csv',
  fixedColumns: null,
  matches: columns => has(columns, 'video_id', 'trending_date', 'views') && !columns.includes('channelid'),
  open: (columns, context) =>
    openTrending(columns, context, {
      generation: '2017-2018',
      dayColumn: 'trending_date',
      parseDay: text => parseYearDayMonth(text) ?? parseInstant(text) ?? undefined,
    }),
}

/** The scraper behind the Kaggle set: the later columns, the earlier way to write a day. */
export const youtubeScraper2018: CsvFormat = {
  id: 'youtube-scraper-2018',
  title: 'YouTube trending, output of the 2018 scraper (day as yy.dd.mm, channel ids)',
  source,
  isPerCountry: true,
  container: 'csv',
  fixedColumns: null,
  matches: (columns, first) =>
    has(columns, 'video_id', 'trending_date', 'channelid', 'view_count') && isYearDayMonth(dayOf(columns, first)),
  open: (columns, context) =>
    openTrending(columns, context, {
      generation: '2018-11',
      dayColumn: 'trending_date',
      parseDay: parseYearDayMonth,
    }),
}

const layout2020: Layout = {
  generation: '2020',
  dayColumn: 'trending_date',
  parseDay: text => parseInstant(text) ?? undefined,
}

/** August 2020 to 2024, with its header. */
export const youtubeTrending2020: CsvFormat = {
  id: 'youtube-trending-2020',
  title: 'YouTube trending, Kaggle, August 2020 to 2024 (ISO days, channel ids)',
  source,
  isPerCountry: true,
  container: 'csv',
  fixedColumns: null,
  matches: (columns, first) =>
    has(columns, 'video_id', 'trending_date', 'channelid', 'view_count') && !isYearDayMonth(dayOf(columns, first)),
  open: (columns, context) => openTrending(columns, context, layout2020),
}

/** The same table without its header line. */
export const youtubeTrending2024: CsvFormat = {
  id: 'youtube-trending-2024',
  title: 'YouTube trending, Kaggle, 2024: the columns of 2020 without a header line',
  source,
  isPerCountry: true,
  container: 'csv',
  fixedColumns: newColumns,
  matches: (_columns, first) =>
    first.length === newColumns.length &&
    isIso(first[2] ?? '') &&
    isIso(first[6] ?? '') &&
    /^(UC[\w-]{22}|)$/.test(first[3] ?? '') &&
    /^\d+$/.test(first[8] ?? ''),
  open: (columns, context) => openTrending(columns, context, layout2020),
}

/** What is known of a video beside its counters; made once per video, not per row. */
interface Known {
  /** As they stand in the table: when one of them changes, the description is told anew. */
  title: string
  channel: string
  tags: string
  videoId: string
  creatorId: string
  toldAtMs: number
  metadata: (observedAtMs: number) => readonly Item[]
}

function openTrending(columns: readonly string[], context: ReadContext, layout: Layout): RowReader<readonly string[]> {
  const at = columnReader(columns)
  const idOf = at('video_id')
  const dayTextOf = at(layout.dayColumn)
  const titleOf = at('title')
  const channelOf = at('channel_title', 'channeltitle')
  const tagsOf = at('tags')
  const viewsOf = at('views', 'view_count')
  const likesOf = at('likes')
  const commentsOf = at('comment_count', 'comment_total')
  const areCommentsOff = at('comments_disabled')
  const areRatingsOff = at('ratings_disabled')
  const toDay = dayReader(layout.parseDay)
  const source_ = sourceName(source, context.region)
  const describe = openDescription(columns, context, source_)
  const memo = new Memo<Known>()

  return fields => {
    const id = idOf(fields)
    const refusal = checkYoutubeId(id)
    if (refusal) return refusal
    const observedAtMs = toDay(dayTextOf(fields))
    if (observedAtMs === undefined) return badInstant(layout.dayColumn)
    const views = parseCount(viewsOf(fields))
    if (views === undefined) return badCount('views')
    const likes = isTrue(areRatingsOff(fields)) ? null : parseCount(likesOf(fields))
    if (likes === undefined) return badCount('likes')
    const comments = isTrue(areCommentsOff(fields)) ? null : parseCount(commentsOf(fields))
    if (comments === undefined) return badCount('comments')
    let known = memo.get(id)
    if (
      !known ||
      known.title !== titleOf(fields) ||
      known.channel !== channelOf(fields) ||
      known.tags !== tagsOf(fields)
    ) {
      known = describe(fields)
      memo.set(known.videoId, known)
    }
    const sample: Item = {
      kind: 'sample',
      row: {
        platform: 'youtube',
        videoId: known.videoId,
        creatorId: known.creatorId,
        observedAtMs,
        views,
        likes,
        comments,
        shares: null,
        saves: null,
        source: source_,
        endpoint: layout.generation,
        definitionVersion: 1,
        expiresAtMs: null,
      },
    }
    return ok(isDue(known, observedAtMs) ? [sample, ...known.metadata(observedAtMs)] : [sample])
  }
}

/** Where YouTube has switched a counter off the tables say 0; it is not given, so it is null here. */
function isTrue(text: string): boolean {
  return text === 'True' || text === 'TRUE' || text === 'true'
}

function openDescription(
  columns: readonly string[],
  context: ReadContext,
  source_: string,
): (fields: readonly string[]) => Known {
  const at = columnReader(columns)
  const read = {
    id: at('video_id'),
    title: at('title'),
    channel: at('channel_title', 'channeltitle'),
    channelId: at('channelid'),
    category: at('category_id', 'categoryid'),
    published: at('publish_time', 'publishedat'),
    tags: at('tags'),
    thumbnail: at('thumbnail_link'),
    description: at('description'),
  }
  const regions = context.region === '' ? [] : [context.region]
  return fields => {
    const videoId = ownText(read.id(fields))
    const title = ownText(read.title(fields))
    const channel = ownText(read.channel(fields))
    const channelId = ownText(read.channelId(fields))
    const creatorId = channelId !== '' ? channelId : channel === '' ? '' : cutText(`name:${channel}`, 280)
    const tagsText = ownText(read.tags(fields))
    const tags = splitTags(tagsText)
    const video = {
      ...emptyVideo,
      platform: 'youtube' as const,
      videoId,
      creatorId,
      kind: /#shorts?\b/i.test(title) ? ('clip' as const) : ('vod' as const),
      title: cutText(title, 2000),
      url: `https://www.youtube.com/watch?v=${videoId}`,
      thumbnailUrl: cutText(ownText(read.thumbnail(fields)), 2000),
      publishedAtMs: parseInstant(read.published(fields)) ?? null,
      category: youtubeCategories[read.category(fields)] ?? '',
      tags,
      regions,
      topics: topicsOf({ title, description: read.description(fields), tags }),
      source: source_,
    }
    const creator = {
      platform: 'youtube' as const,
      creatorId,
      name: cutText(channel, 500),
      handle: '',
      source: source_,
    }
    return {
      title,
      channel,
      tags: tagsText,
      toldAtMs: Number.NEGATIVE_INFINITY,
      videoId,
      creatorId,
      metadata: observedAtMs => {
        const items: Item[] = [{ kind: 'video', row: { ...video, observedAtMs } }]
        if (creatorId !== '') items.push({ kind: 'creator', row: { ...creator, observedAtMs } })
        return items
      },
    }
  }
}

/** Tags as the tables write them: `"a"|"b"` or `a|b`; `[none]` is no tag. */
function splitTags(text: string): string[] {
  if (text === '' || text.toLowerCase() === '[none]') return []
  return text
    .split('|')
    .map(tag => cutText(tag.replaceAll('"', '').trim(), 300))
    .filter(tag => tag !== '')
    .slice(0, 500)
}
