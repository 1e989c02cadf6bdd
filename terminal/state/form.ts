import type { z } from 'zod'
import type { ActionName } from '../keys/actions.ts'
import { clean } from '../text/clean.ts'
import { characterCount, editLine, type TextLine, typeInto } from './text-line.ts'

// A form as data: which fields it has is a `FormSpec`, what stands in them a `FormState`. A screen keeps the state in its
// own, hands key actions to `actInForm`, and does what a pressed button says. Nothing typed is ever lost by a failure: the
// screen sets a problem and leaves the rest. `widgets/form.ts` draws it.

/** A line of text. A masked one is never shown, spoken or cleaned: a password is exactly what was typed. */
export interface TextField {
  kind: 'text'
  name: string
  label: string
  isMasked?: boolean
  /** Shown while the field is empty. */
  hint?: string
  /** Longest text, in UTF-16 units; 200 unless told. */
  lengthMax?: number
  /** What is wrong with the text, as a sentence; null when nothing is. */
  check?(text: string, state: FormState): string | null
}

/** Some of several options, or exactly one of them. */
export interface ChoiceField {
  kind: 'choice'
  name: string
  label: string
  options: readonly { value: string; title: string }[]
  isMultiple: boolean
  check?(chosen: readonly string[]): string | null
}

/** Something to press. */
export interface ButtonField {
  kind: 'button'
  name: string
  label: string
}

export type Field = TextField | ChoiceField | ButtonField

export interface FormSpec {
  fields: readonly Field[]
  /** The button that Enter presses from the last field; it is pressed only when every field is right. */
  submit: string
}

/** Whether something typed into the form is not shown. */
export function hasMasked({ fields }: FormSpec): boolean {
  return fields.some(field => field.kind === 'text' && field.isMasked === true)
}

/** What stands in a form. Replaced, never changed in place. */
export interface FormState {
  texts: Readonly<Record<string, TextLine>>
  chosen: Readonly<Record<string, readonly string[]>>
  /** The field that has the focus, by its index, and the option in it. */
  at: { field: number; option: number }
  /** `field` null: it is about the whole. */
  problem: { field: string | null; message: string } | null
  /** Something was sent and is not answered yet: buttons do nothing. */
  isBusy: boolean
  /** Masked fields are shown for a moment. */
  isRevealed: boolean
}

/** The form with these texts and choices, the focus on the first field that has none. */
export function openForm(
  spec: FormSpec,
  given: { texts?: Readonly<Record<string, string>>; chosen?: Readonly<Record<string, readonly string[]>> } = {},
): FormState {
  const texts = Object.fromEntries(
    spec.fields.flatMap(field => {
      if (field.kind !== 'text') return []
      const text = given.texts?.[field.name] ?? ''
      return [[field.name, { text, cursor: text.length }]]
    }),
  )
  const chosen = Object.fromEntries(
    spec.fields.flatMap(field => (field.kind === 'choice' ? [[field.name, given.chosen?.[field.name] ?? []]] : [])),
  )
  const empty = spec.fields.findIndex(field => field.kind === 'text' && texts[field.name]?.text === '')
  return {
    texts,
    chosen,
    at: { field: Math.max(0, empty), option: 0 },
    problem: null,
    isBusy: false,
    isRevealed: false,
  }
}

/** The text of a field. */
export function textIn(state: FormState, name: string): string {
  return state.texts[name]?.text ?? ''
}

/** The chosen values of a field. */
export function chosenIn(state: FormState, name: string): readonly string[] {
  return state.chosen[name] ?? []
}

/** The form with something said about it, or nothing; it is not busy any more. */
export function withProblem(state: FormState, message: string | null, field: string | null = null): FormState {
  return { ...state, isBusy: false, problem: message === null ? null : { field, message } }
}

/**
 * What an action (`form.*`, `input.*` for editing) makes of a form, and the button that it pressed. Null when the action is
 * none of a form's. A submit with a field that is wrong presses nothing and goes to that field.
 */
export function actInForm(
  spec: FormSpec,
  state: FormState,
  call: { name: ActionName; text?: string },
): { state: FormState; pressed: string | null } | null {
  const field = spec.fields[state.at.field]
  switch (call.name) {
    case 'form.text':
      return unpressed(typeIn(state, field, call.text ?? ''))
    case 'form.next':
      return unpressed(focusField(spec, state, state.at.field + 1))
    case 'form.previous':
      return unpressed(focusField(spec, state, state.at.field - 1))
    case 'form.reveal':
      return unpressed({ ...state, isRevealed: !state.isRevealed })
    case 'form.enter':
      return enter(spec, state, field)
    case 'input.left':
    case 'input.right':
      if (field?.kind === 'choice') return unpressed(moveOption(state, field, call.name === 'input.left' ? -1 : 1))
  }
  if (field?.kind !== 'text') return null
  const edited = editLine(lineOf(state, field.name), call.name)
  return edited === null ? null : unpressed(withLine(state, field.name, edited))
}

/** The focus on a field, and on an option of it: where the mouse pressed. */
export function focusIn(state: FormState, field: number, option = 0): FormState {
  return { ...state, at: { field, option } }
}

/** A zod schema as a field's check; its message follows the label, as in "Password must have at least 10 characters." */
export function schemaCheck(label: string, schema: z.ZodType): (text: string) => string | null {
  return text => {
    const parsed = schema.safeParse(text)
    return parsed.success ? null : `${label} ${parsed.error.issues[0]?.message ?? 'is not valid'}.`
  }
}

/** What is said of the field that has the focus to somebody who does not see it. Never what a masked one holds. */
export function spokenField(spec: FormSpec, state: FormState): string {
  const field = spec.fields[state.at.field]
  if (field === undefined) return ''
  const problem = state.problem === null ? '' : ` ${state.problem.message}`
  switch (field.kind) {
    case 'button':
      return `${field.label}, button.${problem}`
    case 'choice': {
      const option = field.options[state.at.option]
      const isChosen = option !== undefined && chosenIn(state, field.name).includes(option.value)
      return `${field.label}: ${option?.title ?? ''}, ${isChosen ? 'chosen' : 'not chosen'}.${problem}`
    }
    case 'text': {
      const text = textIn(state, field.name)
      const shown = field.isMasked === true ? `${characterCount(text)} characters` : text === '' ? 'empty' : text
      return `${field.label}: ${shown}.${problem}`
    }
  }
}

type Acted = { state: FormState; pressed: string | null }

function unpressed(state: FormState): Acted {
  return { state, pressed: null }
}

function lineOf(state: FormState, name: string): TextLine {
  return state.texts[name] ?? { text: '', cursor: 0 }
}

/** A problem of the field goes as soon as somebody mends it. */
function withLine(state: FormState, name: string, line: TextLine): FormState {
  const problem = state.problem?.field === name && line.text !== textIn(state, name) ? null : state.problem
  return { ...state, texts: { ...state.texts, [name]: line }, problem }
}

function typeIn(state: FormState, field: Field | undefined, text: string): FormState {
  if (field?.kind === 'choice') return text === ' ' ? toggle(state, field) : state
  if (field?.kind !== 'text') return state
  const typed = field.isMasked === true ? text.replace(/\p{Cc}/gu, '') : text === ' ' ? text : clean(text)
  return withLine(state, field.name, typeInto(lineOf(state, field.name), typed, field.lengthMax ?? 200))
}

function toggle(state: FormState, field: ChoiceField): FormState {
  const value = field.options[state.at.option]?.value
  if (value === undefined) return state
  const chosen = chosenIn(state, field.name)
  const next = !field.isMultiple
    ? [value]
    : chosen.includes(value)
      ? chosen.filter(each => each !== value)
      : [...chosen, value]
  const problem = state.problem?.field === field.name ? null : state.problem
  return { ...state, chosen: { ...state.chosen, [field.name]: next }, problem }
}

/** Among options; where only one can be chosen, the one that has the focus is. */
function moveOption(state: FormState, field: ChoiceField, by: 1 | -1): FormState {
  const option = Math.max(0, Math.min(field.options.length - 1, state.at.option + by))
  const moved = { ...state, at: { ...state.at, option } }
  return field.isMultiple ? moved : toggle(moved, field)
}

/** Round from the last field to the first. A choice of one is entered where its choice stands. */
function focusField(spec: FormSpec, state: FormState, to: number): FormState {
  const count = spec.fields.length
  const index = ((to % count) + count) % count
  const field = spec.fields[index]
  const first = field?.kind === 'choice' && !field.isMultiple ? chosenIn(state, field.name)[0] : undefined
  const option = field?.kind === 'choice' ? field.options.findIndex(each => each.value === first) : 0
  return { ...state, at: { field: index, option: Math.max(0, option) } }
}

/** Enter presses the button that has the focus; in a field it goes on to the next one, and from the last it submits. */
function enter(spec: FormSpec, state: FormState, field: Field | undefined): Acted {
  if (field?.kind !== 'button') {
    const next = spec.fields[state.at.field + 1]
    if (next !== undefined && next.kind !== 'button') return unpressed(focusField(spec, state, state.at.field + 1))
  }
  const pressed = field?.kind === 'button' ? field.name : spec.submit
  if (state.isBusy) return unpressed(state)
  if (pressed !== spec.submit) return { state: withProblem(state, null), pressed }
  const wrong = spec.fields.find(each => problemOf(each, state) !== null)
  if (wrong === undefined) return { state: withProblem(state, null), pressed }
  const focused = focusField(spec, state, spec.fields.indexOf(wrong))
  return unpressed(withProblem(focused, problemOf(wrong, state), wrong.name))
}

function problemOf(field: Field, state: FormState): string | null {
  if (field.kind === 'text') return field.check?.(textIn(state, field.name), state) ?? null
  if (field.kind === 'choice') return field.check?.(chosenIn(state, field.name)) ?? null
  return null
}
