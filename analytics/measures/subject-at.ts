import { splitId, type VideoId, VideoIdSchema } from '../../contracts/ids.ts'
import type { MissingReason, SeriesParams } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { lookBackMs, outlierOf, valueAt } from '../scores.ts'
import { creatorDescriptions, peersOf, refKey, videoDescriptions } from './details.ts'
import { clipSamples, isWithheld, subjectOf } from './subject.ts'
import type { Window } from './window.ts'

/** What a clip, creator or topic is called; its id where no source has said so. */
export async function titleOf(ctx: AnalyticsContext, { type, id }: Pick<SeriesParams, 'type' | 'id'>): Promise<string> {
  if (type === 'topics') return `#${id}`
  const {
    id: nativeId,
    platforms: [platform = ''],
  } = subjectOf(type, id)
  const ref = { platform, id: nativeId }
  const title =
    type === 'clips'
      ? (await videoDescriptions(ctx, [ref])).get(refKey(ref))?.title
      : (await creatorDescriptions(ctx, [ref])).get(refKey(ref))?.name
  return title || id
}

/** A measure that has to be asked for at each instant. */
type AskedMeter = (atMs: number) => Promise<number | MissingReason>

/**
 * The outlier multiple of a clip at instants of a window: its views then, against its creator's others at the age that it
 * then had.
 */
export async function outlierMeter(ctx: AnalyticsContext, id: VideoId, window: Window): Promise<AskedMeter> {
  const subject = subjectOf('clips', VideoIdSchema.parse(id))
  if (await isWithheld(ctx, subject)) return async () => 'needs_amendment'
  const { platform, nativeId } = splitId(id)
  const ref = { platform, id: nativeId }
  const backMs = lookBackMs(0)
  const [samples, descriptions] = await Promise.all([
    clipSamples(ctx, subject, window.fromMs - backMs, window.toMs),
    videoDescriptions(ctx, [ref]),
  ])
  const said = descriptions.get(refKey(ref))
  const readings = samples.flatMap(({ at_ms, views }) => (views === null ? [] : [{ atMs: at_ms, views }]))
  const creatorId = said?.creator_id || samples.at(-1)?.creator_id || ''
  return async atMs => {
    const last = valueAt(readings, atMs, backMs)
    if (last === null) return readings.length === 0 ? 'not_provided' : 'stale'
    const publishedMs = said?.published_ms ?? null
    if (!said || publishedMs === null || creatorId === '' || last.atMs < publishedMs) return 'too_few'
    const peers = await peersOf(ctx, [
      { ...ref, creatorId, kind: said.kind, publishedMs, ageMs: last.atMs - publishedMs },
    ])
    return outlierOf(last.views, peers.get(refKey(ref)) ?? []).multiple ?? 'too_few'
  }
}
