import { AppError } from '../../contracts/errors.ts'
import { creatorId, splitId, VideoIdSchema } from '../../contracts/ids.ts'
import { type DescribeParams, type Fact, type MissingReason, periodMs } from '../../contracts/measures.ts'
import { amendment } from '../../contracts/platform-accounts.ts'
import type { AnalyticsContext } from '../context.ts'
import { ownClippers } from '../copies/clippers.ts'
import { storedAges } from '../frozen-ages.ts'
import {
  accelerationOf,
  engagementOf,
  frozenAges,
  type Gain,
  gainOf,
  outlierOf,
  type Reading,
  valueAt,
  viewsAtAge,
} from '../scores.ts'
import { creatorDescriptions, nichesOf, peersOf, refKey, videoDescriptions } from './details.ts'
import { clipSamples, groupVideos, isKnown, isWithheld, ownSamples, type SubjectRef, subjectOf } from './subject.ts'
import { lastQuarter, makeWindow, type Window } from './window.ts'

/**
 * Everything known about one clip, creator or topic: facts in a fixed order, each with its source and instant, or with
 * the reason why it is not there.
 *
 * @throws AppError NOT_FOUND when no source has named it, BAD_REQUEST when the id has the wrong form
 */
export async function describe(ctx: AnalyticsContext, params: DescribeParams): Promise<Fact[]> {
  const subject = parseSubject(params)
  if (!(await isKnown(ctx, subject))) {
    throw new AppError('NOT_FOUND', `No source has named ${params.id}: search for it by name.`, {
      details: { id: params.id },
    })
  }
  const nowMs = ctx.world.clock.nowMs()
  const window = makeWindow(nowMs - periodMs[params.period], nowMs)
  const [facts, withheld] = await Promise.all([
    subject.type === 'clips'
      ? describeClip(ctx, subject, params.id, window, params.period)
      : describeGroup(ctx, subject, window, params.period),
    isWithheld(ctx, subject),
  ])
  return [...(withheld ? facts.map(withoutMeasure) : facts), ...ownFacts(ctx, params, window)]
}

/** What the one who asks knows of it by media of their own. */
function ownFacts(ctx: AnalyticsContext, { type, id, period }: DescribeParams, window: Window): Fact[] {
  if (type === 'topics') return []
  const origin = { source: ctx.clippers === undefined ? '' : 'your media', atMs: null }
  const count = ownClippers(ctx, type, id, window)
  const fact = number('clippers', 'copies', `Clippers ${period}`, count, 'count', origin, 'not_provided')
  return [{ ...fact, note: 'other accounts that published a copy of its pictures, among your media' }]
}

/** A measure that its source's terms do not allow says what it would take. */
function withoutMeasure(fact: Fact): Fact {
  if (fact.group !== 'measures') return fact
  return { ...fact, value: null, state: 'needs_amendment', note: `${amendment.way} ${amendment.url}` }
}

function parseSubject(params: DescribeParams): SubjectRef {
  try {
    return subjectOf(params.type, params.id)
  } catch (error) {
    throw new AppError('BAD_REQUEST', `${params.id} is not an id of that type: it looks like youtube:dQw4w9WgXcQ.`, {
      details: { field: 'id' },
      cause: error,
    })
  }
}

/** Where a number comes from. */
interface Origin {
  readonly source: string
  readonly atMs: number | null
}

async function describeClip(
  ctx: AnalyticsContext,
  subject: SubjectRef,
  id: string,
  window: Window,
  period: string,
): Promise<Fact[]> {
  const { platform, nativeId } = splitId(VideoIdSchema.parse(id))
  const ref = { platform, id: nativeId }
  const [samples, descriptions, niches] = await Promise.all([
    clipSamples(ctx, subject, 0, window.toMs),
    videoDescriptions(ctx, [ref]),
    nichesOf(ctx, [ref]),
  ])
  const said = descriptions.get(refKey(ref))
  const last = samples.findLast(sample => sample.views !== null) ?? samples.at(-1)
  const nativeCreator = said?.creator_id || last?.creator_id || ''
  const creator = { platform, id: nativeCreator }
  const publishedMs = said?.published_ms ?? null
  const isTimed = said && publishedMs !== null && last && last.at_ms >= publishedMs && nativeCreator !== ''
  const [names, stored, peers] = await Promise.all([
    nativeCreator === '' ? new Map() : creatorDescriptions(ctx, [creator]),
    publishedMs === null ? new Map<number, Reading>() : storedAges(ctx, ref, publishedMs),
    isTimed
      ? peersOf(ctx, [
          { ...ref, creatorId: nativeCreator, kind: said.kind, publishedMs, ageMs: last.at_ms - publishedMs },
        ])
      : new Map(),
  ])
  const readings: Reading[] = samples.flatMap(sample =>
    sample.views === null ? [] : [{ atMs: sample.at_ms, views: sample.views }],
  )
  const spoken: Origin = { source: said?.source_name ?? '', atMs: said?.said_ms ?? null }
  const counted: Origin = { source: last?.source ?? '', atMs: last?.at_ms ?? null }
  const engagement = last ? engagementOf(last) : { value: null, over: [] }
  const outlier = outlierOf(last?.views ?? 0, peers.get(refKey(ref)) ?? [])
  return [
    text('title', 'identity', 'Title', said?.title, spoken),
    text('id', 'identity', 'Id', id, { source: '', atMs: null }),
    text('platform', 'identity', 'Platform', platform, { source: '', atMs: null }),
    text('kind', 'identity', 'Kind', said?.kind, spoken),
    text('creator', 'identity', 'Creator', names.get(refKey(creator))?.name || nameOf(nativeCreator), spoken),
    text('creatorId', 'identity', 'Creator id', nativeCreator && creatorId(platform, nativeCreator), spoken),
    text('url', 'identity', 'Address', said?.url, spoken),
    instant('publishedAt', 'identity', 'Published', publishedMs, spoken),
    number('durationSeconds', 'identity', 'Length', said?.duration_seconds ?? null, 'seconds', spoken, 'not_provided'),
    text('category', 'identity', 'Category', said?.category, spoken),
    text('tags', 'identity', 'Tags', said?.tags.join(', '), spoken),
    text('regions', 'identity', 'Countries', said?.regions.join(', '), spoken),
    ...(niches.get(refKey(ref)) ?? []).map(({ niche, rule }) => ({
      ...text(`niche:${niche}`, 'niches', 'Niche', niche, { source: 'niche rules', atMs: null }),
      note: rule,
    })),
    ...(['views', 'likes', 'comments', 'shares', 'saves'] as const).map(name =>
      number(name, 'counters', capital(name), last?.[name] ?? null, 'count', counted, 'not_provided'),
    ),
    number('readings', 'counters', 'Readings kept', samples.length, 'count', counted, 'too_few'),
    ...movement(gainFacts(readings, window, publishedMs), period, counted, readings.length > 0),
    {
      ...number('engagement', 'measures', 'Engagement', engagement.value, 'ratio', counted, 'not_provided'),
      note: engagement.over.length > 0 ? `(${engagement.over.join(' + ')}) / views` : '',
    },
    {
      ...number('outlier', 'measures', 'Outlier multiple', outlier.multiple, 'multiple', counted, 'too_few'),
      note: "views against the median of the creator's last uploads at equal age (5 to 30 of them)",
    },
    {
      ...number('outlierZ', 'measures', 'Outlier robust z', outlier.z, 'ratio', counted, 'too_few'),
      note: '0.6745 × (views − median) / MAD',
    },
    ...frozenAges.map(({ name, ms }) => {
      const isReached = publishedMs !== null && publishedMs + ms <= window.toMs
      const kept = isReached ? (stored.get(ms) ?? null) : null
      const read = isReached ? viewsAtAge(readings, publishedMs, ms, window.toMs) : null
      const frozen = later(kept, read)
      const sample = samples.find(({ at_ms }) => at_ms === frozen?.atMs)
      const origin = { source: sample?.source ?? '', atMs: frozen?.atMs ?? null }
      const reason = publishedMs === null ? 'not_provided' : 'too_few'
      const fact = number(`frozen:${name}`, 'ages', name, frozen?.views ?? null, 'count', origin, reason)
      return { ...fact, note: frozen && !sample ? 'stored when the age was reached; its sample has expired' : '' }
    }),
  ]
}

/** Of what is stored and what is computed from the samples, the one that knows more: samples may expire, or be new. */
function later(a: Reading | null, b: Reading | null): Reading | null {
  if (!a || !b) return a ?? b
  return a.atMs > b.atMs || (a.atMs === b.atMs && a.views > b.views) ? a : b
}

async function describeGroup(
  ctx: AnalyticsContext,
  subject: SubjectRef,
  window: Window,
  period: string,
): Promise<Fact[]> {
  const fromMs = window.fromMs - window.backMs
  const isCreator = subject.type === 'creators'
  const platform = subject.platforms[0] ?? ''
  const [names, own, videos] = await Promise.all([
    isCreator ? creatorDescriptions(ctx, [{ platform, id: subject.id }]) : new Map(),
    ownSamples(ctx, subject, 0, window.toMs),
    groupVideos(ctx, subject, fromMs, window.toMs),
  ])
  const said = names.get(refKey({ platform, id: subject.id }))
  const spoken: Origin = { source: said?.source_name ?? '', atMs: said?.said_ms ?? null }
  const last = own.at(-1)
  const counted: Origin = { source: last?.source ?? '', atMs: last?.at_ms ?? null }
  const ownReadings = own.flatMap(row => (row.views === null ? [] : [{ atMs: row.at_ms, views: row.views }]))
  const hasOwn = valueAt(ownReadings, window.toMs, window.backMs) !== null
  const latestMs = Math.max(0, ...videos.map(video => video.readings.at(-1)?.atMs ?? 0))
  const summed: Origin = hasOwn ? counted : { source: 'sum of its videos', atMs: latestMs || null }
  const facts = hasOwn
    ? gainFacts(ownReadings, window, null)
    : addedFacts(videos.map(video => gainFacts(video.readings, window, video.publishedMs)))
  const posted = videos.filter(({ publishedMs: at }) => at !== null && at > window.fromMs && at <= window.toMs)
  const count = (key: string, label: string, value: number | null, reason: MissingReason = 'not_provided') =>
    number(key, 'counters', label, value, 'count', counted, reason)
  return [
    isCreator
      ? text('name', 'identity', 'Name', said?.name || nameOf(subject.id), spoken)
      : text('title', 'identity', 'Topic', subject.id, spoken),
    ...(isCreator
      ? [
          text('handle', 'identity', 'Handle', said?.handle, spoken),
          text('platform', 'identity', 'Platform', platform, spoken),
          count('followers', 'Followers', last?.followers ?? null),
        ]
      : []),
    count('ownViews', 'Views by its own counter', last?.views ?? null),
    count('ownVideos', 'Videos by its own counter', last?.videos ?? null),
    number('videos', 'counters', 'Videos read in the window', videos.length, 'count', summed, 'not_provided'),
    number('views', 'counters', 'Views', facts.end, 'count', summed, 'stale'),
    ...movement(facts, period, summed, facts.end !== null),
    ...(isCreator
      ? []
      : [
          number(
            'clippers',
            'measures',
            `Clippers ${period}`,
            new Set(posted.map(video => video.creatorId)).size,
            'count',
            summed,
            'not_provided',
          ),
        ]),
  ]
}

interface Moves {
  readonly end: number | null
  readonly gain: number | null
  readonly state: Gain['state'] | null
  readonly velocity: number | null
  readonly recentVelocity: number | null
}

function gainFacts(readings: readonly Reading[], window: Window, publishedMs: number | null): Moves {
  const gain = gainOf(readings, window, publishedMs)
  const recent = gainOf(readings, lastQuarter(window), publishedMs)
  return {
    end: gain?.end.views ?? null,
    gain: gain?.gain ?? null,
    state: gain?.state ?? null,
    velocity: gain?.velocity ?? null,
    recentVelocity: recent?.velocity ?? null,
  }
}

function addedFacts(all: readonly Moves[]): Moves {
  const sum = (pick: (moves: Moves) => number | null) => {
    const values = all.flatMap(moves => pick(moves) ?? [])
    return values.length === 0 ? null : values.reduce((total, value) => total + value, 0)
  }
  return {
    end: sum(moves => moves.end),
    gain: sum(moves => moves.gain),
    state: all.find(moves => moves.state !== null)?.state ?? null,
    velocity: sum(moves => moves.velocity),
    recentVelocity: sum(moves => moves.recentVelocity),
  }
}

function movement(moves: Moves, period: string, origin: Origin, isRead: boolean): Fact[] {
  const reason = isRead ? 'stale' : 'not_provided'
  const notes = {
    value: '',
    new: 'published inside the window: counted from zero',
    partial: 'first reading inside the window',
  }
  return [
    {
      ...number('gain', 'measures', `Gain ${period}`, moves.gain, 'count', origin, reason),
      note: moves.state === null ? '' : notes[moves.state],
    },
    number(
      'velocity',
      'measures',
      `Velocity ${period}`,
      moves.velocity,
      'perHour',
      origin,
      isRead ? 'too_few' : reason,
    ),
    {
      ...number(
        'acceleration',
        'measures',
        `Acceleration ${period}`,
        accelerationOf(moves.recentVelocity, moves.velocity),
        'ratio',
        origin,
        isRead ? 'too_few' : reason,
      ),
      note: 'velocity of the last quarter / velocity of the window',
    },
  ]
}

function text(key: string, group: string, label: string, value: string | undefined, origin: Origin): Fact {
  const isGiven = value !== undefined && value !== ''
  return {
    key,
    group,
    label,
    value: isGiven ? value : null,
    unit: 'text',
    state: isGiven ? 'value' : 'not_provided',
    source: origin.source,
    observedAt: isoOf(origin.atMs),
    note: '',
  }
}

function instant(key: string, group: string, label: string, ms: number | null, origin: Origin): Fact {
  return { ...text(key, group, label, isoOf(ms) ?? '', origin), unit: 'instant' }
}

function number(
  key: string,
  group: string,
  label: string,
  value: number | null,
  unit: Fact['unit'],
  origin: Origin,
  reason: MissingReason,
): Fact {
  const state = value === null ? reason : value === 0 ? 'zero' : 'value'
  return { key, group, label, value, unit, state, source: origin.source, observedAt: isoOf(origin.atMs), note: '' }
}

/** A creator known by title only has the id `name:<title>`. */
function nameOf(id: string): string {
  return id.startsWith('name:') ? id.slice(5) : id
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
