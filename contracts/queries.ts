import { z } from 'zod'

/**
 * Users' SQL over the schemas `v` and `mine`: asked once (`POST /api/query`), saved (`/api/queries`), or live (`/ws`).
 * `docs/sql.md` says what may stand in it.
 */

/** The longest text of one statement, in characters. */
export const sqlCharsMax = 20_000
export const SqlTextSchema = z.string().min(1).max(sqlCharsMax)

/** Values for the `{name:Type}` in the SQL, by their names. Instants are ISO 8601 text; whole numbers beyond 2^53 are text. */
export const QueryParamsSchema = z.record(z.string().max(64), z.unknown())
export type QueryParams = z.infer<typeof QueryParamsSchema>

/**
 * How an answer is written down. `json` is one `QueryResultSchema`; `stream` is one `QueryStreamMessage` a line, for those
 * who show rows while the query runs; `jsonl` one object a line.
 */
export const queryFormats = ['json', 'jsonl', 'csv', 'parquet', 'markdown', 'stream'] as const
export type QueryFormat = (typeof queryFormats)[number]

/** A user's SQL, once. Also `POST /api/query`. */
export const QueryRequestSchema = z.strictObject({
  sql: SqlTextSchema,
  params: QueryParamsSchema.default({}),
  format: z.enum(queryFormats).default('json'),
})
export type QueryRequest = z.infer<typeof QueryRequestSchema>

/** `POST /api/queries/{id}/run`: what is not in `params` has the default that was saved. */
export const SavedQueryRunSchema = z.strictObject({
  params: QueryParamsSchema.default({}),
  format: z.enum(queryFormats).default('json'),
})

/** The order `POST /query` of the control socket: SQL, or one of the owner's saved queries by its name or id. */
export const ControlQueryRequestSchema = z.union([
  QueryRequestSchema,
  SavedQueryRunSchema.extend({ saved: z.string().min(1).max(80) }),
])
export type ControlQueryRequest = z.infer<typeof ControlQueryRequestSchema>

/** `POST /ext-api/v1/query`: SQL, or a query that was saved. */
export const ExtQueryRequestSchema = z.union([
  QueryRequestSchema,
  SavedQueryRunSchema.extend({ savedQueryId: z.uuid() }),
])

/** One column of an answer. `type` is the engine's, e.g. `Nullable(UInt64)`. */
export const QueryColumnSchema = z.object({ name: z.string(), type: z.string() })
export type QueryColumn = z.infer<typeof QueryColumnSchema>

export const QueryStatisticsSchema = z.object({ elapsedSec: z.number(), rowsRead: z.number(), bytesRead: z.number() })
export type QueryStatistics = z.infer<typeof QueryStatisticsSchema>

/**
 * The answer in the format `json`. Rows are arrays in the order of `columns`; integers that a number cannot hold are
 * text. It is written while the query runs, one row a line, so `statistics` comes last.
 */
export const QueryResultSchema = z.object({
  columns: z.array(QueryColumnSchema),
  rows: z.array(z.array(z.unknown())),
  statistics: QueryStatisticsSchema,
})

/**
 * One line of the format `stream`: `columns` before all `rows`, which come in parts; `progress` now and then, also before
 * the columns are known; and at the end `done` or `error`. A stream without either was cut off.
 */
export const QueryStreamMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('columns'), columns: z.array(QueryColumnSchema) }),
  z.object({ type: z.literal('rows'), rows: z.array(z.array(z.unknown())) }),
  z.object({ type: z.literal('progress'), statistics: QueryStatisticsSchema }),
  z.object({ type: z.literal('done'), rowCount: z.number().int(), statistics: QueryStatisticsSchema }),
  z.object({
    type: z.literal('error'),
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
  }),
])
export type QueryStreamMessage = z.infer<typeof QueryStreamMessageSchema>

/**
 * `details` of QUERY_FAILED and QUERY_REFUSED where the place is known: the first character of what is wrong in the text
 * as it was sent. Both count from 1; `column` counts characters.
 */
export const QueryPlaceSchema = z.object({ line: z.number().int().min(1), column: z.number().int().min(1) })
export type QueryPlace = z.infer<typeof QueryPlaceSchema>

/** `POST /api/query/explain`. Parameters without a value have an empty one. */
export const QueryExplainRequestSchema = z.strictObject({ sql: SqlTextSchema, params: QueryParamsSchema.default({}) })

/** `plan` is the engine's, a step a line, indented; `parameters` are those of the SQL. */
export const QueryExplanationSchema = z.object({
  /** Views that it reads, e.g. `v.samples`. */
  tables: z.array(z.string()),
  parameters: z.array(z.object({ name: z.string(), type: z.string() })),
  /** The answer depends on the instant at which it is asked for. */
  usesClock: z.boolean(),
  plan: z.array(z.string()),
})

/** `GET /api/query/catalog`: what SQL may name, for completion and for `docs/sql.md`. */
export const QueryCatalogSchema = z.object({
  schemas: z.array(
    z.object({
      /** `v` or `mine`. */
      name: z.string(),
      comment: z.string(),
      tables: z.array(
        z.object({
          name: z.string(),
          comment: z.string(),
          columns: z.array(z.object({ name: z.string(), type: z.string(), comment: z.string() })),
        }),
      ),
    }),
  ),
  /** Functions that may be called. `description` is one sentence, or empty. */
  functions: z.array(z.object({ name: z.string(), isAggregate: z.boolean(), description: z.string() })),
  /** Those that may stand where a table stands. */
  tableFunctions: z.array(z.string()),
  /** Types that a `{name:Type}` may have; `Array(T)` and `Nullable(T)` of them besides. */
  parameterTypes: z.array(z.string()),
})
export type QueryCatalog = z.infer<typeof QueryCatalogSchema>

/** Saved queries of one user, and versions of one query that are kept: the oldest go first. */
export const savedQueriesMax = 500
export const queryVersionsMax = 100

/**
 * `private`: for its owner. `shared`: for everybody who is signed in here and has its id. `public`: listed to all of
 * them besides. Whoever runs it, `mine` shows the rows of the one who runs it.
 */
export const visibilities = ['private', 'shared', 'public'] as const
export const VisibilitySchema = z.enum(visibilities)
export type Visibility = z.infer<typeof VisibilitySchema>

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
/** A value for a parameter, as JSON: an array where its type is one. */
const ParameterValueSchema = z.union([scalar, z.array(scalar).max(1_000)])

/** What is said of one `{name:Type}` of the SQL. Without `default` a value has to be given at each run. */
const parameterFields = {
  name: z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'must be the name of a parameter of the SQL'),
  description: z.string().max(300).default(''),
  default: ParameterValueSchema.optional(),
}

/** `POST /api/queries`, `PUT /api/queries/{id}`. A parameter of the SQL that is not in `parameters` has no default. */
export const SavedQueryRequestSchema = z.strictObject({
  name: z.string().trim().min(1).max(80),
  description: z.string().max(2_000).default(''),
  sql: SqlTextSchema,
  parameters: z.array(z.strictObject(parameterFields)).max(64).default([]),
  visibility: VisibilitySchema.default('private'),
})
export type SavedQueryRequest = z.infer<typeof SavedQueryRequestSchema>

/** A parameter of a saved query, in the order of the SQL, with its type there. */
export const SavedParameterSchema = z.object({
  name: parameterFields.name,
  type: z.string(),
  description: z.string(),
  default: ParameterValueSchema.optional(),
})
export type SavedParameter = z.infer<typeof SavedParameterSchema>

/** What a version of a saved query consists of. */
const contentFields = {
  /** Counts from 1; each change makes the next. The entity tag of the query is `"<version>"`. */
  version: z.number().int().min(1),
  name: z.string(),
  description: z.string(),
  sql: z.string(),
  parameters: z.array(SavedParameterSchema),
}

export const SavedQuerySchema = z.object({
  id: z.uuid(),
  ...contentFields,
  visibility: VisibilitySchema,
  /** Whether it belongs to the one who asks: then it may be changed. */
  isOwn: z.boolean(),
  /** Views that it reads, e.g. `v.samples`. */
  tables: z.array(z.string()),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type SavedQuery = z.infer<typeof SavedQuerySchema>

/** `GET /api/queries`: one's own, those of others that are public, or both; newest change first. */
export const SavedQueryListParamsSchema = z.strictObject({
  which: z.enum(['own', 'public', 'all']).default('all'),
  /** A part of the name or description. */
  search: z.string().max(200).default(''),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(200).optional(),
})
export type SavedQueryListParams = z.infer<typeof SavedQueryListParamsSchema>
export const SavedQueryListSchema = z.object({ data: z.array(SavedQuerySchema), nextCursor: z.string().optional() })

/** `GET /api/queries/{id}/versions`, newest first; for its owner. */
export const QueryVersionSchema = z.object({ ...contentFields, createdAt: z.iso.datetime() })
export type QueryVersion = z.infer<typeof QueryVersionSchema>
export const QueryVersionListSchema = z.object({ data: z.array(QueryVersionSchema) })

/** `GET /api/queries/{id}/diff?from=1&to=2`. */
export const QueryDiffParamsSchema = z.strictObject({
  from: z.coerce.number().int().min(1),
  to: z.coerce.number().int().min(1),
})
/** The SQL line by line, and the names of the other fields that differ. */
export const QueryDiffSchema = z.object({
  from: z.number().int(),
  to: z.number().int(),
  fields: z.array(z.enum(['name', 'description', 'parameters'])),
  lines: z.array(z.object({ kind: z.enum(['same', 'removed', 'added']), text: z.string() })),
})
export type QueryDiff = z.infer<typeof QueryDiffSchema>

/** `POST /api/queries/{id}/restore`: makes a new version that says what that one said. */
export const QueryRestoreSchema = z.strictObject({ version: z.number().int().min(1) })

/** Rows of a live answer; a query that gives more is refused with QUERY_LIMIT. */
export const liveSqlRowsMax = 1_000

/**
 * A row of a live SQL query in `snapshot` and `patch`. `key` is the text of the column named `key` when the answer has
 * one (the second row with an equal one has ` #2` behind it), else the row's place from 1. `cells` are in the order of
 * the snapshot's `columns`, whose types are its `columnTypes`.
 */
export const LiveSqlRowSchema = z.object({ key: z.string(), cells: z.array(z.unknown()) })
export type LiveSqlRow = z.infer<typeof LiveSqlRowSchema>
