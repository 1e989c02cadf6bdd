import { z } from 'zod'
import { assertNever } from '../../contracts/errors.ts'
import { PlatformSchema, platforms, splitId } from '../../contracts/ids.ts'
import type { TrendsParams } from '../../contracts/measures.ts'
import { type InstantPlan, planInstant, readRollupState } from '../boundaries.ts'
import type { AnalyticsContext } from '../context.ts'
import {
  compose,
  maybeNumber,
  type QueryParams,
  type QueryTarget,
  runQuery,
  sqlPart,
  wholeNumber,
} from '../queries/run-query.ts'
import { lastQuarter, type Window } from './window.ts'

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
const RankRow = z.object({
  key: z.string(),
  platform: z.string(),
  low: wholeNumber,
  e_ms: wholeNumber,
  state: z.number().int(),
  gain: maybeNumber,
  velocity: maybeNumber,
  sort_value: maybeNumber,
  videos: wholeNumber.default(1),
  clippers: wholeNumber.nullable().default(null),
  is_own: z.number().default(0),
  recent_velocity: maybeNumber.default(null),
  engaged: maybeNumber.default(null),
  engaged_views: maybeNumber.default(null),
})
const PositionRow = z.object({ key: z.string(), position: wholeNumber })

/** The first `limit` rows after `after`, in rank order. */
export async function rank(
  ctx: AnalyticsContext,
  params: RankParams,
  window: Window,
  page: { readonly limit: number; readonly after: AfterRow | null },
): Promise<RankedRow[]> {
  const plan = await planWindow(ctx, window)
  const values: QueryParams = {
    ...valuesOf(ctx, params, plan),
    hasAfter: page.after !== null,
    afterMissing: page.after?.value === null ? 1 : 0,
    afterValue: page.after?.value ?? 0,
    afterLow: page.after?.low ?? 0,
    afterKey: page.after?.key ?? (params.type === 'topics' ? '' : '0'),
    limit: page.limit,
  }
  const tag = { tag: `analytics:rank-${params.type}` }
  const rows = await runQuery(ctx, rankSql(params, plan, 'page', false), values, RankRow, tag)
  // A video that was not read for longer than the look-back and then again: its first reading inside the window is
  // only looked up when there is such a video.
  const isWhole = !rows.some(row => states[row.state] === 'unknown')
  const found = isWhole ? rows : await runQuery(ctx, rankSql(params, plan, 'page', true), values, RankRow, tag)
  return found.map(toRanked)
}

/** The rank that each of `keys` had; who was not ranked is not in the map. */
export async function positions(
  ctx: AnalyticsContext,
  params: RankParams,
  window: Window,
  keys: readonly string[],
): Promise<Map<string, number>> {
  if (keys.length === 0 || window.fromMs === window.toMs) return new Map()
  const plan = await planWindow(ctx, window)
  const values = { ...valuesOf(ctx, params, plan), keys }
  const text = rankSql(params, plan, 'positions', true)
  const rows = await runQuery(ctx, text, values, PositionRow, { tag: `analytics:positions-${params.type}` })
  return new Map(rows.map(row => [row.key, row.position]))
}

interface WindowPlan {
  readonly window: Window
  /** The end needs no boundary: no sample lies after it. */
  readonly isLive: boolean
  readonly end: InstantPlan
  readonly start: InstantPlan
  readonly quarter: InstantPlan
}

async function planWindow(target: QueryTarget, window: Window): Promise<WindowPlan> {
  const state = await readRollupState(target, window.toMs)
  const quarter = lastQuarter(window)
  return {
    window,
    isLive: state.latestMs <= window.toMs,
    end: planInstant(state, window.toMs, window.backMs),
    start: planInstant(state, window.fromMs, window.backMs),
    quarter: planInstant(state, quarter.fromMs, quarter.backMs),
  }
}

function valuesOf(ctx: AnalyticsContext, params: RankParams, plan: WindowPlan): QueryParams {
  return {
    platforms: platformsOf(params),
    rulesHash: ctx.niches.hash,
    niche: params.niche ?? '',
    country: params.country ?? '',
    creatorId: params.creator === undefined ? '' : splitId(params.creator).nativeId,
    topic: params.topic ?? '',
    startMs: plan.window.fromMs,
    endMs: plan.window.toMs,
    ...instantValues('e', plan.end),
    ...instantValues('s', plan.start),
    ...instantValues('q', plan.quarter),
  }
}

/** The platforms that a list is about: a creator is on one of them. None when the creator is on another. */
export function platformsOf(params: Pick<RankParams, 'platform' | 'creator'>): string[] {
  const asked: readonly string[] = params.platform === 'all' ? platforms : [params.platform]
  if (params.creator === undefined) return [...asked]
  const own = splitId(params.creator).platform
  return asked.filter(platform => platform === own)
}

function instantValues(name: string, plan: InstantPlan): QueryParams {
  return {
    [`${name}FineMs`]: plan.fineMs,
    [`${name}OldMs`]: plan.oldMs,
    [`${name}OlderMs`]: plan.olderMs,
    [`${name}FromMs`]: plan.fromMs,
    [`${name}ToMs`]: plan.toMs,
    [`${name}MinMs`]: plan.minMs,
  }
}

function rankSql(params: RankParams, plan: WindowPlan, form: 'page' | 'positions', isReawakened: boolean): string {
  const isClips = params.type === 'clips'
  const hasQuarter = !isClips || params.sort === 'acceleration'
  const hasEngagement = !isClips || params.sort === 'engagement'
  const joins = [
    params.type === 'topics' ? sqlPart('rank-groups', 'topic_join') : '',
    hasQuarter
      ? `ANY LEFT JOIN (${sqlPart('clip-gains', 'quarter')}) AS quarter ON gains.video_key = quarter.video_key`
      : '',
    hasEngagement ? sqlPart('rank-clips', 'engagement') : '',
  ].join('\n')
  const slots = {
    ...gainSlots(params, plan, isReawakened),
    joins,
    settings: sqlPart('filters', isBroad(params) ? 'settings_broad' : 'settings'),
    sort: isClips ? clipSorts[params.sort] : groupSorts[params.sort],
    ...(isClips ? {} : groupSlots(params)),
  }
  return compose(sqlPart(isClips ? 'rank-clips' : 'rank-groups', form), slots)
}

/** Slots of clip-gains.sql, shared by every list. */
function gainSlots(params: RankParams, plan: WindowPlan, isReawakened: boolean): Record<string, string> {
  const named = (file: string, part: string, instant: string) => sqlPart(file, part).replaceAll('$', instant)
  const gains = (part: string, instant: string) => named('clip-gains', part, instant)
  const isGrouped = params.type !== 'clips'
  return {
    window: sqlPart('clip-gains', 'window'),
    is_new_here: isGrouped ? sqlPart('clip-gains', 'is_new_here') : '',
    new_here: isGrouped ? sqlPart('clip-gains', 'new_here') : '',
    ends: sqlPart('clip-gains', plan.isLive ? 'ends_live' : 'ends_past'),
    e_fine: named('value-at', 'fine', 'e'),
    e_late: named('value-at', 'late', 'e'),
    e_older: plan.end.olderMs.length > 0 ? named('value-at', 'older', 'e') : '',
    s_fine: gains('start_fine', 's'),
    s_late: gains('start_late', 's'),
    s_older: plan.start.olderMs.length > 0 ? gains('older', 's') : '',
    s_least: gains('least', 's'),
    s_firsts: isReawakened ? '' : gains('firsts', 's'),
    s_reawakened: isReawakened ? gains('reawakened', 's') : '',
    s_published: gains('published', 's'),
    q_fine: gains('start_fine', 'q'),
    q_late: gains('start_late', 'q'),
    q_older: plan.quarter.olderMs.length > 0 ? gains('older', 'q') : '',
    q_least: gains('least', 'q'),
    // The last quarter is short: its first readings are always looked up.
    q_firsts: '',
    q_reawakened: gains('reawakened', 'q'),
    q_published: gains('published', 'q'),
    keys: filtersOf(params).join('\n'),
  }
}

function filtersOf(params: RankParams): string[] {
  const names = ['niche', 'country', 'creator', 'topic'] as const
  return names.filter(name => params[name] !== undefined).map(name => sqlPart('filters', name))
}

/** Narrowed, but by nothing that only a few videos have. */
function isBroad(params: RankParams): boolean {
  const isNarrowed = params.niche !== undefined || params.country !== undefined
  return isNarrowed && params.creator === undefined && params.topic === undefined
}

const noNumber = "CAST(NULL, 'Nullable(Float64)')"
const quarterVelocity =
  'if(quarter.quarter_start > 0 AND gains.state < 3 AND gains.e_ms > quarter.quarter_ms, (gains.low - quarter.quarter_views) * 3600000. / (gains.e_ms - quarter.quarter_ms), NULL)'

const clipSorts = {
  gain: 'gain',
  velocity: 'velocity',
  acceleration: `if(velocity = 0, NULL, ${quarterVelocity} / velocity)`,
  views: 'if(state < 4, low, NULL)',
  engagement: 'if(engaging.is_given AND engaging.engaged_views > 0, engaging.engaged / engaging.engaged_views, NULL)',
  outlier: noNumber,
  clippers: noNumber,
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

function groupSlots(params: RankParams): Record<string, string> {
  const part = (name: string) => sqlPart('rank-groups', name)
  const shared = {
    groups: part('groups'),
    from_videos: part('from_videos'),
    recent: `sumOrNull(${quarterVelocity})`,
    engaged: 'sumIf(toUInt64(engaging.engaged), engaging.is_given)',
    engaged_views: 'sumIf(toUInt64(ifNull(engaging.engaged_views, 0)), engaging.is_given)',
    own: hasOwnCounters(params) ? part('own') : '',
  }
  switch (params.type) {
    case 'creators':
      return {
        ...shared,
        key_text: 'toString(group_key)',
        group_key: 'gains.creator_key',
        group_where: "WHERE gains.creator_key != cityHash64(gains.platform, '')",
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

function toRanked(row: z.infer<typeof RankRow>): RankedRow {
  const state = states[row.state]
  const engaged = row.engaged_views === null || row.engaged_views === 0 || row.engaged === null ? null : row.engaged
  return {
    key: row.key,
    platform: PlatformSchema.safeParse(row.platform).success ? row.platform : '',
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
