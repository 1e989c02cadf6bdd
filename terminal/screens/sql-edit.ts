import { sqlCharsMax } from '../../contracts/queries.ts'
import { draftCharsMax } from '../state/sql-desk.ts'
import { cleanLines } from '../text/clean.ts'
import { isInText, sqlTokens } from '../text/sql-tokens.ts'
import {
  type BufferMove,
  erase,
  indent,
  insertText,
  linesOf,
  moveCursor,
  moved,
  newLine,
  placeOf,
  redo,
  replaceRange,
  selectAll,
  selectedText,
  selectionOf,
  type TextBuffer,
  toggleComment,
  typeCharacter,
  undo,
} from '../text/text-buffer.ts'
import { editorTop } from '../widgets/text-editor.ts'
import type { ActionCall, ScreenDeps, ScreenView } from './screen.ts'
import { completeSql, type SqlCandidate } from './sql-completion.ts'
import { catalogResource } from './sql-resources.ts'
import { bufferOf, type SqlState, statementToRun } from './sql-state.ts'

const moves: Partial<Record<ActionCall['name'], BufferMove>> = {
  'editor.left': 'left',
  'editor.right': 'right',
  'editor.up': 'up',
  'editor.down': 'down',
  'editor.wordLeft': 'wordLeft',
  'editor.wordRight': 'wordRight',
  'editor.lineStart': 'lineStart',
  'editor.lineEnd': 'lineEnd',
  'editor.pageUp': 'pageUp',
  'editor.pageDown': 'pageDown',
  'editor.start': 'start',
  'editor.end': 'end',
}
const selectingMoves: Partial<Record<ActionCall['name'], BufferMove>> = {
  'editor.selectLeft': 'left',
  'editor.selectRight': 'right',
  'editor.selectUp': 'up',
  'editor.selectDown': 'down',
  'editor.selectWordLeft': 'wordLeft',
  'editor.selectWordRight': 'wordRight',
  'editor.selectLineStart': 'lineStart',
  'editor.selectLineEnd': 'lineEnd',
}
const erasures: Partial<Record<ActionCall['name'], BufferMove>> = {
  'editor.erase': 'left',
  'editor.delete': 'right',
  'editor.eraseWord': 'wordLeft',
  'editor.deleteWord': 'wordRight',
  'editor.eraseLine': 'lineStart',
  'editor.deleteLine': 'lineEnd',
}

/** What could stand at the cursor; empty while nothing is offered. */
export function candidatesOf(state: SqlState, view: Pick<ScreenView, 'desk' | 'resource'>): readonly SqlCandidate[] {
  const { completion } = state
  const buffer = bufferOf(state, view)
  if (completion === null || state.zone !== 'editor' || selectionOf(buffer) !== null) return []
  const catalog = view.resource(catalogResource).body
  return completeSql(buffer.text, buffer.cursor, { catalog, isAsked: completion.isAsked })
}

/** The state after an action of the editor, or null when it is none. `height` is that of the text. */
export function actInEditor(state: SqlState, call: ActionCall, deps: ScreenDeps, height: number): SqlState | null {
  const chosen = actInCompletion(state, call, deps)
  if (chosen !== null) return withText(state, chosen.buffer, { ...deps, height }, chosen.completion)
  const buffer = bufferOf(state, deps)
  const set = (next: TextBuffer, completion: SqlState['completion'] = null) =>
    withText(state, next, { ...deps, height }, completion)
  const move = moves[call.name]
  if (move !== undefined) return set(moveCursor(buffer, move, { isSelecting: false, pageLines: height }))
  const selecting = selectingMoves[call.name]
  if (selecting !== undefined) return set(moveCursor(buffer, selecting, { isSelecting: true, pageLines: height }))
  const erasure = erasures[call.name]
  if (erasure !== undefined) return eraseIn(state, buffer, erasure, set)
  switch (call.name) {
    case 'form.text':
      return typed(buffer, call.text ?? '', set, deps)
    case 'editor.newLine':
      return set(newLine(buffer, draftCharsMax))
    case 'editor.indent':
      return indentOrComplete(state, buffer, set, deps)
    case 'editor.outdent':
      return set(indent(buffer, -1, draftCharsMax))
    case 'editor.complete':
      return { ...state, completion: { selected: -1, isAsked: true } }
    case 'editor.undo':
      return set(undo(buffer))
    case 'editor.redo':
      return set(redo(buffer))
    case 'editor.comment':
      return set(toggleComment(buffer, draftCharsMax))
    case 'editor.selectAll':
      return set(selectAll(buffer))
    case 'editor.selectStatement': {
      const statement = statementToRun({ ...buffer, anchor: null })
      return statement === null ? state : set(moved(moved(buffer, statement.start, false), statement.end, true))
    }
    case 'editor.copy':
    case 'editor.cut':
      return copyOrCut(state, buffer, { isCut: call.name === 'editor.cut', set, deps })
    case 'editor.paste':
      return state.cut === '' ? state : set(insertText(buffer, state.cut, draftCharsMax))
    default:
      return null
  }
}

type SetBuffer = (next: TextBuffer, completion?: SqlState['completion']) => SqlState

/** The state with another text: kept on the desk, scrolled to its cursor. */
export function withText(
  state: SqlState,
  buffer: TextBuffer,
  { desk, height }: Pick<ScreenDeps, 'desk'> & { height: number },
  completion: SqlState['completion'] = null,
): SqlState {
  if (buffer.text !== bufferOf(state, { desk }).text || buffer.cursor !== state.buffer?.cursor)
    desk.keepDraft(state.editorId, { text: buffer.text, cursor: buffer.cursor, savedQueryId: state.saved?.id ?? null })
  return { ...state, buffer, completion, top: editorTop(buffer, state.top, height) }
}

/** While completions are shown, arrows choose and Tab or Enter take. */
function actInCompletion(
  state: SqlState,
  { name }: ActionCall,
  deps: ScreenDeps,
): { buffer: TextBuffer; completion: SqlState['completion'] } | null {
  const { completion } = state
  const candidates = candidatesOf(state, deps)
  const count = candidates.length
  if (completion === null || count === 0) return null
  const buffer = bufferOf(state, deps)
  const choose = (selected: number) => ({ buffer, completion: { ...completion, selected } })
  const isTaking = name === 'editor.indent' || (name === 'editor.newLine' && completion.selected >= 0)
  const candidate = isTaking ? candidates[Math.max(0, completion.selected)] : undefined
  if (candidate !== undefined) return { buffer: take(buffer, candidate), completion: null }
  if (name === 'editor.down') return choose(Math.min(count - 1, completion.selected + 1))
  if (name === 'editor.up' && completion.selected >= 0) return choose(completion.selected - 1)
  if (name === 'editor.pageDown') return choose(Math.min(count - 1, completion.selected + 8))
  if (name === 'editor.pageUp' && completion.selected >= 0) return choose(Math.max(0, completion.selected - 8))
  return null
}

/** A function's brackets are not put in twice. */
function take(buffer: TextBuffer, { insert, back, from, to }: SqlCandidate): TextBuffer {
  const hasBrackets = back > 0 && buffer.text[to] === '('
  const text = hasBrackets ? insert.slice(0, -2) : insert
  const taken = replaceRange(buffer, { from, to, text })
  return hasBrackets ? moved(taken, taken.cursor + 1, false) : moved(taken, taken.cursor - back, false)
}

/** A single character is typed as in an editor of code; anything longer was pasted, and stays as it is. */
function typed(buffer: TextBuffer, text: string, set: SetBuffer, deps: ScreenDeps): SqlState {
  const written = text === ' ' ? text : cleanLines(text)
  if (written === '') return set(buffer)
  const isSingle = [...written].length === 1 && written !== '\n'
  const isInString = isInText(sqlTokens(buffer.text), buffer.cursor)
  const next = isSingle
    ? typeCharacter(buffer, written, { lengthMax: draftCharsMax, isInString })
    : insertText(buffer, written, draftCharsMax)
  if (next.text.length === draftCharsMax)
    deps.say(`At most ${draftCharsMax} characters can be written here, ${sqlCharsMax} in one statement.`)
  return set(next, isSingle && /[\p{L}\p{N}_.]/u.test(written) ? { selected: -1, isAsked: false } : null)
}

/** What is offered for a word stays while it gets shorter. */
function eraseIn(state: SqlState, buffer: TextBuffer, move: BufferMove, set: SetBuffer): SqlState {
  const next = erase(buffer, move)
  const isInWord = /[\p{L}\p{N}_.]$/u.test(next.text.slice(0, next.cursor))
  return set(next, state.completion !== null && isInWord ? { selected: -1, isAsked: false } : null)
}

/** Tab behind a word asks what it could be; else it indents. */
function indentOrComplete(state: SqlState, buffer: TextBuffer, set: SetBuffer, deps: ScreenDeps): SqlState {
  if (selectionOf(buffer) !== null) return set(indent(buffer, 1, draftCharsMax))
  const isBehindWord = /[\p{L}\p{N}_.]$/u.test(buffer.text.slice(0, buffer.cursor))
  if (!isBehindWord) return set(insertText(buffer, '  ', draftCharsMax))
  const asked: SqlState = { ...state, completion: { selected: -1, isAsked: true } }
  const candidates = candidatesOf(asked, deps)
  const [only] = candidates
  return candidates.length === 1 && only !== undefined ? set(take(buffer, only)) : asked
}

function copyOrCut(
  state: SqlState,
  buffer: TextBuffer,
  { isCut, set, deps }: { isCut: boolean; set: SetBuffer; deps: ScreenDeps },
): SqlState {
  const selected = selectionOf(buffer)
  const { line } = placeOf(buffer.text, buffer.cursor)
  const from = selected?.from ?? linesOf(buffer.text).slice(0, line).join('\n').length + (line > 0 ? 1 : 0)
  const end = buffer.text.indexOf('\n', buffer.cursor)
  const to = selected?.to ?? (end < 0 ? buffer.text.length : end + 1)
  const cut = selected === null ? buffer.text.slice(from, to) : selectedText(buffer)
  if (cut === '') return state
  deps.copy(cut, selected === null ? 'the line' : 'the selection')
  return isCut ? { ...set(replaceRange(buffer, { from, to, text: '' })), cut } : { ...state, cut }
}
