import { createRequire } from 'node:module'
import { PassThrough, Writable } from 'node:stream'
import { z } from 'zod'
import { paletteIndexOf, rgbOfPalette, sgrRgb } from './color.ts'
import { countryPlace } from './country-places.ts'
import type { PlotStyle } from './plot.ts'

// blessed-contrib draws into a screen that nobody sees; we read its cells and hand out lines. What had to be tamed:
// - blessed binds handlers for SIGTERM, SIGINT, SIGQUIT, exit and uncaught errors on its first screen, which then swallow
//   them (a terminal that could not be ended). `_bound` says that they are there already, and no-ops stand in for them.
// - a widget's canvas keeps its first size, so a surface belongs to one kind and size; the few used last are kept.
// - only the modules of the widgets in use are loaded, and only when the first of them is drawn: 50 ms and 16 MB.
// The widgets know 256 colours. What they drew is handed on as true colour, so that one place downsamples all charts.

/** One arc, 0 to 1. */
export interface DonutData {
  parts: readonly { label: string; share: number }[]
}
/** One share, 0 to 1. */
export interface GaugeData {
  share: number
}
/** Countries to mark, by upper-case ISO code; those that are `weak` by a fainter mark. */
export interface MapData {
  countries: readonly string[]
  weak?: readonly string[]
}
/** Columns with a name each; negative values have no column. */
export interface ColumnsData {
  columns: readonly { label: string; value: number; shown: string }[]
}
/** Lines over evenly spaced labels, for those who like the widget's looks; gaps are not supported. */
export interface ContribLineData {
  labels: readonly string[]
  series: readonly (readonly number[])[]
}

interface ContribDataByKind {
  donut: DonutData
  gauge: GaugeData
  map: MapData
  columns: ColumnsData
  contribLine: ContribLineData
}
/** Charts that blessed-contrib draws. */
export type ContribKind = keyof ContribDataByKind

interface Size {
  width: number
  height: number
}
type Colors = Record<'main' | 'second' | 'third' | 'fourth' | 'faint' | 'text', number>
type Options = Record<string, unknown>

interface Widget {
  parent: unknown
  setData?: (data: unknown) => void
  setPercent?: (percent: number) => void
  clearMarkers?: () => void
  addMarker?: (marker: Options) => void
  clear: () => void
}

interface Screen {
  draw: () => void
  append(widget: Widget): void
  render(): void
  destroy(): void
  lines: readonly (readonly [attr: number, char: string])[][]
}

interface Drawing {
  module: string
  options(size: Size, colors: Colors): Options
}

const drawings: Record<ContribKind, Drawing> = {
  donut: {
    module: 'donut',
    options: ({ height }, colors) => ({
      radius: Math.max(2, Math.floor((height * 4 - 12) / 2) - 4),
      arcWidth: height >= 10 ? 3 : 2,
      remainColor: colors.faint,
      yPadding: 2,
      data: [],
    }),
  },
  gauge: { module: 'gauge', options: (_, colors) => ({ stroke: colors.main, fill: colors.text, showLabel: false }) },
  map: {
    module: 'map',
    options: (_, colors) => ({ style: { stroke: colors.faint, fill: colors.main, shapeColor: colors.faint } }),
  },
  columns: {
    module: 'charts/bar',
    options: (_, colors) => ({
      barWidth: 7,
      barSpacing: 10,
      xOffset: 1,
      maxHeight: 0,
      barBgColor: colors.main,
      barFgColor: colors.text,
      labelColor: colors.text,
    }),
  },
  contribLine: {
    module: 'charts/line',
    options: (_, colors) => ({
      style: { line: colors.main, text: colors.text, baseline: colors.faint },
      xLabelPadding: 3,
      xPadding: 5,
      abbreviate: true,
    }),
  },
}

/**
 * Draws with blessed-contrib: `height` lines of exactly `width` cells. Needs at least 12 × 5 cells. Most frames show what the
 * frame before did, so a surface keeps its last lines: a map that stays the same costs nothing.
 */
export function drawContrib<K extends ContribKind>(
  kind: K,
  data: ContribDataByKind[K],
  size: Size,
  style: PlotStyle,
): string[] {
  const colors = paletteOf(style)
  const surface = surfaceFor(kind, size, colors)
  const key = JSON.stringify([data, style.hasColor, style.isAscii])
  if (surface.last?.key !== key) {
    show[kind](surface.widget, data, { size, colors })
    surface.screen.render()
    const lineStyle = { ...style, faint: colors.faint, isRestThin: style.isAscii || hasRest[kind] }
    surface.last = { key, lines: toLines(surface.screen.lines, lineStyle) }
  }
  return [...surface.last.lines]
}

const show: {
  [K in ContribKind]: (widget: Widget, data: ContribDataByKind[K], look: { size: Size; colors: Colors }) => void
} = {
  donut(widget, { parts }, { colors }) {
    const palette = [colors.main, colors.second, colors.third, colors.fourth]
    widget.setData?.(
      parts.map((part, i) => ({
        percent: Math.max(0, Math.min(1, part.share)),
        label: part.label,
        color: palette[i % 4],
      })),
    )
  },
  gauge(widget, { share }) {
    widget.setPercent?.(Math.max(0, Math.min(1, share)))
  },
  map(widget, { countries, weak = [] }, { colors }) {
    widget.clear()
    widget.clearMarkers?.()
    const mark = (code: string, color: number, char: string) => {
      const place = countryPlace(code)
      if (place === null) return
      widget.addMarker?.({ lat: String(place.latitude), lon: String(place.longitude), color, char })
    }
    for (const code of weak) mark(code, colors.text, '•')
    for (const code of countries) mark(code, colors.main, '●')
  },
  columns(widget, { columns }) {
    widget.setData?.({
      titles: columns.map(column => column.label.slice(0, 9)),
      data: columns.map(column => ({
        valueOf: () => Math.max(0, column.value),
        toString: () => column.shown.slice(0, 9),
      })),
    })
  },
  contribLine(widget, { labels, series }, { colors }) {
    const palette = [colors.main, colors.second, colors.third, colors.fourth]
    widget.setData?.(series.map((y, i) => ({ title: '', x: labels, y, style: { line: palette[i % 4] } })))
  },
}

interface Surface {
  screen: Screen
  widget: Widget
  /** What was drawn last, and from what. */
  last: { key: string; lines: readonly string[] } | null
  close(): void
}

const surfacesMax = 8
const surfaces = new Map<string, Surface>()

function surfaceFor(kind: ContribKind, size: Size, colors: Colors): Surface {
  const key = `${kind} ${size.width}x${size.height} ${Object.values(colors).join(' ')}`
  const surface = surfaces.get(key) ?? openSurface(kind, size, colors)
  surfaces.delete(key)
  surfaces.set(key, surface)
  for (const [oldKey, old] of surfaces) {
    if (surfaces.size <= surfacesMax) break
    surfaces.delete(oldKey)
    old.close()
  }
  return surface
}

function openSurface(kind: ContribKind, size: Size, colors: Colors): Surface {
  const blessed = loadBlessed()
  const output = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), {
    columns: size.width,
    rows: size.height,
    isTTY: true,
  })
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} })
  const screen = blessed.screen({ input, output, terminal: 'xterm-256color', fullUnicode: true, resizeTimeout: 0 })
  screen.draw = () => {}
  const { module, options } = drawings[kind]
  const widget = loadWidget(module)({
    left: 0,
    top: 0,
    width: size.width,
    height: size.height,
    ...options(size, colors),
  })
  screen.append(widget)
  return {
    screen,
    widget,
    last: null,
    close() {
      screen.destroy()
      input.destroy()
      output.destroy()
    },
  }
}

// The packages are CommonJS without usable types; these schemas are the part of them that we rely on.
const require = createRequire(import.meta.url)
const anyFunction = <F>() => z.custom<F>(value => typeof value === 'function', 'is not a function')
interface Blessed {
  screen(options: Options): Screen
  Screen: Record<string, unknown>
  Program: Record<string, unknown>
}
const BlessedSchema = z.custom<Blessed>(
  value => typeof value === 'function' && 'screen' in value && 'Screen' in value && 'Program' in value,
  'is not the blessed that was expected',
)
const WidgetSchema = anyFunction<(options: Options) => Widget>()
const handlers = ['_exceptionHandler', '_sigtermHandler', '_sigintHandler', '_sigquitHandler', '_exitHandler']

function loadBlessed(): Blessed {
  const blessed = BlessedSchema.parse(require('blessed'))
  for (const owner of [blessed.Screen, blessed.Program]) {
    owner._bound = true
    for (const name of handlers) owner[name] ??= () => {}
  }
  return blessed
}

function loadWidget(module: string): (options: Options) => Widget {
  return WidgetSchema.parse(require(`blessed-contrib/lib/widget/${module}`))
}

function paletteOf({ theme }: PlotStyle): Colors {
  const [main, second, third, fourth] = theme.series
  return {
    main: paletteIndexOf(main),
    second: paletteIndexOf(second),
    third: paletteIndexOf(third),
    fourth: paletteIndexOf(fourth),
    faint: paletteIndexOf(theme.faint),
    text: paletteIndexOf(theme.text),
  }
}

const wideRest = '\x03'
const defaultColor = 0x1ff
/** Kinds whose faint colour is the rest of a shape: it has to look different without colour as well. */
const hasRest: Record<ContribKind, boolean> = {
  donut: true,
  gauge: true,
  map: false,
  columns: false,
  contribLine: false,
}

type LineStyle = PlotStyle & { faint: number; isRestThin: boolean }

/** Cells of blessed as lines. An attribute is flags << 18 | foreground << 9 | background. */
function toLines(lines: Screen['lines'], style: LineStyle): string[] {
  return lines.map(cells => {
    let line = ''
    let last = { front: defaultColor, back: defaultColor }
    for (const [attr, char] of cells) {
      if (char === wideRest) continue
      const cell = readCell(attr, char)
      if (cell.char !== ' ' || cell.back !== last.back) {
        line += changeColors(last, cell, style.hasColor)
        last = cell
      }
      line += plainer(cell.char, cell.front === style.faint, style)
    }
    return line + changeColors(last, { front: defaultColor, back: defaultColor }, style.hasColor)
  })
}

/**
 * A coloured ground behind a space is how bars are drawn: a full block says the same, and without colour as well. Text on a
 * ground gets black or white, whichever can be read there.
 */
function readCell(attr: number, char: string): { char: string; front: number; back: number } {
  const front = (attr >> 9) & 0x1ff
  const back = attr & 0x1ff
  if (back === defaultColor) return { char, front, back }
  return char === ' ' ? { char: '█', front: back, back: defaultColor } : { char, front: readableOn(back), back }
}

function readableOn(ground: number): number {
  const rgb = rgbOfPalette(ground)
  const luma = 0.299 * (rgb >> 16) + 0.587 * ((rgb >> 8) & 255) + 0.114 * (rgb & 255)
  return luma > 110 ? 16 : 231
}

interface CellColors {
  front: number
  back: number
}

/** Without colour only "there is a ground" is left, as inverse. */
function changeColors(from: CellColors, to: CellColors, hasColor: boolean): string {
  const hadGround = from.back !== defaultColor
  const hasGround = to.back !== defaultColor
  if (!hasColor) return hadGround === hasGround ? '' : hasGround ? '\x1b[7m' : '\x1b[27m'
  const front =
    from.front === to.front ? '' : to.front === defaultColor ? '\x1b[39m' : sgrRgb(38, rgbOfPalette(to.front))
  const back = from.back === to.back ? '' : hasGround ? sgrRgb(48, rgbOfPalette(to.back)) : '\x1b[49m'
  return front + back
}

/** What stands for a character without colour or beyond ASCII: the faint rest of a shape thins out, dots become letters. */
function plainer(char: string, isFaint: boolean, { hasColor, isAscii, isRestThin }: LineStyle): string {
  if (hasColor && !isAscii) return char
  const isShape = char === '█' || (char >= '\u2800' && char <= '\u28ff')
  if (isShape && isFaint && isRestThin) return isAscii ? '.' : '·'
  if (!isAscii) return char
  if (isShape) return '#'
  if (char === '•') return 'o'
  return char === '●' ? 'O' : char >= ' ' && char <= '~' ? char : '?'
}
