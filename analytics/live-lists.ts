/**
 * Ranked lists of clips that are asked for again and again, at the cost of what changed.
 *
 * The problem: every write touches every live list, and ranking all videos, with their ranks one window ago and the
 * descriptions of a page, takes the engine a quarter of a second a list.
 *
 * A live list moves in steps (`docs/metrics.md`): its window starts on a step and ends now. Within a step the gains of
 * videos that nobody writes to cannot change, so a list keeps its **base**, the first few hundred rows as they stood, and every rank
 * one window ago. Messages name the videos that were written; those are read again, once for all lists and windows
 * together, and merged in. What is not in the base ranks below its last row, so the merged list is exact as long as it
 * has rows enough; else the base is made anew. When the step has passed, the base is made anew beside, one list at a
 * time, while the old one goes on answering.
 */
import { performance } from 'node:perf_hooks'
import type { BusEvents } from '../contracts/bus.ts'
import { splitId, type VideoId, VideoIdSchema } from '../contracts/ids.ts'
import { periodMs, type TrendsParams } from '../contracts/measures.ts'
import type { AnalyticsContext } from './context.ts'
import { withOwnClippers } from './copies/clippers.ts'
import {
  type ClipDetail,
  type CreatorDescription,
  creatorDescriptions,
  type FollowerReading,
  followersOf,
  keysOfPage,
  type NativeRef,
  nichesOf,
  type OutlierSubject,
  type PageKey,
  peersOf,
  refKey,
  type VideoDescription,
  videoDescriptions,
  type WindowDetail,
  windowDetails,
} from './measures/details.ts'
import { platformsOf, positions, type RankedRow, rank } from './measures/ranking.ts'
import { clipRow, creatorsOf, outlierSubject, type Trends, withRanks } from './measures/trends.ts'
import { makeWindow, type Window, windowBefore } from './measures/window.ts'
import { windowRow } from './measures/window-row.ts'
import { isMixed } from './policy.ts'

/** Rows of a list that are kept beyond those that can be shown. */
const baseRowsMax = 700
/** Ranks one window ago that are kept of a list; others are asked for one by one. */
const placesMax = 20_000
/** Videos written since a base was made, beyond which it is made anew before its step has passed. */
const changedEnough = 15_000
/** Videos written since a base was made, and those waiting to be read: beyond that it is cheaper to start again. */
const changedMax = 40_000
const pendingMax = 2000
const listsMax = 64
/** The longest look-back of a kept list. */
const backMsMax = Math.max(...Object.values(periodMs))
/** How long after its window's step a base is kept, in data time. */
const unaskedMsMax = 60_000
/** Entries of each of the caches of what changes rarely. */
const rememberedMax = 20_000
/** How old, in real ms, what is known of videos and creators beside their counters may be; followers change slowly. */
const describedMsMax = 10_000
const followersMsMax = 60_000
/** Peers of an outlier multiple serve for ages up to this much greater than the one they were read at. */
const peersAge = { share: 0.01, ms: 60_000 } as const
/** Peers of this many clips are read at once, and then none for a while: so many real ms, and as many times as long. */
const peersReadMax = 200
const peersRest = { msMin: 2000, factor: 5 } as const

/** Something that happened; others are ignored. */
export type ListChange =
  | { readonly kind: 'samples'; readonly event: BusEvents['samples.written'] }
  | { readonly kind: 'metadata' | 'niches' | 'world' | 'deadLetters' | 'watchlists' | 'media' | 'ownSamples' }

/** The length of a list's step in data time: a day's window moves by the minute, others in proportion within bounds. */
function stepMsOf(spanMs: number): number {
  return Math.min(600_000, Math.max(15_000, Math.round(spanMs / 1440)))
}

/** Whether a list can be kept: clips without filters but the platform, up to now, in a world whose time runs as ours. */
export function canKeep(ctx: AnalyticsContext, params: TrendsParams): boolean {
  const isPlain = (['from', 'to', 'cursor', 'niche', 'country', 'creator', 'topic'] as const).every(
    name => params[name] === undefined,
  )
  const isSorted = params.sort === 'gain' || params.sort === 'velocity' || params.sort === 'views'
  return params.type === 'clips' && isPlain && isSorted && ctx.world.clock.speed === 1
}

interface Clip {
  readonly ref: PageKey
  readonly row: RankedRow
}

/** What is known of single videos over one window. */
interface Facts {
  /** It ends with the step, so that slices and quarters stay where they are. */
  readonly window: Window
  /** Videos written since the facts exist, by hash. */
  readonly changed: Map<string, Clip>
  readonly details: Map<string, ClipDetail>
  /** The platforms of clips without views that were written: what ranks them is not read here. */
  readonly viewless: Set<string>
  /** Videos that were written by a source which keeps them out of lists across platforms, by hash. */
  readonly unmixable: Set<string>
  /** Videos that were written, and of which no measure may be made, by hash. */
  readonly withheld: Set<string>
}

interface Base {
  readonly facts: Facts
  readonly rows: readonly RankedRow[]
  readonly refs: ReadonlyMap<string, PageKey>
  /** The row that all rows outside of the base rank below; `null` when there are none. */
  readonly horizon: RankedRow | null
  readonly before: Window
  readonly places: Map<string, number>
  readonly hasAllPlaces: boolean
}

interface List {
  hasAnswered: boolean
  /** The longest page that was asked for. */
  limitMax: number
  base: Base | null
  loading: { readonly facts: Facts; readonly done: Promise<Base> } | null
}

/** What is kept of one world. */
class WorldLists {
  readonly lists = new Map<string, List>()
  readonly facts = new Set<Facts>()
  pending = new Map<string, NativeRef>()
  reading: Promise<void> | null = null
  readonly videos = new Map<string, VideoDescription | null>()
  readonly niches = new Map<string, { niche: string; rule: string }[] | null>()
  readonly names = new Map<string, CreatorDescription | null>()
  readonly followers = new Map<string, FollowerReading | null>()
  readonly peers = new Map<string, { readonly ageMs: number; readonly views: readonly number[] }>()
  wantedPeers = new Map<string, OutlierSubject>()
  peersNextAtMs = 0
  isReadingPeers = false
  isDescribedAnew = false
  describedAtMs = Number.NEGATIVE_INFINITY
  followersAtMs = performance.now()
}

export class LiveLists {
  readonly #worlds = new Map<string, WorldLists>()

  /** Must hear of every change before a list is asked for because of it. */
  note(change: ListChange): void {
    switch (change.kind) {
      case 'samples':
        this.#noteSamples(change.event)
        return
      case 'metadata':
        for (const world of this.#worlds.values()) world.isDescribedAnew = true
        return
      case 'niches':
      case 'world':
        this.#worlds.clear()
        return
      case 'deadLetters':
      case 'ownSamples':
      case 'watchlists':
      case 'media':
        return
    }
  }

  /** A list for which `canKeep` says yes: one page. */
  async trends(ctx: AnalyticsContext, params: TrendsParams): Promise<Trends> {
    const key = `${ctx.world.database} ${ctx.niches.hash}`
    const world = this.#worlds.get(key) ?? new WorldLists()
    this.#worlds.set(key, world)
    forgetOld(world)
    const list = listOf(world, params)
    const kept = list.base && isUsable(ctx, params, list.base) ? list.base : await load(ctx, params, world, list)
    if (isPast(ctx, params, kept) && ![...world.lists.values()].some(({ loading }) => loading)) {
      // Whoever asks next finds it; if it fails, the next one tries again.
      load(besides(ctx), params, world, list).catch(() => {})
    }
    await readPending(ctx, world)
    // A base that was replaced meanwhile may not have got what was read.
    const base = list.base ?? kept
    const nowMs = ctx.world.clock.nowMs()
    const found = merged(params, base, nowMs)
    if (found) return pageOf(ctx, params, world, list, base, found, nowMs)
    const fresh = await load(ctx, params, world, list)
    await readPending(ctx, world)
    const again = merged(params, fresh, nowMs) ?? fresh.rows.slice(0, params.limit)
    return pageOf(ctx, params, world, list, fresh, again, nowMs)
  }

  #noteSamples(event: BusEvents['samples.written']): void {
    for (const [key, world] of this.#worlds) {
      if (!key.startsWith(`${event.world} `)) continue
      for (const id of event.videos) {
        const video = VideoIdSchema.safeParse(id)
        if (video.success) world.pending.set(video.data, refOf(video.data))
      }
      const changed = Math.max(0, ...[...world.facts].map(facts => facts.changed.size))
      if (event.isCut || world.pending.size > pendingMax || changed > changedMax) this.#worlds.delete(key)
    }
  }
}

function refOf(id: VideoId): NativeRef {
  const { platform, nativeId } = splitId(id)
  return { platform, id: nativeId }
}

function listOf(world: WorldLists, params: TrendsParams): List {
  const key = `${params.platform} ${params.sort} ${params.period ?? '24h'}`
  const list = world.lists.get(key) ?? { hasAnswered: false, limitMax: 0, base: null, loading: null }
  list.limitMax = Math.max(list.limitMax, params.limit)
  // The one that was asked for longest ago goes first.
  world.lists.delete(key)
  world.lists.set(key, list)
  for (const [oldest] of world.lists) {
    if (world.lists.size <= listsMax) break
    world.lists.delete(oldest)
  }
  return list
}

function fromMsOf(ctx: AnalyticsContext, params: TrendsParams): { fromMs: number; spanMs: number; stepMs: number } {
  const spanMs = periodMs[params.period ?? '24h']
  const stepMs = stepMsOf(spanMs)
  return { fromMs: Math.floor((ctx.world.clock.nowMs() - spanMs) / stepMs) * stepMs, spanMs, stepMs }
}

function isPast(ctx: AnalyticsContext, params: TrendsParams, base: Base): boolean {
  return base.facts.window.fromMs !== fromMsOf(ctx, params).fromMs || base.facts.changed.size > changedEnough
}

/** For work that nobody waits for: one thread of the engine's, so that the others answer. */
function besides(ctx: AnalyticsContext): AnalyticsContext {
  return { ...ctx, threadsMax: 1 }
}

/** A base goes on answering for a step after its own. */
function isUsable(ctx: AnalyticsContext, params: TrendsParams, base: Base): boolean {
  const { fromMs, stepMs } = fromMsOf(ctx, params)
  const behindMs = fromMs - base.facts.window.fromMs
  return behindMs >= 0 && behindMs <= stepMs
}

function load(ctx: AnalyticsContext, params: TrendsParams, world: WorldLists, list: List): Promise<Base> {
  if (list.loading) return list.loading.done
  const facts = factsOf(ctx, params, world)
  const done = loadBase(ctx, params, facts, list.limitMax).then(
    base => {
      list.base = base
      list.loading = null
      forgetUnasked(world, ctx.world.clock.nowMs())
      return base
    },
    (error: unknown) => {
      list.loading = null
      throw error
    },
  )
  list.loading = { facts, done }
  return done
}

/** Lists that nobody asks for any more cost nothing: their bases go when their steps have long passed. */
function forgetUnasked(world: WorldLists, nowMs: number): void {
  const used = new Set<Facts>()
  for (const [key, { base, loading }] of world.lists) {
    if (base && !loading && nowMs >= base.facts.window.toMs + unaskedMsMax) world.lists.delete(key)
    else for (const facts of [base?.facts, loading?.facts]) if (facts) used.add(facts)
  }
  for (const facts of world.facts) if (!used.has(facts)) world.facts.delete(facts)
}

/** Shared by all lists of equal windows; videos that are written from now on are read for it. */
function factsOf(ctx: AnalyticsContext, params: TrendsParams, world: WorldLists): Facts {
  const { fromMs, spanMs, stepMs } = fromMsOf(ctx, params)
  const { backMs } = makeWindow(Math.max(0, fromMs), Math.max(0, fromMs) + spanMs)
  const window: Window = { fromMs: Math.max(0, fromMs), toMs: Math.max(0, fromMs) + spanMs + stepMs, backMs }
  for (const facts of world.facts) {
    if (isSameWindow(facts.window, window) && facts.changed.size <= changedEnough) return facts
  }
  const facts: Facts = {
    window,
    changed: new Map(),
    details: new Map(),
    viewless: new Set(),
    unmixable: new Set(),
    withheld: new Set(),
  }
  world.facts.add(facts)
  return facts
}

function isSameWindow(a: Window, b: Window): boolean {
  return a.fromMs === b.fromMs && a.toMs === b.toMs
}

async function loadBase(ctx: AnalyticsContext, params: TrendsParams, facts: Facts, limit: number): Promise<Base> {
  const { fromMs, backMs } = facts.window
  const window: Window = { fromMs, toMs: ctx.world.clock.nowMs(), backMs }
  const before = windowBefore(window)
  const rows = await rank(ctx, params, window, { limit: baseRowsMax + 1, after: null })
  const then = await rank(ctx, params, before, { limit: placesMax + 1, after: null })
  const kept = rows.slice(0, baseRowsMax)
  const refs = await keysOfPage(
    ctx,
    'clips',
    platformsOf(params),
    kept.map(row => row.key),
  )
  const page = kept.slice(0, limit).flatMap(row => refs.get(row.key) ?? [])
  await readDetails(ctx, facts, page, ctx.world.clock.nowMs())
  return {
    facts,
    rows: kept,
    refs,
    horizon: rows.length > baseRowsMax ? (kept.at(-1) ?? null) : null,
    before,
    places: new Map(then.slice(0, placesMax).map((row, index) => [row.key, index + 1])),
    hasAllPlaces: then.length <= placesMax,
  }
}

/** Resolves when all videos that were written before the call are read. */
async function readPending(ctx: AnalyticsContext, world: WorldLists): Promise<void> {
  // A reading under way may have begun before the latest message.
  if (world.reading) await world.reading
  if (world.pending.size > 0 && !world.reading) {
    world.reading = readChanged(ctx, world).finally(() => {
      world.reading = null
    })
  }
  if (world.reading) await world.reading
}

/**
 * Reads what was written, once for all lists, and with it what rows say beside the counters: so an answer finds all that
 * it needs, and lists that ask at the same time ask the engine nothing twice.
 */
async function readChanged(ctx: AnalyticsContext, world: WorldLists): Promise<void> {
  const taken = world.pending
  world.pending = new Map()
  const all = [...world.facts]
  const refs = [...taken.values()]
  const nowMs = ctx.world.clock.nowMs()
  try {
    const windows = all
      .map(({ window }) => window)
      .filter((window, index, every) => every.findIndex(other => isSameWindow(other, window)) === index)
    const [details, descriptions] = await Promise.all([
      windowDetails(ctx, windows, refs, nowMs),
      described(ctx, world, refs),
      taggedOf(ctx, world, refs),
    ])
    for (const detail of details) {
      const ref = refOfDetail(detail)
      const publishedMs = descriptions.get(refKey(ref))?.published_ms ?? null
      for (const facts of all) {
        if (isSameWindow(facts.window, detail.window)) keepChanged(facts, ref, detail, publishedMs)
      }
    }
    const creators = creatorsOf(details)
    const now: Window = { fromMs: nowMs, toMs: nowMs, backMs: backMsMax }
    await Promise.all([namesOf(ctx, world, creators), followersNow(ctx, world, now, creators)])
  } catch (error) {
    for (const [id, ref] of taken) world.pending.set(id, ref)
    throw error
  }
}

function refOfDetail(detail: WindowDetail): PageKey {
  return { key: detail.key, platform: detail.platform, id: detail.videoId }
}

function keepChanged(facts: Facts, ref: PageKey, detail: WindowDetail, publishedMs: number | null): void {
  facts.details.set(refKey(ref), detail)
  if (!detail.mayMix) facts.unmixable.add(ref.key)
  if (detail.mayDerive) facts.withheld.delete(ref.key)
  else facts.withheld.add(ref.key)
  if (detail.views === null) {
    facts.viewless.add(detail.platform)
    return
  }
  facts.changed.set(ref.key, { ref, row: windowRow(detail, publishedMs) })
}

/** The first rows of the list now; `null` when the base has too few rows left to say. */
function merged(params: TrendsParams, base: Base, nowMs: number): RankedRow[] | null {
  const { changed, viewless, unmixable, withheld, window } = base.facts
  const platforms = platformsOf(params)
  if (platforms.some(platform => viewless.has(platform))) return null
  const minMs = nowMs - window.backMs
  const top = new TopRows(params.limit)
  let count = 0
  const isAll = isMixed(platforms)
  const offer = (row: RankedRow) => {
    if (row.endMs < minMs || (isAll && unmixable.has(row.key))) return
    count += 1
    top.offer(row)
  }
  for (const row of base.rows) if (!changed.has(row.key)) offer(row)
  for (const { row } of changed.values()) {
    if (!isAll && row.platform !== platforms[0]) continue
    const isWithheld = withheld.has(row.key) && params.sort !== 'views'
    const sorted = { ...row, sortValue: isWithheld ? null : sortValueOf(params, row) }
    if (base.horizon === null || inRankOrder(sorted, base.horizon) <= 0) offer(sorted)
  }
  return base.horizon !== null && count < params.limit ? null : top.rows
}

function sortValueOf(params: TrendsParams, row: RankedRow): number | null {
  if (params.sort === 'velocity') return row.velocity
  return params.sort === 'views' ? row.low : row.gain
}

/** The first of many rows, without sorting them all. */
class TopRows {
  readonly rows: RankedRow[] = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  offer(row: RankedRow): void {
    const last = this.rows.at(-1)
    if (last && this.rows.length >= this.#max && inRankOrder(row, last) >= 0) return
    let low = 0
    let high = this.rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.rows[middle]
      if (other && inRankOrder(other, row) < 0) low = middle + 1
      else high = middle
    }
    this.rows.splice(low, 0, row)
    if (this.rows.length > this.#max) this.rows.pop()
  }
}

/** The order of `rank-clips.sql`: by the sort with missing values last, then by views, then by hash. */
function inRankOrder(a: RankedRow, b: RankedRow): number {
  if (a.sortValue !== b.sortValue) {
    if (a.sortValue === null) return 1
    if (b.sortValue === null) return -1
    return b.sortValue - a.sortValue
  }
  if (a.low !== b.low) return b.low - a.low
  // Hashes are whole numbers without leading zeros.
  if (a.key.length !== b.key.length) return a.key.length - b.key.length
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

async function pageOf(
  ctx: AnalyticsContext,
  params: TrendsParams,
  world: WorldLists,
  list: List,
  base: Base,
  page: readonly RankedRow[],
  nowMs: number,
): Promise<Trends> {
  const { facts } = base
  const refs = page.map(row => facts.changed.get(row.key)?.ref ?? base.refs.get(row.key))
  const videos = refs.flatMap(ref => ref ?? [])
  const [descriptions, niches, before] = await Promise.all([
    described(ctx, world, videos),
    taggedOf(ctx, world, videos),
    placesOf(ctx, params, base, page),
    readDetails(ctx, facts, videos, nowMs),
  ])
  const details = new Map(videos.flatMap(ref => entryOf(facts.details, refKey(ref))))
  const creators = creatorsOf(details.values())
  const window: Window = { ...facts.window, toMs: nowMs }
  const [names, followers, peers] = await Promise.all([
    namesOf(ctx, world, creators),
    followersNow(ctx, world, window, creators),
    peersFor(
      ctx,
      world,
      list,
      [...details.values()].flatMap(detail => outlierSubject(detail, descriptions) ?? []),
    ),
  ])
  list.hasAnswered = true
  const parts = { details, descriptions, niches, names, followers, peers }
  const shown = page.map((row, index) => {
    const ref = refs[index]
    return ref ? clipRow(row, ref, facts.window, parts) : null
  })
  const rows = withOwnClippers(ctx, 'clips', window, shown)
  const keys = page.map(row => row.key)
  return {
    rows: withRanks(rows, keys, before, 0),
    rankedAmong: null,
    asOf: new Date(nowMs),
    generatedAt: new Date(),
    nextCursor: null,
  }
}

async function readDetails(ctx: AnalyticsContext, facts: Facts, videos: readonly PageKey[], nowMs: number) {
  const missing = videos.filter(ref => !facts.details.has(refKey(ref)))
  for (const detail of await windowDetails(ctx, [facts.window], missing, nowMs)) {
    // What was written meanwhile has been read since.
    if (!facts.changed.has(detail.key)) facts.details.set(refKey(refOfDetail(detail)), detail)
  }
}

/**
 * Views of the peers of clips, as far as they are known. The first page of a list waits for them; later they are read
 * beside, because they cost more than all else of a row and change slowly: the next answer has them.
 */
async function peersFor(
  ctx: AnalyticsContext,
  world: WorldLists,
  list: List,
  subjects: readonly OutlierSubject[],
): Promise<Map<string, readonly number[]>> {
  const isKnown = (subject: OutlierSubject) => {
    const known = world.peers.get(refKey(subject))
    return known !== undefined && subject.ageMs <= known.ageMs * (1 + peersAge.share) + peersAge.ms
  }
  const missing = subjects.filter(subject => !isKnown(subject))
  if (!list.hasAnswered) await readPeers(ctx, world, missing)
  else {
    for (const subject of missing) world.wantedPeers.set(refKey(subject), subject)
    readWantedPeers(ctx, world)
  }
  return new Map(
    subjects.flatMap(subject => entryOf(world.peers, refKey(subject))).map(([key, { views }]) => [key, views]),
  )
}

async function readPeers(ctx: AnalyticsContext, world: WorldLists, subjects: readonly OutlierSubject[]) {
  const found = await peersOf(ctx, subjects)
  if (world.peers.size + subjects.length > rememberedMax) world.peers.clear()
  for (const subject of subjects) {
    const key = refKey(subject)
    world.peers.set(key, { ageMs: subject.ageMs, views: found.get(key) ?? [] })
  }
}

/** Reads them one portion at a time, resting in between; what does not come is asked for again by the next answer. */
function readWantedPeers(ctx: AnalyticsContext, world: WorldLists): void {
  const startMs = performance.now()
  if (world.isReadingPeers || world.wantedPeers.size === 0 || startMs < world.peersNextAtMs) return
  const portion = [...world.wantedPeers.values()].slice(0, peersReadMax)
  world.wantedPeers = new Map()
  world.isReadingPeers = true
  readPeers(besides(ctx), world, portion)
    .catch(() => {})
    .finally(() => {
      world.isReadingPeers = false
      const endMs = performance.now()
      world.peersNextAtMs = endMs + Math.max(peersRest.msMin, peersRest.factor * (endMs - startMs))
    })
}

async function placesOf(ctx: AnalyticsContext, params: TrendsParams, base: Base, page: readonly RankedRow[]) {
  const missing = page.map(row => row.key).filter(key => !base.places.has(key))
  if (base.hasAllPlaces || missing.length === 0) return base.places
  return new Map([...base.places, ...(await positions(ctx, params, base.before, missing))])
}

function described(ctx: AnalyticsContext, world: WorldLists, videos: readonly NativeRef[]) {
  return remembered(world.videos, videos, missing => videoDescriptions(ctx, missing))
}

function taggedOf(ctx: AnalyticsContext, world: WorldLists, videos: readonly NativeRef[]) {
  return remembered(world.niches, videos, missing => nichesOf(ctx, missing))
}

function namesOf(ctx: AnalyticsContext, world: WorldLists, creators: readonly NativeRef[]) {
  return remembered(world.names, creators, missing => creatorDescriptions(ctx, missing))
}

/**
 * The last follower counts, as far as the window looks back. One reading serves all windows: the last one of the longest
 * look-back is that of a shorter one too, or there is none in it.
 *
 * @param window ends now
 */
async function followersNow(ctx: AnalyticsContext, world: WorldLists, window: Window, creators: readonly NativeRef[]) {
  const longest = { ...window, backMs: backMsMax }
  const found = await remembered(world.followers, creators, missing => followersOf(ctx, longest, missing))
  return new Map([...found].filter(([, reading]) => reading.at_ms >= window.toMs - window.backMs))
}

/** Values of `refs` by `platform id`, of which those that are not in the cache are loaded. */
async function remembered<T>(
  cache: Map<string, T | null>,
  refs: readonly NativeRef[],
  load: (missing: NativeRef[]) => Promise<ReadonlyMap<string, T>>,
): Promise<Map<string, T>> {
  const missing = refs.filter(ref => !cache.has(refKey(ref)))
  const loaded = missing.length === 0 ? new Map<string, T>() : await load(missing)
  if (cache.size + missing.length > rememberedMax) cache.clear()
  for (const ref of missing) cache.set(refKey(ref), loaded.get(refKey(ref)) ?? null)
  const found = new Map<string, T>()
  for (const ref of refs) {
    const value = cache.get(refKey(ref)) ?? loaded.get(refKey(ref))
    if (value !== undefined && value !== null) found.set(refKey(ref), value)
  }
  return found
}

function entryOf<T>(map: ReadonlyMap<string, T>, key: string): [string, T][] {
  const value = map.get(key)
  return value === undefined ? [] : [[key, value]]
}

/** Forgets what may have become wrong, each kind at most once in its time. */
function forgetOld(world: WorldLists): void {
  const nowMs = performance.now()
  if (world.isDescribedAnew && nowMs - world.describedAtMs >= describedMsMax) {
    world.isDescribedAnew = false
    world.describedAtMs = nowMs
    world.videos.clear()
    world.niches.clear()
    world.names.clear()
  }
  if (nowMs - world.followersAtMs >= followersMsMax) {
    world.followersAtMs = nowMs
    world.followers.clear()
  }
}
