/** One mark on an axis. */
export interface Tick {
  value: number
  label: string
}

/** Round values (1, 2 or 5 times a power of ten) inside `min`…`max`, about `count` of them, ascending. `min` < `max`. */
export function valueTicks(min: number, max: number, count: number): Tick[] {
  const step = roundStep((max - min) / Math.max(1, count))
  const first = Math.ceil(min / step - 1e-9)
  const last = Math.floor(max / step + 1e-9)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const value = (first + i) * step
    return { value, label: tickLabel(value, step) }
  })
}

/** A number as an axis shows it: 1.2M, 350K, 0.05; as many decimals as the step needs. */
function tickLabel(value: number, step: number): string {
  const size = Math.abs(value)
  const [unit, name] = size >= 1e9 ? [1e9, 'B'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'K'] : [1, '']
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)))
  return `${(value / unit).toFixed(decimals)}${name}`
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const lead = rough / power
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10)
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const timeStepsMs = [
  ...[1, 2, 5, 10, 15, 30].map(minutes => minutes * minuteMs),
  ...[1, 2, 3, 6, 12].map(hours => hours * hourMs),
  ...[1, 2, 7, 14, 30, 60, 90, 180, 365].map(days => days * dayMs),
]

/** Instants at round UTC times inside `fromMs`…`toMs`, at most `countMax`, labelled 06:30, 14 Nov or Nov 2017 by their distance. */
export function timeTicks(fromMs: number, toMs: number, countMax: number): Tick[] {
  const rough = (toMs - fromMs) / Math.max(1, countMax)
  const stepMs = timeStepsMs.find(step => step >= rough) ?? Math.ceil(rough / dayMs) * dayMs
  const ticks: Tick[] = []
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs <= toMs && ticks.length < countMax; atMs += stepMs)
    ticks.push({ value: atMs, label: timeLabel(atMs, stepMs) })
  return ticks
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function timeLabel(atMs: number, stepMs: number): string {
  const at = new Date(atMs)
  const month = monthNames[at.getUTCMonth()] ?? ''
  if (stepMs >= 30 * dayMs) return `${month} ${at.getUTCFullYear()}`
  if (atMs % dayMs === 0) return `${at.getUTCDate()} ${month}`
  return at.toISOString().slice(11, 16)
}
