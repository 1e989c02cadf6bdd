import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bearer, linkGoogle, openTestSandbox, startMs, type TestSandbox, withQuery } from './test-sandbox.ts'

let test: TestSandbox
let token: string
beforeAll(async () => {
  test = await openTestSandbox({ creatorCount: 4 })
  token = (await linkGoogle(test)).json.access_token
})
afterAll(() => test.sandbox.close())

const ask = (query: Record<string, string>) =>
  test.get(
    withQuery(`${test.sandbox.urls.youtubeAnalytics}/v2/reports`, {
      ids: 'channel==MINE',
      startDate: '2037-11-10',
      endDate: '2037-11-21',
      metrics: 'views,likes',
      ...query,
    }),
    bearer(token),
  )

describe('reports', () => {
  it('have headers with types, numbers as numbers, and no day of the last two', async () => {
    const { json } = await ask({ dimensions: 'day' })
    expect(json).toMatchObject({
      kind: 'youtubeAnalytics#resultTable',
      columnHeaders: [
        { name: 'day', columnType: 'DIMENSION', dataType: 'STRING' },
        { name: 'views', columnType: 'METRIC', dataType: 'INTEGER' },
        { name: 'likes', columnType: 'METRIC', dataType: 'INTEGER' },
      ],
    })
    expect(json.rows[0]).toEqual(['2037-11-10', expect.any(Number), expect.any(Number)])
    expect(json.rows.at(-1)[0]).toBe('2037-11-18')
  })

  it('have no rows at all where there are none', async () => {
    expect((await ask({ startDate: '2037-11-21' })).json).not.toHaveProperty('rows')
  })

  it('refuse metrics of two kinds in one question', async () => {
    expect(await ask({ metrics: 'views,audienceWatchRatio' })).toMatchObject({
      status: 400,
      json: { error: { message: 'The query is not supported.', errors: [{ reason: 'badRequest' }] } },
    })
    expect((await ask({ metrics: 'videoThumbnailImpressions' })).status).toBe(400)
    expect((await ask({ ids: 'channel==UCsomebodyelse' })).status).toBe(403)
    expect((await ask({ metrics: 'estimatedRevenue' })).json.error.errors[0].reason).toBe('insufficientPermissions')
  })

  it('rank videos, and agree with the sum over the days', async () => {
    const days = (await ask({ dimensions: 'day' })).json.rows
    const videos = (await ask({ dimensions: 'video', sort: '-views', maxResults: '200' })).json.rows
    const sum = (rows: [string, number][]) => rows.reduce((total, row) => total + row[1], 0)
    expect(videos[0][1]).toBeGreaterThanOrEqual(videos[1][1])
    expect(Math.abs(sum(videos) / sum(days) - 1)).toBeLessThan(0.05)
  })

  it('draw who stays in a video, and who watched a stream', async () => {
    const creator = test.sandbox.controls.world.creatorAt('youtube', 0)
    if (!creator) throw new Error('There is a first creator.')
    const posts = [...test.sandbox.controls.world.posts(creator, startMs - 5 * 86_400_000)]
    const stream = posts.find(post => post.kind === 'stream')
    const retention = await ask({
      metrics: 'audienceWatchRatio,relativeRetentionPerformance',
      dimensions: 'elapsedVideoTimeRatio',
      filters: `video==${posts[0]?.id}`,
    })
    expect(retention.json.rows).toHaveLength(100)
    const curve = await ask({
      metrics: 'averageConcurrentViewers,peakConcurrentViewers',
      dimensions: 'livestreamPosition',
      filters: `video==${stream?.id}`,
    })
    expect(curve.json.rows.length).toBeGreaterThan(50)
  })
})
