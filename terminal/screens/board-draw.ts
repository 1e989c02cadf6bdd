import type { SavedBoard } from '../../contracts/dashboards.ts'
import { linesToSvg } from '../export/lines-to-svg.ts'
import type { FormSpec } from '../state/form.ts'
import { listStart } from '../state/list-state.ts'
import { formatInstant } from '../text/format.ts'
import { cellWidth, truncate } from '../text/width.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { choicesOf, choicesQuery, choicesSource, openVariables, readAnswer, valuesOf } from './board-answers.ts'
import { exportForm, variablesForm } from './board-forms.ts'
import type { PanelRect } from './board-layout.ts'
import { drawBoardList } from './board-list.ts'
import { drawPanel } from './board-panel.ts'
import { boardListResource, boardResource } from './board-resources.ts'
import { type BoardState, chosenFor, listKey } from './board-state.ts'
import { feed, focusOf, panelArea, rectsOf, savedOf, shownId } from './board-view.ts'
import { centredForm, type FormHead } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { failedStart, noResourceBox } from './resource-notice.ts'
import type { Picture, ScreenView } from './screen.ts'

/** The list, or the board with its panels: exactly `view.height` lines. */
export function drawBoard(state: BoardState, view: ScreenView): string[] {
  const id = shownId(state, view.resource)
  const list = view.resource(boardListResource)
  if (state.shown === null && state.wall === null) return drawBoardList(state, list, view)
  const resource = id === null ? list : view.resource(boardResource(id))
  const saved = savedOf(state, view.resource)
  if (saved === null) return noResourceBox(view, resource, 'There is no board to show: BOARD lists them.')
  const form = placeForm(state, view)
  if (form !== null) return form.lines
  const area = panelArea(view)
  const { rects, page, pageCount } = rectsOf(state, saved.board, view)
  const focus = focusOf(state, saved.board)
  const lines = composeRects(
    rects.map(rect => ({
      ...rect,
      lines: drawPanel(
        {
          panel: rect.panel,
          answer: feed(state, saved, rect.panel, view).answer,
          list: state.lists[listKey(saved.id, rect.panel.id)] ?? listStart,
          hasFocus: view.isFocused && rect.panel.id === focus?.id && state.wall === null,
        },
        { ...view, width: rect.width, height: rect.height },
      ),
    })),
    area,
  )
  const head = area.top === 0 ? [] : [headLine(saved, view)]
  return [...head, ...lines, footLine(state, saved, { page, pageCount }, view)].slice(-view.height)
}

/** Panels where they belong, blanks between them. */
function composeRects(
  rects: readonly (PanelRect & { lines: readonly string[] })[],
  { width, height }: { width: number; height: number },
): string[] {
  const sorted = rects.toSorted((a, b) => a.x - b.x)
  return Array.from({ length: height }, (_, y) => {
    let line = ''
    let x = 0
    for (const rect of sorted) {
      if (y < rect.y || y >= rect.y + rect.height) continue
      line += ' '.repeat(Math.max(0, rect.x - x)) + (rect.lines[y - rect.y] ?? ' '.repeat(rect.width))
      x = rect.x + rect.width
    }
    return line + ' '.repeat(Math.max(0, width - x))
  })
}

/** The board's name, what it is about, and when it is renewed. */
function headLine({ board }: SavedBoard, { style, width }: ScreenView): string {
  const refresh = board.refresh === 'live' ? 'live' : `every ${board.refresh} s`
  const name = truncate(board.name, width - 16, style.glyphs.ellipsis)
  const room = Math.max(0, width - cellWidth(name) - 18)
  const about = truncate(board.description.split('\n')[0] ?? '', room, style.glyphs.ellipsis)
  const left = [style.bold('title', ` ${name}`), style.paint('muted', about)]
  return joinLine(left, style.paint('muted', `${refresh} `), width)
}

/** What the board is about on the left; where one is and the keys on the right. */
function footLine(
  state: BoardState,
  saved: SavedBoard,
  { page, pageCount }: { page: number; pageCount: number },
  view: ScreenView,
): string {
  const { style, width, nowMs } = view
  const values = valuesOf(saved.board, chosenFor(state, saved))
  const words = saved.board.variables.map(variable => {
    const value = String(values[variable.name] ?? '')
    const title = choicesOf(variable, view).find(choice => choice.value === value)?.title ?? value
    return `${style.paint('muted', variable.title)} ${style.paint('text', truncate(title || 'any', 24, style.glyphs.ellipsis))}`
  })
  const failed = failedStart(view, view.resource(boardResource(saved.id)))
  const pages = pageCount > 1 ? `page ${page + 1}/${pageCount}` : ''
  const { wall } = state
  const turn = wall === null ? '' : `next in ${Math.max(0, Math.ceil((wall.nextAtMs - nowMs) / 1000))}s  w stops`
  const keys = wall === null ? `${saved.board.variables.length > 0 ? 'i change  ' : ''}z alone  e save` : turn
  const right = style.paint('muted', [pages, view.isFocused ? keys : ''].filter(text => text !== '').join('  '))
  return joinLine(failed === '' ? [` ${words[0] ?? ''}`, ...words.slice(1)] : [failed], `${right} `, width)
}

/** The form that is open. */
export function formSpec(state: BoardState, view: ScreenView): FormSpec | null {
  const saved = savedOf(state, view.resource)
  if (state.form === null || saved === null) return null
  return state.form.kind === 'export' ? exportForm(view.hasPng) : variablesForm(saved.board, view)
}

/** The form as it is drawn, and where its fields are. */
export function placeForm(state: BoardState, view: ScreenView): DrawnForm | null {
  const spec = formSpec(state, view)
  const { form } = state
  if (form === null || spec === null) return null
  const heads: Record<typeof form.kind, FormHead[]> = {
    variables: [{ text: 'What the board is about', role: 'title', isTitle: true }],
    export: [
      { text: 'Save', role: 'title', isTitle: true },
      {
        text: 'Rows are those of the panel with the focus; pictures are of the board as it is on this screen.',
        role: 'muted',
      },
    ],
  }
  return centredForm(view, heads[form.kind], room => drawForm(spec, form.state, { ...room, style: view.style }))
}

/** The first of some choices is about to be taken. */
function isChoosing(state: BoardState, saved: SavedBoard, view: ScreenView): boolean {
  return openVariables(saved.board, chosenFor(state, saved)).some(variable => {
    const source = choicesSource(variable)
    if (source === null) return false
    const { status, rows } = readAnswer(choicesQuery(source), view)
    return status === 'loading' || rows.length > 0
  })
}

/** The board as it is on the screen, and below it what its numbers are. */
export function pictureOf(state: BoardState, view: ScreenView): Picture | null {
  const saved = savedOf(state, view.resource)
  if (saved === null || isChoosing(state, saved, view)) return null
  const { style, width } = view
  const [world] = view.live({ name: 'world', params: {} }).rows
  const notice = truncate(` ${world?.notice ?? ''}`, Math.max(1, width - 32), style.glyphs.ellipsis)
  const at = style.paint('muted', `${formatInstant(view.dataNowMs)} UTC  Cliptape `)
  const foot = joinLine([style.paint('muted', notice)], at, width)
  const lines = [...drawBoard(state, { ...view, isFocused: false }), foot]
  return { title: saved.board.name, svg: linesToSvg(lines, { width, theme: style.theme, title: saved.board.name }) }
}
