import { periods } from '../../contracts/measures.ts'
import { watchColumns } from '../../contracts/watchlists.ts'
import { parseSubject, type Subject } from '../command/subject.ts'
import { chosenIn, type FormSpec, type FormState, openForm, textIn } from '../state/form.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { centredForm, type FormHead } from './form-place.ts'
import type { ScreenView } from './screen.ts'
import type { WatchlistRow } from './watch-resources.ts'

// What WL asks for: something to watch, a note, or a list's name, columns and window.

/** What is being typed, and about what. */
export type WatchForm =
  | { kind: 'subject'; form: FormState }
  | { kind: 'note'; form: FormState; key: string }
  /** `of` null: a new list. */
  | { kind: 'list'; form: FormState; of: Pick<WatchlistRow, 'id' | 'version'> | null }

const subjectSpec: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'subject',
      label: 'What',
      hint: '@creator, #topic, a clip’s id or address',
      lengthMax: 300,
      check: text => (text.trim() === '' ? 'Type @creator, #topic, or the id or address of a clip.' : null),
    },
    { kind: 'text', name: 'note', label: 'Note', hint: 'for yourself', lengthMax: 500 },
    { kind: 'button', name: 'add', label: 'Watch it' },
    { kind: 'button', name: 'cancel', label: 'Cancel' },
  ],
  submit: 'add',
}

const noteSpec: FormSpec = {
  fields: [
    { kind: 'text', name: 'note', label: 'Note', hint: 'empty removes it', lengthMax: 500 },
    { kind: 'button', name: 'write', label: 'Write' },
    { kind: 'button', name: 'cancel', label: 'Cancel' },
  ],
  submit: 'write',
}

const listSpec: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'name',
      label: 'Name',
      hint: 'e.g. clip desk',
      lengthMax: 80,
      check: text => (text.trim() === '' ? 'A list needs a name.' : null),
    },
    {
      kind: 'choice',
      name: 'columns',
      label: 'Columns',
      isMultiple: true,
      options: watchColumns.map(value => ({ value, title: value })),
    },
    {
      kind: 'choice',
      name: 'period',
      label: 'Window',
      isMultiple: false,
      options: periods.map(value => ({ value, title: value })),
    },
    { kind: 'button', name: 'keep', label: 'Keep' },
    { kind: 'button', name: 'cancel', label: 'Cancel' },
  ],
  submit: 'keep',
}

export const watchSpecs: Readonly<Record<WatchForm['kind'], FormSpec>> = {
  subject: subjectSpec,
  note: noteSpec,
  list: listSpec,
}

const titles = {
  subject: 'Put something on this list',
  note: 'A note to this row',
  list: 'A watchlist',
} as const

export function openSubjectForm(): WatchForm {
  return { kind: 'subject', form: openForm(subjectSpec) }
}

export function openNoteForm({ key, note }: { key: string; note: string }): WatchForm {
  return { kind: 'note', key, form: openForm(noteSpec, { texts: { note } }) }
}

const columnsAtFirst = ['platform', 'views', 'gain', 'velocity', 'outlier', 'trend', 'note']

export function openListForm(list: WatchlistRow | null, name = ''): WatchForm {
  const texts = { name: list?.name ?? name }
  const chosen = { columns: list?.columns ?? columnsAtFirst, period: [list?.period ?? '24h'] }
  return { kind: 'list', of: list, form: openForm(listSpec, { texts, chosen }) }
}

export function placeWatchForm({ kind, form }: WatchForm, view: ScreenView): DrawnForm {
  const head: FormHead[] = [{ text: titles[kind], role: 'title', isTitle: true }]
  return centredForm(view, head, room => drawForm(watchSpecs[kind], form, { ...room, style: view.style }))
}

/** What was typed as something to watch: words without a mark are a name. */
export function subjectTyped(form: FormState): Subject {
  const text = textIn(form, 'subject').trim()
  return parseSubject(text) ?? { type: 'search', text }
}

/** A list as the server takes it; columns in their own order, whichever was chosen first. */
export function listRequestOf(form: FormState): { name: string; columns: string[]; period: string } {
  const chosen = chosenIn(form, 'columns')
  return {
    name: textIn(form, 'name').trim(),
    columns: watchColumns.filter(column => chosen.includes(column)),
    period: chosenIn(form, 'period')[0] ?? '24h',
  }
}
