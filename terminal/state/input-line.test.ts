import { expect, test } from 'vitest'
import type { ActionName } from '../keys/actions.ts'
import { editInput, openInput, typeText } from './input-line.ts'

function after(text: string, ...actions: ActionName[]): string {
  let line = openInput('command', text)
  for (const action of actions) line = editInput(line, action) ?? line
  return `${line.text.slice(0, line.cursor)}|${line.text.slice(line.cursor)}`
}

test.each([
  ['top', ['input.left', 'input.left'], 't|op'],
  ['top', ['input.start', 'input.right'], 't|op'],
  ['top', ['input.start', 'input.end'], 'top|'],
  ['top', ['input.erase'], 'to|'],
  ['top', ['input.start', 'input.erase'], '|top'],
  ['top', ['input.start', 'input.delete'], '|op'],
  ['top clips 24h', ['input.eraseWord'], 'top clips |'],
  ['top clips  ', ['input.eraseWord'], 'top |'],
  ['top clips', ['input.left', 'input.eraseLine'], '|s'],
  ['a🎬', ['input.erase'], 'a|'],
  ['ae\u0301', ['input.left'], 'a|e\u0301'],
  ['👨‍👩‍👧x', ['input.start', 'input.delete'], '|x'],
] as [string, ActionName[], string][])('edits %j with %j', (text, actions, expected) => {
  expect(after(text, ...actions)).toBe(expected)
})

test('types at the cursor and bounds the line', () => {
  const line = editInput(openInput('command', 'tp'), 'input.left')
  if (line === null) throw new Error('The cursor moves.')
  expect(typeText(line, 'o').text).toBe('top')
  expect(typeText(line, 'x'.repeat(5000)).text.length).toBe(1000)
})
