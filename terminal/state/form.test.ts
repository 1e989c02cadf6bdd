import { expect, test } from 'vitest'
import type { ActionName } from '../keys/actions.ts'
import { cellWidth } from '../text/width.ts'
import { createStyle } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'
import { drawForm } from '../widgets/form.ts'
import {
  actInForm,
  chosenIn,
  type FormSpec,
  type FormState,
  openForm,
  spokenField,
  textIn,
  withProblem,
} from './form.ts'

const spec: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'name',
      label: 'Name',
      lengthMax: 8,
      check: text => (text === '' ? 'A name is needed.' : null),
    },
    { kind: 'text', name: 'secret', label: 'Secret', isMasked: true },
    {
      kind: 'choice',
      name: 'may',
      label: 'May',
      isMultiple: true,
      options: [
        { value: 'read', title: 'read' },
        { value: 'write', title: 'write' },
      ],
      check: chosen => (chosen.length === 0 ? 'Choose something.' : null),
    },
    {
      kind: 'choice',
      name: 'life',
      label: 'Life',
      isMultiple: false,
      options: [
        { value: 'day', title: 'a day' },
        { value: 'year', title: 'a year' },
        { value: 'ever', title: 'no end' },
      ],
    },
    { kind: 'button', name: 'make', label: 'Make' },
    { kind: 'button', name: 'leave', label: 'Leave' },
  ],
  submit: 'make',
}

/** A form after these actions; a text in brackets is typed. Also the last button that was pressed. */
function after(
  state: FormState,
  ...steps: (ActionName | `[${string}]`)[]
): { state: FormState; pressed: string | null } {
  let pressed: string | null = null
  let now = state
  for (const step of steps) {
    const call = step.startsWith('[')
      ? { name: 'form.text' as const, text: step.slice(1, -1) }
      : { name: step as ActionName }
    const acted = actInForm(spec, now, call)
    if (acted === null) throw new Error(`${step} is nothing to a form.`)
    now = acted.state
    pressed = acted.pressed ?? pressed
  }
  return { state: now, pressed }
}

const empty = () => openForm(spec, { chosen: { life: ['year'] } })

test('types, edits and moves among fields, round at both ends', () => {
  const { state } = after(
    empty(),
    '[tape]',
    'input.left',
    '[_]',
    'form.next',
    '[s3cret]',
    'form.previous',
    'form.previous',
  )
  expect(textIn(state, 'name')).toBe('tap_e')
  expect(textIn(state, 'secret')).toBe('s3cret')
  expect(spec.fields[state.at.field]?.name).toBe('leave')
  expect(spec.fields[after(state, 'form.next').state.at.field]?.name).toBe('name')
})

test('cleans a paste but never a masked one, and bounds both', () => {
  const evil = '\u001b]0;x\u0007a\u202eb'
  expect(textIn(after(empty(), `[${evil}]`).state, 'name')).toBe('ab')
  const { state } = after(empty(), 'form.next', `[p  \u202e\u200d\r\n]`)
  expect(textIn(state, 'secret')).toBe('p  \u202e\u200d')
  expect(textIn(after(empty(), `[${'🎬'.repeat(9)}]`).state, 'name')).toBe('🎬'.repeat(4))
})

test('chooses several with the space bar, and one by moving', () => {
  const { state } = after(
    empty(),
    'form.next',
    'form.next',
    '[ ]',
    'input.right',
    '[ ]',
    'input.left',
    '[ ]',
    'form.next',
  )
  expect(chosenIn(state, 'may')).toEqual(['write'])
  expect(state.at).toEqual({ field: 3, option: 1 })
  const moved = after(state, 'input.right', 'input.right').state
  expect(chosenIn(moved, 'life')).toEqual(['ever'])
})

test('goes from field to field with Enter and presses the button from the last one', () => {
  const { state, pressed } = after(empty(), '[tape]', 'form.enter', 'form.enter', '[ ]', 'form.enter')
  expect(pressed).toBeNull()
  expect(after(state, 'form.enter').pressed).toBe('make')
})

test('presses nothing while a field is wrong, and goes there', () => {
  const filled = after(empty(), 'form.previous', 'form.previous').state
  const { state, pressed } = after(filled, 'form.enter')
  expect(pressed).toBeNull()
  expect(state.problem).toEqual({ field: 'name', message: 'A name is needed.' })
  expect(spec.fields[state.at.field]?.name).toBe('name')
  // The complaint goes as soon as it is mended, and the next one comes with the next try.
  const mended = after(state, '[x]').state
  expect(mended.problem).toBeNull()
  expect(after(mended, 'form.previous', 'form.previous', 'form.enter').state.problem?.field).toBe('may')
})

test('leaves without asking whether the fields are right', () => {
  expect(after(empty(), 'form.previous', 'form.enter').pressed).toBe('leave')
})

test('presses nothing twice while it is busy, and loses nothing to a problem', () => {
  const filled = after(empty(), '[tape]', 'form.next', 'form.next', '[ ]').state
  const busy = { ...filled, isBusy: true }
  expect(after(busy, 'form.next', 'form.enter').pressed).toBeNull()
  const failed = withProblem(busy, 'The server said no.')
  expect([textIn(failed, 'name'), chosenIn(failed, 'may'), failed.isBusy]).toEqual(['tape', ['read'], false])
})

test('does not know actions of lists', () => {
  expect(actInForm(spec, empty(), { name: 'move.down' })).toBeNull()
})

test('speaks the field that has the focus, and of a masked one only its length', () => {
  const typed = after(empty(), 'form.next', '[pässwörd]').state
  expect(spokenField(spec, typed)).toBe('Secret: 8 characters.')
  expect(spokenField(spec, after(typed, 'form.next').state)).toBe('May: read, not chosen.')
  expect(spokenField(spec, withProblem(empty(), 'A name is needed.', 'name'))).toBe('Name: empty. A name is needed.')
})

const style = createStyle({ theme: themes.mono, depth: 0, isAscii: true, isReducedMotion: true })
const sgr = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g')
const drawn = (state: FormState, width = 44) => {
  const { lines, cursor } = drawForm(spec, state, { width, style })
  return { text: lines.map(line => line.replace(sgr, '').trimEnd()), cursor }
}

test('draws fields, choices, buttons and the problem under its field', () => {
  const state = after(empty(), '[tape]', 'form.next', '[s3cret]').state
  expect(drawn(withProblem(state, 'It is too short.', 'secret'))).toEqual({
    text: [
      '   Name   [tape                           ]',
      ' > Secret [******                         ]',
      '          ! It is too short.',
      '   May    [ ] read  [ ] write',
      '   Life   ( ) a day  (*) a year  ( ) no end',
      '',
      '          [ Make ]  [ Leave ]',
    ],
    cursor: { x: 17, y: 1 },
  })
})

test('shows a masked field when asked to, without what could break the line', () => {
  const state = after(empty(), 'form.next', '[a\u202eb]', 'form.reveal').state
  expect(drawn(state).text[1]).toContain('[a?b ')
})

test('keeps the cursor of a long text in the window', () => {
  const long: FormSpec = { fields: [{ kind: 'text', name: 'a', label: 'A', lengthMax: 500 }], submit: '' }
  const state = openForm(long, { texts: { a: 'x'.repeat(300) } })
  const { cursor, lines } = drawForm(long, state, { width: 40, style })
  expect(cursor?.x).toBeLessThan(39)
  expect(cellWidth(lines[0] ?? '')).toBe(40)
})
