import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, describe as group, it } from 'vitest'
import { UserIdSchema } from '../../contracts/ids.ts'
import { DescribeParamsSchema, SeriesParamsSchema, TrendsParamsSchema } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { computeLive } from '../live.ts'
import { LiveLists } from '../live-lists.ts'
import { describe } from '../measures/describe.ts'
import { series } from '../measures/series.ts'
import { trends } from '../measures/trends.ts'
import { type AnalyticsRig, startAnalyticsRig } from '../test-rig.ts'
import { type OwnClippers, readOwnClippers } from './clippers.ts'
import { type FoundCopy, writeCopies } from './copies.ts'
import { writeMediaPrint } from './media-prints.ts'

const own = 'own:00000000-0000-4000-8000-000000000001'
/** The one who asks has media of two films of one creator, of one of another's, of four posts, and an own recording. */
const owner = UserIdSchema.parse(randomUUID())
const vods = [
  { vodId: 'youtube:film', creatorId: 'youtube:maker' },
  // Whose it is nobody said: its post does.
  { vodId: 'youtube:sequel', creatorId: null },
  { vodId: 'youtube:other', creatorId: 'youtube:quiet' },
  { vodId: own, creatorId: null },
]
const posts = [
  // Twice by one account, once by another on the fourth, once by a third before; and by the maker.
  { platform: 'tiktok', video: 'a', creator: 'ann', publishedAt: '2024-01-04T12:00:00' },
  { platform: 'tiktok', video: 'b', creator: 'ann', publishedAt: '2024-01-04T18:00:00' },
  { platform: 'tiktok', video: 'c', creator: 'bob', publishedAt: '2024-01-04T06:00:00' },
  { platform: 'instagram', video: 'd', creator: 'cy', publishedAt: '2024-01-03T06:00:00' },
  { platform: 'youtube', video: 'e', creator: 'maker', publishedAt: '2024-01-04T06:00:00' },
  // Only the sound; and one of which nobody knows when.
  { platform: 'tiktok', video: 'f', creator: 'dee', publishedAt: '2024-01-04T06:00:00' },
  { platform: 'tiktok', video: 'g', creator: 'eve', publishedAt: null },
] as const

let rig: AnalyticsRig
let clippers: OwnClippers | null
beforeAll(async () => {
  rig = await startAnalyticsRig()
  await rig.fresh('2024-01-05T00:00:00')
  await rig.videos([
    ...posts,
    { video: 'film', creator: 'maker', publishedAt: '2023-12-01T00:00:00' },
    { video: 'sequel', creator: 'maker', publishedAt: '2023-12-02T00:00:00' },
    { video: 'other', creator: 'quiet', publishedAt: '2023-12-03T00:00:00' },
    { video: 'unseen', creator: 'nobody', publishedAt: '2023-12-04T00:00:00' },
  ])
  await rig.samples(
    [
      ['film', 'maker', 10],
      ['sequel', 'maker', 20],
      ['other', 'quiet', 30],
      ['unseen', 'nobody', 40],
    ].flatMap(([video, creator, gain]) => [
      { video: String(video), creator: String(creator), at: '2024-01-04T00:00:00', views: 1000 },
      { video: String(video), creator: String(creator), at: '2024-01-05T00:00:00', views: 1000 + Number(gain) },
    ]),
  )
  await rig.settle()
  const track = {
    view: 'full',
    isMirrored: false,
    atSec: [0],
    words: Uint32Array.from({ length: 8 }, (_, word) => word),
  }
  const printed = [...vods.map(({ vodId }) => vodId), 'youtube:gone']
  for (const vodId of printed)
    await writeMediaPrint(rig.ctx, { owner, vodId }, { views: [track], parts: [], sound: null })
  // Of this there is only sound.
  const heard = { views: [], parts: [], sound: Uint32Array.of(1, 2) }
  await writeMediaPrint(rig.ctx, { owner, vodId: 'youtube:unseen' }, heard)
  await writeCopies(
    rig.ctx,
    owner,
    [
      copy('youtube:film', 'tiktok:a'),
      copy('youtube:film', 'tiktok:b', 'both'),
      copy('youtube:film', 'youtube:e'),
      copy('youtube:film', 'tiktok:f', 'sound'),
      copy('youtube:film', 'tiktok:g'),
      copy('youtube:sequel', 'tiktok:a'),
      copy('youtube:sequel', 'tiktok:c'),
      copy('youtube:sequel', 'instagram:d'),
      copy(own, 'tiktok:c'),
    ],
    new Date('2024-01-05T00:00:00Z'),
  )
  clippers = await readOwnClippers(rig.ctx, owner, [...vods, { vodId: 'youtube:unseen', creatorId: null }])
})
afterAll(() => rig.close())

const copy = (originalVodId: string, vodId: string, kind: FoundCopy['kind'] = 'picture'): FoundCopy => {
  const found = { isMirrored: false, speed: 1, startSec: 0, pictureShare: 1, soundDifference: null }
  return { originalVodId, vodId, kind, ...found }
}
const mine = (): AnalyticsContext => ({ ...rig.ctx, ...(clippers && { clippers }) })
const counts = async (ctx: AnalyticsContext, params: object) =>
  (await trends(ctx, TrendsParamsSchema.parse(params))).rows.map(row => [row.key, row.clippers ?? row.missing.clippers])

group('the clipper count of who has media', () => {
  it('is in the rows of creators and clips, over the window that the list is about', async () => {
    // By ann and bob; without the maker, the sound, and what nobody knows the instant of. Nobody copied the other film.
    expect(await counts(mine(), { type: 'creators' })).toEqual([
      ['youtube:nobody', 'not_provided'],
      ['youtube:maker', 2],
      ['youtube:quiet', 0],
    ])
    expect(await counts(mine(), { type: 'clips' })).toEqual([
      ['youtube:unseen', 'not_provided'],
      ['youtube:other', 0],
      ['youtube:sequel', 2],
      ['youtube:film', 1],
    ])
    // From the third on cy too.
    expect((await counts(mine(), { type: 'creators', period: '7d' })).find(([key]) => key === 'youtube:maker')).toEqual(
      ['youtube:maker', 3],
    )
  })

  it('orders lists, and its order counts for the change of rank', async () => {
    expect((await counts(mine(), { type: 'creators', sort: 'clippers' })).map(([key]) => key)).toEqual([
      'youtube:maker',
      'youtube:quiet',
      'youtube:nobody',
    ])
    const { rows } = await trends(mine(), TrendsParamsSchema.parse({ sort: 'clippers', limit: 2 }))
    expect(rows.map(row => [row.key, row.clippers])).toEqual([
      ['youtube:sequel', 2],
      ['youtube:film', 1],
    ])
    // The day before, cy alone had posted something: of the sequel.
    expect(rows[0]?.rankChange).toBe(0)
    expect(await counts(rig.ctx, { sort: 'clippers', limit: 1 })).toEqual([['youtube:unseen', 'not_provided']])
  })

  it('is a line over time of a creator, of a video, and of a recording that is on no platform', async () => {
    const line = async (type: string, id: string, ctx = mine()) => {
      const params = SeriesParamsSchema.parse({ type, id, metric: 'clippers', period: '7d', bucket: '1d' })
      return (await series(ctx, params)).points.slice(-3).map(point => point.value ?? point.state)
    }
    // Days that end at the midnights of the third, fourth and fifth.
    expect(await line('creators', 'youtube:maker')).toEqual([0, 1, 2])
    expect(await line('clips', 'youtube:film')).toEqual([0, 0, 1])
    expect(await line('clips', own)).toEqual([0, 0, 1])
    expect(await line('clips', 'youtube:unseen')).toEqual(['not_provided', 'not_provided', 'not_provided'])
    expect(await line('creators', 'youtube:maker', rig.ctx)).toEqual(['not_provided', 'not_provided', 'not_provided'])
    expect(() => SeriesParamsSchema.parse({ type: 'clips', id: own, metric: 'views' })).toThrow('platform:id')
  })

  it('is among what is known of a clip and of a creator', async () => {
    const fact = async (ctx: AnalyticsContext, type: string, id: string) =>
      (await describe(ctx, DescribeParamsSchema.parse({ type, id }))).find(({ key }) => key === 'clippers')
    expect(await fact(mine(), 'creators', 'youtube:maker')).toMatchObject({ value: 2, source: 'your media' })
    expect(await fact(mine(), 'clips', 'youtube:other')).toMatchObject({ value: 0, state: 'zero' })
    expect(await fact(rig.ctx, 'clips', 'youtube:film')).toMatchObject({ value: null, state: 'not_provided' })
  })

  it('stays with the one who asked, also where the list behind it is kept for everybody', async () => {
    const lists = new LiveLists()
    const shown = async (ctx: AnalyticsContext) =>
      (await computeLive(ctx, 'trends', { period: '24h' }, lists)).rows.map(row => row.clippers)
    expect(await shown(mine())).toEqual([null, 0, 2, 1])
    expect(await shown(rig.ctx)).toEqual([null, null, null, null])
    const stranger = UserIdSchema.parse(randomUUID())
    expect(await readOwnClippers(rig.ctx, stranger, vods)).toBeNull()
  })
})
