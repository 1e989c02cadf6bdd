import type { Timeline } from '../../contracts/timeline.ts'
import { CellGrid } from '../charts/cell-grid.ts'
import { drawPicture } from '../charts/picture-block.ts'
import type { Picture } from '../net/picture-client.ts'
import { cellWidth, padLine } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { type CutLayout, pixelsOf, stripQuery } from './cut-layout.ts'
import { type CutPlace, type CutWindow, type MediaShape, playheadSec, timecode, windowOf } from './cut-state.ts'
import { frameQuery } from './media-resources.ts'
import type { ScreenView } from './screen.ts'

// The picture half of CUT: frames, strip, waveform and what is marked along it, all over one stretch of the video. Every line
// is exactly as wide as the pane.

export interface CutScene {
  vodId: string
  place: CutPlace
  shape: MediaShape
  layout: CutLayout
  timeline: Timeline | null
  /** The suggested moment that is chosen, by its place in `timeline.moments`. */
  momentIndex: number | null
}

const loudest = 0
const quietest = -60
const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const asciiBars = ['_', '.', ':', '-', '=', '+', '*', '#']
const frameGap = 2

/** Frames of the in point, the playhead and the out point side by side, each below its timecode. */
export function drawFrames(scene: CutScene, view: ScreenView): string[] {
  const { frame } = scene.layout
  if (frame === null) return []
  const { inSec, outSec } = scene.place.marks
  const nowSec = playheadSec(scene.place, scene.shape, view.nowMs)
  const { style, width } = view
  const shown: { title: string; role: ColorRole; atSec: number | null }[] = [
    { title: 'IN', role: 'good', atSec: inSec },
    { title: scene.place.speed === 0 ? 'HERE' : `x${scene.place.speed}`, role: 'accent', atSec: nowSec },
    { title: 'OUT', role: 'error', atSec: outSec },
  ]
  // Narrow frames have room for hours only where there are some.
  const clock = (sec: number) =>
    frame.width < 17 && scene.shape.durationSec < 3600 ? timecode(sec).slice(3) : timecode(sec)
  const blocks = shown.map(({ atSec }) => frameBlock(scene, view, atSec))
  const titles = shown.map(({ title, role, atSec }) =>
    style.bold(role, style.fit(`${title} ${atSec === null ? 'not marked' : clock(atSec)}`, frame.width)),
  )
  const gap = ' '.repeat(frameGap)
  const lines = Array.from({ length: frame.height }, (_, y) => blocks.map(block => block[y] ?? '').join(gap))
  return [titles.join(gap), ...lines].map(line => padLine(line, width))
}

function frameBlock(scene: CutScene, view: ScreenView, atSec: number | null): readonly string[] {
  const { frame } = scene.layout
  if (frame === null) return []
  const blank = ' '.repeat(frame.width)
  if (atSec === null)
    return Array.from({ length: frame.height }, () => view.style.paint('faint', fill('.', frame.width)))
  const size = pixelsOf(frame)
  const exact = view.pictures(frameQuery(scene.vodId, { atSec, ...size }))
  const picture = exact.cells.get(0) ?? nearestInStrip(scene, view, atSec)
  if (picture === null) {
    const words = exact.status === 'error' ? exact.message : `${view.style.glyphs.ring} decoding`
    return Array.from({ length: frame.height }, (_, y) =>
      y === Math.floor(frame.height / 2)
        ? view.style.paint('muted', view.style.fit(words, frame.width, 'center'))
        : blank,
    )
  }
  return drawPicture(picture, { ...frame, style: view.style })
}

/** Cells of the stretch that the strip shows; until they come, the nearest that are there. */
export function drawStrip(scene: CutScene, view: ScreenView): string[] {
  const { strip } = scene.layout
  if (strip === null) return []
  const window = windowOf(scene.place, scene.shape)
  const { cells, status, message } = view.pictures(stripQuery(scene.vodId, strip, window))
  if (status === 'error' && cells.size === 0) {
    const words = view.style.paint('error', view.style.fit(` ! ${message}`, view.width))
    return Array.from({ length: strip.height }, (_, y) => (y === 0 ? words : ' '.repeat(view.width)))
  }
  const blocks = Array.from({ length: strip.count }, (_, i) => {
    const middleSec = window.fromSec + ((i + 0.5) * (window.toSec - window.fromSec)) / strip.count
    const picture = cells.get(i) ?? nearestInStrip(scene, view, middleSec)
    return picture === null ? null : drawPicture(picture, { ...strip, style: view.style })
  })
  const dots = view.style.paint('faint', fill('.', strip.width))
  return Array.from({ length: strip.height }, (_, y) => {
    let line = ''
    let used = 0
    blocks.forEach((block, i) => {
      const x = Math.floor((i * view.width) / strip.count)
      line += ' '.repeat(Math.max(0, x - used)) + (block?.[y] ?? dots)
      used = Math.max(used, x) + strip.width
    })
    return line + ' '.repeat(Math.max(0, view.width - used))
  })
}

/** The cell of the whole video's strip that shows the instant nearest to this one. */
function nearestInStrip(scene: CutScene, view: ScreenView, atSec: number): Picture | null {
  const { strip } = scene.layout
  if (strip === null) return null
  const { cells } = view.pictures(stripQuery(scene.vodId, strip, { fromSec: 0, toSec: scene.shape.durationSec }))
  return [...cells.values()].reduce<Picture | null>(
    (best, each) => (best === null || Math.abs(each.atSec - atSec) < Math.abs(best.atSec - atSec) ? each : best),
    null,
  )
}

/** The sound: peaks above and below the middle, what is marked in another colour. */
export function drawWave(scene: CutScene, view: ScreenView): string[] {
  const { width, style } = view
  const { waveHeight } = scene.layout
  const peaks = scene.timeline?.peaks ?? null
  if (peaks === null) {
    const words =
      scene.timeline === null
        ? 'a analyses the sound and the pictures: waveform, silences, scenes, suggested moments'
        : 'no sound'
    return Array.from({ length: waveHeight }, (_, y) =>
      y === Math.floor(waveHeight / 2)
        ? style.paint('muted', style.fit(words, width, 'center'))
        : style.paint('faint', fill(style.isAscii ? '.' : '·', width)),
    )
  }
  if (style.isAscii) return asciiWave(scene, view, peaks)
  const grid = new CellGrid(width, waveHeight)
  const dots = waveHeight * 4
  const { series } = style.theme.chart
  for (let x = 0; x < width * 2; x++) {
    const span = spanAt(scene, x, width * 2)
    const { low, high } = peakIn(peaks, span)
    const color = isMarked(scene.place, span.fromSec) ? series[0] : series[1]
    const top = Math.round(((127 - high) / 254) * (dots - 1))
    const bottom = Math.round(((127 - low) / 254) * (dots - 1))
    for (let y = top; y <= bottom; y++) grid.dot(x, y, color)
  }
  return grid.toLines(style.depth > 0)
}

function asciiWave(scene: CutScene, { width, style }: ScreenView, peaks: NonNullable<Timeline['peaks']>): string[] {
  const { waveHeight } = scene.layout
  const heights = Array.from({ length: width }, (_, x) => {
    const { low, high } = peakIn(peaks, spanAt(scene, x, width))
    return Math.round((Math.max(high, -low) / 127) * waveHeight)
  })
  return Array.from({ length: waveHeight }, (_, y) =>
    style.paint('accent', heights.map(height => (height >= waveHeight - y ? '#' : ' ')).join('')),
  )
}

/** How loud it is, one bar a column; silences are gaps. */
export function drawLoudness(scene: CutScene, { width, style }: ScreenView): string {
  const energy = scene.timeline?.energy ?? null
  if (energy === null) return ' '.repeat(width)
  const levels = style.isAscii ? asciiBars : bars
  const silences = scene.timeline?.silences ?? []
  let line = ''
  for (let x = 0; x < width; x++) {
    const { fromSec, toSec } = spanAt(scene, x, width)
    const isSilent = silences.some(({ startSec, endSec }) => startSec <= fromSec && endSec >= toSec)
    const steps = energy.dbfs.slice(
      Math.floor(fromSec / energy.stepSec),
      Math.max(Math.floor(fromSec / energy.stepSec) + 1, Math.ceil(toSec / energy.stepSec)),
    )
    const share = (Math.max(quietest, ...steps) - quietest) / (loudest - quietest)
    line += isSilent || steps.length === 0 ? ' ' : (levels[Math.min(7, Math.floor(share * 8))] ?? ' ')
  }
  return style.paint('up', line)
}

/** Where the playhead is and what is marked. */
export function drawMarks(scene: CutScene, view: ScreenView): string {
  const { width, style } = view
  const { inSec, outSec } = scene.place.marks
  const lane = new Lane(width)
  const line = style.isAscii ? '=' : '━'
  const at = (sec: number) => columnOf(scene, sec, width)
  if (inSec !== null && outSec !== null)
    for (let x = Math.max(0, at(inSec)); x <= Math.min(width - 1, at(outSec)); x++) lane.put(x, line, 'accent')
  if (inSec !== null) lane.put(at(inSec), '[', 'good')
  if (outSec !== null) lane.put(at(outSec), ']', 'error')
  lane.put(at(playheadSec(scene.place, scene.shape, view.nowMs)), style.glyphs.down, 'flash')
  return lane.toLine(view)
}

/** Changes of scene, and silences as lines. */
export function drawScenes(scene: CutScene, view: ScreenView): string {
  const { width, style } = view
  const lane = new Lane(width)
  const dash = style.isAscii ? '_' : '─'
  for (const { startSec, endSec } of scene.timeline?.silences ?? []) {
    const [from, to] = [columnOf(scene, startSec, width), columnOf(scene, endSec, width)]
    for (let x = Math.max(0, from); x <= Math.min(width - 1, to); x++) lane.put(x, dash, 'faint')
  }
  for (const { atSec } of scene.timeline?.cuts ?? []) lane.put(columnOf(scene, atSec, width), style.glyphs.bar, 'warn')
  return lane.toLine(view)
}

/** Suggested moments as numbers where they begin, the best one being 1. */
export function drawMoments(scene: CutScene, view: ScreenView): string {
  const lane = new Lane(view.width)
  const line = view.style.isAscii ? '-' : '╌'
  for (const [i, moment] of (scene.timeline?.moments ?? []).entries()) {
    const isChosen = i === scene.momentIndex
    const from = columnOf(scene, moment.startSec, view.width)
    const to = columnOf(scene, moment.endSec, view.width)
    if (isChosen) for (let x = Math.max(0, from); x <= Math.min(view.width - 1, to); x++) lane.put(x, line, 'subject')
    for (const [k, digit] of [...`${i + 1}`].entries()) lane.put(from + k, digit, isChosen ? 'flash' : 'subject')
  }
  return lane.toLine(view)
}

/** Timecodes along the stretch. */
export function drawRuler(scene: CutScene, view: ScreenView): string {
  const { width, style } = view
  const window = windowOf(scene.place, scene.shape)
  const count = Math.max(1, Math.min(8, Math.floor(width / 20)))
  let line = ''
  for (let i = 0; i < count; i++) {
    const x = Math.floor((i * width) / count)
    const sec = window.fromSec + (x / width) * (window.toSec - window.fromSec)
    line += `${' '.repeat(Math.max(0, x - cellWidth(line)))}${style.glyphs.bar}${timecode(sec)}`
  }
  return style.paint('muted', style.fit(line, width))
}

/** A line of cells, of which some hold a mark. */
class Lane {
  readonly #cells: ({ char: string; role: ColorRole } | null)[]

  constructor(width: number) {
    this.#cells = Array.from({ length: width }, () => null)
  }

  /** What lies outside is left out. */
  put(x: number, char: string, role: ColorRole): void {
    if (x >= 0 && x < this.#cells.length) this.#cells[x] = { char, role }
  }

  toLine({ style }: ScreenView): string {
    return this.#cells.map(cell => (cell === null ? ' ' : style.paint(cell.role, cell.char))).join('')
  }
}

/** The stretch that one of `count` columns stands for. */
function spanAt({ place, shape }: CutScene, x: number, count: number): CutWindow {
  const { fromSec, toSec } = windowOf(place, shape)
  const stepSec = (toSec - fromSec) / count
  return { fromSec: fromSec + x * stepSec, toSec: fromSec + (x + 1) * stepSec }
}

/** The column of an instant; outside of the pane when the stretch does not hold it. */
function columnOf({ place, shape }: CutScene, sec: number, width: number): number {
  const { fromSec, toSec } = windowOf(place, shape)
  const x = Math.floor(((sec - fromSec) / (toSec - fromSec)) * width)
  // The end of the video is its last column.
  return sec === toSec ? width - 1 : x
}

function peakIn({ stepSec, minMax }: NonNullable<Timeline['peaks']>, { fromSec, toSec }: CutWindow) {
  const first = Math.floor(fromSec / stepSec)
  const last = Math.max(first + 1, Math.ceil(toSec / stepSec))
  let low = 0
  let high = 0
  for (let i = first; i < last; i++) {
    low = Math.min(low, minMax[2 * i] ?? 0)
    high = Math.max(high, minMax[2 * i + 1] ?? 0)
  }
  return { low, high }
}

function isMarked({ marks: { inSec, outSec } }: CutPlace, sec: number): boolean {
  return inSec !== null && outSec !== null && sec >= inSec && sec < outSec
}

function fill(char: string, width: number): string {
  return char.repeat(Math.max(0, width))
}
