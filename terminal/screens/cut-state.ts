import type { Timeline } from '../../contracts/timeline.ts'

// Where one stands in a video and what is marked, as plain data. All instants are seconds of the media.

/** A part of a video that is marked; either end may be missing. */
export interface Marks {
  inSec: number | null
  outSec: number | null
}

/** A stretch of the video. */
export interface CutWindow {
  fromSec: number
  toSec: number
}

export interface CutPlace {
  /** Where the playhead stands, or stood at `sinceMs` while it moves. */
  atSec: number
  /** Seconds of the video a second; 0 stands still. */
  speed: number
  sinceMs: number
  /** What the strip shows; null is the whole video. */
  window: CutWindow | null
  marks: Marks
  /** Earlier marks, the last ones last. */
  past: readonly Marks[]
}

/** What moving depends on. */
export interface MediaShape {
  durationSec: number
  /** Of one frame; a thirtieth where the rate is not known. */
  frameSec: number
}

export const cutStart: CutPlace = {
  atSec: 0,
  speed: 0,
  sinceMs: 0,
  window: null,
  marks: { inSec: null, outSec: null },
  past: [],
}

const speeds = [1, 2, 4, 8, 16, 32]
const pastMax = 100
const windowFramesMin = 10
const snapSecMax = 5

/** Where the playhead is now. */
export function playheadSec(place: CutPlace, { durationSec }: MediaShape, nowMs: number): number {
  return clamp(place.atSec + (place.speed * (nowMs - place.sinceMs)) / 1000, durationSec)
}

/** The stretch that the strip shows. */
export function windowOf({ window }: CutPlace, { durationSec }: MediaShape): CutWindow {
  return window ?? { fromSec: 0, toSec: durationSec }
}

/** The playhead at an instant, standing still, with the strip moved so that it stays on it. */
export function moveTo(place: CutPlace, shape: MediaShape, toSec: number): CutPlace {
  const atSec = clamp(toSec, shape.durationSec)
  return { ...place, atSec, speed: 0, window: withInside(place.window, shape, atSec) }
}

/** One step of a shuttle: faster in its direction, or slower when it runs in the other; 0 stops. */
export function shuttle(place: CutPlace, shape: MediaShape, by: -1 | 0 | 1, nowMs: number): CutPlace {
  const stopped = moveTo(place, shape, playheadSec(place, shape, nowMs))
  if (by === 0) return stopped
  const isSameWay = Math.sign(place.speed) === by
  const faster = speeds[Math.min(speeds.length - 1, speeds.indexOf(Math.abs(place.speed)) + 1)] ?? 1
  return { ...stopped, speed: by * (isSameWay ? faster : 1), sinceMs: nowMs }
}

/** Half or twice as much of the video around the playhead; null where that is the whole of it. */
export function zoom(place: CutPlace, shape: MediaShape, factor: number): CutPlace {
  const { fromSec, toSec } = windowOf(place, shape)
  const spanSec = Math.max(windowFramesMin * shape.frameSec, (toSec - fromSec) * factor)
  if (spanSec >= shape.durationSec) return { ...place, window: null }
  // What is under the playhead stays where it is on the screen.
  const share = (place.atSec - fromSec) / (toSec - fromSec)
  const start = place.atSec - share * spanSec
  return { ...place, window: inside({ fromSec: start, toSec: start + spanSec }, shape) }
}

/** The strip moved by a share of what it shows. */
export function pan(place: CutPlace, shape: MediaShape, share: number): CutPlace {
  if (place.window === null) return place
  const { fromSec, toSec } = place.window
  const bySec = (toSec - fromSec) * share
  return { ...place, window: inside({ fromSec: fromSec + bySec, toSec: toSec + bySec }, shape) }
}

/** One end marked. An end on the wrong side of the other one takes that away. */
export function mark(place: CutPlace, end: 'in' | 'out', atSec: number): CutPlace {
  const { inSec, outSec } = place.marks
  const marks =
    end === 'in'
      ? { inSec: atSec, outSec: outSec !== null && outSec <= atSec ? null : outSec }
      : { inSec: inSec !== null && inSec >= atSec ? null : inSec, outSec: atSec }
  return withMarks(place, marks)
}

/** Other marks, which can be undone. */
export function withMarks(place: CutPlace, marks: Marks): CutPlace {
  if (marks.inSec === place.marks.inSec && marks.outSec === place.marks.outSec) return place
  return { ...place, marks, past: [...place.past.slice(1 - pastMax), place.marks] }
}

/** The marks before the last change; the same place when there are none. */
export function undo(place: CutPlace): CutPlace {
  const marks = place.past.at(-1)
  return marks === undefined ? place : { ...place, marks, past: place.past.slice(0, -1) }
}

/** Both marks moved to the nearest end of a silence or change of scene, where one is near. */
export function snap(place: CutPlace, timeline: Timeline): CutPlace {
  const edges = [...silenceEdges(timeline), ...sceneEdges(timeline)]
  const near = (atSec: number | null): number | null => {
    if (atSec === null) return null
    const nearest = edges.reduce<number | null>(
      (best, edge) => (best === null || Math.abs(edge - atSec) < Math.abs(best - atSec) ? edge : best),
      null,
    )
    return nearest !== null && Math.abs(nearest - atSec) <= snapSecMax ? nearest : atSec
  }
  const marks = { inSec: near(place.marks.inSec), outSec: near(place.marks.outSec) }
  const isEmpty = marks.inSec !== null && marks.outSec !== null && marks.inSec >= marks.outSec
  return isEmpty ? place : withMarks(place, marks)
}

/** Where silences begin and end, in order. */
export function silenceEdges({ silences }: Timeline): number[] {
  return (silences ?? []).flatMap(({ startSec, endSec }) => [startSec, endSec])
}

/** Where scenes change, in order. */
export function sceneEdges({ cuts }: Timeline): number[] {
  return (cuts ?? []).map(({ atSec }) => atSec)
}

/** The next of some instants in a direction, or null. `edges` are in order. */
export function nextEdge(edges: readonly number[], atSec: number, by: -1 | 1): number | null {
  const tolerance = 0.001
  const found = by > 0 ? edges.find(edge => edge > atSec + tolerance) : edges.findLast(edge => edge < atSec - tolerance)
  return found ?? null
}

/** `1:02:03.5`, `2:03.5` or `3.5`, in seconds; null for anything else. */
export function parseTimecode(text: string): number | null {
  const match = /^(?:(?:(\d{1,2}):)?(\d{1,4}):)?(\d{1,5}(?:\.\d{1,6})?)$/.exec(text.trim())
  if (match === null) return null
  const [hours, minutes, seconds] = [match[1] ?? '0', match[2] ?? '0', match[3] ?? ''].map(Number)
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)
}

/** `00:12:03.500`: exact to the millisecond. */
export function timecode(sec: number): string {
  const ms = Math.round(sec * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const parts = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map(part => two(Math.floor(part)))
  return `${parts.join(':')}.${String(ms % 1000).padStart(3, '0')}`
}

function clamp(sec: number, durationSec: number): number {
  return Math.max(0, Math.min(durationSec, sec))
}

function inside({ fromSec, toSec }: CutWindow, { durationSec }: MediaShape): CutWindow {
  const spanSec = toSec - fromSec
  const start = clamp(Math.min(fromSec, durationSec - spanSec), durationSec)
  return { fromSec: start, toSec: start + spanSec }
}

/** The window moved as little as it takes to hold an instant. */
function withInside(window: CutWindow | null, shape: MediaShape, atSec: number): CutWindow | null {
  if (window === null || (atSec >= window.fromSec && atSec <= window.toSec)) return window
  const spanSec = window.toSec - window.fromSec
  return inside({ fromSec: atSec - spanSec / 2, toSec: atSec + spanSec / 2 }, shape)
}
