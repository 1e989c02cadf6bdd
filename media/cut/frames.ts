import { AppError } from '../../contracts/errors.ts'

/** A packet of the picture, in the order in which packets are decoded. Times on one clock, in seconds. */
export interface PicturePacket {
  readonly atSec: number
  readonly durationSec: number
  readonly isKey: boolean
}

/** A frame of a clip, in the order in which frames are shown. */
export interface ClipFrame {
  /** When it is shown in the source. */
  readonly atSec: number
  /** When it is shown in the clip's span: later than `atSec` for a long frame that the clip begins in the middle of. */
  readonly shownAtSec: number
  readonly durationSec: number
  /** Its packet's place in the order of decoding. */
  readonly packetIndex: number
}

/** Times that were typed or rounded to milliseconds still mean the frame. */
const toleranceSec = 0.001
/** A gap longer than this is a still picture of a variable rate, which belongs to the clip from its middle on. */
const longFrameSec = 0.1

/**
 * The frames from the first one at or after `startSec` to the last one before `endSec`.
 * @param packets at least from the keyframe before the start to the last frame before the end
 * @throws AppError BAD_REQUEST when there is none
 */
export function framesBetween(
  packets: readonly PicturePacket[],
  startSec: number,
  endSec: number,
): [ClipFrame, ...ClipFrame[]] {
  const shown = packets
    .map((packet, packetIndex) => ({ atSec: packet.atSec, durationSec: packet.durationSec, packetIndex }))
    .sort((a, b) => a.atSec - b.atSec)
  const beginIndex = shown.findIndex(frame => frame.atSec >= startSec - toleranceSec)
  const firstIndex = beginIndex === -1 ? shown.length : beginIndex
  const previous = shown[firstIndex - 1]
  const isInLongFrame =
    previous !== undefined &&
    previous.atSec + previous.durationSec > startSec + toleranceSec &&
    (shown[firstIndex]?.atSec ?? endSec) - startSec > longFrameSec
  const frames = shown.slice(isInLongFrame ? firstIndex - 1 : firstIndex).flatMap((frame, index, list): ClipFrame[] => {
    if (frame.atSec >= endSec - toleranceSec) return []
    const shownAtSec = isInLongFrame && index === 0 ? startSec : frame.atSec
    const nextSec = list[index + 1]?.atSec ?? frame.atSec + frame.durationSec
    const untilSec = nextSec - endSec > longFrameSec ? endSec : nextSec
    return [{ ...frame, shownAtSec, durationSec: Math.max(0, untilSec - shownAtSec) }]
  })
  const [first, ...rest] = frames
  if (first === undefined)
    throw new AppError('BAD_REQUEST', 'There is no picture between these times: the file may have been cut off before.')
  return [first, ...rest]
}

/** The end of the last frame, on the clock of the frames. */
export function endOf(frames: readonly ClipFrame[]): number {
  const last = frames.at(-1)
  return last === undefined ? 0 : last.shownAtSec + last.durationSec
}

/** Which frames of a clip are encoded anew, and which packets between are copied as they are. */
export interface SmartPlan {
  readonly head: readonly ClipFrame[]
  /** In order of decoding: from the keyframe `from` to before `until`. */
  readonly copied: { readonly from: number; readonly until: number }
  readonly tail: readonly ClipFrame[]
}

/**
 * Where copying begins and ends: from a keyframe that needs nothing before it to the last place where all frames that
 * were decoded by then are shown in one piece, none of them after the end. The frames after that place are encoded
 * anew, usually three or fewer.
 *
 * @param joint the place of the keyframe among the frames
 */
export function planSmartCut(frames: readonly ClipFrame[], joint: number): SmartPlan {
  const wanted = frames.slice(joint)
  const from = wanted[0]?.packetIndex ?? 0
  const rankOf = new Map(wanted.map((frame, rank) => [frame.packetIndex, rank]))
  let copiedCount = 0
  let rankMax = -1
  for (let count = 1; count <= wanted.length; count += 1) {
    const rank = rankOf.get(from + count - 1)
    // Shown after the end: with it, the copy could not be exact.
    if (rank === undefined) break
    rankMax = Math.max(rankMax, rank)
    if (rankMax + 1 === count) copiedCount = count
  }
  return {
    head: frames.slice(0, joint),
    copied: { from, until: from + copiedCount },
    tail: wanted.slice(copiedCount),
  }
}
