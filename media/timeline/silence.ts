import type { Span } from '../../contracts/timeline.ts'

/** Nothing louder than this is silent, unless the file is noisy. */
const silentDbfsMax = -45
/** Silence is at least so far below the loud parts of the file. */
const belowLoudDb = 18
/** Sound so little above the noise floor is silent too, if it is at least so far below the loud parts. */
const aboveFloorDb = 6
const aboveFloorBelowLoudDb = 12
/**
 * The floor is the level that a tenth of the steps stay below, the loud parts begin at the level that a tenth exceed.
 */
const edgeShare = 0.1
/** Steps below this are digital silence: they say nothing of the room's noise or of how loud the recording is. */
const nothingDbfs = -90
const silenceSecMin = 0.3

/**
 * The level below which a file's sound counts as silent: -45 dBFS or 18 dB below its loud parts, whichever is lower; in
 * a noisy file 6 dB above its noise floor, where that is 12 dB below its loud parts. Music without a pause has no
 * silences. Against the marked speech of a meeting 87 % of what it calls silent is, and 85 % of the speech is not
 * called so; a fixed -45 dBFS lost almost half of the speech.
 * @param dbfs RMS levels of equal steps
 */
export function silentBelow(dbfs: readonly number[]): number {
  const heard = Float64Array.from(dbfs.filter(level => level > nothingDbfs)).sort()
  if (heard.length === 0) return silentDbfsMax
  const at = (share: number) => heard[Math.floor(share * (heard.length - 1))] ?? silentDbfsMax
  const loud = at(1 - edgeShare)
  const quiet = Math.min(silentDbfsMax, loud - belowLoudDb)
  return Math.max(quiet, Math.min(at(edgeShare) + aboveFloorDb, loud - aboveFloorBelowLoudDb))
}

/**
 * Spans of at least 0.3 s in which every step is below a level.
 * @param energy RMS levels of equal steps, the first beginning at `startSec`
 */
export function findSilences(
  energy: { readonly dbfs: readonly number[]; readonly stepSec: number; readonly startSec: number },
  belowDbfs: number,
): Span[] {
  const { dbfs, stepSec, startSec } = energy
  const stepCountMin = Math.round(silenceSecMin / stepSec)
  const at = (step: number) => Math.round((startSec + step * stepSec) * 1000) / 1000
  const spans: Span[] = []
  let from = -1
  for (let step = 0; step <= dbfs.length; step += 1) {
    const isSilent = step < dbfs.length && (dbfs[step] ?? 0) < belowDbfs
    if (isSilent && from < 0) from = step
    if (isSilent || from < 0) continue
    if (step - from >= stepCountMin) spans.push({ startSec: at(from), endSec: at(step) })
    from = -1
  }
  return spans
}
