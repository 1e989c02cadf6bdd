import { z } from 'zod'
import {
  DescribeParamsSchema,
  FactSchema,
  IndexParamsSchema,
  IndexRowSchema,
  SeriesParamsSchema,
  SeriesPointSchema,
  TrendRowSchema,
  TrendsParamsSchema,
} from './measures.ts'
import { QueryParamsSchema, SqlTextSchema } from './queries.ts'
import { QuotaLineSchema } from './quota.ts'
import { WatchlistQuerySchema, WatchRowSchema } from './watchlists.ts'

/** WebSocket protocol 1: JSON text frames. `docs/protocol.md` is generated from this file. */
export const protocolVersion = 1

/** Limits of one connection; crossing one gets an `error`, and repeatedly a close with code 1008. */
export const wsLimits = {
  frameBytesMax: 64 * 1024,
  subscriptionsMax: 64,
  messagesPerSecondMax: 50,
  malformedMax: 5,
  /** A client whose socket buffer is above this skips patches until it has drained, then gets a snapshot. */
  bufferedBytesMax: 1024 * 1024,
} as const

/** One line of the OPS screen: a source, a rate, a queue, a store. */
export const OpsRowSchema = z.object({
  key: z.string(),
  group: z.enum(['store', 'source', 'writer', 'queue', 'live', 'process']),
  name: z.string(),
  state: z.enum(['ok', 'warn', 'down', 'idle']),
  value: z.string(),
  detail: z.string(),
})
export type OpsRow = z.infer<typeof OpsRowSchema>

export const DeadLetterRowSchema = z.object({
  key: z.string(),
  at: z.string(),
  source: z.string(),
  reason: z.string(),
  file: z.string(),
  line: z.number().int().nullable(),
  message: z.string(),
  /** The start of the record as it came, at most 300 characters, cleaned of control characters. */
  excerpt: z.string(),
  status: z.enum(['kept', 'replayed', 'discarded']),
})
export type DeadLetterRow = z.infer<typeof DeadLetterRowSchema>

/** What the numbers on the screen are: shown in the header in plain words, so that nobody takes a sample for the market. */
export const WorldStatusSchema = z.object({
  /** `history`: only imported readings, none fresh; windows end at the newest one and the clock stands (speed 0). */
  mode: z.enum(['live', 'history', 'replay', 'empty']),
  /** A plain sentence, e.g. "Sample replay: US YouTube trending, 14–28 Nov 2017 (Kaggle, CC0). Not live data." */
  notice: z.string(),
  /** The clock that windows use: the wall clock, or the replay's virtual clock (then at `speed` × real time). */
  now: z.string(),
  speed: z.number(),
  sources: z.array(z.string()),
})
export type WorldStatus = z.infer<typeof WorldStatusSchema>

const emptyParams = z.strictObject({})

/** Every named live query: its parameters and its row. Each row has a `key`, unique in the result. */
export const liveQueries = {
  trends: { title: 'Ranked clips, creators or topics over a window', params: TrendsParamsSchema, row: TrendRowSchema },
  movers: {
    title: 'The largest changes of rank and the fastest accelerations',
    params: TrendsParamsSchema,
    row: TrendRowSchema,
  },
  index: { title: 'The clip index of every niche, or of one', params: IndexParamsSchema, row: IndexRowSchema },
  series: {
    title: 'One measure of one subject over time',
    params: SeriesParamsSchema,
    row: SeriesPointSchema.extend({ key: z.string() }),
  },
  describe: {
    title: 'Everything known about one clip, creator or topic, with provenance',
    params: DescribeParamsSchema,
    row: FactSchema,
  },
  ops: { title: 'Sources, rates, queues, stores; for the owner and admins', params: emptyParams, row: OpsRowSchema },
  deadLetters: {
    title: 'Rows that could not be read, newest first (at most 200)',
    params: emptyParams,
    row: DeadLetterRowSchema,
  },
  watchlist: {
    title: 'A watchlist of yours, in its order, with its numbers',
    params: WatchlistQuerySchema,
    row: WatchRowSchema,
  },
  quota: {
    title: 'What your own credentials may still ask of the platforms, limit by limit',
    params: emptyParams,
    row: QuotaLineSchema.extend({ key: z.string() }),
  },
  world: {
    title: 'What the numbers on the screen are',
    params: emptyParams,
    row: WorldStatusSchema.extend({ key: z.string() }),
  },
} as const
export type LiveQueryName = keyof typeof liveQueries
export type LiveRow<N extends LiveQueryName> = z.infer<(typeof liveQueries)[N]['row']>
/** Any keyed row, as the protocol carries it. */
export type KeyedRow = { key: string } & Record<string, unknown>

const subscriptionId = z.string().min(1).max(64)
export const ClientMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    protocol: z.literal(protocolVersion),
    token: z.string().max(4096),
    /** The last `seq` seen of each subscription of a session that was cut. */
    resume: z
      .strictObject({ sessionId: z.string().max(64), seqs: z.record(subscriptionId, z.number().int().min(0)) })
      .optional(),
  }),
  z.strictObject({
    type: z.literal('subscribe'),
    id: subscriptionId,
    query: z.union([
      z.strictObject({ name: z.string().max(64), params: z.record(z.string(), z.unknown()).default({}) }),
      // SQL of one's own or saved; its rows are `LiveSqlRow`.
      z.strictObject({ savedQueryId: z.uuid(), params: QueryParamsSchema.default({}) }),
      z.strictObject({ sql: SqlTextSchema, params: QueryParamsSchema.default({}) }),
    ]),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), id: subscriptionId }),
  z.strictObject({ type: z.literal('ping') }),
])
export type ClientMessage = z.infer<typeof ClientMessageSchema>

const keyedRow = z.looseObject({ key: z.string() })
export const ServerMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    sessionId: z.string(),
    serverTime: z.string(),
    resumed: z.array(z.string()).default([]),
  }),
  z.object({
    type: z.literal('snapshot'),
    id: z.string(),
    seq: z.number().int(),
    asOf: z.string(),
    columns: z.array(z.string()),
    /** The engine's types, in the order of `columns`: of SQL only. */
    columnTypes: z.array(z.string()).optional(),
    rows: z.array(keyedRow),
  }),
  z.object({
    type: z.literal('patch'),
    id: z.string(),
    seq: z.number().int(),
    asOf: z.string(),
    /** Rows that are new or changed, whole. */
    upsert: z.array(keyedRow),
    /** Keys that are gone. */
    remove: z.array(z.string()),
    /** All keys in their order, or null when the order of what stays did not change and nothing was added. */
    order: z.array(z.string()).nullable(),
  }),
  z.object({ type: z.literal('event'), topic: z.string(), payload: z.unknown() }),
  z.object({ type: z.literal('error'), id: z.string().optional(), code: z.string(), message: z.string() }),
  z.object({ type: z.literal('pong') }),
])
export type ServerMessage = z.infer<typeof ServerMessageSchema>
export type PatchMessage = Extract<ServerMessage, { type: 'patch' }>

/**
 * Applies a patch to the rows of a subscription; the result is exactly what a fresh snapshot would hold.
 * Pure: returns a new array.
 */
export function applyPatch(
  rows: readonly KeyedRow[],
  patch: Pick<PatchMessage, 'upsert' | 'remove' | 'order'>,
): KeyedRow[] {
  const byKey = new Map(rows.map(row => [row.key, row]))
  for (const key of patch.remove) byKey.delete(key)
  for (const row of patch.upsert) byKey.set(row.key, row)
  if (patch.order === null) return [...byKey.values()]
  return patch.order.flatMap(key => byKey.get(key) ?? [])
}
