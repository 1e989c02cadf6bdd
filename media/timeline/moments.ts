/**
 * Suggested moments: the seconds that stand out from the ten minutes around them, each with the span that would make a
 * clip of it and with what every signal gave.
 *
 * A signal gives a second a share of its weight: 63 % when it stands four robust standard deviations above what is
 * usual there, more the further it does, all of it never. The sum is divided by the weights of the signals that the
 * file has. A file without chat is not judged as one in which nobody spoke. Greatest first, at least 30 s apart, each
 * gets a span of 15 to 60 s whose ends lie in a silence or at a cut where one is near, which is a signal of its own.
 * The points of the parts add up to the score.
 */
import {
  type ChatMessage,
  type Moment,
  type MomentPart,
  type MomentSignal,
  type MomentWeights,
  momentSignals,
  type Span,
  type Timeline,
} from '../../contracts/timeline.ts'
import { type Standing, standings } from './robust-z.ts'
import { type SecondSignal, signalTracks } from './signals.ts'

/** What each signal weighs unless told. */
export const defaultMomentWeights: Readonly<Record<MomentSignal, number>> = {
  loudness: 0.25,
  onset: 0.1,
  speech: 0.05,
  cuts: 0.1,
  edges: 0.15,
  chat: 0.2,
  chatters: 0.1,
  repetition: 0.15,
}

/** Most moments of one list. */
export const momentsMax = 50
const momentsUsual = 10
/** So far above the usual gives a signal 63 % of its weight. */
const shareZ = 4
/** What differs by less is the same to the ear and the eye: dB, a share, or a count in ten seconds. */
const spreadMin: Readonly<Record<SecondSignal, number>> = {
  loudness: 1.5,
  onset: 1.5,
  speech: 0.05,
  cuts: 0.5,
  chat: 1,
  chatters: 1,
  repetition: 1,
}
/** A second of which no signal stands so far above the usual is like the others; what stands less far is not told. */
const standsOutZ = 3
const tellingZ = 1
const apartSec = 30
const spanSec = { min: 15, max: 60, usual: 30 }
/** The clip begins and ends at least so far from the peak. */
const leadSec = 3
/** More peaks are looked at than asked for: where a span can end changes the order. */
const candidatesPerMoment = 3

interface Track {
  readonly signal: SecondSignal
  readonly weight: number
  readonly values: readonly number[]
  readonly standings: readonly Standing[]
}

/** What moments are made of, and how many are wanted. */
export interface MomentRequest {
  readonly weights?: MomentWeights | undefined
  /** Null or left out: no chat was recorded. */
  readonly chat?: readonly ChatMessage[] | null | undefined
  /** 10 unless told, at most 50. */
  readonly countMax?: number | undefined
}

/**
 * The moments of a timeline, greatest score first. Pure and quick: call it again with other weights.
 * @returns none when the timeline has no signal that stands out anywhere
 */
export function suggestMoments(
  timeline: Pick<Timeline, 'durationSec' | 'energy' | 'speech' | 'silences' | 'cuts'>,
  request: MomentRequest = {},
): Moment[] {
  const weights = { ...defaultMomentWeights, ...request.weights }
  const tracks = [...signalTracks(timeline, request.chat ?? null)].map(
    ([signal, values]): Track => ({
      signal,
      values,
      weight: weights[signal],
      standings: standings(values, spreadMin[signal]),
    }),
  )
  const countMax = Math.min(momentsMax, request.countMax ?? momentsUsual)
  return peaksOf(tracks, countMax * candidatesPerMoment)
    .map(second => momentAt(second, tracks, timeline, weights.edges))
    .sort((a, b) => b.score - a.score || a.startSec - b.startSec)
    .slice(0, countMax)
}

/** Seconds in order of what their signals give together, each at least 30 s from those before it. */
function peaksOf(tracks: readonly Track[], countMax: number): number[] {
  const weightSum = tracks.reduce((sum, { weight }) => sum + weight, 0)
  if (weightSum === 0) return []
  const scores = (tracks[0]?.values ?? []).map(
    (_, second) => tracks.reduce((sum, track) => sum + track.weight * shareAt(track, second), 0) / weightSum,
  )
  const standsOut = (second: number) =>
    tracks.some(({ weight, standings }) => weight > 0 && (standings[second]?.z ?? 0) >= standsOutZ)
  const order = scores.flatMap((score, second) => (standsOut(second) ? [{ score, second }] : []))
  order.sort((a, b) => b.score - a.score || a.second - b.second)
  const peaks: number[] = []
  for (const { second } of order) {
    if (peaks.length === countMax) break
    if (peaks.every(peak => Math.abs(peak - second) >= apartSec)) peaks.push(second)
  }
  return peaks
}

function shareAt({ standings }: Track, second: number): number {
  return 1 - Math.exp(-Math.max(0, standings[second]?.z ?? 0) / shareZ)
}

function momentAt(
  second: number,
  tracks: readonly Track[],
  timeline: Pick<Timeline, 'durationSec' | 'silences' | 'cuts'>,
  edgesWeight: number,
): Moment {
  const span = spanAround(second, timeline)
  const weightSum = tracks.reduce((sum, { weight }) => sum + weight, edgesWeight)
  const parts = tracks.map((track): MomentPart => {
    const { z, usual } = track.standings[second] ?? { z: 0, usual: 0 }
    const points = round((track.weight / weightSum) * shareAt(track, second))
    const why = reasons[track.signal](track.values[second] ?? 0, usual)
    return { signal: track.signal, weight: track.weight, z: round(z), points, why }
  })
  const snapped = Number(span.startsAtEdge) + Number(span.endsAtEdge)
  parts.push({
    signal: 'edges',
    weight: edgesWeight,
    points: round((edgesWeight / weightSum) * (snapped / 2)),
    why: edgeReasons[snapped] ?? '',
  })
  parts.sort((a, b) => b.points - a.points || momentSignals.indexOf(a.signal) - momentSignals.indexOf(b.signal))
  const telling = parts.filter(({ points, z = tellingZ }) => points > 0 && z >= tellingZ).map(({ why }) => why)
  return {
    startSec: span.startSec,
    endSec: span.endSec,
    peakSec: second,
    score: round(parts.reduce((sum, { points }) => sum + points, 0)),
    parts,
    why: `${sentence(telling.join(', '))}.`,
  }
}

/** What is said of each signal at a peak, given its value there and what is usual around it. */
const reasons: Readonly<Record<SecondSignal, (at: number, usual: number) => string>> = {
  loudness: (at, usual) => `sound ${Math.round(at - usual)} dB above the usual ${Math.round(usual)} dBFS`,
  onset: at => `a sudden rise of ${Math.round(at)} dB`,
  speech: (at, usual) => `${percent(at)} of the sound in the band of speech against ${percent(usual)}`,
  cuts: (at, usual) => `${at} ${at === 1 ? 'cut' : 'cuts'} in 10 s against ${usual}`,
  chat: (at, usual) => `${at} chat messages in 10 s against ${usual}`,
  chatters: (at, usual) => `${at} people in chat against ${usual}`,
  repetition: (at, usual) => `one word ${at} times in chat against ${usual}`,
}

/** By how many ends of the span lie in a silence or at a cut. */
const edgeReasons = ['no silence or cut near its ends', 'a silence or cut at one end', 'a silence or cut at both ends']

/** The span of a clip around a peak: its ends at the silence or cut that comes nearest to half of the usual length. */
function spanAround(
  peakSec: number,
  { durationSec, silences, cuts }: Pick<Timeline, 'durationSec' | 'silences' | 'cuts'>,
): Span & { startsAtEdge: boolean; endsAtEdge: boolean } {
  const half = spanSec.usual / 2
  const reach = { near: leadSec, far: spanSec.max / 2 }
  const starts = [...(silences ?? []).map(({ endSec }) => endSec), ...(cuts ?? []).map(({ atSec }) => atSec)]
  const ends = [...(silences ?? []).map(({ startSec }) => startSec), ...(cuts ?? []).map(({ atSec }) => atSec)]
  const startEdge = nearest(starts, peakSec - half, { from: peakSec - reach.far, to: peakSec - reach.near })
  const startSec = startEdge ?? Math.max(0, Math.min(peakSec - half, durationSec - spanSec.min))
  // The peak is a whole second: what it is about ends with that second.
  const endsFrom = Math.max(peakSec + 1 + reach.near, startSec + spanSec.min)
  const endEdge = nearest(ends, peakSec + half, { from: endsFrom, to: startSec + spanSec.max })
  const endSec = endEdge ?? Math.min(durationSec, Math.max(peakSec + half, startSec + spanSec.min))
  return {
    startSec: round(startSec),
    endSec: round(endSec),
    startsAtEdge: startEdge !== null,
    endsAtEdge: endEdge !== null,
  }
}

function nearest(
  instants: readonly number[],
  toSec: number,
  within: { readonly from: number; readonly to: number },
): number | null {
  let best: number | null = null
  for (const instant of instants) {
    if (instant < within.from || instant > within.to) continue
    if (best === null || Math.abs(instant - toSec) < Math.abs(best - toSec)) best = instant
  }
  return best
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
