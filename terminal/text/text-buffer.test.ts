import { expect, test } from 'vitest'
import {
  type BufferMove,
  bracketsAt,
  erase,
  indent,
  insertText,
  moveCursor,
  newLine,
  openBuffer,
  placeOf,
  redo,
  selectAll,
  selectedText,
  type TextBuffer,
  toggleComment,
  typeCharacter,
  undo,
} from './text-buffer.ts'

const lengthMax = 1000

function type(buffer: TextBuffer, text: string, isInString = false): TextBuffer {
  return [...text].reduce(
    (so, each) => (each === '\n' ? newLine(so, lengthMax) : typeCharacter(so, each, { lengthMax, isInString })),
    buffer,
  )
}

function move(buffer: TextBuffer, ...moves: BufferMove[]): TextBuffer {
  return moves.reduce((so, each) => moveCursor(so, each, { isSelecting: false, pageLines: 3 }), buffer)
}

function select(buffer: TextBuffer, ...moves: BufferMove[]): TextBuffer {
  return moves.reduce((so, each) => moveCursor(so, each, { isSelecting: true, pageLines: 3 }), buffer)
}

/** The text with `|` where the cursor is. */
const shown = ({ text, cursor }: TextBuffer) => `${text.slice(0, cursor)}|${text.slice(cursor)}`

test('undoes a run of typing at once, and does it again', () => {
  const typed = type(type(openBuffer(''), 'select 1'), '\nfrom x')
  expect(undo(typed).text).toBe('select 1\n')
  expect(undo(undo(typed)).text).toBe('select 1')
  expect(undo(undo(undo(typed))).text).toBe('')
  expect(redo(redo(redo(undo(undo(undo(typed)))))).text).toBe('select 1\nfrom x')
  expect(redo(type(undo(typed), 'y')).text).toBe('select 1\ny')
})

test('moves by words, lines and pages, and keeps to its cell over shorter and wider lines', () => {
  const text = 'select views_1, x\n猫猫猫\n\nfrom v.samples'
  const start = openBuffer(text, 0)
  expect(shown(move(start, 'wordRight', 'wordRight'))).toMatch(/^select views_1\|,/)
  expect(shown(move(openBuffer(text, 14), 'wordLeft', 'wordLeft'))).toMatch(/^\|select/)
  const down = move(openBuffer(text, 5), 'down')
  expect(placeOf(text, down.cursor)).toEqual({ line: 1, column: 2 })
  expect(placeOf(text, move(down, 'down', 'down').cursor)).toEqual({ line: 3, column: 5 })
  expect(move(start, 'pageDown', 'pageDown').cursor).toBe(text.length)
  expect(shown(move(openBuffer('  ab', 4), 'lineStart'))).toBe('  |ab')
  expect(shown(move(openBuffer('  ab', 2), 'lineStart'))).toBe('|  ab')
})

test('replaces what is selected, and leaves a selection at its end', () => {
  const selected = select(openBuffer('a bcd e', 2), 'wordRight')
  expect(selectedText(selected)).toBe('bcd')
  expect(insertText(selected, 'x', lengthMax).text).toBe('a x e')
  expect(shown(move(selected, 'right'))).toBe('a bcd| e')
  expect(erase(selectAll(selected), 'left').text).toBe('')
})

test('pairs brackets and quotes where that is of use', () => {
  expect(shown(type(openBuffer(''), 'count('))).toBe('count(|)')
  expect(shown(type(openBuffer(''), 'count()'))).toBe('count()|')
  expect(shown(type(type(openBuffer(''), "'"), "a'", true))).toBe("'a'|")
  expect(shown(type(openBuffer('x', 0), '('))).toBe('(|x')
  expect(shown(type(openBuffer('it'), "'"))).toBe("it'|")
  expect(shown(type(openBuffer("'it'", 3), "'", true))).toBe("'it'|")
  expect(erase(type(openBuffer(''), '('), 'left').text).toBe('')
  const around = type(select(openBuffer('ab', 0), 'right', 'right'), '(')
  expect([around.text, selectedText(around)]).toEqual(['(ab)', 'ab'])
})

test('begins a line below the one above it, a step further behind a bracket', () => {
  expect(shown(type(openBuffer('  a'), '\nb'))).toBe('  a\n  b|')
  expect(shown(type(openBuffer(''), 'f(\n'))).toBe('f(\n  |\n)')
})

test('indents and comments the lines of the selection, and takes both back', () => {
  const all = selectAll(openBuffer('a\n\n  b'))
  expect(indent(all, 1, lengthMax).text).toBe('  a\n\n    b')
  expect(indent(indent(all, 1, lengthMax), -1, lengthMax).text).toBe('a\n\n  b')
  const commented = toggleComment(all, lengthMax)
  expect(commented.text).toBe('-- a\n\n  -- b')
  expect(toggleComment(commented, lengthMax).text).toBe('a\n\n  b')
})

test('takes no more than its length, and no half of a character', () => {
  expect(insertText(openBuffer('abc'), 'defg', 5).text).toBe('abcde')
  expect(insertText(openBuffer('abc'), '🎬🎬', 6).text).toBe('abc🎬')
})

test('finds the other half of a bracket', () => {
  const text = "f(')', (a))"
  const isCode = (offset: number) => text[offset - 1] !== "'"
  expect(bracketsAt(text, 1, isCode)).toEqual({ at: 1, other: 10 })
  expect(bracketsAt(text, 11, isCode)).toEqual({ at: 10, other: 1 })
  expect(bracketsAt('(a', 0, () => true)).toEqual({ at: 0, other: null })
  expect(bracketsAt('a', 0, () => true)).toBeNull()
})
