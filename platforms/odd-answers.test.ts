import fc from 'fast-check'
import { expect, it } from 'vitest'
import { manualClock } from '../core/clock.ts'
import { urlsNowhere } from '../test/urls-nowhere.ts'
import { openPlatforms } from './clients.ts'
import { type AccountReading, type CredentialKind, type DataAccess, type PlatformData, PlatformError } from './port.ts'

/** Whatever a platform sends, a client gives readings of the right form or a `PlatformError`: never anything else. */

const clock = manualClock(Date.UTC(2026, 10, 21))
let answer = { status: 200, headers: {}, body: '{}' }
const platforms = openPlatforms({
  clock,
  outbound: { fetchConfigured: async () => answer },
  urls: urlsNowhere,
})
const access: DataAccess = { accessToken: 'token' }

function accountOf(platform: AccountReading['platform']): AccountReading {
  const none = { followers: null, views: null, videos: null, likes: null, uploadsId: null, odd: [] }
  return { platform, creatorId: 'UC1', name: '', handle: 'name', avatarUrl: '', observedAtMs: 0, endpoint: '', ...none }
}

function callsOf(data: PlatformData): (Promise<unknown> | undefined)[] {
  const own = accountOf(data.platform)
  const day = { from: '2026-10-01', to: '2026-10-01' }
  return [
    data.account(access, 'UC1'),
    data.accounts(access, null),
    data.posts(access, own, null, '17841'),
    data.posts(access, own, null),
    data.metrics(access, own, ['a']),
    data.details?.(access, ['a', 'b']),
    data.broadcasts?.(access, null),
    data.creator?.(access, { by: 'username', value: 'name' }, '17841'),
    data.chart?.(access, { region: 'US', categoryId: null }, null),
    data.daily?.(access, own, day),
  ]
}

const video = {
  id: 'dQw4w9WgXcQ',
  snippet: {
    publishedAt: '2026-10-01T18:00:07Z',
    channelId: 'UC1',
    title: 't',
    tags: ['a'],
    thumbnails: { high: { url: 'https://a' } },
  },
  contentDetails: { duration: 'PT58S', videoId: 'v', videoPublishedAt: '2026-10-01T18:00:07Z' },
  statistics: { viewCount: '123', likeCount: '4', subscriberCount: '5', hiddenSubscriberCount: false },
  liveStreamingDetails: { actualStartTime: '2026-10-01T18:00:07Z', actualEndTime: '2026-10-01T19:00:07Z' },
}
const media = { id: '1', caption: 'c', timestamp: '2026-10-01T07:56:32+0000', like_count: 3, permalink: 'https://a' }
const samples: readonly unknown[] = [
  {
    items: [video, video],
    nextPageToken: 'N',
    columnHeaders: [{ name: 'day' }, { name: 'views' }],
    rows: [['2026-10-01', 5]],
  },
  {
    error: {
      code: 403,
      message: 'm',
      errors: [{ reason: 'quotaExceeded' }],
      status: 'PERMISSION_DENIED',
      details: [{ reason: 'R' }],
    },
  },
  {
    data: {
      videos: [{ id: '7', create_time: 1_760_000_000, title: 't', view_count: 5 }],
      cursor: 1_759_990_000_000,
      has_more: true,
    },
    error: { code: 'ok' },
  },
  { data: { user: { open_id: 'UC1', display_name: 'n', follower_count: 7 } }, error: { code: 'ok' } },
  {
    data: [media, media],
    paging: { cursors: { after: 'A' }, next: 'https://a' },
    id: '1',
    user_id: 'UC1',
    followers_count: 7,
  },
  {
    data: [
      { name: 'views', values: [{ value: 5 }], total_value: { value: 6 } },
      { instagram_business_account: { id: '1' } },
    ],
  },
  { business_discovery: { id: '9', username: 'n', media: { data: [media], paging: { cursors: { after: 'B' } } } } },
  { error: { message: 'm', code: 190, error_subcode: 463, is_transient: true } },
  { error: 'invalid_grant', error_description: 'd' },
  { error_type: 'OAuthException', code: 400, error_message: 'm' },
]

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(-1, '-1', 1.5, ''),
  fc.constantFrom<unknown>(
    null,
    [],
    {},
    '',
    -1,
    1.5,
    1e300,
    '99999999999999999999',
    'NaN',
    true,
    '\u001b[2J',
    { length: 3 },
    [[]],
    'x'.repeat(20_000),
  ),
)

/** Which value, counted from the outside; without the bias to the first ones, which leave nothing of an answer. */
const place = fc.noBias(fc.integer({ min: 1, max: 45 }))

/** A sample with a few of its values made odd. */
const damaged: fc.Arbitrary<unknown> = fc
  .tuple(fc.constantFrom(...samples), fc.array(fc.tuple(place, odd), { maxLength: 3 }))
  .map(([sample, damages]) =>
    damages.reduce<unknown>((json, [place, value]) => withAt(json, { left: place }, value), sample),
  )

function withAt(json: unknown, count: { left: number }, value: unknown): unknown {
  count.left -= 1
  if (count.left === -1) return value
  if (Array.isArray(json)) return json.map(one => withAt(one, count, value))
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([key, one]) => [key, withAt(one, count, value)]))
}

const countNames = [
  'followers',
  'views',
  'videos',
  'likes',
  'comments',
  'shares',
  'saves',
  'followersGained',
  'followersLost',
]
const textNames = [
  'creatorId',
  'videoId',
  'name',
  'handle',
  'title',
  'url',
  'thumbnailUrl',
  'avatarUrl',
  'category',
  'endpoint',
]

/** Every field of a reading has the type that the port says. */
function expectReadings(given: unknown): void {
  if (Array.isArray(given)) return given.forEach(expectReadings)
  if (typeof given !== 'object' || given === null) return
  for (const [name, value] of Object.entries(given)) {
    if (name === 'items') expectReadings(value)
    if (countNames.includes(name) && value !== null) expect(typeof value === 'bigint' && value >= 0n).toBe(true)
    if (textNames.includes(name)) expect(typeof value).toBe('string')
    if (name.endsWith('AtMs') || name === 'durationSeconds')
      expect(value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0)).toBe(true)
    if (name === 'next') expect(value === null || typeof value === 'string').toBe(true)
    if (name === 'tags') expect(Array.isArray(value) && value.every(tag => typeof tag === 'string')).toBe(true)
  }
}

it.each<CredentialKind>(['google', 'tiktok_desktop', 'instagram_login', 'facebook_login'])(
  'bears every answer with the credentials %s',
  async kind => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ arbitrary: damaged, weight: 9 }, fc.jsonValue()),
        fc.noBias(fc.constantFrom(200, 200, 200, 200, 200, 200, 400, 401, 429, 500)),
        async (json, status) => {
          answer = { status, headers: { 'x-app-usage': JSON.stringify(json) }, body: JSON.stringify(json) }
          for (const outcome of await Promise.allSettled(callsOf(platforms.data(kind)))) {
            if (outcome.status === 'fulfilled') expectReadings(outcome.value)
            else expect(outcome.reason).toBeInstanceOf(PlatformError)
          }
        },
      ),
      { numRuns: 1000 },
    )
  },
)
