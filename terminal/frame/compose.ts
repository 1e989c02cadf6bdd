import { type PaneRect, type Size, smallest } from '../layout/layout.ts'
import type { LiveClient } from '../net/live-client.ts'
import type { Pictures } from '../net/picture-client.ts'
import type { QueryResultState } from '../net/query-results.ts'
import type { ReadResource, Resource } from '../net/resource-client.ts'
import { joinLine } from '../screens/join-line.ts'
import type { OpenScreen } from '../screens/screen.ts'
import type { LiveState } from '../state/live-data.ts'
import { type Pane, type Session, tapeQuery } from '../state/session.ts'
import { cellWidth, fitCells } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import { drawCandidates, drawInput, drawStatus, formKeysHint } from '../widgets/footer.ts'
import { drawHeader } from '../widgets/header.ts'
import { flashMs } from '../widgets/table.ts'
import { drawTape } from '../widgets/tape.ts'
import type { BodyColumn, FrameModel } from './frame-model.ts'

/** What a pane's lines were drawn from; equal parts give equal lines. */
interface DrawnPane {
  screen: OpenScreen
  rectKey: string
  snapshots: readonly LiveState[]
  resources: readonly Resource[]
  pictures: readonly Pictures[]
  results: readonly QueryResultState[]
  second: number
  lines: readonly string[]
  /** Rows flashed when the lines were drawn, so that they have to be drawn again soon. */
  isFlashing: boolean
}

const candidateRowsMax = 10

/** Makes the frames of one size and style from the session. Keeps what did not change since the last one. */
export class Composer {
  readonly #session: Session
  readonly #live: LiveClient
  readonly #size: Size
  readonly #style: Style
  readonly #panes = new Map<number, DrawnPane>()

  constructor(options: { session: Session; live: LiveClient; size: Size; style: Style }) {
    this.#session = options.session
    this.#live = options.live
    this.#size = options.size
    this.#style = options.style
  }

  compose(nowMs: number): FrameModel {
    const { state } = this.#session
    const layout = this.#session.layout(this.#size)
    if (layout.isTooSmall) return this.#card()
    const place = { width: this.#size.columns, style: this.#style }
    const screen = state.panes[state.focused]?.stack.at(-1)
    const formHint = screen?.typing()?.hint ?? (screen?.isTyping() === true ? formKeysHint(screen.hasSecret()) : null)
    const header = drawHeader({
      ...place,
      connection: this.#live.connection,
      world: this.#session.world,
      dataNowMs: this.#session.dataNowMs(),
      nowMs,
      alert: state.alert,
      unseenAlerts: this.#session.unseenAlerts,
    })
    const tape = layout.hasTape ? [drawTape({ ...place, rows: this.#live.read(tapeQuery).rows, nowMs })] : []
    const input = drawInput(state.input, { ...place, formHint })
    const overlayRows = Math.min(candidateRowsMax, Math.max(0, layout.bodyRows - 3))
    const overlay =
      state.input === null ? [] : drawCandidates(this.#session.candidates(), state.input.selected, overlayRows, place)
    return {
      ...this.#size,
      header: [...header, ...tape],
      body: this.#body(layout.panes, layout.bodyRows, nowMs),
      overlay,
      footer: [input.line, drawStatus(state, { ...place, isInForm: formHint !== null })],
      cursor: input.cursorX === null ? this.#screenCursor(layout.panes) : { x: input.cursorX, y: this.#size.rows - 2 },
    }
  }

  /** The cursor of a form in the focused pane. */
  #screenCursor(rects: readonly PaneRect[]): { x: number; y: number } | null {
    const { panes, focused } = this.#session.state
    const rect = rects.find(each => each.paneIndex === focused)
    const screen = panes[focused]?.stack.at(-1)
    if (rect === undefined || screen === undefined || !screen.isTyping()) return null
    const at = screen.cursor(this.#session.viewOf(rect, this.#style))
    if (at === null || at.y >= rect.height - 1 || at.x >= rect.width) return null
    return { x: rect.x + at.x, y: rect.y + 1 + at.y }
  }

  /** Panes of one column are stacked; a line of bars stands between columns. */
  #body(rects: readonly PaneRect[], bodyRows: number, nowMs: number): BodyColumn[] {
    const columns: { x: number; width: number; lines: string[] }[] = []
    for (const rect of rects) {
      const lines = this.#paneLines(rect, nowMs)
      const column = columns.find(each => each.x === rect.x)
      if (column === undefined) columns.push({ x: rect.x, width: rect.width, lines: [...lines] })
      else column.lines.push(...lines)
    }
    const bar = this.#style.paint('faint', this.#style.glyphs.bar)
    const divider: BodyColumn = { width: 1, lines: Array.from({ length: bodyRows }, () => bar) }
    return columns.flatMap((column, i) => (i === 0 ? [column] : [divider, column]))
  }

  #paneLines(rect: PaneRect, nowMs: number): readonly string[] {
    const pane = this.#session.state.panes[rect.paneIndex]
    const screen = pane?.stack.at(-1)
    if (pane === undefined || screen === undefined) return []
    const read: ReadResource = query => this.#session.resources.read(query)
    const snapshots = screen.queries(read).map(query => this.#live.readAny(query))
    const resources = screen.resources(read).map(read)
    const view = this.#session.viewOf(rect, this.#style)
    const pictures = screen.pictures(view).map(query => view.pictures(query))
    const results = screen.results().map(id => view.result(id))
    const isFocused = rect.paneIndex === this.#session.state.focused
    const rectKey = `${rect.width}x${rect.height} ${isFocused} ${pane.isLinked} ${rect.paneIndex} ${this.#session.state.panes.length}`
    // Ages and clocks on screens are good to a second; flashes end between frames.
    const second = Math.floor(nowMs / 1000)
    const known = this.#panes.get(pane.id)
    const isSame =
      known !== undefined &&
      known.screen === screen &&
      known.rectKey === rectKey &&
      known.second === second &&
      !known.isFlashing &&
      !screen.isMoving() &&
      isEqual(known.snapshots, snapshots) &&
      isEqual(known.resources, resources) &&
      isEqual(known.pictures, pictures) &&
      isEqual(known.results, results)
    if (isSame) return known.lines
    const body = screen.draw(view)
    const lines = [this.#title(pane, screen, rect), ...squared(body, rect.width, rect.height - 1)]
    const isFlashing = !this.#style.isReducedMotion && snapshots.some(snapshot => hasFlash(snapshot, nowMs))
    this.#panes.set(pane.id, { screen, rectKey, snapshots, resources, pictures, results, second, lines, isFlashing })
    return lines
  }

  #title(pane: Pane, screen: OpenScreen, rect: PaneRect): string {
    const { state } = this.#session
    const style = this.#style
    const isFocused = rect.paneIndex === state.focused
    const linked = pane.isLinked ? ' linked' : ''
    const text = ` ${rect.paneIndex + 1} ${screen.title()} `
    const shown = style.fit(text, Math.min(cellWidth(text), rect.width - 8)).trimEnd()
    const name = isFocused ? style.inverse(style.bold('title', `${shown} `)) : style.paint('title', `${shown} `)
    const hidden = this.#hiddenPanes(rect)
    return joinLine([`${name}${style.paint('muted', linked)}`], style.paint('muted', hidden), rect.width)
  }

  /** Panes that have no room are named as tabs beside the focused one. */
  #hiddenPanes(rect: PaneRect): string {
    const { state } = this.#session
    if (rect.paneIndex !== state.focused) return ''
    const shown = this.#session.layout(this.#size).panes.map(each => each.paneIndex)
    return state.panes
      .flatMap((pane, i) => (shown.includes(i) ? [] : [`${i + 1} ${pane.stack.at(-1)?.fn ?? ''}`]))
      .join('  ')
  }

  #card(): FrameModel {
    const { columns, rows } = this.#size
    const text = ['CLIPTAPE', `needs ${smallest.columns}x${smallest.rows}`, `has ${columns}x${rows}`, 'Make me bigger.']
    const top = Math.max(0, Math.floor((rows - text.length) / 2))
    const lines = Array.from({ length: rows }, (_, y) => fitCells(text[y - top] ?? '', columns, 'center', '.'))
    return { columns, rows, header: [], body: [{ width: columns, lines }], overlay: [], footer: [], cursor: null }
  }
}

/** Exactly `height` lines, whatever a screen returned. */
function squared(lines: readonly string[], width: number, height: number): string[] {
  const blank = ' '.repeat(Math.max(0, width))
  return Array.from({ length: Math.max(0, height) }, (_, y) => lines[y] ?? blank)
}

function isEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i])
}

function hasFlash(snapshot: LiveState, nowMs: number): boolean {
  for (const atMs of snapshot.changedAtMs.values()) if (nowMs - atMs < flashMs) return true
  return false
}
