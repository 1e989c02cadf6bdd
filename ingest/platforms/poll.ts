/**
 * One run of one poll: asks, writes, and marks how far it came.
 *
 * The order makes a kill harmless at any point: the rows of a page are durable before the page is marked, and a page is
 * marked in the transaction that keeps its posts. What was read twice is the same reading, or a later one. Each request is
 * one use of the account's token: when it is refused in the middle of a list, it is refreshed and the same page is asked
 * again.
 */
import type { Item } from '../../contracts/samples.ts'
import { type AccountReading, type Page, PlatformError, type PostReading } from '../../platforms/port.ts'
import { readChart } from './charts.ts'
import { readDays } from './days.ts'
import { writeOwnAccount, writeOwnPosts } from './own-numbers.ts'
import { creatorIntervalMs } from './pace.ts'
import { accountOf, askPlatform, dataOf, keepPublic, notOffered, type PollDeps, type PollRun } from './poll-request.ts'
import { LeaseLost, markPage, type Poll } from './poll-rows.ts'
import { type DuePost, duePosts, keepNumbers, keepPosts, knownPosts, nextPostDueMs } from './post-rows.ts'
import { creatorItems, numberItems, postItems } from './reading-items.ts'

const hourMs = 3_600_000
const ownAccountEveryMs = hourMs
const broadcastsEveryMs = hourMs / 2
/** New posts are found by other polls: their numbers wait no longer than this. */
const metricsEveryMs = 5 * 60_000
/** Of others only what is new matters; of one's own everything there is. */
const pagesMax = { own: 200, public: 2 } as const
const broadcastPagesMax = 5
/** In one run. */
const oddAnswersMax = 3
/** Posts of one run of `metrics`, in batches that are read beside each other. */
const batchesMax = 96
const batchesAtOnce = 96

/** @throws PlatformError, NoRoom, LeaseLost, or what a store said */
export async function runPoll(deps: PollDeps, poll: Poll): Promise<PollRun> {
  switch (poll.task) {
    case 'account':
      return await readAccount(deps, poll)
    case 'posts':
      return await readPosts(deps, poll)
    case 'metrics':
      return await readMetrics(deps, poll)
    case 'broadcasts':
      return await readBroadcasts(deps, poll)
    case 'daily':
      return await readDays(deps, poll)
    case 'chart':
      return await readChart(deps, poll)
  }
}

async function readAccount(deps: PollDeps, poll: Poll): Promise<PollRun> {
  if (poll.path === 'public') {
    await keepPublic(deps, creatorItems(await readCreator(deps, poll)))
    return { wantedIntervalMs: Math.max(hourMs, creatorIntervalMs(poll.newestPostAtMs, deps.clock.nowMs())) }
  }
  const account = await askPlatform(deps, poll, 'account', (data, access) => data.account(access, poll.creatorId))
  if (poll.ownerId !== null) await writeOwnAccount(deps, poll.ownerId, account)
  return { wantedIntervalMs: ownAccountEveryMs }
}

async function readCreator(deps: PollDeps, poll: Poll): Promise<AccountReading> {
  // Instagram finds others by their name alone.
  const ref =
    poll.handle === ''
      ? ({ by: 'id', value: poll.creatorId } as const)
      : ({ by: 'username', value: poll.handle } as const)
  return await askPlatform(deps, poll, 'creator', (data, access) => {
    if (data.creator === null) throw notOffered(poll, 'creator')
    return data.creator(access, ref, poll.viaId)
  })
}

async function readPosts(deps: PollDeps, poll: Poll): Promise<PollRun> {
  const { db, clock, random } = deps
  const account = accountOf(poll)
  const via = poll.path === 'public' ? poll.viaId : null
  let { cursor, pages, newestPostAtMs } = poll
  let oddAnswers = 0
  for (;;) {
    const asked = cursor
    const page = await askPlatform(deps, poll, 'posts', (data, access) => data.posts(access, account, asked, via))
    const ids = page.items.map(post => post.videoId)
    const known = await knownPosts(db, poll, ids)
    const posts = await withDetails(
      deps,
      poll,
      page.items,
      ids.filter(id => known.get(id)?.hasDetails !== true),
    )
    await keepRead(deps, poll, posts, postItems)
    newestPostAtMs = posts.reduce<number | null>(
      (newest, { publishedAtMs }) =>
        publishedAtMs !== null && (newest === null || publishedAtMs > newest) ? publishedAtMs : newest,
      newestPostAtMs,
    )
    // The page before once more, or nothing where a page was announced: asked again before it is believed.
    const isOdd = cursor !== null && (page.next === cursor || (page.next === null && page.items.length === 0))
    const isRepeated = isOdd && oddAnswers++ < oddAnswersMax
    if (!isRepeated) pages += 1
    const isKnown = poll.isBackfilled && ids.every(id => known.has(id))
    const isEnd = !isRepeated && (isOdd || page.next === null || isKnown || pages >= pagesMax[poll.path])
    if (!isRepeated) cursor = isEnd ? null : page.next
    const isBackfilled = poll.isBackfilled || (isEnd && newestPostAtMs !== null)
    const mark = { cursor, pages: isEnd ? 0 : pages, isBackfilled, newestPostAtMs }
    const nowMs = clock.nowMs()
    await db.transaction(async trx => {
      await keepPosts(trx, poll, posts, { nowMs, random })
      if (!(await markPage(trx, poll, mark, nowMs))) throw new LeaseLost('Another worker has this poll by now.')
    })
    if (isEnd) return { wantedIntervalMs: creatorIntervalMs(newestPostAtMs, nowMs) }
  }
}

/** A list of YouTube names its posts and says little of them: those that are new are looked at once. */
async function withDetails(
  deps: PollDeps,
  poll: Poll,
  posts: readonly PostReading[],
  lacking: readonly string[],
): Promise<readonly PostReading[]> {
  if (lacking.length === 0 || dataOf(deps, poll).details === null) return posts
  const page = await askPlatform(deps, poll, 'details', (data, access) => {
    if (data.details === null) throw notOffered(poll, 'details')
    return data.details(access, lacking)
  })
  const details = new Map(page.items.map(post => [post.videoId, post]))
  return posts.map(post => details.get(post.videoId) ?? post)
}

async function readMetrics(deps: PollDeps, poll: Poll): Promise<PollRun> {
  const { db, clock } = deps
  const data = dataOf(deps, poll)
  const nowMs = clock.nowMs()
  const due = await duePosts(db, poll, { nowMs, max: data.metricsMax * batchesMax })
  const batches = Array.from({ length: Math.ceil(due.length / data.metricsMax) }, (_, place) =>
    due.slice(place * data.metricsMax, (place + 1) * data.metricsMax),
  )
  let next = 0
  const readOn = async (): Promise<void> => {
    for (let batch = batches[next++]; batch; batch = batches[next++]) await readBatch(deps, poll, batch)
  }
  const lanes = await Promise.allSettled(Array.from({ length: batchesAtOnce }, readOn))
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason
  const dueMs = await nextPostDueMs(db, poll)
  const latestMs = nowMs + metricsEveryMs
  return {
    wantedIntervalMs: metricsEveryMs,
    nextPollAtMs: Math.max(clock.nowMs(), Math.min(latestMs, dueMs ?? latestMs)),
  }
}

async function readBatch(deps: PollDeps, poll: Poll, batch: readonly DuePost[]): Promise<void> {
  const { db, clock, random } = deps
  const ids = batch.map(post => post.videoId)
  const creators = new Map(batch.map(post => [post.videoId, post.creatorId]))
  const page = await askPlatform(deps, poll, 'metrics', (data, access) =>
    data.metrics(access, accountOf(poll), ids),
  ).catch(error => {
    // Too few viewers for numbers: the posts are there, and are asked for again as usual.
    if (error instanceof PlatformError && error.class === 'threshold') return null
    throw error
  })
  // Of many creators at once the platform does not say whose is whose.
  const posts = (page?.items ?? []).map(post => ({ ...post, creatorId: creators.get(post.videoId) ?? post.creatorId }))
  await keepRead(deps, poll, posts, numberItems)
  const read = new Map(posts.map(post => [post.videoId, post]))
  await keepNumbers(db, poll, { asked: batch, read, isRefused: page === null, nowMs: clock.nowMs(), random })
}

async function readBroadcasts(deps: PollDeps, poll: Poll): Promise<PollRun> {
  const { db, clock, random } = deps
  let cursor: string | null = null
  for (let pages = 0; pages < broadcastPagesMax; pages++) {
    const asked: string | null = cursor
    const page: Page<PostReading> = await askPlatform(deps, poll, 'broadcasts', (data, access) => {
      if (data.broadcasts === null) throw notOffered(poll, 'broadcasts')
      return data.broadcasts(access, asked)
    })
    await keepRead(deps, poll, page.items, postItems)
    await db.transaction(trx => keepPosts(trx, poll, page.items, { nowMs: clock.nowMs(), random }))
    if (page.next === null || page.next === cursor) break
    cursor = page.next
  }
  return { wantedIntervalMs: broadcastsEveryMs }
}

/** Makes readings durable where they belong. */
async function keepRead(
  deps: PollDeps,
  poll: Poll,
  posts: readonly PostReading[],
  itemsOf: (post: PostReading) => Item[],
): Promise<void> {
  if (poll.path === 'public') await keepPublic(deps, posts.flatMap(itemsOf))
  else if (poll.ownerId !== null) await writeOwnPosts(deps, poll.ownerId, posts)
}
