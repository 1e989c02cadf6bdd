import { expect, test } from 'vitest'
import { rigClock } from '../../test/terminal-rig.ts'
import { SqlDesks, type SqlDraft } from './sql-desk.ts'

/** A file that several terminals share. */
function openFile(stored: unknown = null) {
  const file = { content: stored }
  return {
    file,
    open() {
      const clock = rigClock()
      const port = {
        load: () => structuredClone(file.content),
        save: (content: unknown) => {
          file.content = structuredClone(content)
        },
      }
      return { desks: new SqlDesks(port, clock.setTimer), clock }
    },
  }
}

const draft = (text: string): SqlDraft => ({ text, cursor: text.length, savedQueryId: null })

test('keeps what is being written, what was run and values of parameters over restarts', () => {
  const { open } = openFile()
  const first = open()
  const desk = first.desks.of('')
  desk.keepDraft(Symbol('one'), draft('select 1'))
  desk.remember('select 2')
  desk.remember('select 3')
  desk.remember('select 2')
  desk.keepValues({ period: '24h' })
  first.desks.close()
  const again = open().desks.of('')
  expect(again.draft()).toEqual(draft('select 1'))
  expect(again.history()).toEqual(['select 2', 'select 3'])
  expect(again.values()).toEqual({ period: '24h' })
})

test('writes a moment after the last change, and nothing twice', () => {
  const { file, open } = openFile()
  const { desks, clock } = open()
  desks.of('').keepDraft(Symbol('one'), draft('a'))
  expect(file.content).toBeNull()
  clock.advance(1000)
  expect(file.content).toMatchObject({ '': { draft: { text: 'a' } } })
  file.content = null
  desks.close()
  expect(file.content).toBeNull()
})

test('loses no text of another editor, nor of another terminal', () => {
  const { open } = openFile()
  const one = open()
  const two = open()
  const desk = one.desks.of('')
  desk.keepDraft(Symbol('left'), draft('of the left pane'))
  desk.keepDraft(Symbol('right'), draft('of the right pane'))
  two.desks.of('').keepDraft(Symbol('other'), draft('of the other terminal'))
  one.desks.close()
  two.desks.close()
  const left = open().desks.of('')
  expect([left.draft().text, ...left.history()].sort()).toEqual([
    'of the left pane',
    'of the other terminal',
    'of the right pane',
  ])
})

test('keeps people apart', () => {
  const { open } = openFile()
  const { desks } = open()
  desks.of('a@example.com').keepDraft(Symbol('one'), draft('mine'))
  expect(desks.of('b@example.com').draft().text).toBe('')
  desks.close()
  expect(open().desks.of('a@example.com').draft().text).toBe('mine')
})

test('takes whatever a broken file still holds, cleaned', () => {
  const { open } = openFile({ '': { draft: { text: 'a\u001b[31m\nb', cursor: 1, savedQueryId: null }, history: 7 } })
  const desk = open().desks.of('')
  expect([desk.draft().text, desk.history()]).toEqual(['a\nb', []])
  expect(openFile('no object').open().desks.of('').draft().text).toBe('')
})
