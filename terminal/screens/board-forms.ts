import type { Board, BoardValues, BoardVariable } from '../../contracts/dashboards.ts'
import { periods } from '../../contracts/measures.ts'
import { chosenIn, type Field, type FormSpec, type FormState, focusIn, openForm, textIn } from '../state/form.ts'
import { truncate } from '../text/width.ts'
import { choicesOf, choicesSource, valuesOf } from './board-answers.ts'
import type { ScreenView } from './screen.ts'

type Reads = Pick<ScreenView, 'live' | 'liveSql'>

const choicesShownMax = 24
const choiceCellsMax = 28

/** A field for each variable of a board. */
export function variablesForm(board: Board, reads: Reads): FormSpec {
  return {
    fields: [
      ...board.variables.flatMap(variable => fieldsOf(variable, reads)),
      { kind: 'button', name: 'show', label: 'Show' },
      { kind: 'button', name: 'reset', label: 'As it was' },
      { kind: 'button', name: 'cancel', label: 'Cancel' },
    ],
    submit: 'show',
  }
}

/** The form as it opens: with the values that the board is shown with. */
export function openVariablesForm(board: Board, chosen: BoardValues, reads: Reads): FormState {
  const values = valuesOf(board, chosen)
  const texts = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
  const choices = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [String(value)]]))
  return focusIn(openForm(variablesForm(board, reads), { texts, chosen: choices }), 0)
}

/** What was chosen and typed. */
export function formValues(board: Board, form: FormState): BoardValues {
  return Object.fromEntries(
    board.variables.map(variable => {
      const { name } = variable
      const chosen = name in form.chosen ? (chosenIn(form, name)[0] ?? '') : textIn(form, name).trim()
      const text = textIn(form, otherName(name)).trim() || chosen
      return [name, variable.type === 'number' ? Number(text) : text]
    }),
  )
}

/** Of what comes from rows there is more than they hold: it can be typed as well. */
function fieldsOf(variable: BoardVariable, reads: Reads): Field[] {
  const field = fieldOf(variable, reads)
  if (field.kind !== 'choice' || choicesSource(variable) === null) return [field]
  return [field, { kind: 'text', name: otherName(variable.name), label: 'or another', lengthMax: 300 }]
}

function otherName(name: string): string {
  return `${name} other`
}

function fieldOf(variable: BoardVariable, reads: Reads): Field {
  const { name, title: label } = variable
  switch (variable.type) {
    case 'platform':
      return choice(name, label, ['all', 'youtube', 'tiktok', 'instagram'])
    case 'period':
      return choice(name, label, periods)
    case 'number':
      return { kind: 'text', name, label, lengthMax: 30, check: text => checkNumber(text, variable) }
    case 'text':
      return { kind: 'text', name, label, lengthMax: 300 }
    case 'choice': {
      const choices = choicesOf(variable, reads).slice(0, choicesShownMax)
      if (choices.length === 0) return { kind: 'text', name, label, lengthMax: 300 }
      const options = choices.map(({ value, title }) => ({ value, title: truncate(title, choiceCellsMax) }))
      return { kind: 'choice', name, label, isMultiple: false, options }
    }
  }
}

function choice(name: string, label: string, values: readonly string[]): Field {
  return { kind: 'choice', name, label, isMultiple: false, options: values.map(value => ({ value, title: value })) }
}

function checkNumber(text: string, { min, max }: Extract<BoardVariable, { type: 'number' }>): string | null {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) return 'Type a number.'
  if (min !== undefined && value < min) return `It is at least ${min}.`
  return max !== undefined && value > max ? `It is at most ${max}.` : null
}

/** What can be saved of a board: the rows of the panel, or the whole as a picture. */
export function exportForm(hasPng: boolean): FormSpec {
  return {
    fields: [
      { kind: 'button', name: 'csv', label: 'Rows as CSV' },
      { kind: 'button', name: 'json', label: 'Rows as JSON' },
      { kind: 'button', name: 'svg', label: 'Board as SVG' },
      ...(hasPng ? [{ kind: 'button' as const, name: 'png', label: 'Board as PNG' }] : []),
      { kind: 'button', name: 'cancel', label: 'Cancel' },
    ],
    submit: 'csv',
  }
}
