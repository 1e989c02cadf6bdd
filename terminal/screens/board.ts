import { formatSubject } from '../command/subject.ts'
import { spokenField } from '../state/form.ts'
import { actInBoard } from './board-acts.ts'
import { boardQueries, openVariables } from './board-answers.ts'
import { drawBoard, formSpec, pictureOf, placeForm } from './board-draw.ts'
import { subjectOfRow } from './board-drill.ts'
import { shownRows } from './board-panel.ts'
import { boardListResource, boardResource } from './board-resources.ts'
import { type BoardState, boardTitle, chosenFor, openBoard } from './board-state.ts'
import { boardRows, focused, shownId, wantedBoards, wantedIds } from './board-view.ts'
import { screenFactory } from './screen.ts'

/** How often BOARD looks whether something is due, in ms; sooner while first choices are awaited. */
const tickMs = 1000
const choicesTickMs = 200

/** Dashboards: the list of them, one over the whole window, or all in turn on a wall. */
export const boardFactory = screenFactory<BoardState>({
  fn: 'BOARD',
  contexts: ['board', 'list'],
  open: openBoard,
  title: boardTitle,
  queries(state, read) {
    return wantedBoards(state, read).flatMap(saved => boardQueries(saved.board, chosenFor(state, saved)))
  },
  resources(state, read) {
    return [boardListResource, ...wantedIds(state, read).map(boardResource)]
  },
  isWhole: () => true,
  tickMs(state, read) {
    const boards = wantedBoards(state, read)
    if (boards.some(saved => openVariables(saved.board, chosenFor(state, saved)).length > 0)) return choicesTickMs
    return state.wall !== null || boards.some(saved => saved.board.refresh !== 'live') ? tickMs : null
  },
  isTyping: ({ form }) => form !== null,
  cursor: (state, view) => (state.form === null ? null : (placeForm(state, view)?.cursor ?? null)),
  spoken(state, view) {
    const spec = formSpec(state, view)
    return state.form === null || spec === null ? '' : spokenField(spec, state.form.state)
  },
  draw: drawBoard,
  act: actInBoard,
  subject(state, view) {
    const at = focused(state, view)
    return at?.source == null ? null : subjectOfRow(at.panel, at.source, at.row)
  },
  list(state, view) {
    const at = focused(state, view)
    if (at === null) {
      const columns = ['id', 'name', 'description', 'visibility', 'isOwn', 'panelCount', 'updatedAt']
      return { title: 'BOARD', columns, rows: boardRows(view.resource), asOf: null }
    }
    const { panel, answer, saved } = at
    const rows = shownRows(panel, answer).map(row => ({ ...row.values }))
    return {
      title: `${saved.board.name} ${panel.title}`,
      columns: answer?.fields ?? [],
      rows,
      asOf: answer?.asOf ?? null,
    }
  },
  picture: (state, view) => pictureOf({ ...state, form: null }, view),
  copyText(state, view) {
    const at = focused(state, view)
    const about = at?.source == null ? null : subjectOfRow(at.panel, at.source, at.row)
    return about === null ? (shownId(state, view.resource) ?? '') : formatSubject(about)
  },
})
