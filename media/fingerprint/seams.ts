/**
 * Where a video is put together of several: bars above and below a picture, a blurred ground beside it, two videos on one
 * screen. Such a place is a straight line across the whole picture that stays where it is: along it brightness changes
 * in every frame more than it does elsewhere.
 */
import { type Area, type GreyAreas, squareOf } from './grey-areas.ts'

const gridPx = 64
/** Along a seam brightness changes so many times as much as along the line in the middle of all lines. */
const aboveUsual = 3
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
  if (frames.length === 0) return []
  const step = Math.ceil(frames.length / framesMax)
  const whole = { left: 0, top: 0, width: 1, height: 1 }
  const squares = frames.filter((_, index) => index % step === 0).map(frame => squareOf(frame, whole, gridPx))
  const rows = partsBetween(seams(squares, gridPx, 1)).map(({ from, to }) => ({
    ...whole,
    top: from,
    height: to - from,
  }))
  const columns = partsBetween(seams(squares, 1, gridPx)).map(({ from, to }) => ({
    ...whole,
    left: from,
    width: to - from,
  }))
  return [...rows, ...columns]
}

/**
 * Places of seams, as shares of the side.
 * @param acrossStep from one line to the next, in a square's values
 * @param alongStep from one value of a line to the next
 */
function seams(squares: readonly Float64Array[], acrossStep: number, alongStep: number): number[] {
  // For every line the least change of any quarter of the frames: a cut or a caption that passes is no seam.
  const changes = Array.from({ length: gridPx - 1 }, (_, line) => {
    const perFrame = squares.map(square => changeAcross(square, line, acrossStep, alongStep)).sort((a, b) => a - b)
    return perFrame[Math.floor(perFrame.length / 4)] ?? 0
  })
  const usual = [...changes].sort((a, b) => a - b)[Math.floor(changes.length / 2)] ?? 0
  const isSeam = (line: number) => {
    const change = changes[line] ?? 0
    const isHighest = change >= (changes[line - 1] ?? 0) && change > (changes[line + 1] ?? 0)
    return isHighest && change >= changeMin && change >= aboveUsual * usual
  }
  return changes.flatMap((_, line) => (isSeam(line) ? [(line + 1) / gridPx] : []))
}

/** The median change from one line to the next: most of the line must change. */
function changeAcross(square: Float64Array, line: number, acrossStep: number, alongStep: number): number {
  const changes = Array.from({ length: gridPx }, (_, along) => {
    const at = line * acrossStep + along * alongStep
    return Math.abs((square[at + acrossStep] ?? 0) - (square[at] ?? 0))
  })
  changes.sort((a, b) => a - b)
  return changes[gridPx / 2] ?? 0
}

function partsBetween(places: readonly number[]): { from: number; to: number }[] {
  const ends = [0, ...places, 1]
  const parts = ends.slice(1).map((to, index) => ({ from: ends[index] ?? 0, to }))
  const large = parts.filter(({ from, to }) => to - from >= partMin)
  return places.length === 0 || large.length > partsMax ? [] : large
}
