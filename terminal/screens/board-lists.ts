import type { Panel, PanelOf, TableColumn, ValueFormat } from '../../contracts/dashboards.ts'
import { sparkline } from '../charts/sparkline.ts'
import type { Style } from '../theme/style.ts'
import type { ColorRole } from '../theme/themes.ts'
import { shareBar } from '../widgets/share-bar.ts'
import type { Cell, Column } from '../widgets/table.ts'
import type { PanelAnswer, PanelRow } from './board-answers.ts'
import { cellOf, formatNumber, instantOf, numberOf, numbersOf, textOf } from './board-values.ts'

// Panels whose rows stand below each other, one a line, and can be selected: tables, bars, sparklines, logs.

/** Panels with rows to select. */
export type ListPanel = PanelOf<'table' | 'bar' | 'sparkline' | 'log'>

export function isListPanel(panel: Panel): panel is ListPanel {
  return (
    panel.kind === 'table' ||
    panel.kind === 'sparkline' ||
    panel.kind === 'log' ||
    (panel.kind === 'bar' && panel.options.style === 'rows')
  )
}

interface Place {
  width: number
  style: Style
  dataNowMs: number
}

/** The columns of a panel's table: those that fit beside each other, the last ones are left out first. */
export function listColumns(panel: ListPanel, answer: PanelAnswer, place: Place): readonly Column<PanelRow>[] {
  const shown = columnsOf(panel, answer, place).filter(({ fromWidth = 0 }) => place.width >= fromWidth)
  // A cell at each side, and one before each column but the first.
  const ends = shown.map((_, i) => shown.slice(0, i + 1).reduce((sum, column) => sum + column.width + 1, 1))
  const fitting = shown.filter((_, i) => i === 0 || (ends[i] ?? 0) <= place.width)
  return fitting.map(column => ({ ...column, width: Math.min(column.width, Math.max(1, place.width - 2)) }))
}

function columnsOf(panel: ListPanel, answer: PanelAnswer, place: Place): readonly Column<PanelRow>[] {
  switch (panel.kind) {
    case 'table':
      return (panel.options.columns ?? allColumns(answer)).map(column => tableColumn(column, answer, place))
    case 'bar':
      return barColumns(panel, answer, place)
    case 'sparkline':
      return sparkColumns(panel, answer, place)
    case 'log':
      return logColumns(panel, place)
  }
}

const columnsMax = 12

/** Every field but the key, which is for the machine, unless there is nothing else. */
function allColumns({ fields }: PanelAnswer): TableColumn[] {
  const shown = fields.filter(field => field !== 'key')
  return (shown.length === 0 ? fields : shown).slice(0, columnsMax).map(field => ({ field, format: 'auto' }))
}

const numericFormats: ReadonlySet<ValueFormat> = new Set([
  'count',
  'integer',
  'change',
  'share',
  'percent',
  'multiple',
  'bytes',
  'seconds',
])

function tableColumn(column: TableColumn, { rows }: PanelAnswer, { style, dataNowMs }: Place): Column<PanelRow> {
  const { field, title = field, format, width, from } = column
  const values = rows.slice(0, 20).map(row => row.values[field])
  const isSpark = values.some(value => Array.isArray(value) && value.some(each => typeof each === 'number'))
  const isInstant = values.some(value => instantOf(value) !== null)
  const isNumeric =
    numericFormats.has(format) || (format === 'auto' && !isInstant && values.some(value => numberOf(value) !== null))
  const natural = isSpark ? 16 : isInstant ? (format === 'age' ? 5 : 16) : isNumeric ? 8 : 12
  const cells = width ?? Math.max(natural, Math.min(14, title.length))
  return {
    title: title.toUpperCase(),
    width: cells,
    ...(width === undefined && !isNumeric && !isSpark && !isInstant ? { flex: 1 } : {}),
    ...(from === undefined ? {} : { fromWidth: from }),
    ...(isNumeric || format === 'age' ? { align: 'right' as const } : {}),
    isLive: isNumeric,
    cell: row =>
      isSpark
        ? { text: sparkline(numbersOf(row.values[field]), cells, style.isAscii), role: 'accent' }
        : cellOf(row, field, format, dataNowMs),
  }
}

function barColumns(panel: PanelOf<'bar'>, { rows }: PanelAnswer, place: Place): Column<PanelRow>[] {
  const { label, value, format } = panel.options
  const most = rows.reduce((max, row) => Math.max(max, Math.abs(numberOf(row.values[value]) ?? 0)), 0)
  const labelWidth = Math.max(8, Math.min(28, Math.floor(place.width * 0.36)))
  const barWidth = Math.max(1, place.width - labelWidth - 8 - 4)
  return [
    {
      title: label.toUpperCase(),
      width: labelWidth,
      cell: row => ({ text: textOf(row.values[label]), role: 'subject' }),
    },
    {
      title: '',
      width: barWidth,
      cell: (row, style) => barCell(numberOf(row.values[value]), { most, width: barWidth, style }),
    },
    {
      title: value.toUpperCase(),
      width: 8,
      align: 'right',
      isLive: true,
      cell: row => cellOf(row, value, format, place.dataNowMs),
    },
  ]
}

function barCell(value: number | null, { most, width, style }: { most: number; width: number; style: Style }): Cell {
  if (value === null || most === 0) return { text: '', role: 'faint' }
  const { full } = shareBar(Math.abs(value) / most, width, style.isAscii)
  // A little lower than a cell, so that bars below each other stay apart.
  return { text: full.replaceAll('█', '▆'), role: value < 0 ? 'down' : 'accent' }
}

function sparkColumns(panel: PanelOf<'sparkline'>, _answer: PanelAnswer, place: Place): Column<PanelRow>[] {
  const { label, values, value, format } = panel.options
  const labelWidth = Math.max(8, Math.min(28, Math.floor(place.width * 0.36)))
  const sparkWidth = Math.max(1, place.width - labelWidth - (value === undefined ? 0 : 9) - 3)
  return [
    {
      title: label.toUpperCase(),
      width: labelWidth,
      cell: row => ({ text: textOf(row.values[label]), role: 'subject' }),
    },
    {
      title: values.toUpperCase(),
      width: sparkWidth,
      cell: (row, style) => ({ text: spread(numbersOf(row.values[values]), sparkWidth, style), role: 'accent' }),
    },
    ...(value === undefined
      ? []
      : [
          {
            title: value.toUpperCase(),
            width: 8,
            align: 'right' as const,
            isLive: true,
            cell: (row: PanelRow) => cellOf(row, value, format, place.dataNowMs),
          },
        ]),
  ]
}

/** Few values fill the width as well, each as wide as the others. */
function spread(values: readonly (number | null)[], width: number, { isAscii }: Style): string {
  const times = Math.max(1, Math.floor(width / Math.max(1, values.length)))
  return sparkline(
    values.flatMap(value => new Array<number | null>(times).fill(value)),
    width,
    isAscii,
  )
}

const stateRoles: Readonly<Record<string, ColorRole>> = {
  ok: 'good',
  warn: 'warn',
  down: 'error',
  idle: 'muted',
  kept: 'warn',
}

function logColumns(panel: PanelOf<'log'>, { dataNowMs }: Place): Column<PanelRow>[] {
  const { text, at, state } = panel.options
  const [first = '', ...others] = text
  return [
    ...(at === undefined
      ? []
      : [{ title: 'AT', width: 16, fromWidth: 60, cell: (row: PanelRow) => cellOf(row, at, 'instant', dataNowMs) }]),
    ...(state === undefined ? [] : [{ title: 'STATE', width: 6, cell: (row: PanelRow) => stateCell(row, state) }]),
    {
      title: first.toUpperCase(),
      width: 14,
      flex: 1,
      cell: row => ({ text: textOf(row.values[first]), role: 'subject' }),
    },
    ...others.map(field => ({
      title: field.toUpperCase(),
      width: 10,
      flex: 1,
      fromWidth: 44,
      cell: (row: PanelRow): Cell => ({ text: cellOf(row, field, 'auto', dataNowMs).text, role: 'muted' }),
    })),
  ]
}

function stateCell(row: PanelRow, field: string): Cell {
  const text = textOf(row.values[field])
  return { text, role: stateRoles[text] ?? 'text', isBold: text === 'down' }
}

/** A number of a panel that is no list, or a dash. */
export function numberText(value: number | null, panel: PanelOf<'gauge' | 'number'>, dataNowMs: number): string {
  return value === null ? '-' : formatNumber(value, panel.options.format, dataNowMs)
}
