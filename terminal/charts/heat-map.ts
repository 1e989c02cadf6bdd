import { fitCells, truncate } from '../text/width.ts'
import { rgbOf, sgrRgb } from './color.ts'
import type { PlotStyle } from './plot.ts'

/** Values by row and column; null where there is none. `columns` and `rows` are clean labels of any width. */
export interface HeatMapData {
  columns: readonly string[]
  rows: readonly string[]
  /** A list of cells for each row, a cell for each column. */
  cells: readonly (readonly (number | null)[])[]
  /** How a value is written into its cell, where it has room. */
  shown(value: number): string
}

const shades = { unicode: '░▒▓█', ascii: '.+*#' } as const
const labelCellsMax = 16

/**
 * Cells that are the stronger, the larger their value is between the smallest and the largest of all; a missing value is
 * blank. Numbers stand in the cells where all of them have room. Without colour cells are shades. Columns and rows beyond
 * the size are left out, the last ones first.
 */
export function drawHeatMap(data: HeatMapData, size: { width: number; height: number }, style: PlotStyle): string[] {
  const labelWidth = Math.min(
    labelCellsMax,
    Math.floor(size.width / 3),
    1 + Math.max(0, ...data.rows.map(each => each.length)),
  )
  const shownRows = Math.max(1, Math.min(data.rows.length, size.height - 1))
  const cellWidth = Math.max(1, Math.min(12, Math.floor((size.width - labelWidth) / Math.max(1, data.columns.length))))
  const shownColumns = Math.min(data.columns.length, Math.floor((size.width - labelWidth) / cellWidth))
  const rowHeight = Math.max(1, Math.min(3, Math.floor((size.height - 1) / shownRows)))
  const scale = scaleOf(data.cells)
  const room = cellWidth - (style.hasColor ? 0 : 1)
  const hasNumbers = data.cells.flat().every(value => value === null || data.shown(value).length <= room)
  const shown = (value: number) => (hasNumbers ? data.shown(value) : '')
  const paint = (text: string) => (style.hasColor ? `${sgrRgb(38, rgbOf(style.theme.text))}${text}\x1b[39m` : text)
  const pad = (line: string, cells: number) => line + ' '.repeat(Math.max(0, size.width - cells))
  const used = labelWidth + shownColumns * cellWidth
  const lines = data.rows.slice(0, shownRows).flatMap((label, row) =>
    Array.from({ length: rowHeight }, (_, part) => {
      const isMiddle = part === rowHeight >> 1
      const cells = (data.cells[row] ?? [])
        .slice(0, shownColumns)
        .map(value => drawCell(value, { share: scale(value), width: cellWidth, isMiddle, shown }, style))
      return pad(
        paint(fitCells(isMiddle ? label : '', labelWidth, 'left', style.isAscii ? '~' : '…')) + cells.join(''),
        used,
      )
    }),
  )
  const head = headLine(data.columns.slice(0, shownColumns), cellWidth)
  const blank = ' '.repeat(size.width)
  const all = [pad(paint(' '.repeat(labelWidth) + head), used), ...lines]
  return Array.from({ length: size.height }, (_, y) => all[y] ?? blank)
}

/** Labels over their columns; where a column is too narrow for its own, some are left out. */
function headLine(labels: readonly string[], cellWidth: number): string {
  const widest = Math.max(1, ...labels.map(label => label.length))
  const every = Math.max(1, Math.ceil(Math.min(widest + 1, 7) / cellWidth))
  return labels
    .map((label, i) => {
      if (i % every !== 0) return ''
      const room = cellWidth * Math.min(every, labels.length - i)
      return fitCells(truncate(label, Math.max(1, room - 1), ''), room)
    })
    .join('')
}

interface CellLook {
  /** 0 to 1. */
  share: number
  width: number
  /** The line of the row that numbers stand in. */
  isMiddle: boolean
  shown(value: number): string
}

function drawCell(value: number | null, { share, width, isMiddle, shown }: CellLook, style: PlotStyle): string {
  if (value === null || !Number.isFinite(value)) return ' '.repeat(width)
  const number = isMiddle ? shown(value) : ''
  if (!style.hasColor) {
    const shade = shades[style.isAscii ? 'ascii' : 'unicode'].charAt(Math.min(3, Math.floor(share * 4)))
    const space = width > 1 ? ' ' : ''
    return number === '' ? shade.repeat(width - space.length) + space : fitCells(`${shade}${number}`, width)
  }
  const ground = blend(rgbOf(style.theme.grid), rgbOf(style.theme.series[0]), share)
  const front = lumaOf(ground) > 110 ? 0x000000 : 0xffffff
  return `${sgrRgb(48, ground)}${sgrRgb(38, front)}${fitCells(number, width, 'center')}\x1b[39m\x1b[49m`
}

/** Where a value lies between the smallest and the largest. One value alone is strong. */
function scaleOf(cells: HeatMapData['cells']): (value: number | null) => number {
  const present = cells.flat().filter((value): value is number => value !== null && Number.isFinite(value))
  const min = present.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const span = present.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY) - min
  return value => (value === null ? 0 : span > 0 ? (value - min) / span : 1)
}

function blend(from: number, to: number, share: number): number {
  const part = (shift: number) => {
    const start = (from >> shift) & 255
    return Math.round(start + (((to >> shift) & 255) - start) * share) << shift
  }
  return part(16) | part(8) | part(0)
}

function lumaOf(rgb: number): number {
  return 0.299 * (rgb >> 16) + 0.587 * ((rgb >> 8) & 255) + 0.114 * (rgb & 255)
}
