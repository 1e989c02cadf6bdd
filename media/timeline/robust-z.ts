/** How far a value stands from what is usual around it. */
export interface Standing {
  /** In robust standard deviations, -20 to 20. */
  readonly z: number
  /** What is usual there. */
  readonly usual: number
}

const halfWindowSteps = 300
/** The surroundings are looked at anew every so many steps. */
const blockSteps = 60
const zMax = 20
/** Make the median, or the mean, absolute deviation of a normal distribution its standard deviation. */
const ofMedianDeviation = 1.4826
const ofMeanDeviation = 1.2533

/**
 * Robust z-scores of a series against the 600 steps around each (fewer at the ends): distance from their median, in
 * median absolute deviations made comparable with standard deviations. Where more than half of the surroundings are
 * equal, the mean absolute deviation serves.
 * @param spreadMin more than 0: a deviation is never taken for smaller, so that in a series that hardly changes nothing
 *   stands out
 * @see Iglewicz & Hoaglin 1993
 */
export function standings(values: readonly number[], spreadMin: number): Standing[] {
  const found: Standing[] = []
  for (let from = 0; from < values.length; from += blockSteps) {
    const middle = from + blockSteps / 2
    const around = values.slice(Math.max(0, middle - halfWindowSteps), middle + halfWindowSteps)
    const usual = middleOf(around)
    const deviations = around.map(value => Math.abs(value - usual))
    const spread =
      ofMedianDeviation * middleOf(deviations) ||
      (ofMeanDeviation * deviations.reduce((sum, value) => sum + value, 0)) / deviations.length
    for (const value of values.slice(from, from + blockSteps)) {
      const z = (value - usual) / Math.max(spread, spreadMin)
      found.push({ z: Math.max(-zMax, Math.min(zMax, z)), usual })
    }
  }
  return found
}

function middleOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const half = sorted.length >> 1
  const upper = sorted[half] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2
}
