import type { ChatMessage, MomentSignal, Timeline } from '../../contracts/timeline.ts'
import { energyStepSec } from './sound-meter.ts'

/** The signals that have a value every second; `edges` belongs to a clip's span and has none. */
export type SecondSignal = Exclude<MomentSignal, 'edges'>

/** What a file's signals are, second by second. A signal that the file or the level does not have is not in it. */
export type SignalTracks = ReadonlyMap<SecondSignal, readonly number[]>

/** Quieter than this is all the same: how silent a silence is says nothing of the sound around it. */
const loudnessDbfsMin = -60
/** Sound rises against the mean of so many seconds before. */
const onsetSec = 3
/** Cuts, chatters and words are counted in so many seconds around. */
const countedSec = 10
/** Chat answers what it saw so much later. */
const chatLagSec = 10

/**
 * Makes signals of what a timeline holds. Pure: weights can be changed, and chat added, without reading the media
 * again.
 * @param chat messages on the media's timeline; null when none was recorded, which is not the same as a silent chat
 */
export function signalTracks(
  timeline: Pick<Timeline, 'durationSec' | 'energy' | 'speech' | 'cuts'>,
  chat: readonly ChatMessage[] | null,
): SignalTracks {
  const secondCount = Math.max(1, Math.floor(timeline.durationSec))
  const tracks = new Map<SecondSignal, readonly number[]>()
  if (timeline.energy) {
    const loudness = loudnessOf(timeline.energy.dbfs, secondCount)
    tracks.set('loudness', loudness)
    tracks.set('onset', onsetOf(loudness))
    if (timeline.speech) tracks.set('speech', speechOf(timeline.speech, loudness, timeline.energy.silentBelowDbfs))
  }
  if (timeline.cuts) {
    const cuts = perSecond(secondCount, timeline.cuts, cut => cut.atSec)
    tracks.set(
      'cuts',
      around(cuts, inside => inside.length),
    )
  }
  if (chat) {
    const messages = perSecond(secondCount, chat, message => message.atSec - chatLagSec)
    tracks.set(
      'chat',
      around(messages, inside => inside.length),
    )
    tracks.set(
      'chatters',
      around(messages, inside => new Set(inside.map(({ author }) => author)).size),
    )
    tracks.set('repetition', around(messages, mostRepeated))
  }
  return tracks
}

/** The loudest tenth of each second. */
function loudnessOf(dbfs: readonly number[], secondCount: number): number[] {
  const stepsPerSec = Math.round(1 / energyStepSec)
  return Array.from({ length: secondCount }, (_, second) =>
    Math.max(loudnessDbfsMin, ...dbfs.slice(second * stepsPerSec, (second + 1) * stepsPerSec)),
  )
}

function onsetOf(loudness: readonly number[]): number[] {
  return loudness.map((level, second) => {
    const before = loudness.slice(Math.max(0, second - onsetSec), second)
    if (before.length === 0) return 0
    return Math.max(0, level - before.reduce((sum, other) => sum + other, 0) / before.length)
  })
}

function speechOf(speech: readonly number[], loudness: readonly number[], silentBelowDbfs: number): number[] {
  return loudness.map((level, second) => (level < silentBelowDbfs ? 0 : (speech[second] ?? 0)))
}

function perSecond<Item>(secondCount: number, items: readonly Item[], atSec: (item: Item) => number): Item[][] {
  const seconds: Item[][] = Array.from({ length: secondCount }, () => [])
  for (const item of items) seconds[Math.floor(atSec(item))]?.push(item)
  return seconds
}

/** What `measure` says of the ten seconds around each second. */
function around<Item>(seconds: readonly Item[][], measure: (inside: readonly Item[]) => number): number[] {
  const before = countedSec / 2
  return seconds.map((_, second) =>
    measure(seconds.slice(Math.max(0, second - before), second - before + countedSec).flat()),
  )
}

/** How often the most frequent word is said, over all messages: laughter and emotes come in crowds. */
function mostRepeated(messages: readonly ChatMessage[]): number {
  const counts = new Map<string, number>()
  for (const { text } of messages) {
    for (const word of new Set(text.toLowerCase().split(/\s+/))) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return Math.max(0, ...counts.values())
}
