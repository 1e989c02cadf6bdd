import { z } from 'zod'
import { periods, trendTypes } from './measures.ts'
import { SqlTextSchema, VisibilitySchema } from './queries.ts'
import { type LiveQueryName, liveQueries } from './ws.ts'

/**
 * Dashboards ("boards"): panels on a grid, fed by live queries, with variables that panels share. A board is one value,
 * `Board`; `docs/dashboards.md` describes the file that holds it.
 */

/** The grid: columns across; rows go down as far as the panels do. */
export const boardColumns = 12
export const boardRowsMax = 48
export const boardPanelsMax = 24
export const boardVariablesMax = 12
/** Boards of one user. */
export const boardsMax = 200
/** The longest file that holds a board, in characters. */
export const boardFileCharsMax = 200_000

const name = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be lower-case letters, digits, - and _, from a letter on')
const field = z.string().min(1).max(64)
const text = (max: number) => z.string().trim().min(1).max(max)

/** `$name` is the value of a variable; a text that begins with a dollar sign itself is written with two. */
const ParamSchema = z.union([z.string().max(2000), z.number(), z.boolean()])
const params = z.record(z.string().min(1).max(64), ParamSchema).default({})
export type BoardParam = z.infer<typeof ParamSchema>

/** Where rows come from: a live query of the protocol, SQL of the board's own, or a saved query. */
export const PanelSourceSchema = z.union([
  z.strictObject({ query: z.enum(Object.keys(liveQueries) as [LiveQueryName, ...LiveQueryName[]]), params }),
  z.strictObject({ sql: SqlTextSchema, params }),
  z.strictObject({ savedQueryId: z.uuid(), params }),
])
export type PanelSource = z.infer<typeof PanelSourceSchema>

/** How a value is written. `auto` looks at the value: counts are shortened, instants are instants, the rest is text. */
export const valueFormats = [
  'auto',
  'text',
  'count',
  'integer',
  'change',
  'share',
  'percent',
  'multiple',
  'bytes',
  'instant',
  'age',
  'seconds',
] as const
export const ValueFormatSchema = z.enum(valueFormats)
export type ValueFormat = z.infer<typeof ValueFormatSchema>

const format = ValueFormatSchema.default('auto')
/** Which number several rows make together: that of the first row unless told. */
const reduce = z.enum(['first', 'sum', 'mean', 'max', 'count']).default('first')

/** What a row of a panel is about, for drilling down: the field that holds the wire id (of topics the text). */
const SubjectFieldSchema = z.strictObject({ type: z.enum(trendTypes), field })

const place = z
  .strictObject({
    x: z
      .int()
      .min(0)
      .max(boardColumns - 1),
    y: z
      .int()
      .min(0)
      .max(boardRowsMax - 1),
    width: z.int().min(1).max(boardColumns),
    height: z.int().min(1).max(boardRowsMax),
  })
  .refine(({ x, width }) => x + width <= boardColumns, {
    path: ['width'],
    message: `must end within the ${boardColumns} columns of the grid`,
  })
  .refine(({ y, height }) => y + height <= boardRowsMax, {
    path: ['height'],
    message: `must end within the ${boardRowsMax} rows of the grid`,
  })

const panelFields = {
  id: name,
  title: text(60),
  at: place,
  source: PanelSourceSchema,
  /** At most so many rows of the answer are shown. */
  rows: z.int().min(1).max(500).optional(),
  /** Left out for queries whose rows say it themselves (`trends`, `movers`). */
  subject: SubjectFieldSchema.optional(),
  /** What the panel says when it has no rows. */
  empty: z.string().max(200).optional(),
}

const panel = <K extends string, O extends z.ZodType>(kind: K, options: O) =>
  z.strictObject({ ...panelFields, kind: z.literal(kind), options })

export const TableColumnSchema = z.strictObject({
  field,
  title: z.string().max(24).optional(),
  format,
  /** In cells; those without share what is left. */
  width: z.int().min(2).max(80).optional(),
  /** Only in panels of at least so many cells. */
  from: z.int().min(0).max(400).optional(),
})
export type TableColumn = z.infer<typeof TableColumnSchema>

/**
 * A panel: what it shows (`source`), as what (`kind`), where (`at`) and how (`options`, which depend on the kind). Fields
 * named in options are those of the rows.
 */
export const PanelSchema = z.discriminatedUnion('kind', [
  /** Without `columns` every field is one. */
  panel('table', z.strictObject({ columns: z.array(TableColumnSchema).min(1).max(20).optional() }).prefault({})),
  /** `x` is a field of instants; `y` up to four fields of values, or one whose rows are told apart by the field `series`. */
  panel('line', z.strictObject({ x: field, y: z.array(field).min(1).max(4), series: field.optional() })),
  panel(
    'bar',
    z.strictObject({ label: field, value: field, format, style: z.enum(['rows', 'columns']).default('rows') }),
  ),
  /** `values` is a field with a list of numbers, oldest first. */
  panel('sparkline', z.strictObject({ label: field, values: field, value: field.optional(), format })),
  /** `max` is a number or the field that holds it. From `warnFrom` (a share of it) on it warns. */
  panel(
    'gauge',
    z.strictObject({
      value: field,
      reduce,
      max: z.union([z.number().positive(), field]),
      label: field.optional(),
      format,
      warnFrom: z.number().min(0).max(1).default(0.8),
    }),
  ),
  /** What is beyond `slices` is one slice more. */
  panel('donut', z.strictObject({ label: field, value: field, format, slices: z.int().min(1).max(4).default(4) })),
  /** Without `x` the field `value` holds a list in each row, and its entries are the columns. */
  panel('heatmap', z.strictObject({ x: field.optional(), y: field, value: field, format })),
  /** `country` holds two-letter codes, or lists of them. */
  panel('worldmap', z.strictObject({ country: field, value: field, format })),
  /** `change` is a second number, with a sign and an arrow. */
  panel(
    'number',
    z.strictObject({
      value: field,
      reduce,
      format,
      label: field.optional(),
      change: field.optional(),
      changeFormat: format,
    }),
  ),
  /** A line a row, in the order of the answer. `state` is ok, warn, down or idle, or a word that is shown as it is. */
  panel('log', z.strictObject({ text: z.array(field).min(1).max(4), at: field.optional(), state: field.optional() })),
])
export type Panel = z.infer<typeof PanelSchema>
export type PanelKind = Panel['kind']
export type PanelOf<K extends PanelKind> = Extract<Panel, { kind: K }>

/** What may be chosen for a variable: values of its own, or the rows of a source (which knows no variables itself). */
const ChoicesSchema = z.union([
  z
    .array(z.strictObject({ value: z.string().max(300), title: z.string().max(80).optional() }))
    .min(1)
    .max(200),
  z.strictObject({ source: PanelSourceSchema, value: field, title: field.optional() }),
])

const variableFields = {
  name,
  title: text(40),
}
/** A variable that panels share, as `$name` in their parameters. An empty one leaves a parameter of a query of the protocol out. */
export const BoardVariableSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...variableFields,
    type: z.literal('platform'),
    default: z.enum(['all', 'youtube', 'tiktok', 'instagram']).default('all'),
  }),
  z.strictObject({ ...variableFields, type: z.literal('period'), default: z.enum(periods).default('24h') }),
  z.strictObject({ ...variableFields, type: z.literal('text'), default: z.string().max(300).default('') }),
  z.strictObject({
    ...variableFields,
    type: z.literal('number'),
    default: z.number(),
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  /** Without `default` the first choice is taken. */
  z.strictObject({
    ...variableFields,
    type: z.literal('choice'),
    choices: ChoicesSchema,
    default: z.string().max(300).optional(),
  }),
])
export type BoardVariable = z.infer<typeof BoardVariableSchema>
export type ChoicesSource = Extract<z.infer<typeof ChoicesSchema>, { source: unknown }>

/**
 * When panels are renewed. `live`: whenever rows that they read change. A number of seconds: what comes meanwhile is shown
 * at the next of these beats.
 */
const RefreshSchema = z.union([z.literal('live'), z.int().min(1).max(3600)])

/** A board. Its parts name each other: `checkBoard` says what does not fit. */
export const BoardSchema = z.strictObject({
  name: text(80),
  description: z.string().trim().max(2000).default(''),
  refresh: RefreshSchema.default('live'),
  variables: z.array(BoardVariableSchema).max(boardVariablesMax).default([]),
  panels: z.array(PanelSchema).min(1).max(boardPanelsMax),
})
export type Board = z.infer<typeof BoardSchema>
export type BoardInput = z.input<typeof BoardSchema>

/** Values of a board's variables by their names. */
export type BoardValues = Readonly<Record<string, string | number>>

/** Something that does not fit; `path` leads to it. */
export interface BoardProblem {
  path: readonly (string | number)[]
  message: string
}

/** The values that a board starts with. A choice without a default has none until its choices are known. */
export function defaultValues({ variables }: Pick<Board, 'variables'>): BoardValues {
  return Object.fromEntries(
    variables.map(variable => {
      if (variable.type !== 'choice') return [variable.name, variable.default]
      const first = Array.isArray(variable.choices) ? variable.choices[0]?.value : undefined
      return [variable.name, variable.default ?? first ?? '']
    }),
  )
}

/** A source with its variables filled in, as a subscription of `/ws` names it. */
export type FilledSource =
  | { name: LiveQueryName; params: Record<string, BoardParam> }
  | { sql: string; params: Record<string, BoardParam> }
  | { savedQueryId: string; params: Record<string, BoardParam> }

/** Puts values in for `$name`. For a query of the protocol an empty value leaves its parameter out. */
export function fillSource(source: PanelSource, values: BoardValues): FilledSource {
  const entries = Object.entries(source.params).map(([key, param]): [string, BoardParam] => [key, fill(param, values)])
  if ('query' in source) {
    const given = entries.filter(([key]) => source.params[key] === '' || fill(source.params[key] ?? '', values) !== '')
    return { name: source.query, params: Object.fromEntries(given) }
  }
  const filled = Object.fromEntries(entries)
  return 'sql' in source ? { sql: source.sql, params: filled } : { savedQueryId: source.savedQueryId, params: filled }
}

/** The variable that a parameter stands for, or null. */
export function variableOf(param: BoardParam): string | null {
  return typeof param === 'string' ? (/^\$([a-z][a-z0-9_-]*)$/.exec(param)?.[1] ?? null) : null
}

function fill(param: BoardParam, values: BoardValues): BoardParam {
  const variable = variableOf(param)
  if (variable !== null) return values[variable] ?? ''
  return typeof param === 'string' && param.startsWith('$$') ? param.slice(1) : param
}

/** What is wrong between the parts of a board: names given twice, unknown variables, parameters that a query does not take, panels on top of each other. */
export function checkBoard(board: Board): BoardProblem[] {
  return [...checkVariables(board), ...checkPanels(board)]
}

function checkVariables(board: Board): BoardProblem[] {
  const problems = twice(board.variables.map(variable => variable.name)).map(at => ({
    path: ['variables', at, 'name'],
    message: 'is the name of another variable already',
  }))
  const fromRows = board.variables.flatMap((variable, at): BoardProblem[] => {
    if (variable.type === 'number') return numberProblems(variable, at)
    if (variable.type !== 'choice') return []
    const path = ['variables', at, 'choices']
    if (!Array.isArray(variable.choices))
      return checkSource(variable.choices.source, { ...board, variables: [] }, [...path, 'source'])
    const values = variable.choices.map(choice => choice.value)
    const isKnown = variable.default === undefined || values.includes(variable.default)
    return isKnown ? [] : [{ path: ['variables', at, 'default'], message: 'is none of the choices' }]
  })
  return [...problems, ...fromRows]
}

function numberProblems(variable: Extract<BoardVariable, { type: 'number' }>, at: number): BoardProblem[] {
  const { default: value, min = value, max = value } = variable
  return value >= min && value <= max
    ? []
    : [{ path: ['variables', at, 'default'], message: 'lies outside of min and max' }]
}

function checkPanels(board: Board): BoardProblem[] {
  const { panels } = board
  const problems: BoardProblem[] = twice(panels.map(each => each.id)).map(at => ({
    path: ['panels', at, 'id'],
    message: 'is the id of another panel already',
  }))
  panels.forEach((each, at) => {
    problems.push(...checkSource(each.source, board, ['panels', at, 'source']))
    const under = panels.slice(0, at).find(other => overlaps(each.at, other.at))
    if (under !== undefined) problems.push({ path: ['panels', at, 'at'], message: `lies on the panel ${under.id}` })
  })
  return problems
}

function checkSource(source: PanelSource, board: Pick<Board, 'variables'>, path: (string | number)[]): BoardProblem[] {
  const known = new Set(board.variables.map(variable => variable.name))
  const unknown = Object.entries(source.params).flatMap(([key, param]): BoardProblem[] => {
    const variable = variableOf(param)
    if (variable === null || known.has(variable)) return []
    return [
      { path: [...path, 'params', key], message: `names the variable ${variable}, which the board does not have` },
    ]
  })
  if (unknown.length > 0 || !('query' in source)) return unknown
  return checkParams(source, board, path)
}

/** A query of the protocol says itself what it takes. Where a choice is not known yet, a text that fits stands for it. */
function checkParams(
  source: Extract<PanelSource, { query: unknown }>,
  board: Pick<Board, 'variables'>,
  path: (string | number)[],
): BoardProblem[] {
  const filled = fillSource(source, { ...defaultValues(board) })
  const open = new Set(
    Object.entries(source.params).flatMap(([key, param]) =>
      variableOf(param) !== null && !(key in filled.params) ? [key] : [],
    ),
  )
  const parsed = liveQueries[source.query].params.safeParse(filled.params)
  if (parsed.success) return []
  return parsed.error.issues
    .filter(issue => !open.has(String(issue.path[0])))
    .map(issue => ({
      path: [...path, 'params', ...issue.path.map(String)],
      message:
        issue.code === 'unrecognized_keys'
          ? `has no parameter ${issue.keys.join(', ')} in the query ${source.query}`
          : lowerFirst(issue.message),
    }))
}

function overlaps(a: Panel['at'], b: Panel['at']): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/** The places of names that stood before already. */
function twice(names: readonly string[]): number[] {
  return names.flatMap((each, at) => (names.indexOf(each) < at ? [at] : []))
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}

/** The id of a board of somebody's, or the name of one that comes with Cliptape. */
export const BoardIdSchema = z.union([
  z.uuid(),
  z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be an id, or the name of a board that comes with Cliptape'),
])

const fileFields = { file: z.string().max(boardFileCharsMax) }
const boardFields = { board: z.record(z.string(), z.unknown()) }
const visibility = VisibilitySchema.default('private')

/**
 * `POST /api/dashboards`: a file that holds the board, the board as `GET` gives it, or another board to copy. What is inside
 * is checked apart (`BoardSchema`), so that a refusal names the panel.
 */
export const BoardRequestSchema = z.union([
  z.strictObject({ ...fileFields, visibility }),
  z.strictObject({ ...boardFields, visibility }),
  z.strictObject({ copyOf: BoardIdSchema, name: text(80), visibility }),
])
export type BoardRequest = z.infer<typeof BoardRequestSchema>

/**
 * `PUT /api/dashboards/{id}`: what is left out stays. With `board` the comments of the file stay where their place is still
 * there.
 */
export const BoardChangeSchema = z.union([
  z.strictObject({ ...fileFields, visibility: VisibilitySchema.optional() }),
  z.strictObject({ ...boardFields, visibility: VisibilitySchema.optional() }),
  z.strictObject({ visibility: VisibilitySchema }),
])
export type BoardChange = z.infer<typeof BoardChangeSchema>

const savedFields = {
  id: z.string(),
  /** `builtIn`: comes with Cliptape; nobody can change it, anybody can save a copy. */
  visibility: z.enum([...VisibilitySchema.options, 'builtIn']),
  /** Whether it belongs to the one who asks: then it may be changed. */
  isOwn: z.boolean(),
  /** Counts from 1; each change makes the next. The entity tag is `"<version>"`. */
  version: z.number().int().min(1),
  updatedAt: z.iso.datetime().nullable(),
}

/** `GET /api/dashboards/{id}`. */
export const SavedBoardSchema = z.object({ ...savedFields, board: BoardSchema })
export type SavedBoard = z.infer<typeof SavedBoardSchema>

/** A line of `GET /api/dashboards`. */
export const BoardSummarySchema = z.object({
  ...savedFields,
  name: z.string(),
  description: z.string(),
  panelCount: z.number().int(),
})
export type BoardSummary = z.infer<typeof BoardSummarySchema>
export const BoardListSchema = z.object({ data: z.array(BoardSummarySchema) })
