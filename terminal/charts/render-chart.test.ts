import { describe, expect, it } from 'vitest'
import type { ChartTheme } from './color.ts'
import type { ChartPoint } from './plot.ts'
import { type ChartKind, type ChartOptions, chartTimeAt, renderChart } from './render-chart.ts'
import { sparkline } from './sparkline.ts'

const theme: ChartTheme = {
  series: ['#ffb000', '#4ec9ff', '#ff6ac1', '#7ee787'],
  axis: '#806000',
  grid: '#403000',
  text: '#c0a060',
  cursor: '#ffffff',
  faint: '#444444',
}
const look = { theme, depth: 24, ascii: false } as const
const hourMs = 3_600_000
const startMs = Date.parse('2017-11-14T00:00:00Z')

function hourly(values: readonly (number | null)[]): ChartPoint[] {
  return values.map((value, i) => ({ atMs: startMs + i * hourMs, value }))
}
function window(hours: number) {
  return { fromMs: startMs, toMs: startMs + hours * hourMs, cursorAtMs: null }
}
function plain(lines: readonly string[]): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing colours is the point
  return lines.map(line => line.replace(/\x1b\[[0-9;]*m/g, ''))
}

const samples: { [K in ChartKind]: ChartOptions<K>['data'] } = {
  line: { ...window(24), cursorAtMs: startMs + 6 * hourMs, series: [{ points: hourly([1, 5, null, 4, 2]) }] },
  bars: { ...window(5), series: [{ points: hourly([1, -5, null, 4, 0]) }] },
  columns: {
    columns: [
      { label: 'music', value: 3, shown: '3M' },
      { label: 'gaming', value: 1, shown: '1M' },
    ],
  },
  donut: { parts: [{ label: 'music', share: 0.33 }] },
  gauge: { share: 0.42 },
  heatMap: {
    columns: ['music', 'gaming', 'comedy'],
    rows: ['Mon', 'Tue'],
    cells: [
      [1, 2, null],
      [4, 0, 3],
    ],
    shown: String,
  },
  bigNumber: { text: '+1.2M' },
  map: { countries: ['US', 'DE', 'XX', '__proto__'] },
  contribLine: { labels: ['a', 'b', 'c'], series: [[1, 2, 3]] },
}
const kinds = Object.keys(samples) as ChartKind[]

function drawSample(kind: ChartKind, width: number, height: number, depth: 0 | 24, ascii: boolean): string[] {
  return drawKind(kind, { width, height, depth, ascii })
}
function drawKind<K extends ChartKind>(kind: K, how: { width: number; height: number; depth: 0 | 24; ascii: boolean }) {
  return renderChart(kind, { ...how, theme, data: samples[kind] })
}

describe('blessed', () => {
  // First in the file: blessed would bind on its first screen.
  it('binds no handler of the process', () => {
    const events = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'exit', 'uncaughtException', 'unhandledRejection', 'SIGWINCH']
    const count = () => events.map(event => process.listenerCount(event))
    const before = count()
    for (const kind of kinds) drawSample(kind, 71, 17, 24, false)
    expect(count()).toEqual(before)
  })
})

describe('heat maps and large numbers', () => {
  it('shade cells from the smallest to the largest value, and leave missing ones blank', () => {
    expect(plain(drawSample('heatMap', 24, 3, 0, true))).toEqual([
      '    music       comed   ',
      'Mon +1    *2            ',
      'Tue #4    .0    #3      ',
    ])
  })

  it('are as large as fits', () => {
    expect(plain(drawSample('bigNumber', 24, 5, 24, false)).map(line => line.trimEnd())).toEqual([
      '',
      '    ▄  ▄█    ▀▀█ █▄█',
      '   ▀█▀  █    █▀▀ █▀█',
      '       ▀▀▀ ▀ ▀▀▀ ▀ ▀',
      '',
    ])
    expect(
      plain(drawSample('bigNumber', 8, 2, 24, false))
        .join('')
        .trim(),
    ).toBe('+1.2M')
  })
})

describe('renderChart', () => {
  it.each(kinds)('draws %s as exact rectangles at any size, in every degree of plainness', kind => {
    const looks = [
      [24, false],
      [24, true],
      [0, false],
      [0, true],
    ] as const
    for (const [width, height] of [
      [1, 1],
      [20, 6],
      [33, 9],
      [80, 24],
    ] as const)
      for (const [depth, ascii] of looks) {
        const lines = drawSample(kind, width, height, depth, ascii)
        expect(plain(lines).map(line => [...line].length)).toEqual(new Array(height).fill(width))
        // biome-ignore lint/suspicious/noControlCharactersInRegex: inverse is the only attribute that stays without colour
        if (depth === 0) expect(lines.join('').replace(/\x1b\[2?7m/g, '')).not.toContain('\x1b')
        if (ascii) expect(plain(lines).join('')).not.toMatch(/[^\x20-\x7e]/)
      }
  })

  it.each(kinds)('draws the same %s whatever was drawn before', kind => {
    const first = drawSample(kind, 60, 14, 24, false)
    if (kind === 'map') renderChart('map', { ...look, width: 60, height: 14, data: { countries: ['JP', 'BR'] } })
    if (kind === 'donut')
      renderChart('donut', { ...look, width: 60, height: 14, data: { parts: [{ label: 'longer', share: 0.9 }] } })
    if (kind === 'gauge') renderChart('gauge', { ...look, width: 60, height: 14, data: { share: 1 } })
    for (let width = 40; width < 52; width++) drawSample('gauge', width, 6, 24, false)
    expect(drawSample(kind, 60, 14, 24, false)).toEqual(first)
  })

  it('draws a line with round marks, a gap and the crosshair', () => {
    const points = hourly([0, 100, 200, null, null, null, 400, 300, 200, 100])
    const data = { ...window(9), cursorAtMs: startMs + 8 * hourMs, series: [{ points }] }
    expect(plain(renderChart('line', { ...look, width: 48, height: 10, data }))).toMatchInlineSnapshot(`
      [
        "400┤┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈⠑⠤⡀┈ ┈ ┈ ┈ ┈ ┈ ",
        "   │                               ⠈⠢⢄    ┊     ",
        "   │                                  ⠑⢄  ┊     ",
        "   │                                    ⠉⠢⡀     ",
        "200┤┈ ┈ ┈ ┈⢀⠤⠊┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ⠈⠒⢄ ┈ ",
        "   │     ⡠⠒⠁                              ┊  ⠉⠢⢄",
        "   │  ⢀⠔⠊                                 ┊     ",
        "  0┤⡠⠒⠁ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ",
        "   └┬─────────────┬──────────────┬─────────────┬",
        " 14 Nov         03:00          06:00       09:00",
      ]
    `)
  })

  it('draws several series with digits where there is no colour', () => {
    const series = [{ points: hourly([0, 4]) }, { points: hourly([4, 0]) }]
    const data = { ...window(1), series }
    expect(renderChart('line', { ...look, depth: 0, width: 24, height: 7, data })).toMatchInlineSnapshot(`
      [
        "  4┤222 ┈ ┈ ┈ ┈ ┈ ┈ ┈111",
        "   │   22222    11111   ",
        "  2┤┈ ┈ ┈ ┈ 1111┈ ┈ ┈ ┈ ",
        "   │   11111    22222   ",
        "  0┤111 ┈ ┈ ┈ ┈ ┈ ┈ ┈222",
        "   └┬─────────┬─────────",
        " 14 Nov     00:30       ",
      ]
    `)
  })

  it('draws bars from zero, with a foot for zero and nothing for a gap', () => {
    const data = { ...window(7), series: [{ points: hourly([1, 2, null, 3, 0, -1, 2, 4]) }] }
    expect(plain(renderChart('bars', { ...look, width: 44, height: 8, data }))).toMatchInlineSnapshot(`
      [
        "   │                                    ▆▆▆▆",
        "   │               ▅▅▅▅                 ████",
        "   │    ▃▃▃▃       ████            ▃▃▃▃ ████",
        "   │▂▂▂▂████       ████            ████ ████",
        "  0┤████████┈ ┈ ┈ ┈████ ▁▁▁▁┈ ┈ ┈ ┈████ ████",
        "   │                          ████          ",
        "   └┬──────────┬──────────┬──────────┬──────",
        " 14 Nov      02:00      04:00      06:00    ",
      ]
    `)
  })

  it('draws several series of bars side by side, with their digits where there is no colour', () => {
    const series = [{ points: hourly([2, 4, 0]) }, { points: hourly([4, null, 1]) }]
    const data = { ...window(2), series }
    expect(plain(renderChart('bars', { ...look, width: 34, height: 8, data }))).toMatchInlineSnapshot(`
      [
        "  4┤┈ ┈ ████┈ ┈████ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ",
        "   │    ████   ████               ",
        "   │    ████   ████               ",
        "  2┤████████┈ ┈████ ┈ ┈ ┈ ┈ ┈ ┈ ┈ ",
        "   │████████   ████           ▄▄▄▄",
        "  0┤████████┈ ┈████ ┈ ┈ ┈ ▁▁▁▁████",
        "   └┬──────────────┬─────────────┬",
        " 14 Nov          01:00       02:00",
      ]
    `)
    const marked = renderChart('bars', { ...look, depth: 0, width: 34, height: 8, data }).join('')
    expect(marked).toMatch(/1111+2222+/)
    expect(marked).not.toContain('█')
  })

  it('draws arcs, gauges, columns and the map', () => {
    const pictures = (['donut', 'gauge', 'columns', 'map'] as const).map(kind =>
      plain(drawSample(kind, 40, kind === 'gauge' ? 6 : 12, 24, false)).join('\n'),
    )
    expect(pictures.join('\n')).toMatchSnapshot()
  })

  it('gives each series its colour', () => {
    const series = [{ points: hourly([0, 1]) }, { points: hourly([5, 4]) }]
    const lines = renderChart('line', { ...look, width: 30, height: 8, data: { ...window(1), series } }).join('')
    expect(lines).toContain('\x1b[38;2;255;176;0m')
    expect(lines).toContain('\x1b[38;2;78;201;255m')
  })

  it('keeps a spike of one point at every place and width', () => {
    for (const width of [20, 40, 61])
      for (let at = 1; at < 999; at += 83) {
        const points = hourly(Array.from({ length: 1000 }, (_, i) => (i === at ? 1000 : 1)))
        const line = plain(
          renderChart('line', { ...look, width, height: 10, data: { ...window(999), series: [{ points }] } }),
        )
        expect(line[0]?.slice(5)).toMatch(/[\u2801-\u28ff]/)
        const bars = plain(
          renderChart('bars', { ...look, width, height: 10, data: { ...window(999), series: [{ points }] } }),
        )
        expect(bars[0]?.slice(5)).toContain('█')
        expect(
          sparkline(
            points.map(point => point.value),
            width,
            false,
          ),
        ).toContain('█')
      }
  })

  it('draws nothing where values are missing', () => {
    for (const [from, to] of [
      [200, 800],
      [10, 500],
      [600, 990],
    ] as const) {
      const points = hourly(Array.from({ length: 1000 }, (_, i) => (i >= from && i <= to ? null : Math.sin(i))))
      const axis = window(999)
      for (const lines of [
        renderChart('line', { ...look, width: 64, height: 10, data: { ...axis, series: [{ points }] } }),
        renderChart('bars', { ...look, width: 64, height: 10, data: { ...axis, series: [{ points }] } }),
      ]) {
        const rows = plain(lines).slice(0, 8)
        const left = (rows[0] ?? '').search(/[│┤]/) + 1
        const columns = 64 - left
        const first = left + Math.ceil((from / 999) * columns) + 1
        const last = left + Math.floor((to / 999) * columns) - 2
        for (const row of rows) expect(row.slice(first, last)).not.toMatch(/[\u2801-\u28ff▁-█]/)
      }
    }
  })

  it('bears values that are all missing, all equal, huge or not finite', () => {
    for (const values of [
      [],
      [null, null],
      [7, 7, 7],
      [1e300, -1e300, Number.NaN, Number.POSITIVE_INFINITY],
      [1e-9, 2e-9],
    ])
      for (const lines of [
        renderChart('line', {
          ...look,
          width: 40,
          height: 8,
          data: { ...window(3), series: [{ points: hourly(values) }] },
        }),
        renderChart('bars', {
          ...look,
          width: 40,
          height: 8,
          data: { ...window(3), series: [{ points: hourly(values) }] },
        }),
      ])
        expect(plain(lines).map(line => line.length)).toEqual(new Array(8).fill(40))
  })

  it('finds the instant under a column, the same that the crosshair marks', () => {
    const data = { ...window(10), cursorAtMs: startMs + 4 * hourMs, series: [{ points: hourly([1, 2000000]) }] }
    const chart = { ...look, width: 64, height: 12, data }
    const column = (plain(renderChart('line', chart))[9] ?? '').indexOf('┊')
    expect(Math.abs((chartTimeAt('line', chart, column) ?? 0) - data.cursorAtMs)).toBeLessThan((5 * hourMs) / 50)
    expect(chartTimeAt('line', chart, 0)).toBeNull()
    expect(chartTimeAt('line', chart, 63)).toBe(data.toMs)
    expect(chartTimeAt('line', chart, 64)).toBeNull()
    expect(chartTimeAt('bars', { ...chart, data: { ...window(10), series: [{ points: [] }] } }, 63)).toBe(data.toMs)
  })

  it('draws a zoomed window up to its edges', () => {
    const points = hourly([0, 1000])
    const data = { fromMs: startMs + 600_000, toMs: startMs + 1_200_000, cursorAtMs: null, series: [{ points }] }
    const rows = plain(renderChart('line', { ...look, width: 40, height: 10, data }))
    expect(rows.some(row => /[\u2801-\u28ff]$/.test(row))).toBe(true)
    expect(rows.some(row => /[│┤][\u2801-\u28ff]/.test(row))).toBe(true)
  })
})

describe('sparkline', () => {
  it('shows levels and gaps, padded to its width', () => {
    expect(sparkline([0, 1, null, 7], 6, false)).toBe('  ▁▂ █')
    expect(sparkline([0, 1, null, 7], 4, true)).toBe('_. #')
    expect(sparkline([5, 5, 5], 3, false)).toBe('▄▄▄')
    expect(sparkline([], 3, false)).toBe('   ')
    expect(sparkline([null, null], 2, false)).toBe('  ')
  })
})
