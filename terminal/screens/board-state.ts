import type { BoardValues, SavedBoard } from '../../contracts/dashboards.ts'
import type { Command } from '../command/grammar.ts'
import type { FormState } from '../state/form.ts'
import { type ListState, listStart } from '../state/list-state.ts'
import type { PanelAnswer } from './board-answers.ts'

/** Boards in turn. */
export interface Wall {
  /** As they were named; none for all there are. */
  names: readonly string[]
  at: number
  everyMs: number
  /** When the next one comes, epoch milliseconds of the wall clock; 0 before the first tick. */
  nextAtMs: number
  /** The next board is asked for already, so that it is there in its turn. */
  isNextNear: boolean
}

/** Answers as they were at the last beat of a board that is not renewed all the time. */
export interface Held {
  boardId: string
  atMs: number
  answers: Readonly<Record<string, PanelAnswer>>
}

export interface BoardState {
  /** The board that is shown, as it was named; null for the list of all. */
  shown: string | null
  list: ListState
  /** What the command says of variables, for whichever board has them. */
  given: BoardValues
  /** What was chosen on each board, by its id. */
  chosen: Readonly<Record<string, BoardValues>>
  focusId: string | null
  isZoomed: boolean
  /** The lists of panels, by board and panel. */
  lists: Readonly<Record<string, ListState>>
  form: { kind: 'variables' | 'export'; state: FormState } | null
  wall: Wall | null
  held: Held | null
  /** What the next press deletes. */
  deleting: string | null
}

const everyMsDefault = 30_000

/** The state that a command opens. */
export function openBoard({ args }: Command): BoardState {
  const names = args.board?.split(',') ?? []
  const { period, platform } = args
  const isWall = args.wall !== undefined
  return {
    shown: isWall ? null : (names[0] ?? null),
    list: listStart,
    given: {
      ...(period === undefined ? {} : { period }),
      ...(platform === undefined ? {} : { platform }),
      ...readSet(args.set ?? ''),
    },
    chosen: {},
    focusId: null,
    isZoomed: false,
    lists: {},
    form: null,
    wall: isWall ? newWall(names, readEvery(args.every)) : null,
    held: null,
    deleting: null,
  }
}

function newWall(names: readonly string[], everyMs: number): Wall {
  return { names, at: 0, everyMs, nextAtMs: 0, isNextNear: false }
}

/** The state in which all boards come in turn. */
export function startWall(state: BoardState): BoardState {
  return { ...showBoard(state, null), wall: newWall([], everyMsDefault) }
}

/** `creator=youtube:UC…;limit=5` as values. */
function readSet(text: string): BoardValues {
  const pairs = text.split(';').flatMap(part => {
    const equals = part.indexOf('=')
    return equals < 1 ? [] : [[part.slice(0, equals), part.slice(equals + 1)] as const]
  })
  return Object.fromEntries(pairs)
}

/** `30s` or `5m` in milliseconds. */
function readEvery(text: string | undefined): number {
  const found = /^(\d+)([sm])$/.exec(text ?? '')
  return found === null ? everyMsDefault : Number(found[1]) * (found[2] === 'm' ? 60_000 : 1000)
}

/** The command that opens what is shown. */
export function boardTitle({ shown, wall, given, isZoomed, focusId }: BoardState): string {
  const set = Object.entries(given).map(([name, value]) => `${name.toUpperCase()}=${value}`)
  if (wall !== null) {
    const every = wall.everyMs === everyMsDefault ? [] : [`EVERY=${wall.everyMs / 1000}s`]
    return ['BOARD WALL', ...wall.names, ...every, ...set].join(' ')
  }
  if (shown === null) return 'BOARD'
  return ['BOARD', shown, ...set, ...(isZoomed && focusId !== null ? [`(${focusId})`] : [])].join(' ')
}

/** The state after another board has been opened. */
export function showBoard(state: BoardState, shown: string | null): BoardState {
  return { ...state, shown, focusId: null, isZoomed: false, form: null, held: null, deleting: null }
}

/** Where a panel's list is kept. */
export function listKey(boardId: string, panelId: string): string {
  return `${boardId} ${panelId}`
}

/** What the command and the user chose for a board; of the command what fits a variable by name, or by its kind. */
export function chosenFor(state: BoardState, { id, board }: SavedBoard): BoardValues {
  const given = board.variables.flatMap(({ name, type }): [string, string | number][] => {
    const value = state.given[name] ?? (type === 'period' || type === 'platform' ? state.given[type] : undefined)
    if (value === undefined) return []
    return [[name, type === 'number' ? Number(value) : value]]
  })
  return { ...Object.fromEntries(given), ...state.chosen[id] }
}

/** The state with one value chosen. */
export function choose(state: BoardState, boardId: string, values: BoardValues): BoardState {
  const chosen = { ...state.chosen, [boardId]: { ...state.chosen[boardId], ...values } }
  return { ...state, chosen, held: null }
}
