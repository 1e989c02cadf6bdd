import { PlatformSchema } from '../../contracts/ids.ts'
import { type Bucket, bucketMs, buckets, metrics, type Period, periodMs, periods } from '../../contracts/measures.ts'
import type { Command } from '../command/grammar.ts'
import { parseSubjects, type Subject } from '../command/subject.ts'
import { type ChartWindow, panWindow, stepCursor, zoomWindow } from './chart-window.ts'

/** How GP draws: own braille line, bars from zero, or blessed-contrib's line. */
const gpStyles = ['line', 'bars', 'classic'] as const
type GpStyle = (typeof gpStyles)[number]
type Metric = (typeof metrics)[number]
const platformChoices = ['all', ...PlatformSchema.options] as const

/** What a GP screen shows. The window and crosshair are of this screen only; the rest makes the queries. */
export interface GpState {
  /** One to four; the first is the main one, whose readings the crosshair steps through. */
  subjects: readonly Subject[]
  metric: Metric
  /** The named window, or null when `range` is asked for. */
  period: Period | null
  range: { from: string; to: string } | null
  /** Null lets the server choose. */
  bucket: Bucket | null
  platform: (typeof platformChoices)[number]
  style: GpStyle
  /** The zoomed part of what is loaded, or null for all of it. */
  window: ChartWindow | null
  cursorAtMs: number | null
}

/** What is loaded: how far the data reaches and the instants of the main subject's readings, ascending. */
export interface GpLoaded {
  bounds: ChartWindow
  instants: readonly number[]
}

/** Moves of a GP screen. `cursorTo` comes from the mouse. */
export type GpMove =
  | { type: 'cursor'; by: number }
  | { type: 'cursorTo'; atMs: number }
  | { type: 'cursorOff' | 'zoomIn' | 'zoomOut' | 'zoomAll' | 'panLeft' | 'panRight' }
  | { type: 'metric' | 'period' | 'bucket' | 'style'; by: 1 | -1 }

/** The state that a `GP` command asks for. Its arguments were checked by the grammar; one that is not known is left out. */
export function gpStateOf(command: Pick<Command, 'subject' | 'args'>): GpState {
  const { subject, args } = command
  const range = args.from !== undefined && args.to !== undefined ? { from: args.from, to: args.to } : null
  const compared = args.vs === undefined ? [] : parseSubjects(args.vs)
  return {
    subjects: [...(subject === null ? [] : [subject]), ...compared].slice(0, 4),
    metric: oneOf(metrics, args.metric) ?? 'views',
    period: range === null ? (oneOf(periods, args.period) ?? '7d') : null,
    range,
    bucket: oneOf(buckets, args.bucket) ?? null,
    platform: oneOf(platformChoices, args.platform) ?? 'all',
    style: oneOf(gpStyles, args.style) ?? 'line',
    window: null,
    cursorAtMs: null,
  }
}

/** The parameters of the live query `series` for one subject, or null while a search is not resolved. */
export function seriesParams(state: GpState, subject: Subject): Record<string, string> | null {
  if (subject.type === 'search') return null
  return {
    type: `${subject.type}s`,
    id: subject.id,
    metric: state.metric,
    platform: state.platform,
    ...(state.range ?? { period: state.period ?? '7d' }),
    ...(state.bucket === null ? {} : { bucket: state.bucket }),
  }
}

/** How far the loaded data reaches: the asked range, or the named period up to the instant of the data. */
export function gpBounds(state: GpState, asOfMs: number): ChartWindow {
  if (state.range !== null) return { fromMs: Date.parse(state.range.from), toMs: Date.parse(state.range.to) }
  return { fromMs: asOfMs - periodMs[state.period ?? '7d'], toMs: asOfMs }
}

const zoomStep = 0.5
const panStep = 0.25

/** The state after a move. Zooming out of everything loaded asks for the next longer period. */
export function moveGp(state: GpState, move: GpMove, loaded: GpLoaded): GpState {
  const { bounds, instants } = loaded
  const window = state.window ?? bounds
  const aroundMs = state.cursorAtMs ?? (window.fromMs + window.toMs) / 2
  switch (move.type) {
    case 'cursor':
      return follow({ ...state, cursorAtMs: stepCursor(instants, state.cursorAtMs, move.by) }, bounds)
    case 'cursorTo':
      return { ...state, cursorAtMs: move.atMs }
    case 'cursorOff':
      return { ...state, cursorAtMs: null }
    case 'zoomIn':
      return { ...state, window: zoomWindow(window, bounds, zoomStep, aroundMs) }
    case 'zoomOut':
      if (state.window === null) return changePeriod(state, 1)
      return { ...state, window: wholeIsNull(zoomWindow(window, bounds, 1 / zoomStep, aroundMs), bounds) }
    case 'zoomAll':
      return { ...state, window: null }
    case 'panLeft':
      return { ...state, window: wholeIsNull(panWindow(window, bounds, -panStep), bounds) }
    case 'panRight':
      return { ...state, window: wholeIsNull(panWindow(window, bounds, panStep), bounds) }
    case 'metric':
      return { ...state, metric: next(metrics, state.metric, move.by) }
    case 'period':
      return showPeriod(state, next(periods, state.period ?? '30d', move.by))
    case 'bucket':
      return { ...state, bucket: next([null, ...bucketsFor(bounds)], state.bucket, move.by) }
    case 'style':
      return { ...state, style: next(gpStyles, state.style, move.by) }
  }
}

/** Most points that the server gives for one series. */
const pointsMax = 2000

/** Steps that make a chart of this length: at least two of them, and not more than the server gives. */
function bucketsFor({ fromMs, toMs }: ChartWindow): Bucket[] {
  return buckets.filter(bucket => {
    const points = (toMs - fromMs) / bucketMs[bucket]
    return points >= 2 && points < pointsMax - 1
  })
}

/** Keeps a moved crosshair inside the zoomed window. */
function follow(state: GpState, bounds: ChartWindow): GpState {
  const { window, cursorAtMs } = state
  if (window === null || cursorAtMs === null) return state
  const lengthMs = window.toMs - window.fromMs
  const byMs = cursorAtMs < window.fromMs ? cursorAtMs - window.fromMs : Math.max(0, cursorAtMs - window.toMs)
  return byMs === 0 ? state : { ...state, window: panWindow(window, bounds, byMs / lengthMs) }
}

/** The next longer or shorter named period; it stops at the ends. */
function changePeriod(state: GpState, by: 1 | -1): GpState {
  const at = state.period === null ? periods.length - 1 : periods.indexOf(state.period)
  return showPeriod(state, periods[Math.min(Math.max(0, at + by), periods.length - 1)] ?? '7d')
}

/** The whole of a named period. A bucket that was wished for may not suit the new length: the server chooses again. */
function showPeriod(state: GpState, period: Period): GpState {
  return { ...state, period, range: null, bucket: null, window: null, cursorAtMs: null }
}

function wholeIsNull(window: ChartWindow, bounds: ChartWindow): ChartWindow | null {
  return window.fromMs === bounds.fromMs && window.toMs === bounds.toMs ? null : window
}

/** The choice after or before this one, round and round. Null may be a choice. */
function next<T>(choices: readonly T[], current: T, by: 1 | -1): T {
  const at = choices.indexOf(current) + by + choices.length
  const found = choices[at % choices.length]
  return found === undefined ? current : found
}

function oneOf<T extends string>(choices: readonly T[], text: string | undefined): T | undefined {
  return choices.find(choice => choice === text)
}
