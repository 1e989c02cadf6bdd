import type { SavedBoard } from '../../contracts/dashboards.ts'
import { boardQueries, choicesOf, openVariables } from './board-answers.ts'
import { type BoardState, choose, chosenFor, type Held, showBoard, type Wall } from './board-state.ts'
import { feed, savedOf, shownId, wallNames, wantedBoards } from './board-view.ts'
import type { ActionCall, ScreenDeps, ScreenView } from './screen.ts'

// What BOARD does by itself: first choices, the next board of a wall, the next beat of a board that is not live.

/** So long before its turn the next board of a wall is asked for, in ms. */
const nearMs = 10_000
/** A board that has not come stays away so long at most: then it is shown as it is, with its reason. */
const lateMsMax = 15_000

/** The state after a moment has passed. */
export function tick(state: BoardState, deps: ScreenDeps): BoardState {
  const turned = state.wall === null ? state : turn(state, state.wall, deps)
  const opened = wantedBoards(turned, deps.resource).reduce((before, saved) => takeChoices(before, saved, deps), turned)
  const shown = savedOf(opened, deps.resource)
  return shown === null ? opened : beat(opened, shown, deps)
}

function takeChoices(state: BoardState, saved: SavedBoard, deps: ScreenDeps): BoardState {
  return openVariables(saved.board, chosenFor(state, saved)).reduce((before, variable) => {
    const [first] = choicesOf(variable, deps)
    return first === undefined ? before : choose(before, saved.id, { [variable.name]: first.value })
  }, state)
}

function turn(state: BoardState, wall: Wall, deps: ScreenDeps): BoardState {
  if (wall.nextAtMs === 0) return turnTo(state, wall, wall.at, deps.nowMs)
  const leftMs = wall.nextAtMs - deps.nowMs
  if (leftMs <= 0 && (leftMs < -lateMsMax || hasNextCome(state, deps)))
    return turnTo(state, wall, wall.at + 1, deps.nowMs)
  const isNextNear = leftMs <= nearMs
  return isNextNear === wall.isNextNear ? state : { ...state, wall: { ...wall, isNextNear } }
}

function turnTo(state: BoardState, wall: Wall, at: number, nowMs: number): BoardState {
  return { ...showBoard(state, state.shown), wall: { ...wall, at, nextAtMs: nowMs + wall.everyMs, isNextNear: false } }
}

function hasNextCome(state: BoardState, view: ScreenView): boolean {
  const names = wallNames(state, view.resource)
  if (names.length < 2) return true
  const [, next] = wantedBoards(state, view.resource)
  if (next === undefined) return false
  const chosen = chosenFor(state, next)
  const isOpen = openVariables(next.board, chosen).length > 0
  return !isOpen && boardQueries(next.board, chosen).every(query => view.liveAny(query).status !== 'loading')
}

/** What a key does while boards come in turn. */
export function actOnWall(state: BoardState, call: ActionCall, deps: ScreenDeps): BoardState | null {
  const { wall } = state
  if (wall === null) return null
  switch (call.name) {
    case 'board.wall':
    case 'back':
      return { ...showBoard(state, shownId(state, deps.resource)), wall: null }
    case 'board.next':
    case 'board.nextBoard':
      return turnTo(state, wall, wall.at + 1, deps.nowMs)
    case 'board.previous':
    case 'board.previousBoard': {
      const count = Math.max(1, wallNames(state, deps.resource).length)
      return turnTo(state, wall, wall.at + count - 1, deps.nowMs)
    }
    default:
      return null
  }
}

function beat(state: BoardState, saved: SavedBoard, deps: ScreenDeps): BoardState {
  const { refresh, panels } = saved.board
  if (refresh === 'live') return state.held === null ? state : { ...state, held: null }
  const isFresh = state.held?.boardId === saved.id && deps.nowMs < state.held.atMs + refresh * 1000
  if (isFresh) return state
  const fed = panels.map(panel => [panel.id, feed({ ...state, held: null }, saved, panel, deps).answer] as const)
  // Until everything has come once, each panel shows what it has.
  if (fed.some(([, answer]) => answer === null || answer.status === 'loading')) return state
  const answers = Object.fromEntries(fed.flatMap(([id, answer]) => (answer === null ? [] : [[id, answer]])))
  const held: Held = { boardId: saved.id, atMs: deps.nowMs, answers }
  return { ...state, held }
}
