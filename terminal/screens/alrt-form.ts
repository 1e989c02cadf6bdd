import type { Alert } from '../../contracts/alerts.ts'
import { type AlertRead, alertReads, listMetrics, subjectMetrics } from '../../contracts/alerts.ts'
import { type Fact, periods } from '../../contracts/measures.ts'
import { readNumber } from '../command/functions.ts'
import { type Command, parseCommand } from '../command/grammar.ts'
import { formatSubject, parseSubject, type Subject, subjectOf } from '../command/subject.ts'
import { chosenIn, type Field, type FormSpec, type FormState, focusIn, openForm, textIn } from '../state/form.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { aboutText } from './alrt-text.ts'
import { centredForm, type FormHead } from './form-place.ts'
import { formatFact } from './measure-text.ts'
import type { ScreenView } from './screen.ts'

// The form for an alert. Its first field says what the alert is about, its second when it fires; which fields follow depends
// on both. What stands in a field that is not shown is kept, and not sent.

/** An alert that is being written. */
export interface AlertForm {
  form: FormState
  /** The alert that is changed; null for a new one. */
  of: Pick<Alert, 'id' | 'version' | 'isEnabled'> | null
  /** What goes on when a name has been found. */
  pending: 'save' | 'try' | null
}

type Known = Exclude<Subject, { type: 'search' }>

/** What the first field means. */
type About =
  | { source: 'subject'; subject: Known }
  | { source: 'search'; text: string }
  | { source: 'list'; args: Readonly<Record<string, string>> }
  | { source: 'query'; id: string }

const kinds = [
  { value: 'above', title: 'above' },
  { value: 'below', title: 'below' },
  { value: 'up', title: 'rises by' },
  { value: 'down', title: 'falls by' },
  { value: 'outlier', title: 'outlier' },
  { value: 'entrant', title: 'new entrant' },
] as const
type Kind = (typeof kinds)[number]['value']

const valueLabels: Readonly<Record<Kind, { label: string; hint: string }>> = {
  above: { label: 'Value', hint: 'fires above it, e.g. 10k' },
  below: { label: 'Value', hint: 'fires below it, e.g. 500' },
  up: { label: 'By more than', hint: 'e.g. 50' },
  down: { label: 'By more than', hint: 'e.g. 20' },
  outlier: { label: 'Times the usual', hint: 'e.g. 5' },
  entrant: { label: 'Among the first', hint: 'e.g. 10' },
}

const readTitles: Readonly<Record<AlertRead, string>> = {
  any: 'any row',
  count: 'number of rows',
  sum: 'sum',
  average: 'average',
  least: 'least',
  largest: 'largest',
}

const cooldowns = [
  { value: '0', title: 'none' },
  { value: '300', title: '5 min' },
  { value: '900', title: '15 min' },
  { value: '3600', title: '1 h' },
  { value: '21600', title: '6 h' },
  { value: '86400', title: '24 h' },
] as const

const channels = [
  { value: 'terminal', title: 'terminal' },
  { value: 'webhook', title: 'webhook' },
  { value: 'email', title: 'e-mail' },
] as const

/** A new alert as a command asks for it: what it is about decides what is filled in. */
export function openAlertForm({ subject, args }: Pick<Command, 'subject' | 'args'>): AlertForm {
  const about =
    args.query ?? (args.list === undefined ? (subject === null ? '' : formatSubject(subject)) : listCommand(args.list))
  const read = readAbout(about)
  const kind = args.above !== undefined ? 'above' : args.below !== undefined ? 'below' : kindFor(read)
  const period = args.period ?? (read?.source === 'list' ? read.args.period : undefined) ?? '24h'
  const sort = read?.source === 'list' ? (read.args.sort ?? 'gain') : undefined
  return {
    of: null,
    pending: null,
    form: begun({
      texts: {
        about,
        name: '',
        value: args.above ?? args.below ?? valueFor(kind),
        rearm: '',
        column: args.column ?? '',
      },
      chosen: {
        kind: [kind],
        metric: [args.metric ?? sort ?? 'velocity'],
        read: ['any'],
        unit: ['percent'],
        period: [period],
        cooldown: ['900'],
        tell: ['terminal'],
      },
    }),
  }
}

/** The form with these texts and choices; typing begins with what it is about, or with what is missing. */
function begun(given: {
  texts: Readonly<Record<string, string>>
  chosen: Readonly<Record<string, readonly string[]>>
}) {
  const form = openForm(wholeForm, given)
  const { about = '', column = '' } = given.texts
  const first = about === '' ? 'about' : readAbout(about)?.source === 'query' && column === '' ? 'column' : 'value'
  return focusIn(
    form,
    alertFormSpec(form).fields.findIndex(({ name }) => name === first),
  )
}

/** A list without the function's name is one all the same. */
function listCommand(text: string): string {
  return /^top\b/i.test(text.trim()) ? text : `TOP ${text}`
}

function kindFor(about: About | null): Kind {
  return about?.source === 'list' ? 'entrant' : 'above'
}

function valueFor(kind: Kind): string {
  return kind === 'entrant' ? '10' : ''
}

/** An alert as it is, to be changed. */
export function editAlertForm(alert: Alert): AlertForm {
  const { measure, condition, cooldownSeconds, channels: told } = alert.rule
  const kind = condition.kind === 'threshold' || condition.kind === 'change' ? condition.direction : condition.kind
  const value = {
    threshold: () => (condition.kind === 'threshold' ? condition.value : 0),
    change: () => (condition.kind === 'change' ? condition.by : 0),
    outlier: () => (condition.kind === 'outlier' ? condition.times : 0),
    entrant: () => (condition.kind === 'entrant' ? condition.top : 0),
  }[condition.kind]()
  const over = condition.kind === 'change' ? condition.over : undefined
  return {
    of: alert,
    pending: null,
    form: begun({
      texts: {
        about: aboutText(measure),
        name: alert.name,
        value: String(value),
        rearm: condition.rearm === undefined ? '' : String(condition.rearm),
        column: measure.source === 'query' ? measure.column : '',
      },
      chosen: {
        kind: [kind],
        metric: [measure.source === 'query' ? 'velocity' : measure.metric],
        read: [measure.source === 'subject' ? 'any' : measure.read],
        unit: [condition.kind === 'change' ? condition.unit : 'percent'],
        period: [over ?? (measure.source === 'query' ? '24h' : measure.period)],
        cooldown: [String(cooldownSeconds)],
        tell: channels.map(({ value: name }) => name).filter(name => told[name]),
      },
    }),
  }
}

/** What is typed in the first field; null while it says nothing. */
export function readAbout(text: string): About | null {
  const typed = text.trim()
  if (typed === '') return null
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(typed)) return { source: 'query', id: typed.toLowerCase() }
  if (/^top\b/i.test(typed)) {
    const parsed = parseCommand(typed, { focusedSubject: null })
    return parsed.ok && parsed.command.fn === 'TOP' ? { source: 'list', args: parsed.command.args } : null
  }
  const subject = parseSubject(typed.replaceAll('"', '')) ?? { type: 'search' as const, text: typed }
  return subject.type === 'search' ? { source: 'search', text: subject.text } : { source: 'subject', subject }
}

/** The subject that the form is about; null where it is about something else, or a name that is not found yet. */
export function subjectOfForm({ form }: AlertForm): Known | null {
  const about = readAbout(textIn(form, 'about'))
  return about?.source === 'subject' ? about.subject : null
}

// Fields

function chosenKind(form: FormState): Kind {
  const [chosen] = chosenIn(form, 'kind')
  return kinds.find(({ value }) => value === chosen)?.value ?? 'above'
}

const aboutField: Field = {
  kind: 'text',
  name: 'about',
  label: 'About',
  hint: '@creator, #topic, a clip, TOP CLIPS 24H, or the id of a saved query',
  lengthMax: 300,
  check: text =>
    readAbout(text) === null ? 'Say what it is about: @creator, #topic, a clip, a list such as TOP CLIPS 24H.' : null,
}
const nameField: Field = {
  kind: 'text',
  name: 'name',
  label: 'Name',
  hint: 'empty: what the rule says',
  lengthMax: 120,
}
const columnField: Field = {
  kind: 'text',
  name: 'column',
  label: 'Column',
  hint: 'whose numbers are read',
  check: text => (text.trim() === '' ? 'Name the column of the query that is read.' : null),
}
const rearmField: Field = {
  kind: 'text',
  name: 'rearm',
  label: 'Armed again at',
  hint: 'empty: the same value',
  check: text => (text.trim() === '' || readNumber(text) !== null ? null : numberProblem),
}
const unitField: Field = {
  kind: 'choice',
  name: 'unit',
  label: 'In',
  isMultiple: false,
  options: [
    { value: 'percent', title: 'percent' },
    { value: 'absolute', title: 'its own unit' },
  ],
}
const periodField: Field = {
  kind: 'choice',
  name: 'period',
  label: 'Window',
  isMultiple: false,
  options: periods.map(value => ({ value, title: value })),
}
const cooldownField: Field = {
  kind: 'choice',
  name: 'cooldown',
  label: 'Then rests',
  isMultiple: false,
  options: cooldowns,
}
const tellField: Field = { kind: 'choice', name: 'tell', label: 'Tells', isMultiple: true, options: channels }
const buttons: readonly Field[] = [
  { kind: 'button', name: 'save', label: 'Save' },
  { kind: 'button', name: 'try', label: 'Try on the past' },
  { kind: 'button', name: 'cancel', label: 'Cancel' },
]
const numberProblem = 'Type a number, e.g. 10000, 10k or 1.5M.'

function kindField(options: readonly Kind[]): Field {
  return {
    kind: 'choice',
    name: 'kind',
    label: 'Fires',
    isMultiple: false,
    options: kinds.filter(({ value }) => options.includes(value)),
  }
}

function choiceOf(name: string, label: string, values: readonly string[], title = (value: string) => value): Field {
  const options = values.map(value => ({ value, title: title(value) }))
  return { kind: 'choice', name, label, isMultiple: false, options }
}

function valueField(kind: Kind): Field {
  return {
    kind: 'text',
    name: 'value',
    ...valueLabels[kind],
    check: text => (readNumber(text) === null ? numberProblem : null),
  }
}

const readField = choiceOf('read', 'Of the rows', alertReads, value => readTitles[readOf(value)])

function readOf(text: string | undefined): AlertRead {
  return alertReads.find(read => read === text) ?? 'any'
}

/** Every field there can be: what `openForm` makes room for. */
const wholeForm: FormSpec = {
  fields: [
    aboutField,
    kindField(kinds.map(({ value }) => value)),
    choiceOf('metric', 'Measure', subjectMetrics),
    columnField,
    readField,
    valueField('above'),
    unitField,
    periodField,
    rearmField,
    cooldownField,
    tellField,
    nameField,
    ...buttons,
  ],
  submit: 'save',
}

/** The fields that what is typed so far asks for. */
export function alertFormSpec(form: FormState): FormSpec {
  const about = readAbout(textIn(form, 'about'))
  const kind = chosenKind(form)
  const isChange = kind === 'up' || kind === 'down'
  const hasMany = (about?.source === 'list' || about?.source === 'query') && kind !== 'entrant' && kind !== 'outlier'
  const isCount = hasMany && chosenIn(form, 'read')[0] === 'count'
  const metricsShown = kind === 'outlier' || kind === 'entrant' || isCount ? [] : metricsFor(about)
  const hasColumn = about?.source === 'query' && !isCount && kind !== 'entrant'
  return {
    fields: [
      aboutField,
      kindField(kindsFor(about)),
      ...(hasMany ? [readField] : []),
      ...(metricsShown.length === 0 ? [] : [choiceOf('metric', 'Measure', metricsShown)]),
      ...(hasColumn ? [columnField] : []),
      valueField(kind),
      ...(isChange ? [unitField] : []),
      ...(isChange || about?.source !== 'query' ? [periodField] : []),
      rearmField,
      cooldownField,
      tellField,
      nameField,
      ...buttons,
    ],
    submit: 'save',
  }
}

function kindsFor(about: About | null): readonly Kind[] {
  const levels = ['above', 'below', 'up', 'down'] as const
  if (about?.source === 'query') return [...levels, 'outlier', 'entrant']
  if (about?.source === 'list')
    return (about.args.type ?? 'clips') === 'clips' ? [...levels, 'outlier', 'entrant'] : [...levels, 'entrant']
  return about?.source === 'subject' && about.subject.type === 'clip' ? [...levels, 'outlier'] : levels
}

const groupMetrics = ['views', 'gain', 'velocity', 'acceleration', 'engagement'] as const

function metricsFor(about: About | null): readonly string[] {
  if (about?.source === 'query') return []
  if (about?.source === 'list') return listMetrics
  if (about?.source !== 'subject') return groupMetrics
  return { clip: groupMetrics, creator: [...groupMetrics, 'followers'], topic: [...groupMetrics, 'clippers'] }[
    about.subject.type
  ]
}

/** The form in the middle of the screen, with what the numbers are now. */
export function placeAlertForm({ form, of }: AlertForm, view: ScreenView, facts: readonly Fact[]): DrawnForm {
  const head: FormHead[] = [
    { text: of === null ? 'A new alert' : 'Change this alert', role: 'title', isTitle: true },
    { text: nowText(facts), role: 'muted' },
  ]
  return centredForm(view, head, room => drawForm(alertFormSpec(form), form, { ...room, style: view.style }))
}

const shownFacts = ['views', 'gain', 'velocity', 'acceleration', 'outlier', 'followers'] as const

function nowText(facts: readonly Fact[]): string {
  const name = facts.find(({ key }) => key === 'title' || key === 'name')?.value
  const numbers = shownFacts.flatMap(key => {
    const fact = facts.find(each => each.key === key)
    return fact === undefined || typeof fact.value !== 'number' ? [] : [`${fact.label} ${formatFact(fact)}`]
  })
  if (numbers.length === 0) return 'It fires when the condition becomes true, and is kept with the rows that caused it.'
  return `${typeof name === 'string' ? `${name} now: ` : 'Now: '}${numbers.join(', ')}.`
}

// From the form to the rule

/**
 * What is sent: the rule and its name, as the server's schema reads them.
 * @param title what the subject is called, where that is known
 */
export function alertRequestOf(
  { form, of }: AlertForm,
  title: string | null,
): { name: string; rule: object; isEnabled: boolean } | null {
  const about = readAbout(textIn(form, 'about'))
  if (about === null || about.source === 'search') return null
  const kind = chosenKind(form)
  const number = (name: string) => Number(readNumber(textIn(form, name)) ?? Number.NaN)
  const rearm = textIn(form, 'rearm').trim() === '' ? {} : { rearm: number('rearm') }
  const measure = measureOf(about, form, kind)
  const condition = conditionOf(kind, form, { value: number('value'), ...rearm })
  const told = chosenIn(form, 'tell')
  const typed = textIn(form, 'name').trim()
  return {
    name: typed === '' ? nameOf(about, kind, form, title) : typed,
    isEnabled: of?.isEnabled ?? true,
    rule: {
      measure,
      condition,
      cooldownSeconds: Number(chosenIn(form, 'cooldown')[0] ?? '900'),
      channels: Object.fromEntries(channels.map(({ value }) => [value, told.includes(value)])),
    },
  }
}

function measureOf(
  about: Exclude<About, { source: 'search' }>,
  form: FormState,
  kind: Kind,
): AlertRuleInput['measure'] {
  const period = chosenIn(form, 'period')[0] ?? '24h'
  const [metric] = chosenIn(form, 'metric')
  const known = metricsFor(about)
  const isSingle = kind === 'entrant' || kind === 'outlier'
  const read = isSingle ? 'any' : readOf(chosenIn(form, 'read')[0])
  switch (about.source) {
    case 'subject': {
      const named = known.includes(metric ?? '') ? metric : 'views'
      const { type, id } = about.subject
      return { source: 'subject', type: `${type}s`, id, metric: kind === 'outlier' ? 'outlier' : named, period }
    }
    case 'list': {
      const { limit, from: _from, to: _to, ...asked } = about.args
      const named = known.includes(metric ?? '') ? metric : 'gain'
      const top = limit === undefined ? {} : { top: Math.min(200, Number(limit)) }
      const sort = kind === 'outlier' ? { sort: 'outlier' } : {}
      return { source: 'list', ...asked, ...sort, ...top, period, metric: named, read }
    }
    case 'query':
      return { source: 'query', queryId: about.id, column: textIn(form, 'column').trim(), read }
  }
}

/** Checked by the server: what is typed may still be no number. */
type AlertRuleInput = { readonly measure: Readonly<Record<string, unknown>> }

function conditionOf(kind: Kind, form: FormState, { value, ...rearm }: { value: number; rearm?: number }): object {
  switch (kind) {
    case 'above':
    case 'below':
      return { kind: 'threshold', direction: kind, value, ...rearm }
    case 'up':
    case 'down': {
      const [unit = 'percent'] = chosenIn(form, 'unit')
      const [over = '24h'] = chosenIn(form, 'period')
      return { kind: 'change', direction: kind, by: value, unit, over, ...rearm }
    }
    case 'outlier':
      return { kind: 'outlier', times: value, ...rearm }
    case 'entrant':
      return { kind: 'entrant', top: value, ...rearm }
  }
}

function nameOf(
  about: Exclude<About, { source: 'search' }>,
  kind: Kind,
  form: FormState,
  title: string | null,
): string {
  const what = {
    subject: () => (about.source === 'subject' ? (title ?? formatSubject(about.subject)) : ''),
    list: () => textIn(form, 'about').trim(),
    query: () => textIn(form, 'column').trim() || 'query',
  }[about.source]()
  const [metric = ''] =
    kind === 'outlier' || kind === 'entrant' || about.source === 'query' ? [] : chosenIn(form, 'metric')
  const fires = kinds.find(({ value }) => value === kind)?.title ?? kind
  return [what, metric, fires, textIn(form, 'value').trim()]
    .filter(word => word !== '')
    .join(' ')
    .slice(0, 120)
}

/** The form about the subject that a name led to. */
export function withFoundSubject(alert: AlertForm, creatorId: string): AlertForm {
  const text = formatSubject(subjectOf('creators', creatorId))
  const { form } = alert
  return { ...alert, form: { ...form, texts: { ...form.texts, about: { text, cursor: text.length } } } }
}
