import type { ChartTheme } from '../terminal/charts/color.ts'
import { renderChart } from '../terminal/charts/render-chart.ts'

// CPU of one chart frame: our braille line against blessed-contrib's line (the baseline, same data, same size, same run).
// Prints one JSON object. The ratio is what travels between machines, the milliseconds are not.

const theme: ChartTheme = {
  series: ['#ffb000', '#4ec9ff', '#ff6ac1', '#7ee787'],
  axis: '#806000',
  grid: '#403000',
  text: '#c0a060',
  cursor: '#ffffff',
  faint: '#444444',
}
const look = { theme, depth: 24, ascii: false } as const
const size = { width: 100, height: 20 }
const hourMs = 3_600_000
const pointCount = 100
const frames = 400

const valuesAt = (frame: number, phase: number) =>
  Array.from({ length: pointCount }, (_, i) => 50 + 40 * Math.sin((i + frame) / phase))

function drawOwn(frame: number): void {
  const series = [6, 9].map(phase => ({
    points: valuesAt(frame, phase).map((value, i) => ({ atMs: i * hourMs, value })),
  }))
  renderChart('line', { ...look, ...size, data: { fromMs: 0, toMs: pointCount * hourMs, cursorAtMs: null, series } })
}

const labels = Array.from({ length: pointCount }, (_, i) => String(i))
function drawContrib(frame: number): void {
  renderChart('contribLine', { ...look, ...size, data: { labels, series: [valuesAt(frame, 6), valuesAt(frame, 9)] } })
}

function drawMap(frame: number): void {
  const countries = frame % 2 === 0 ? ['US', 'DE'] : ['BR', 'JP']
  renderChart('map', { ...look, width: 80, height: 24, data: { countries } })
}

/** CPU milliseconds of one frame, after a warm-up. */
function cpuMsPerFrame(draw: (frame: number) => void): number {
  for (let frame = 0; frame < 50; frame++) draw(frame)
  const before = process.cpuUsage()
  for (let frame = 0; frame < frames; frame++) draw(frame)
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1000 / frames
}

const contribMs = cpuMsPerFrame(drawContrib)
const ownMs = cpuMsPerFrame(drawOwn)
const mapMs = cpuMsPerFrame(drawMap)
const round = (value: number) => Number(value.toFixed(3))
console.log(
  JSON.stringify({
    bench: 'charts',
    size: '100x20, 2 series of 100 points',
    ownLineCpuMs: round(ownMs),
    contribLineCpuMs: round(contribMs),
    contribMapCpuMs: round(mapMs),
    ratioOwnToContrib: round(ownMs / contribMs),
  }),
)
