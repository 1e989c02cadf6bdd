/**
 * Where a video is put together of several: bars above and below a picture, a blurred ground beside it, two videos on one
 * screen. Such a place is a straight line across the whole picture that stays where it is: along it brightness changes
 * in every frame more than it does elsewhere.
 */
import { type Area, areaAt, type GreyAreas } from './grey-areas.ts'

/** Places along a line at which it is looked at. */
const alongCount = 64
/** Along a seam brightness changes so many times as much as along a usual line. */
const aboveUsual = 3
/** Lines of bars, along which nothing changes, are not counted to what is usual. */
const shownMin = 0.5
/** And by at least so much, of 255: on a dark picture anything is above the usual. */
const changeMin = 4
/** Parts that are smaller than this share of the side hold nothing worth comparing. */
const partMin = 0.2
/** More parts than this in one direction are lines of a game or of a table, not of an edit. */
const partsMax = 3
const framesMax = 40

/**
 * The parts that seams divide a video into, without those that have no content of their own (bars).
 * @returns none when there is no seam
 */
export function seamedAreas(frames: readonly GreyAreas[]): Area[] {
  const first = frames[0]
  if (!first) return []
  const step = Math.ceil(frames.length / framesMax)
  const looked = frames.filter((_, index) => index % step === 0)
  const rows = partsBetween(seams(looked, { columns: alongCount, rows: first.heightPx }, 'rows'))
  const columns = partsBetween(seams(looked, { columns: first.widthPx, rows: alongCount }, 'columns'))
  return [
    ...rows.map(({ from, to }) => ({ ...whole, top: from, height: to - from })),
    ...columns.map(({ from, to }) => ({ ...whole, left: from, width: to - from })),
  ]
}

const whole: Area = { left: 0, top: 0, width: 1, height: 1 }

interface Grid {
  readonly columns: number
  readonly rows: number
}

/** Places of seams between rows or between columns, as shares of the side. */
function seams(frames: readonly GreyAreas[], grid: Grid, between: keyof Grid): number[] {
  const lineCount = grid[between]
  const grids = frames.map(frame => areaAt(frame, whole, grid))
  // For every line the least change of any quarter of the frames: a cut or a caption that passes is no seam.
  const changes = Array.from({ length: lineCount - 1 }, (_, line) => {
    const perFrame = grids.map(values => changeAcross(values, grid, { line, between })).sort((a, b) => a - b)
    return perFrame[Math.floor(perFrame.length / 4)] ?? 0
  })
  const shown = changes.filter(change => change >= shownMin).sort((a, b) => a - b)
  const usual = shown[Math.floor(shown.length / 2)] ?? 0
  const isSeam = (line: number) => {
    const change = changes[line] ?? 0
    const isHighest = change >= (changes[line - 1] ?? 0) && change > (changes[line + 1] ?? 0)
    return isHighest && change >= changeMin && change >= aboveUsual * usual
  }
  return changes.flatMap((_, line) => (isSeam(line) ? [(line + 1) / lineCount] : []))
}

/** The median change from one line to the next: most of the line must change. */
function changeAcross(
  values: Float64Array,
  { columns }: Grid,
  { line, between }: { readonly line: number; readonly between: keyof Grid },
): number {
  const [acrossStep, alongStep] = between === 'rows' ? [columns, 1] : [1, columns]
  const changes = Array.from({ length: alongCount }, (_, along) => {
    const at = line * acrossStep + along * alongStep
    return Math.abs((values[at + acrossStep] ?? 0) - (values[at] ?? 0))
  })
  changes.sort((a, b) => a - b)
  return changes[alongCount / 2] ?? 0
}

function partsBetween(places: readonly number[]): { from: number; to: number }[] {
  const ends = [0, ...places, 1]
  const parts = ends.slice(1).map((to, index) => ({ from: ends[index] ?? 0, to }))
  const large = parts.filter(({ from, to }) => to - from >= partMin)
  return places.length === 0 || large.length > partsMax ? [] : large
}
