import {
  type QueryColumn,
  type QueryFormat,
  type SavedQuery,
  SavedQueryRequestSchema,
  SavedQuerySchema,
  visibilities,
} from '../../contracts/queries.ts'
import type { HttpResult } from '../net/http-client.ts'
import { actInForm, chosenIn, type FormSpec, openForm, spokenField, textIn, withProblem } from '../state/form.ts'
import { selectCell } from '../state/grid-state.ts'
import { sqlParameters, sqlStatements } from '../text/sql-tokens.ts'
import { drawForm } from '../widgets/form.ts'
import { type GridSource, isNumberType } from '../widgets/grid.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import type { ActionCall, ScreenDeps, ScreenView } from './screen.ts'
import { type ChartChoice, sqlChartKinds, suggestChart } from './sql-chart.ts'
import { gridSizeOf } from './sql-layout.ts'
import { savedQueryPath, sqlLineFields } from './sql-resources.ts'
import { parametersForm, paramsOf, runStatement, typedValues } from './sql-run.ts'
import { bufferOf, type SqlForm, type SqlPanel, type SqlState, sourceOf, statementToRun } from './sql-state.ts'

type FormPanel = Extract<SqlPanel, { kind: 'form' }>

/** What an answer can be exported as, with the ending of the file. */
const exportFormats: readonly { format: QueryFormat; ending: string; title: string }[] = [
  { format: 'csv', ending: 'csv', title: 'CSV' },
  { format: 'json', ending: 'json', title: 'JSON' },
  { format: 'jsonl', ending: 'jsonl', title: 'JSON lines' },
  { format: 'parquet', ending: 'parquet', title: 'Parquet' },
  { format: 'markdown', ending: 'md', title: 'Markdown' },
]

const visibilityTitles: Readonly<Record<(typeof visibilities)[number], string>> = {
  private: 'only me',
  shared: 'who has its id',
  public: 'everybody here',
}

const cancel = { kind: 'button', name: 'cancel', label: 'Cancel' } as const

const saveForm: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'name',
      label: 'Name',
      hint: 'Top gaming clips of a week',
      lengthMax: 80,
      check: text => (text.trim() === '' ? 'Give the query a name.' : null),
    },
    { kind: 'text', name: 'description', label: 'Description', hint: 'What it answers', lengthMax: 2_000 },
    {
      kind: 'choice',
      name: 'visibility',
      label: 'Who may see it',
      options: visibilities.map(value => ({ value, title: visibilityTitles[value] })),
      isMultiple: false,
    },
    { kind: 'button', name: 'save', label: 'Save' },
    cancel,
  ],
  submit: 'save',
}

const exportForm: FormSpec = {
  fields: [
    {
      kind: 'choice',
      name: 'format',
      label: 'Format',
      options: exportFormats.map(({ format, title }) => ({ value: format, title })),
      isMultiple: false,
    },
    { kind: 'button', name: 'export', label: 'Export' },
    cancel,
  ],
  submit: 'export',
}

const rowForm: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'row',
      label: 'Row',
      hint: '1',
      lengthMax: 12,
      check: text => (/^[1-9][\d,. ]*$/.test(text.trim()) ? null : 'The number of a row, please, from 1.'),
    },
    { kind: 'button', name: 'go', label: 'Go there' },
    cancel,
  ],
  submit: 'go',
}

function chartForm(columns: readonly QueryColumn[]): FormSpec {
  const numbers = columns.filter(({ type }) => isNumberType(type))
  return {
    fields: [
      {
        kind: 'choice',
        name: 'kind',
        label: 'Kind',
        options: sqlChartKinds.map(value => ({ value, title: value })),
        isMultiple: false,
      },
      {
        kind: 'choice',
        name: 'x',
        label: 'Along',
        options: [{ value: '', title: 'row' }, ...columns.map(({ name }) => ({ value: name, title: name }))],
        isMultiple: false,
      },
      {
        kind: 'choice',
        name: 'y',
        label: 'Numbers',
        options: numbers.map(({ name }) => ({ value: name, title: name })),
        isMultiple: true,
        check: chosen =>
          chosen.length >= 1 && chosen.length <= 4 ? null : 'Choose one to four columns of numbers with Space.',
      },
      { kind: 'button', name: 'chart', label: 'Chart' },
      cancel,
    ],
    submit: 'chart',
  }
}

function specOf(form: SqlForm, state: SqlState, view: ScreenView): FormSpec {
  switch (form.kind) {
    case 'parameters':
      return parametersForm(form.statement, state.saved)
    case 'save':
      return saveForm
    case 'export':
      return exportForm
    case 'row':
      return rowForm
    case 'chart':
      return chartForm(sourceOf(state, view)?.columns ?? [])
  }
}

function headOf(form: SqlForm, state: SqlState): FormHead[] {
  const title = (text: string): FormHead => ({ text, role: 'title', isTitle: true })
  const words = (text: string): FormHead => ({ text, role: 'muted' })
  switch (form.kind) {
    case 'parameters':
      return [title('Values of the parameters'), words('They are remembered; p on the rows changes them.')]
    case 'save':
      return [
        title(form.isNew || state.saved === null ? 'Save this query' : `Save a new version of ${state.saved.name}`),
        words('Whoever runs it, mine shows the rows of the one who runs it.'),
      ]
    case 'export':
      return [
        title('Export'),
        words('The server runs the query again and writes all rows into a new file where you started the terminal.'),
      ]
    case 'row':
      return [title('Go to a row')]
    case 'chart':
      return [title('Chart these rows'), words('Space chooses; up to four columns of numbers.')]
  }
}

/** A form over the whole body. */
export function placeSqlForm(panel: FormPanel, state: SqlState, view: ScreenView) {
  return centredForm(view, headOf(panel.form, state), room =>
    drawForm(specOf(panel.form, state, view), panel.state, { ...room, style: view.style }),
  )
}

/** What is said of the field that has the focus. */
export function spokenSqlForm(panel: FormPanel, state: SqlState, view: ScreenView): string {
  return spokenField(specOf(panel.form, state, view), panel.state)
}

/** The form that saves: what is known of the query stands in it. */
export function openSaveForm(state: SqlState, view: ScreenView, isNew: boolean): SqlState {
  const { saved } = state
  const isAnother = isNew || saved === null || !saved.isOwn
  const form = openForm(saveForm, {
    texts: {
      name: saved === null ? '' : isAnother ? `${saved.name} 2`.slice(0, 80) : saved.name,
      description: saved?.description ?? '',
    },
    chosen: { visibility: [isAnother ? 'private' : saved.visibility] },
  })
  const at = { field: 0, option: 0 }
  if (textToSave(state, view) === null) return state
  return {
    ...state,
    completion: null,
    panel: { kind: 'form', form: { kind: 'save', isNew: isAnother }, state: { ...form, at } },
  }
}

/** What is saved: the text where it is one statement, with its comments; else the statement at the cursor. */
export function textToSave(state: SqlState, view: Pick<ScreenView, 'desk'>): string | null {
  const buffer = bufferOf(state, view)
  const statements = sqlStatements(buffer.text)
  const [only] = statements
  if (statements.length === 1 && only !== undefined) return buffer.text.slice(0, only.end).trim()
  return statementToRun(buffer)?.sql ?? null
}

/** The other forms; the chart's holds what would be drawn, or is. */
export function openSqlForm(state: SqlState, view: ScreenView, kind: 'export' | 'row' | 'chart'): SqlState {
  const source = sourceOf(state, view)
  const choice = state.chart ?? (source === null ? null : suggestChart(source, state.grid.column))
  const chosen = {
    format: ['csv'],
    kind: [choice?.kind ?? 'line'],
    x: [choice?.x ?? ''],
    y: choice?.y ?? [],
  }
  const spec = specOf({ kind }, state, view)
  return { ...state, completion: null, panel: { kind: 'form', form: { kind }, state: openForm(spec, { chosen }) } }
}

/** The state after an action in a form, or null when it knows none such. */
export function actInSqlForm(state: SqlState, panel: FormPanel, call: ActionCall, deps: ScreenDeps): SqlState | null {
  if (call.name === 'form.cancel' || call.name === 'back') return { ...state, panel: null }
  const spec = specOf(panel.form, state, deps)
  const pressed =
    call.name === 'pointer.press' ? pressInForm(spec, panel.state, call, placeSqlForm(panel, state, deps)) : null
  const acted = actInForm(spec, pressed?.form ?? panel.state, pressed?.call ?? call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, panel: null }
  const next: FormPanel = { ...panel, state: acted.state }
  return acted.pressed === spec.submit ? submit(state, next, deps) : { ...state, panel: next }
}

function submit(state: SqlState, panel: FormPanel, deps: ScreenDeps): SqlState {
  const { form, state: filled } = panel
  switch (form.kind) {
    case 'parameters': {
      const values = typedValues(form.statement, filled)
      deps.desk.keepValues(values)
      return runStatement(state, form.statement, values, deps, form.then)
    }
    case 'save':
      return save(state, panel, form.isNew, deps)
    case 'export':
      return exportRows(state, chosenIn(filled, 'format')[0] ?? 'csv', deps)
    case 'row': {
      const row = Number(textIn(filled, 'row').replace(/\D/g, '')) - 1
      return { ...state, panel: null, grid: selectCell(state.grid, { row }, gridSizeOf(state, deps)) }
    }
    case 'chart': {
      const kind = sqlChartKinds.find(each => each === chosenIn(filled, 'kind')[0]) ?? 'line'
      const chart: ChartChoice = { kind, x: chosenIn(filled, 'x')[0] ?? '', y: chosenIn(filled, 'y') }
      return { ...state, panel: null, chart }
    }
  }
}

function save(state: SqlState, panel: FormPanel, isNew: boolean, deps: ScreenDeps): SqlState {
  const sql = textToSave(state, deps)
  if (sql === null) return { ...state, panel: null }
  const values = deps.desk.values()
  const request = SavedQueryRequestSchema.safeParse({
    name: textIn(panel.state, 'name'),
    description: textIn(panel.state, 'description'),
    visibility: chosenIn(panel.state, 'visibility')[0] ?? 'private',
    sql,
    parameters: sqlParameters(sql).map(({ name }) => ({
      name,
      description: state.saved?.parameters.find(each => each.name === name)?.description ?? '',
      ...(values[name] === undefined ? {} : { default: paramsOf({ sql }, values)[name] }),
    })),
  })
  if (!request.success) {
    const message = request.error.issues[0]?.message ?? 'This cannot be saved so.'
    return { ...state, panel: { ...panel, state: withProblem(panel.state, message) } }
  }
  const { saved } = state
  deps.ask(
    'save',
    isNew || saved === null
      ? deps.http.post('/api/queries', request.data, { lineFields: sqlLineFields })
      : deps.http.put(savedQueryPath(saved.id), request.data, `"${saved.version}"`, { lineFields: sqlLineFields }),
  )
  return { ...state, panel: { ...panel, state: { ...panel.state, isBusy: true } } }
}

/** A refusal stays in the form with what was typed. */
export function savedAnswer(state: SqlState, result: HttpResult, deps: ScreenDeps): SqlState {
  const { panel } = state
  const isInForm = panel?.kind === 'form' && panel.form.kind === 'save'
  const refused = (message: string): SqlState => {
    if (!isInForm) deps.say(message)
    return isInForm ? { ...state, panel: { ...panel, state: withProblem(panel.state, message) } } : state
  }
  if (!result.ok) return refused(result.message)
  const saved = SavedQuerySchema.safeParse(result.body)
  if (!saved.success) return refused("The server's answer was not understood: it may be of another version.")
  deps.refresh('/api/queries')
  deps.say(`Saved ${saved.data.name}, version ${saved.data.version}.`)
  return withSaved({ ...state, panel: isInForm ? null : panel }, saved.data, deps)
}

/** The text belongs to this saved query from now on. */
export function withSaved(state: SqlState, saved: SavedQuery | null, { desk }: Pick<ScreenDeps, 'desk'>): SqlState {
  const buffer = bufferOf(state, { desk })
  desk.keepDraft(state.editorId, { text: buffer.text, cursor: buffer.cursor, savedQueryId: saved?.id ?? null })
  return { ...state, buffer, saved }
}

function exportRows(state: SqlState, wanted: string, deps: ScreenDeps): SqlState {
  const chosen = exportFormats.find(({ format }) => format === wanted)
  const run = state.run
  if (chosen === undefined || run === null) return { ...state, panel: null }
  const slug = (state.saved?.name ?? 'query')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const at = new Date(deps.nowMs).toISOString().replace(/\.\d+|[-:]/g, '')
  deps.saveAnswer({
    path: '/api/query',
    body: { sql: run.statement.sql, params: run.params, format: chosen.format },
    fileName: `cliptape-${slug === '' ? 'query' : slug.slice(0, 40)}-${at}.${chosen.ending}`,
  })
  return { ...state, panel: null }
}

/** Whether there are rows that a form could be about. */
export function hasRows(source: GridSource | null): source is GridSource {
  return source !== null && source.rowCount > 0
}
