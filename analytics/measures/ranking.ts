import { z } from 'zod'
import { assertNever } from '../../contracts/errors.ts'
import { CreatorIdSchema, PlatformSchema, platforms, splitId } from '../../contracts/ids.ts'
import type { TrendsParams } from '../../contracts/measures.ts'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import {
  hasViewsBit,
  type InstantPlan,
  lookBackMsMin,
  planInstant,
  type RollupState,
  readingAt,
  withPlan,
} from '../boundaries.ts'
import type { AnalyticsContext } from '../context.ts'
import { clippersIn } from '../copies/posts.ts'
import { isMixed, meetsTerms, sourcePrefixes } from '../policy.ts'
import { compose, maybeNumber, type QueryParams, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { builtRows, forgetStartBuild, noteStart, type StartBuild, startBuildOf } from '../queries/start-cache.ts'
import { lastQuarter, type Window } from './window.ts'

const hourMs = 3_600_000

export type RankParams = Pick<TrendsParams, 'type' | 'platform' | 'niche' | 'country' | 'creator' | 'topic' | 'sort'>

/** Where a page begins: after this row. */
export interface AfterRow {
  readonly value: number | null
  readonly low: number
  readonly key: string
}

/** One ranked row before anything is known about it but its numbers. `key` is a hash, or a topic. */
export interface RankedRow {
  readonly key: string
  readonly platform: string
  /** Views at the end of the window; likes when `state` is `viewless`. */
  readonly low: number
  readonly endMs: number
  readonly state: 'value' | 'new' | 'partial' | 'viewless'
  readonly gain: number | null
  readonly velocity: number | null
  readonly sortValue: number | null
  /** Of groups only. */
  readonly videos: number
  readonly clippers: number | null
  readonly isOwn: boolean
  readonly recentVelocity: number | null
  readonly engagement: number | null
}

const states = ['value', 'new', 'partial', 'unknown', 'viewless'] as const

const ClipRow = z.object({
  key: z.string(),
  platform: z.string(),
  reading_text: z.string().transform(BigInt),
  start_text: z.string().transform(BigInt),
  sort_value: maybeNumber,
  built_count: wholeNumber.optional(),
})
const GroupRow = z.object({
  key: z.string(),
  platform: z.string(),
  low: wholeNumber,
  e_ms: wholeNumber,
  state: z.number().int(),
  gain: maybeNumber,
  velocity: maybeNumber,
  sort_value: maybeNumber,
  videos: wholeNumber,
  clippers: wholeNumber.nullable(),
  is_own: z.number(),
  recent_velocity: maybeNumber,
  engaged: maybeNumber,
  engaged_views: maybeNumber,
})
const ClipPositionRow = z.object({
  key: z.string(),
  position: wholeNumber,
  unknown_above: wholeNumber,
  built_count: wholeNumber.optional(),
})
const GroupPositionRow = z.object({ key: z.string(), position: wholeNumber })

/**
 * How far starts are looked for: 0 in the boundary and the readings after it; 1 also among what only midnights hold,
 * publications and first readings; 2 also among all readings of the window, for a video that was not read for longer
 * than the look-back and then again. Each costs more than the one before, and is asked for when a start that matters
 * could not be found with that one.
 */
type Reach = 0 | 1 | 2

/** The first `limit` rows after `after`, in rank order. */
export async function rank(
  ctx: AnalyticsContext,
  params: RankParams,
  window: Window,
  page: PageRange,
): Promise<RankedRow[]> {
  const ask = params.type === 'clips' ? rankClips : rankGroups
  return await planned(ctx, params, window, plan => ask(ctx, params, plan, page))
}

interface PageRange {
  readonly limit: number
  readonly after: AfterRow | null
}

async function rankClips(
  ctx: AnalyticsContext,
  params: RankParams,
  plan: WindowPlan,
  page: PageRange,
): Promise<RankedRow[]> {
  return await reaching(ctx, params, plan, 'page', async (reach, plan) => {
    const values = { ...valuesOf(ctx, params, plan), ...pageValues(params, page) }
    const text = rankSql(params, plan, 'page', reach, page.after !== null)
    const rows = await runQuery(ctx, text, values, ClipRow, { tag: 'analytics:rank-clips' })
    const found = rows.map(toRankedClip)
    const answer = found.flatMap(row => row ?? [])
    return { answer, isWhole: !found.includes(null), builtCount: rows[0]?.built_count }
  })
}

async function rankGroups(
  ctx: AnalyticsContext,
  params: RankParams,
  plan: WindowPlan,
  page: PageRange,
): Promise<RankedRow[]> {
  const values = { ...valuesOf(ctx, params, plan), ...pageValues(params, page), hasAfter: page.after !== null }
  const tag = { tag: `analytics:rank-${params.type}` }
  const rows = await runQuery(ctx, rankSql(params, plan, 'page', 1), values, GroupRow, tag)
  const isWhole = !rows.some(row => states[row.state] === 'unknown')
  const found = isWhole ? rows : await runQuery(ctx, rankSql(params, plan, 'page', 2), values, GroupRow, tag)
  return found.map(toRankedGroup)
}

function pageValues(params: RankParams, { limit, after }: PageRange): QueryParams {
  return {
    afterMissing: after?.value === null ? 1 : 0,
    afterValue: after?.value ?? 0,
    afterLow: after?.low ?? 0,
    afterKey: after?.key ?? (params.type === 'topics' ? '' : '0'),
    limit,
  }
}

/** The rank that each of `keys` had; who was not ranked is not in the map. */
export async function positions(
  ctx: AnalyticsContext,
  params: RankParams,
  window: Window,
  keys: readonly string[],
): Promise<Map<string, number>> {
  if (keys.length === 0 || window.fromMs === window.toMs) return new Map()
  const ask = params.type === 'clips' ? clipPositions : groupPositions
  return await planned(ctx, params, window, plan => ask(ctx, params, plan, keys))
}

async function clipPositions(
  ctx: AnalyticsContext,
  params: RankParams,
  plan: WindowPlan,
  keys: readonly string[],
): Promise<Map<string, number>> {
  return await reaching(ctx, params, plan, 'positions', async (reach, plan) => {
    const values = { ...valuesOf(ctx, params, plan), keys }
    const text = rankSql(params, plan, 'positions', reach)
    const rows = await runQuery(ctx, text, values, ClipPositionRow, { tag: 'analytics:positions-clips' })
    return {
      answer: new Map(rows.map(row => [row.key, row.position])),
      isWhole: rows.every(row => row.unknown_above === 0),
      builtCount: rows[0]?.built_count,
    }
  })
}

async function groupPositions(
  ctx: AnalyticsContext,
  params: RankParams,
  plan: WindowPlan,
  keys: readonly string[],
): Promise<Map<string, number>> {
  const values = { ...valuesOf(ctx, params, plan), keys }
  const tag = { tag: `analytics:positions-${params.type}` }
  const rows = await runQuery(ctx, rankSql(params, plan, 'positions', 2), values, GroupPositionRow, tag)
  return new Map(rows.map(row => [row.key, row.position]))
}

interface Found<Answer> {
  readonly answer: Answer
  /** No start that matters is unknown. */
  readonly isWhole: boolean
  /** Rows of the build that was asked, where that matters. */
  readonly builtCount: number | undefined
}

/** The reach that was enough for a list the last time, and the boundary that it then stood on. */
const reaches = new WeakMap<AnalyticsStore, Map<string, { readonly fineMs: number; readonly reach: Reach }>>()
const reachesMax = 500

/** Asks with the reach that was enough the last time, and then with more until all is found. A new boundary begins anew. */
async function reaching<Answer>(
  ctx: AnalyticsContext,
  params: RankParams,
  plan: WindowPlan,
  form: 'page' | 'positions',
  ask: (reach: Reach, plan: WindowPlan) => Promise<Found<Answer>>,
): Promise<Answer> {
  const known = reaches.get(ctx.store) ?? new Map()
  reaches.set(ctx.store, known)
  const { fineMs } = plan.start
  const { fromMs, toMs } = plan.window
  const key = [ctx.world.database, form, toMs - fromMs, params.sort, params.platform, ...filterNames(params)].join(' ')
  const last = known.get(key)
  let reach: Reach = last?.fineMs === fineMs ? last.reach : 0
  let found = await ask(reach, plan)
  while (!found.isWhole && reach < 2) {
    reach = reach === 0 ? 1 : 2
    found = await ask(reach, plan)
  }
  if (hasToCheck(plan, reach)) {
    // Nothing found says nothing of how many rows there were.
    const builtCount = found.builtCount ?? (await builtRows(ctx, buildsOf(plan)))
    if (builtCount !== buildsOf(plan).reduce((sum, { rowCount }) => sum + rowCount, 0)) {
      for (const build of buildsOf(plan)) forgetStartBuild(ctx, build)
      return await reaching(ctx, params, { ...plan, startBuild: null, endBuild: null }, form, ask)
    }
  }
  if (known.size >= reachesMax) known.clear()
  known.set(key, { fineMs, reach })
  return found.answer
}

function buildsOf(plan: WindowPlan): StartBuild[] {
  return [plan.startBuild, plan.endBuild].flatMap(build => build ?? [])
}

/** A lost row would be taken for a video that has no such value. A start that is not found at first is never taken for none. */
function hasToCheck(plan: WindowPlan, reach: Reach): boolean {
  return plan.endBuild !== null || (plan.startBuild !== null && reach > 0)
}

interface WindowPlan {
  readonly window: Window
  /** The end needs no boundary: no sample lies after it. */
  readonly isLive: boolean
  readonly hasUnmixable: boolean
  readonly hasWithheld: boolean
  /** Values that are ready; `null`: they are put together from what `start` and `end` say. */
  readonly startBuild: StartBuild | null
  readonly endBuild: StartBuild | null
  readonly end: InstantPlan
  readonly start: InstantPlan
  readonly quarter: InstantPlan
}

function planned<Answer>(
  ctx: AnalyticsContext,
  params: RankParams,
  window: Window,
  ask: (plan: WindowPlan) => Promise<Answer>,
) {
  const quarter = lastQuarter(window)
  const isClips = params.type === 'clips'
  const planOf = (state: RollupState): WindowPlan => {
    const isLive = state.latestMs <= window.toMs
    return {
      window,
      isLive,
      hasUnmixable: state.hasUnmixable,
      hasWithheld: state.hasWithheld,
      startBuild: isClips ? startBuildOf(ctx, state, window.fromMs, window.backMs) : null,
      endBuild: isClips && !isLive ? startBuildOf(ctx, state, window.toMs, window.backMs) : null,
      end: planInstant(state, window.toMs, window.backMs),
      start: planInstant(state, window.fromMs, window.backMs),
      quarter: planInstant(state, quarter.fromMs, quarter.backMs),
    }
  }
  return withPlan(ctx, window.toMs, planOf, async (plan, state) => {
    const answer = await ask(plan)
    // Beside: whoever asks next has it.
    if (isClips) noteValues(ctx, state, window, plan.isLive).catch(() => {})
    return answer
  })
}

async function noteValues(ctx: AnalyticsContext, state: RollupState, window: Window, isLive: boolean): Promise<void> {
  await noteStart(ctx, state, window.fromMs, window.backMs)
  if (!isLive) await noteStart(ctx, state, window.toMs, window.backMs)
}

function valuesOf(ctx: AnalyticsContext, params: RankParams, plan: WindowPlan): QueryParams {
  const asked = platformsOf(params)
  return {
    platforms: asked,
    sourcePrefixes: sourcePrefixes(asked),
    rulesHash: ctx.niches.hash,
    niche: params.niche ?? '',
    country: params.country ?? '',
    creatorId: params.creator === undefined ? '' : splitId(params.creator).nativeId,
    topic: params.topic ?? '',
    ...clipperValues(ctx, params, plan),
    startMs: plan.window.fromMs,
    endMs: plan.window.toMs,
    ...valueAtValues('e', plan.end),
    ...startValues('e', plan.end),
    ...startValues('s', plan.start),
    ...startValues('q', plan.quarter),
    sMinMs: plan.start.minMs,
    sBuild: plan.startBuild?.id ?? 0,
    eBuild: plan.endBuild?.id ?? 0,
    builds: buildsOf(plan).map(({ id }) => id),
  }
}

/** Creators or clips whose clipper counts an order may be asked with: those with most; others stand with those that have none. */
const clippedMax = 2000

/** The clipper counts of the one who asks, as an order by them is asked with. */
function clipperValues(ctx: AnalyticsContext, { type, sort }: RankParams, { window }: WindowPlan): QueryParams {
  if (type === 'topics' || sort !== 'clippers') return {}
  const counts = [...(ctx.clippers?.[type] ?? [])].flatMap(([id, posts]) => {
    const parsed = CreatorIdSchema.safeParse(id)
    if (!parsed.success) return []
    const { platform, nativeId } = splitId(parsed.data)
    return [{ id: [platform, nativeId], count: clippersIn(posts, window) }]
  })
  const most = counts.sort((a, b) => b.count - a.count).slice(0, clippedMax)
  return { clippedIds: most.map(({ id }) => id), clipperCounts: most.map(({ count }) => count) }
}

/** The platforms that a list is about: a creator is on one of them. None when the creator is on another. */
export function platformsOf(params: Pick<RankParams, 'platform' | 'creator'>): string[] {
  const asked: readonly string[] = params.platform === 'all' ? platforms : [params.platform]
  if (params.creator === undefined) return [...asked]
  const own = splitId(params.creator).platform
  return asked.filter(platform => platform === own)
}

/** Parameters of value-at.sql. */
function valueAtValues(name: string, plan: InstantPlan): QueryParams {
  return {
    [`${name}FineMs`]: plan.fineMs,
    [`${name}OldMs`]: plan.oldMs,
    [`${name}OlderMs`]: plan.olderMs,
    [`${name}FromMs`]: plan.fromMs,
    [`${name}ToMs`]: plan.toMs,
    [`${name}MinMs`]: plan.minMs,
  }
}

const hasValueBit = 1n << 107n
const instantMask = (1n << 42n) - 1n
const valueMask = (1n << 64n) - 1n

/** Parameters of clip-gains.sql for one instant. */
function startValues(name: string, plan: InstantPlan): QueryParams {
  return {
    [`${name}Fine`]: plan.fineMs,
    [`${name}Old`]: plan.oldMs,
    [`${name}Older`]: plan.olderMs.map(ms => ms / 1000),
    [`${name}Olds`]: [plan.oldMs, ...plan.olderMs].map(ms => ms / 1000),
    [`${name}Hour`]: floorTo(plan.fromMs, hourMs),
    [`${name}ToHour`]: floorTo(plan.toMs, hourMs),
    [`${name}ToMs`]: plan.toMs,
    [`${name}Least`]: readingAt(plan.minMs),
    [`${name}LeastStart`]: String(hasValueBit | BigInt(readingAt(plan.minMs))),
    [`${name}Next`]: readingAt(plan.toMs + 1),
    [`${name}NextViewless`]: String(BigInt(plan.toMs + 1) << 64n),
    [`${name}OldNext`]: readingAt(Math.max(0, plan.fineMs - lookBackMsMin)),
    [`${name}FirstNext`]: String(hasViewsBit | ((instantMask - BigInt(plan.toMs)) << 64n)),
  }
}

function rankSql(
  params: RankParams,
  plan: WindowPlan,
  form: 'page' | 'positions',
  reach: Reach,
  hasAfter = false,
): string {
  const isClips = params.type === 'clips'
  const of = isClips ? 'ends' : 'gains'
  const hasQuarter = !isClips || params.sort === 'acceleration'
  const hasEngagement = !isClips || params.sort === 'engagement'
  const joins = [
    params.type === 'topics' ? sqlPart('rank-groups', 'topic_join') : '',
    hasQuarter
      ? `ANY LEFT JOIN (${sqlPart('clip-gains', 'quarter')}) AS quarter ON ${of}.video_key = quarter.video_key`
      : '',
    hasEngagement ? sqlPart('rank-clips', 'engagement') : '',
  ].join('\n')
  const slots = {
    ...gainSlots(params, plan, reach),
    joins,
    of,
    built: hasToCheck(plan, reach) ? sqlPart('rank-clips', 'built') : '',
    after: hasAfter ? sqlPart('rank-clips', 'after') : '',
    settings: sqlPart('filters', isBroad(params) ? 'settings_broad' : 'settings'),
    sort: sortOf(params, plan),
    withheld: sqlPart('filters', 'withheld'),
    ...(isClips ? {} : groupSlots(params)),
  }
  return compose(sqlPart(isClips ? 'rank-clips' : 'rank-groups', form), slots)
}

/** Slots of clip-gains.sql, shared by every list. */
function gainSlots(params: RankParams, plan: WindowPlan, reach: Reach): Record<string, string> {
  const named = (file: string, part: string, instant: string) => sqlPart(file, part).replaceAll('$', instant)
  const gains = (part: string, instant: string) => named('clip-gains', part, instant)
  const isGrouped = params.type !== 'clips'
  const hasMeasures = isGrouped || params.sort === 'velocity' || params.sort === 'acceleration'
  const lateParts = [
    ...(plan.startBuild === null ? [gains('recent', 's')] : []),
    ...(reach > 0 ? [gains('rare', 's')] : []),
    ...(reach === 2 ? [gains('reawakened', 's')] : []),
  ]
  const narrowed = filterText(filterNames(params), 'video_key')
  const allowed = allowedNames(params, plan)
  return {
    window: sqlPart('clip-gains', 'window'),
    names: sqlPart('clip-gains', 'names'),
    measures: hasMeasures ? sqlPart('clip-gains', 'measures') : '',
    joined: sqlPart('clip-gains', 'joined'),
    is_new_here: isGrouped ? sqlPart('clip-gains', 'is_new_here') : '',
    new_here: isGrouped ? sqlPart('clip-gains', 'new_here') : '',
    ends: sqlPart('clip-gains', endsPart(plan)),
    ends_built: sqlPart('clip-gains', 'ends_built'),
    e_built_value: builtValue(plan.endBuild, 'e'),
    s_built_value: builtValue(plan.startBuild, 's'),
    e_fine: named('value-at', 'fine', 'e'),
    e_late: named('value-at', 'late', 'e'),
    e_older: plan.end.olderMs.length > 0 ? named('value-at', 'older', 'e') : '',
    start: lateParts.length === 0 ? 'fine.start' : 'greatest(fine.start, late.start)',
    late_join: lateParts.length === 0 ? '' : sqlPart('clip-gains', 'late_join'),
    s_fine: gains(plan.startBuild === null ? 'start_fine' : 'start_built', 's'),
    s_late: gains('start_late', 's'),
    s_late_parts: lateParts.join(' UNION ALL '),
    s_older: plan.start.olderMs.length > 0 ? gains('older', 's') : '',
    s_firsts: reach === 1 ? gains('firsts', 's') : '',
    s_published: gains('published', 's'),
    q_fine: gains('start_fine', 'q'),
    q_late: gains('start_late', 'q'),
    q_late_parts: ['recent', 'rare', 'reawakened'].map(part => gains(part, 'q')).join(' UNION ALL '),
    q_older: plan.quarter.olderMs.length > 0 ? gains('older', 'q') : '',
    // The last quarter is short: its first readings are always looked up, among all.
    q_firsts: '',
    q_published: gains('published', 'q'),
    // Naming all platforms there are narrows nothing, and costs.
    on_platforms: platformsOf(params).length === platforms.length ? '' : 'AND platform IN {platforms:Array(String)}',
    keys: isGrouped ? `${narrowed} ${filterText(allowed, 'video_key')}` : narrowed,
    filters: filterText(allowed, 'ends.video_key'),
  }
}

/** @param key the column that says which video */
function filterText(names: readonly string[], key: string): string {
  return names.map(name => sqlPart('filters', name).replaceAll('{{key}}', key)).join('\n')
}

function endsPart(plan: WindowPlan): string {
  if (plan.isLive) return 'ends_live'
  if (plan.endBuild === null) return 'ends_past'
  return plan.window.backMs > lookBackMsMin ? 'ends_built_old' : 'ends_built'
}

/** The value that a build gives at an instant. Starts have views, so readings that give none matter at ends only. */
function builtValue(build: StartBuild | null, instant: 's' | 'e'): string {
  const isMixed = build?.hasViewless === true && instant === 'e'
  const parts = [
    isMixed ? 'built_within' : 'built_value',
    ...(build?.hasMore ? ['built_more'] : []),
    ...(isMixed ? ['built_viewless'] : []),
  ].map(part => sqlPart('clip-gains', part).replaceAll('$', instant))
  return parts.length > 1 ? `greatest(${parts.join(', ')})` : parts.join()
}

/** What keeps videos out of a list, by what their sources allow. */
function allowedNames(params: RankParams, plan: WindowPlan): string[] {
  const asked = platformsOf(params)
  if (isMixed(asked)) return plan.hasUnmixable ? ['mixable'] : []
  // A sum over videos of many creators is a measure itself.
  return params.type === 'topics' && plan.hasWithheld && meetsTerms(asked) ? ['derivable'] : []
}

function filterNames(params: RankParams): string[] {
  return (['niche', 'country', 'creator', 'topic'] as const).filter(name => params[name] !== undefined)
}

/** Narrowed, but by nothing that only a few videos have. */
function isBroad(params: RankParams): boolean {
  const isNarrowed = params.niche !== undefined || params.country !== undefined
  return isNarrowed && params.creator === undefined && params.topic === undefined
}

/** What a list is ordered by. Of what no measure may be made of stands behind all else, by its views. */
function sortOf(params: RankParams, plan: WindowPlan): string {
  const sort = params.type === 'clips' ? clipSorts[params.sort] : groupSort(params)
  const isMeasure = params.sort !== 'views' && params.type !== 'topics'
  if (!isMeasure || !plan.hasWithheld || !meetsTerms(platformsOf(params))) return sort
  const [key, part] = params.type === 'clips' ? ['ends.video_key', 'withheld'] : ['group_key', 'withheld_creators']
  return `if(${key} IN (${sqlPart('filters', part)}), NULL, ${sort})`
}

const noNumber = "CAST(NULL, 'Nullable(Float64)')"
const ownClippersSort = (key: string) =>
  `nullIf(transform(${key}, arrayMap(subject -> cityHash64(subject.1, subject.2), {clippedIds:Array(Tuple(String, String))}), {clipperCounts:Array(Int64)}, toInt64(-1)), -1)`
const quarterVelocity = (state: string, low: string, eMs: string) =>
  `if(quarter.quarter_start > 0 AND ${state} < 3 AND ${eMs} > quarter.quarter_ms, (${low} - quarter.quarter_views) * 3600000. / (${eMs} - quarter.quarter_ms), NULL)`

/** A clip whose start is unknown stands where it would if that were nothing; of what is divided by time there is no bound. */
const clipSorts = {
  gain: 'toFloat64(if(is_viewless, NULL, if(is_unknown, low, low - toInt64(start))))',
  velocity: 'if(is_unknown, inf, velocity)',
  acceleration: `multiIf(is_unknown, inf, velocity = 0, NULL, ${quarterVelocity('state', 'low', 'e_ms')} / velocity)`,
  views: 'toFloat64(if(is_viewless, NULL, low))',
  engagement:
    'toFloat64(if(engaging.is_given AND engaging.engaged_views > 0, engaging.engaged / engaging.engaged_views, NULL))',
  outlier: noNumber,
  clippers: ownClippersSort('ends.video_key'),
} as const

const groupSorts = {
  gain: 'gain',
  velocity: 'velocity',
  acceleration: 'if(velocity = 0, NULL, recent_velocity / velocity)',
  views: 'if(state < 4, low, NULL)',
  engagement: 'if(engaged_views > 0, engaged / engaged_views, NULL)',
  outlier: noNumber,
  clippers: 'if(is_own = 1 AND videos = 0, NULL, clippers)',
} as const

function groupSort({ type, sort }: RankParams): string {
  return type === 'creators' && sort === 'clippers' ? ownClippersSort('group_key') : groupSorts[sort]
}

function groupSlots(params: RankParams): Record<string, string> {
  const part = (name: string) => sqlPart('rank-groups', name)
  const shared = {
    groups: part('groups'),
    from_videos: part('from_videos'),
    recent: `sumOrNull(${quarterVelocity('gains.state', 'gains.low', 'gains.e_ms')})`,
    engaged: 'sumIf(toUInt64(engaging.engaged), engaging.is_given)',
    engaged_views: 'sumIf(toUInt64(ifNull(engaging.engaged_views, 0)), engaging.is_given)',
    own: hasOwnCounters(params) ? part('own') : '',
  }
  switch (params.type) {
    case 'creators':
      return {
        ...shared,
        key_text: 'toString(group_key)',
        group_key: 'made.creator_key',
        group_where: 'WHERE made.creator_key != 0',
        after_key: 'toUInt64({afterKey:String})',
        keys_list: 'SELECT toUInt64(arrayJoin({keys:Array(String)}))',
        own_key: 'cityHash64(platform, creator_id)',
        own_id: 'creator_id',
        own_table: 'creator_samples_v1',
        own_where: params.creator === undefined ? '' : 'AND creator_id = {creatorId:String}',
      }
    case 'topics':
      return {
        ...shared,
        key_text: 'group_key',
        group_key: 'mapping.topic',
        group_where: '',
        after_key: '{afterKey:String}',
        keys_list: 'SELECT arrayJoin({keys:Array(String)})',
        own_key: 'topic',
        own_id: 'topic',
        own_table: 'topic_samples_v1',
        own_where: params.topic === undefined ? '' : 'AND topic = {topic:String}',
      }
    case 'clips':
      throw new Error('Clips are not grouped.')
    default:
      return assertNever(params.type)
  }
}

/** Counters of a creator or topic itself know nothing of niches, countries and the like. */
function hasOwnCounters(params: RankParams): boolean {
  if (params.niche !== undefined || params.country !== undefined) return false
  return params.type === 'creators' ? params.topic === undefined : params.creator === undefined
}

/** `null` when the start is unknown. */
function toRankedClip(row: z.infer<typeof ClipRow>): RankedRow | null {
  const { reading_text: reading, start_text: start } = row
  const low = Number(reading & valueMask)
  const endMs = Number((reading >> 64n) & instantMask)
  const shared = { ...aloneValues, key: row.key, platform: platformOf(row), low, endMs, sortValue: row.sort_value }
  if (reading < hasViewsBit) return { ...shared, state: 'viewless', gain: null, velocity: null }
  if (start === 0n) return null
  const state = start >= hasValueBit ? 'value' : start >= hasViewsBit ? 'new' : 'partial'
  const startBits = (start >> 64n) & instantMask
  const startMs = Number(state === 'partial' ? instantMask - startBits : startBits)
  const gain = low - Number(start & valueMask)
  return { ...shared, state, gain, velocity: endMs > startMs ? (gain * 3_600_000) / (endMs - startMs) : null }
}

const aloneValues = {
  videos: 1,
  clippers: null,
  isOwn: false,
  recentVelocity: null,
  engagement: null,
}

function toRankedGroup(row: z.infer<typeof GroupRow>): RankedRow {
  const state = states[row.state]
  const engaged = row.engaged_views === null || row.engaged_views === 0 || row.engaged === null ? null : row.engaged
  return {
    key: row.key,
    platform: platformOf(row),
    low: row.low,
    endMs: row.e_ms,
    state: state === undefined || state === 'unknown' ? 'partial' : state,
    gain: row.gain,
    velocity: row.velocity,
    sortValue: row.sort_value,
    videos: row.videos,
    clippers: row.clippers,
    isOwn: row.is_own === 1,
    recentVelocity: row.recent_velocity,
    engagement: engaged === null || row.engaged_views === null ? null : engaged / row.engaged_views,
  }
}

function floorTo(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs
}

function platformOf(row: { readonly platform: string }): string {
  return PlatformSchema.safeParse(row.platform).success ? row.platform : ''
}
