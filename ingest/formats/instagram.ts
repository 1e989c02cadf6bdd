import { createHash } from 'node:crypto'
import { dlq, ok } from '../pipeline.ts'
import { topicsOf } from '../topics.ts'
import { cutText, ownText, parseCount, parseInstant } from '../values.ts'
import { badCount, badInstant, type CsvFormat, columnReader, emptySample, emptyVideo } from './format.ts'

const platform = 'instagram' as const
const flatten = (text: string) => text.replace(/\s+/g, ' ').trim()

/**
 * Posts as social media suites export them. The post's key is the shortcode in `Link`: spreadsheets destroyed
 * `Message-ID`. `Profile-ID` is the account that was collected, also on posts of co-authors, so the creator is the
 * profile by its name. No time of reading is given: the latest `Date` of the file stands for it. `Date` has no zone and
 * is read as UTC.
 */
export const instagramPosts: CsvFormat = {
  id: 'instagram-posts',
  title: 'Instagram posts (Date, Message, Profile, Likes per post, Comments per post, Link)',
  source: 'import:instagram-posts',
  container: 'csv',
  fixedColumns: null,
  matches: columns => ['date', 'message', 'profile', 'likes per post', 'link'].every(name => columns.includes(name)),
  instantOf(columns) {
    const date = columnReader(columns)('date')
    return fields => parseInstant(date(fields)) ?? null
  },
  open(columns, context) {
    const source = this.source
    const observedAtMs = context.snapshotAtMs
    const at = columnReader(columns)
    const [date, message, profile, link] = [at('date'), at('message'), at('profile'), at('link')]
    const [likesOf, commentsOf] = [at('likes per post'), at('comments per post')]
    return fields => {
      const shortcode = /\/(?:p|reel|tv)\/([A-Za-z0-9_-]{5,40})/.exec(link(fields))?.[1]
      if (shortcode === undefined) return dlq('invalid_id', 'The Link of this record holds no post shortcode.')
      const publishedAtMs = parseInstant(date(fields))
      if (publishedAtMs === undefined || publishedAtMs === null) return badInstant('Date')
      const likes = parseCount(likesOf(fields))
      if (likes === undefined) return badCount('likes')
      const comments = parseCount(commentsOf(fields))
      if (comments === undefined) return badCount('comments')
      const name = ownText(profile(fields))
      const creatorId = name === '' ? '' : cutText(`name:${name}`, 280)
      const videoId = ownText(shortcode)
      const text = message(fields)
      const common = { platform, videoId, creatorId, observedAtMs, source }
      return ok([
        { kind: 'sample', row: { ...emptySample, ...common, likes, comments, endpoint: 'posts' } },
        {
          kind: 'video',
          row: {
            ...emptyVideo,
            ...common,
            kind: 'clip',
            title: cutText(ownText(flatten(text)), 300),
            url: cutText(ownText(link(fields)), 2000),
            publishedAtMs,
            tags: [],
            regions: [],
            topics: topicsOf({ title: '', description: text, tags: [] }),
          },
        },
        ...(creatorId === ''
          ? []
          : [
              {
                kind: 'creator' as const,
                row: { platform, creatorId, name: cutText(name, 500), handle: '', observedAtMs, source },
              },
            ]),
      ])
    }
  },
}

/**
 * Insights of one account's posts. Impressions are what Instagram later named views. Posts have no id: a hash of date,
 * caption and hashtags stands for it.
 */
export const instagramReach: CsvFormat = {
  id: 'instagram-reach',
  title: 'Instagram insights of one account (Date, Impressions, Saves, Comments, Shares, Likes, Caption)',
  source: 'import:instagram-reach',
  container: 'csv',
  fixedColumns: null,
  matches: columns =>
    ['date', 'impressions', 'saves', 'shares', 'likes', 'caption'].every(name => columns.includes(name)),
  instantOf(columns) {
    const date = columnReader(columns)('date')
    return fields => parseInstant(date(fields)) ?? null
  },
  open(columns, context) {
    const source = this.source
    const observedAtMs = context.snapshotAtMs
    const at = columnReader(columns)
    const [date, caption, hashtagsOf] = [at('date'), at('caption'), at('hashtags')]
    const counters = [at('impressions'), at('likes'), at('comments'), at('shares'), at('saves')]
    return fields => {
      const publishedAtMs = parseInstant(date(fields))
      if (publishedAtMs === undefined || publishedAtMs === null) return badInstant('Date')
      const [views, likes, comments, shares, saves] = counters.map(read => parseCount(read(fields)))
      if (views === undefined) return badCount('impressions')
      if (likes === undefined) return badCount('likes')
      if (comments === undefined) return badCount('comments')
      if (shares === undefined) return badCount('shares')
      if (saves === undefined) return badCount('saves')
      const key = createHash('sha256').update(`${date(fields)}\n${caption(fields)}\n${hashtagsOf(fields)}`)
      const common = {
        platform,
        videoId: `post-${key.digest('hex').slice(0, 16)}`,
        creatorId: '',
        observedAtMs,
        source,
      }
      const hashtags = hashtagsOf(fields).split(/[\s#\u00a0]+/)
      return ok([
        {
          kind: 'sample',
          row: { ...emptySample, ...common, views, likes, comments, shares, saves, endpoint: 'insights' },
        },
        {
          kind: 'video',
          row: {
            ...emptyVideo,
            ...common,
            kind: 'clip',
            title: cutText(ownText(flatten(caption(fields))), 300),
            publishedAtMs,
            tags: hashtags.filter(tag => tag !== '').map(tag => cutText(ownText(tag), 300)),
            regions: [],
            topics: topicsOf({ title: '', description: caption(fields), tags: [], hashtags }),
          },
        },
      ])
    }
  },
}
