/**
 * Public charts. YouTube has one for a country, and one for each category of it, of about 200 videos. They mix the charts
 * of Music, Movies and Gaming; what was once called Trending is gone, so nothing here is called that.
 */
import type { Item } from '../../contracts/samples.ts'
import type { ChartRef, Page, PostReading } from '../../platforms/port.ts'
import { cutText } from '../values.ts'
import { keepOddReadings } from './odd-readings.ts'
import { askPlatform, keepPublic, notOffered, type PollDeps, type PollRun } from './poll-request.ts'
import { addCharts, type Poll } from './poll-rows.ts'
import { postItems, sourceOf } from './reading-items.ts'

/** Pages of one chart, of fifty videos. */
export const chartPagesMax = 4
const hourMs = 3_600_000
const chartEveryMs = hourMs
const categoriesEveryMs = 24 * hourMs

/** Reads a chart from its first page on: pages of two readings do not fit together. */
export async function readChart(deps: PollDeps, poll: Poll): Promise<PollRun> {
  const [region = '', category] = poll.chart.split('/')
  if (category === '*') return await readCategories(deps, poll, region)
  const chart: ChartRef = { region, categoryId: category ?? null }
  let cursor: string | null = null
  for (let page = 0; page < chartPagesMax; page++) {
    const asked: string | null = cursor
    const { items, next }: Page<PostReading> = await askPlatform(deps, poll, 'chart', (data, access) => {
      if (data.chart === null) throw notOffered(poll, 'chart')
      return data.chart(access, chart, asked)
    })
    await keepOddReadings(deps, poll, items)
    await keepPublic(
      deps,
      items.flatMap(post => chartItems(post, region, sourceOf(poll))),
    )
    if (next === null || next === cursor) break
    cursor = next
  }
  return { wantedIntervalMs: chartEveryMs }
}

/** Makes a chart of every category that videos of the country can have. */
async function readCategories(deps: PollDeps, poll: Poll, region: string): Promise<PollRun> {
  const categories = await askPlatform(deps, poll, 'categories', (data, access) => {
    if (data.categories === null) throw notOffered(poll, 'categories')
    return data.categories(access, region)
  })
  const charts = categories.filter(one => one.isAssignable).map(one => `${region}/${one.id}`)
  await addCharts(deps.db, poll, charts, deps.clock.nowMs())
  return { wantedIntervalMs: categoriesEveryMs }
}

/** What a chart says of a post: its numbers, where it was seen, and what its creator is called. */
function chartItems(post: PostReading, region: string, source: string): Item[] {
  const items = postItems(post, source).map(
    (item): Item => (item.kind === 'video' ? { ...item, row: { ...item.row, regions: [region] } } : item),
  )
  if (post.creatorName === '' || post.creatorId === '') return items
  const { platform, creatorId, observedAtMs } = post
  const name = cutText(post.creatorName, 500)
  items.push({ kind: 'creator', row: { platform, creatorId, name, handle: '', observedAtMs, source } })
  return items
}
