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
import { Keeping } from './keeping.ts'
import { keepOddReadings } from './odd-readings.ts'
import { ownPoll, writeOwnAccount, writeOwnPosts } from './own-numbers.ts'
import { creatorIntervalMs } from './pace.ts'
import { accountOf, askPlatform, dataOf, keepPublic, notOffered, type PollDeps, type PollRun } from './poll-request.ts'
import type { Poll } from './poll-rows.ts'
import { type DuePost, duePosts, type NumbersRead, nextPostDueMs } from './post-rows.ts'
import { creatorItems, numberItems, postItems, sourceOf } from './reading-items.ts'

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
/** Pages of a list that are asked for before the first of them is marked. */
const pagesAheadMax = 4
/** Looks at numbers, of as many posts as one request asks for: in one run, beside each other, and not marked yet. */
const looksMax = 4_000
const looksAtOnce = 96
const looksKeptMax = 800

/**
 * Resolves when all that was read is durable and marked.
 * @param onAsked told before that, when nothing more is asked: another run may use the platform meanwhile
 * @throws PlatformError, NoRoom, LeaseLost, or what a store said
 */
export async function runPoll(deps: PollDeps, poll: Poll, onAsked: () => void = () => undefined): Promise<PollRun> {
  switch (poll.task) {
    case 'account':
      return await readAccount(deps, poll, onAsked)
    case 'posts':
      return await readPosts(deps, poll, onAsked)
    case 'metrics':
      return await readMetrics(deps, poll, onAsked)
    case 'broadcasts':
      return await readBroadcasts(deps, poll, onAsked)
    case 'daily':
      return await readDays(deps, poll)
    case 'chart':
      return await readChart(deps, poll)
  }
}

async function readAccount(deps: PollDeps, poll: Poll, onAsked: () => void): Promise<PollRun> {
  if (poll.path === 'public') {
    const creator = await readCreator(deps, poll)
    onAsked()
    await keepOddReadings(deps, poll, [creator])
    await keepPublic(deps, creatorItems(creator, sourceOf(poll)))
    return { wantedIntervalMs: Math.max(hourMs, creatorIntervalMs(poll.newestPostAtMs, deps.clock.nowMs())) }
  }
  const account = await askPlatform(deps, poll, 'account', (data, access) => data.account(access, poll.creatorId))
  onAsked()
  await keepOddReadings(deps, poll, [account])
  await writeOwnAccount(deps, ownPoll(poll), account)
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

async function readPosts(deps: PollDeps, poll: Poll, onAsked: () => void): Promise<PollRun> {
  const { clock, ledger } = deps
  const account = accountOf(poll)
  const via = poll.path === 'public' ? poll.viaId : null
  const keeping = new Keeping()
  let marked: Promise<void> = Promise.resolve()
  // Of a list that was never read nothing is known.
  const isFirst = !poll.isBackfilled && poll.newestPostAtMs === null && poll.cursor === null
  let { cursor, pages, newestPostAtMs } = poll
  let oddAnswers = 0
  const readOn = async (): Promise<void> => {
    for (let isEnd = false; !isEnd; await keeping.room(pagesAheadMax)) {
      const asked = cursor
      const page = await askPlatform(deps, poll, 'posts', (data, access) => data.posts(access, account, asked, via))
      // The page before once more, or nothing where a page was announced: asked again before it is believed.
      const isOdd = cursor !== null && (page.next === cursor || (page.next === null && page.items.length === 0))
      if (isOdd && oddAnswers++ < oddAnswersMax) continue
      const ids = page.items.map(post => post.videoId)
      const known = isFirst ? new Map() : await ledger.known(poll, ids)
      const lacking = ids.filter(id => known.get(id)?.hasDetails !== true)
      const posts = seenByAll(poll, await withDetails(deps, poll, page.items, lacking))
      for (const { publishedAtMs } of posts)
        if (publishedAtMs !== null) newestPostAtMs = Math.max(newestPostAtMs ?? 0, publishedAtMs)
      pages += 1
      const isKnown = poll.isBackfilled && ids.every(id => known.has(id))
      isEnd = isOdd || page.next === null || isKnown || pages >= pagesMax[poll.path]
      cursor = isEnd ? null : page.next
      const isBackfilled = poll.isBackfilled || (isEnd && newestPostAtMs !== null)
      const mark = { cursor, pages: isEnd ? 0 : pages, isBackfilled, newestPostAtMs }
      // Rows become durable beside each other, and are marked one page after the other.
      marked = Promise.all([marked, keepRead(deps, poll, posts, postItems)]).then(() => ledger.page(poll, posts, mark))
      keeping.add(marked)
    }
  }
  await whileKept(keeping, readOn, onAsked)
  return { wantedIntervalMs: creatorIntervalMs(newestPostAtMs, clock.nowMs()) }
}

/**
 * Asks all there is to ask, then waits for what it brought. What came before something went wrong is kept: it need not be
 * asked for again.
 */
async function whileKept(keeping: Keeping, readOn: () => Promise<void>, onAsked: () => void): Promise<void> {
  try {
    await readOn()
  } catch (error) {
    await keeping.all().catch(() => undefined)
    throw error
  }
  onAsked()
  await keeping.all()
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

async function readMetrics(deps: PollDeps, poll: Poll, onAsked: () => void): Promise<PollRun> {
  const { db, clock } = deps
  const nowMs = clock.nowMs()
  const keeping = new Keeping()
  const looks = looksDue(deps, poll, nowMs)
  const readOn = async (): Promise<void> => {
    for await (const look of looks) {
      const numbers = await askNumbers(deps, poll, look)
      keeping.add(keepNumbers(deps, poll, look, numbers))
      await keeping.room(looksKeptMax)
    }
  }
  const readAll = async (): Promise<void> => {
    const lanes = await Promise.allSettled(Array.from({ length: looksAtOnce }, readOn))
    for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason
  }
  await whileKept(keeping, readAll, onAsked)
  const dueMs = await nextPostDueMs(db, poll)
  const latestMs = nowMs + metricsEveryMs
  return {
    wantedIntervalMs: metricsEveryMs,
    nextPollAtMs: Math.max(clock.nowMs(), Math.min(latestMs, dueMs ?? latestMs)),
  }
}

/** Posts of one request. */
interface Look {
  readonly posts: readonly DuePost[]
  /** All is asked that is known of them, and not their numbers alone. */
  readonly isWhole: boolean
}

/** Posts that are due, as many at once as one request asks for. */
async function* looksDue(deps: PollDeps, poll: Poll, nowMs: number): AsyncGenerator<Look, void> {
  const { metricsMax, details } = dataOf(deps, poll)
  const max = metricsMax * looksAtOnce
  const dueAfter = (after: DuePost | null) => duePosts(deps.db, poll, { nowMs, max, after })
  let coming = dueAfter(null)
  for (let count = looksAtOnce; ; count += looksAtOnce) {
    const due = await coming
    const isLast = due.length < max || count >= looksMax
    // The store finds the next ones while these are asked for.
    if (!isLast) coming = dueAfter(due.at(-1) ?? null)
    coming.catch(() => undefined)
    const isWhole = (post: DuePost) => details !== null && (post.isStale || isOwnPublic(poll, post))
    const stale = due.filter(isWhole)
    const others = stale.length === 0 ? due : due.filter(post => !isWhole(post))
    for (const posts of batches(others, metricsMax)) yield { posts, isWhole: false }
    for (const posts of batches(stale, metricsMax)) yield { posts, isWhole: true }
    if (isLast) return
  }
}

function* batches<T>(all: readonly T[], max: number): Generator<readonly T[], void> {
  for (let from = 0; from < all.length; from += max) yield all.slice(from, from + max)
}

async function askNumbers(deps: PollDeps, poll: Poll, { posts: asked, isWhole }: Look): Promise<NumbersRead> {
  const ids = asked.map(post => post.videoId)
  const traits = new Map(asked.map(post => [post.videoId, post]))
  const page = await askPlatform(deps, poll, isWhole ? 'details' : 'metrics', (data, access) =>
    isWhole && data.details !== null ? data.details(access, ids) : data.metrics(access, accountOf(poll), ids, traits),
  ).catch(error => {
    // Too few viewers for numbers: the posts are there, and are asked for again as usual.
    if (error instanceof PlatformError && error.class === 'threshold') return null
    throw error
  })
  // Of many creators at once the platform does not say whose is whose. What was not asked for is another's answer.
  const posts = seenByAll(poll, page?.items ?? []).flatMap(post => {
    const known = traits.get(post.videoId)
    return known === undefined ? [] : [{ ...post, creatorId: known.creatorId }]
  })
  return { asked, read: new Map(posts.map(post => [post.videoId, post])), isRefused: page === null }
}

async function keepNumbers(deps: PollDeps, poll: Poll, { isWhole }: Look, numbers: NumbersRead): Promise<void> {
  const posts = [...numbers.read.values()]
  await keepRead(deps, poll, posts, isWhole ? postItems : numberItems)
  if (isWhole) await deps.ledger.page(poll, posts, null)
  await deps.ledger.numbers(poll, numbers)
}

async function readBroadcasts(deps: PollDeps, poll: Poll, onAsked: () => void): Promise<PollRun> {
  const keeping = new Keeping()
  const readOn = async (): Promise<void> => {
    let cursor: string | null = null
    for (let pages = 0; pages < broadcastPagesMax; pages++) {
      const asked: string | null = cursor
      const page: Page<PostReading> = await askPlatform(deps, poll, 'broadcasts', (data, access) => {
        if (data.broadcasts === null) throw notOffered(poll, 'broadcasts')
        return data.broadcasts(access, asked)
      })
      keeping.add(keepRead(deps, poll, page.items, postItems).then(() => deps.ledger.page(poll, page.items, null)))
      if (page.next === null || page.next === cursor) break
      cursor = page.next
    }
  }
  await whileKept(keeping, readOn, onAsked)
  return { wantedIntervalMs: broadcastsEveryMs }
}

/** On the public path what is private or unlisted is not there: a token of its owner is told of it too. */
function seenByAll(poll: Poll, posts: readonly PostReading[]): readonly PostReading[] {
  return poll.path === 'public' ? posts.filter(post => post.isPublic) : posts
}

/** A public post that its own creator's token asks for: its numbers alone would not say that it is private by now. */
function isOwnPublic(poll: Poll, post: DuePost): boolean {
  return poll.path === 'public' && poll.viaId !== null && poll.viaId === post.creatorId
}

/** Makes readings durable where they belong. */
async function keepRead(
  deps: PollDeps,
  poll: Poll,
  posts: readonly PostReading[],
  itemsOf: (post: PostReading, source: string) => Item[],
): Promise<void> {
  const source = sourceOf(poll)
  await keepOddReadings(deps, poll, posts)
  if (poll.path === 'own') await writeOwnPosts(deps, ownPoll(poll), posts)
  else
    await keepPublic(
      deps,
      posts.flatMap(post => itemsOf(post, source)),
    )
}
