import { expect, test } from 'vitest'
import { createKeymap, defaultConflicts } from './keymap.ts'

test('has no default key that means two things at once', () => {
  expect(defaultConflicts()).toEqual([])
  expect(createKeymap().problems).toEqual([])
})

test('finds the key of the first context that has one', () => {
  const keymap = createKeymap()
  expect(keymap.find('j', ['list', 'global'])).toBe('move.down')
  expect(keymap.find('j', ['chart', 'global'])).toBe('zoom.out')
  expect(keymap.find(':', ['list', 'global'])).toBe('command.open')
  expect(keymap.find('Z', ['list', 'global'])).toBeNull()
})

test("takes a user's own keys and gives up the default ones", () => {
  const keymap = createKeymap({ 'move.down': ['n'] })
  expect(keymap.find('n', ['list', 'global'])).toBe('move.down')
  expect(keymap.find('j', ['list', 'global'])).toBeNull()
  expect(keymap.problems).toEqual([])
})

test('reports a key that two actions want, and the user’s own keeps it', () => {
  const keymap = createKeymap({ 'move.down': ['q'] })
  expect(keymap.find('q', ['list', 'global'])).toBe('move.down')
  expect(keymap.problems).toEqual(['The key q is wanted by move.down and pane.close: move.down has it.'])
})

test('reports actions and keys that do not exist', () => {
  const keymap = createKeymap({ 'move.sideways': ['x'], 'move.up': ['ctrl+u'], 'filter.text': ['x'] })
  expect(keymap.problems).toEqual([
    'There is no action move.sideways; see docs/keys.md.',
    '"ctrl+u" is no name of a key (for move.up): write it like j, C-p, M-1, S-tab or f1.',
    'There is no action filter.text; see docs/keys.md.',
  ])
})
