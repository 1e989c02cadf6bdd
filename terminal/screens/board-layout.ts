import { type Board, boardColumns, type Panel, type PanelKind } from '../../contracts/dashboards.ts'

/** Where a panel is drawn, its title line counted. */
export interface PanelRect {
  panel: Panel
  x: number
  y: number
  width: number
  height: number
}

/** The panels that are visible at once; the others are on other pages. */
export interface BoardLayout {
  rects: readonly PanelRect[]
  page: number
  pageCount: number
}

interface Size {
  width: number
  height: number
}

/** The least that a kind can be read in, title line included. */
const smallest: Readonly<Record<PanelKind, Size>> = {
  table: { width: 36, height: 5 },
  line: { width: 32, height: 7 },
  bar: { width: 30, height: 5 },
  sparkline: { width: 30, height: 5 },
  gauge: { width: 18, height: 4 },
  donut: { width: 18, height: 9 },
  heatmap: { width: 40, height: 6 },
  worldmap: { width: 40, height: 11 },
  number: { width: 16, height: 5 },
  log: { width: 38, height: 4 },
}
/** How much of what is left over on a page a kind takes. */
const appetite: Readonly<Record<PanelKind, number>> = {
  table: 3,
  line: 3,
  bar: 2,
  sparkline: 2,
  gauge: 0,
  donut: 1,
  heatmap: 2,
  worldmap: 3,
  number: 0,
  log: 2,
}

/**
 * The board in its own grid where every panel has enough room there. Where not, panels flow in reading order over pages, as
 * many side by side and below each other as can be read, and the page with the focused one is shown.
 */
export function layOutBoard(board: Board, size: Size, focusId: string | null): BoardLayout {
  const panels = panelOrder(board)
  const grid = inGrid(panels, size)
  if (grid.every(isReadable)) return { rects: grid, page: 0, pageCount: 1 }
  const pages = flow(panels, size)
  const page = Math.max(
    0,
    pages.findIndex(rects => rects.some(rect => rect.panel.id === focusId)),
  )
  return { rects: pages[page] ?? [], page, pageCount: pages.length }
}

/** The panels in the order in which the focus goes through them. */
export function panelOrder(board: Board): readonly Panel[] {
  return board.panels.toSorted((a, b) => a.at.y - b.at.y || a.at.x - b.at.x)
}

function isReadable({ panel, width, height }: PanelRect): boolean {
  return width >= smallest[panel.kind].width && height >= smallest[panel.kind].height
}

/** Between panels side by side stays one column. */
function inGrid(panels: readonly Panel[], { width, height }: Size): PanelRect[] {
  const rows = Math.max(...panels.map(({ at }) => at.y + at.height))
  const columnAt = (x: number) => Math.round((x * (width + 1)) / boardColumns)
  const rowAt = (y: number) => Math.round((y * height) / rows)
  return panels.map(panel => {
    const { at } = panel
    const x = columnAt(at.x)
    const y = rowAt(at.y)
    return { panel, x, y, width: columnAt(at.x + at.width) - 1 - x, height: rowAt(at.y + at.height) - y }
  })
}

interface Line {
  panels: Panel[]
  width: number
  height: number
}

function flow(panels: readonly Panel[], size: Size): PanelRect[][] {
  const lines: Line[] = []
  for (const panel of panels) {
    const { width, height } = smallest[panel.kind]
    const last = lines.at(-1)
    if (last !== undefined && last.width + 1 + width <= size.width) {
      last.panels.push(panel)
      last.width += 1 + width
      last.height = Math.max(last.height, height)
    } else lines.push({ panels: [panel], width, height })
  }
  const pages: Line[][] = []
  let used = 0
  for (const line of lines) {
    const page = pages.at(-1)
    if (page !== undefined && used + line.height <= size.height) page.push(line)
    else {
      pages.push([line])
      used = 0
    }
    used += line.height
  }
  return pages.map(page => placePage(page, size))
}

/** What the lines of a page leave over goes to those that can use it. */
function placePage(lines: readonly Line[], size: Size): PanelRect[] {
  const wishes = lines.map(({ panels }) => Math.max(...panels.map(panel => appetite[panel.kind])))
  const heights = share(
    size.height,
    lines.map(line => line.height),
    wishes,
  )
  let y = 0
  return lines.flatMap(({ panels }, i) => {
    const height = Math.min(heights[i] ?? 0, size.height - y)
    const room = size.width - (panels.length - 1)
    const widths = share(
      room,
      panels.map(panel => smallest[panel.kind].width),
      panels.map(panel => panel.at.width),
    )
    let x = 0
    const rects = panels.map((panel, at) => {
      const rect = { panel, x, y, width: Math.min(widths[at] ?? 0, size.width - x), height }
      x += rect.width + 1
      return rect
    })
    y += height
    return rects
  })
}

/** Divides a length: to each its least, and of the rest as much as it wishes for in proportion; all of it is used. */
function share(length: number, least: readonly number[], wishes: readonly number[]): number[] {
  const rest = Math.max(0, length - least.reduce((sum, each) => sum + each, 0))
  const sum = wishes.reduce((total, wish) => total + wish, 0)
  const weights = sum > 0 ? wishes : wishes.map(() => 1)
  const total = weights.reduce((all, weight) => all + weight, 0)
  let before = 0
  return least.map((each, i) => {
    const start = Math.round((before / total) * rest)
    before += weights[i] ?? 0
    return each + Math.round((before / total) * rest) - start
  })
}
