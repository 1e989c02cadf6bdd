/**
 * Where a video is put together of several: bars above and below a picture, a blurred ground beside it, two videos on
 * one screen. Such a place is a straight line across the whole picture that stays where it is. What moves is smooth
 * when all frames are taken together, so brightness changes more from one side of a seam to the other than between any
 * lines near it.
 */
import { type Area, areaAt, type GreyAreas } from './grey-areas.ts'

/** Places along a line at which it is looked at. */
const alongCount = 64
/** Lines on either side with which a line is compared, and those next to it that may belong to the same seam. */
const around = 10
const beside = 2
/** A seam's change against the usual one around it. */
const sharpnessMin = 1.8
/** And in brightness, of 255; where nothing changes around it, as in bars, the usual change is taken for this much. */
const changeMin = 3
const usualMin = 0.5
const seamsMax = 3
/**
 * Parts that are smaller than this share of the side hold nothing worth comparing; those that are larger are the whole.
 */
const partMin = 0.2
const partMax = 0.95
/** Of all parts between seams those with the clearest ends. */
const partsMax = 6
const framesMax = 40
const whole: Area = { left: 0, top: 0, width: 1, height: 1 }

/** A place between two lines, as a share of the side, and how much clearer it is than what is around it. */
interface Seam {
  readonly place: number
  readonly sharpness: number
}

/**
 * The parts that a video may be put together of: whatever lies between two seams, or a seam and the edge.
 * @returns at most six, those with the clearest ends first; none when there is no seam
 */
export function seamedAreas(frames: readonly GreyAreas[]): Area[] {
  const first = frames[0]
  if (!first) return []
  const step = Math.ceil(frames.length / framesMax)
  const looked = frames.filter((_, index) => index % step === 0)
  const rows = partsBetween(seams(looked, { columns: alongCount, rows: first.heightPx }, 'rows'))
  const columns = partsBetween(seams(looked, { columns: first.widthPx, rows: alongCount }, 'columns'))
  return [
    ...rows.map(part => ({ ...part, area: { ...whole, top: part.from, height: part.to - part.from } })),
    ...columns.map(part => ({ ...part, area: { ...whole, left: part.from, width: part.to - part.from } })),
  ]
    .sort((a, b) => b.sharpness - a.sharpness)
    .slice(0, partsMax)
    .map(({ area }) => area)
}

interface Grid {
  readonly columns: number
  readonly rows: number
}

/** The clearest seams between rows, or between columns. */
function seams(frames: readonly GreyAreas[], grid: Grid, between: keyof Grid): Seam[] {
  const lineCount = grid[between]
  const changes = changesBetweenLines(frames, grid, between)
  const found = changes.flatMap((change, line): Seam[] => {
    const near = changes.slice(Math.max(0, line - beside), line + beside + 1)
    const isHighest = near.every(other => other <= change)
    const sharpness = change / usualAround(changes, line)
    return isHighest && change >= changeMin && sharpness >= sharpnessMin
      ? [{ place: (line + 1) / lineCount, sharpness }]
      : []
  })
  return found.sort((a, b) => b.sharpness - a.sharpness).slice(0, seamsMax)
}

/** Mean change of brightness from each line to the next, over all frames. */
function changesBetweenLines(frames: readonly GreyAreas[], grid: Grid, between: keyof Grid): number[] {
  const [acrossStep, alongStep] = between === 'rows' ? [grid.columns, 1] : [1, grid.columns]
  const changes = new Array<number>(grid[between] - 1).fill(0)
  for (const frame of frames) {
    const values = areaAt(frame, whole, grid)
    for (const line of changes.keys()) {
      for (let along = 0; along < alongCount; along += 1) {
        const at = line * acrossStep + along * alongStep
        changes[line] = (changes[line] ?? 0) + Math.abs((values[at + acrossStep] ?? 0) - (values[at] ?? 0))
      }
    }
  }
  return changes.map(sum => sum / frames.length / alongCount)
}

function usualAround(changes: readonly number[], line: number): number {
  const before = changes.slice(Math.max(0, line - around), Math.max(0, line - beside))
  const after = changes.slice(line + beside + 1, line + around + 1)
  const sorted = [...before, ...after].sort((a, b) => a - b)
  return Math.max(usualMin, sorted[sorted.length >> 1] ?? 0)
}

/**
 * All stretches between two seams, or a seam and an edge, that are large enough; each as clear as its ends together.
 */
function partsBetween(seams: readonly Seam[]): { from: number; to: number; sharpness: number }[] {
  const ends = [{ place: 0, sharpness: 0 }, ...seams, { place: 1, sharpness: 0 }]
  return ends.flatMap(from =>
    ends
      .filter(to => to.place - from.place >= partMin && to.place - from.place <= partMax)
      .map(to => ({ from: from.place, to: to.place, sharpness: from.sharpness + to.sharpness })),
  )
}
