import { z } from 'zod'
import { periods, TrendRowSchema, trendTypes } from './measures.ts'
import { checkSubject, subjectFields, withKnownId } from './subjects.ts'

/** Watchlists: `/api/watchlists`. Creators, clips and topics that somebody keeps an eye on, with live numbers. */

/** Watchlists of one user, and what stands on one. */
export const watchlistsMax = 50
export const watchItemsMax = 100

/** What a watchlist can show beside names. */
export const watchColumns = [
  'platform',
  'creator',
  'views',
  'gain',
  'velocity',
  'acceleration',
  'engagement',
  'outlier',
  'clippers',
  'followers',
  'videos',
  'age',
  'niche',
  'trend',
  'note',
] as const
export type WatchColumn = (typeof watchColumns)[number]
const columnsDefault = ['platform', 'views', 'gain', 'velocity', 'outlier', 'trend', 'note'] as const

const note = z.string().max(500)

export const WatchItemRequestSchema = z
  .strictObject({ ...subjectFields, note: note.default('') })
  .superRefine(checkSubject)
  .overwrite(withKnownId)
export type WatchItemRequest = z.infer<typeof WatchItemRequestSchema>

/** Which item of a list. */
export const WatchSubjectSchema = z.strictObject(subjectFields).superRefine(checkSubject).overwrite(withKnownId)
export type WatchSubject = z.infer<typeof WatchSubjectSchema>

/** Another note, another place from the top (0), or another list, at whose end it then stands. */
export const WatchItemChangeSchema = z
  .strictObject({
    ...subjectFields,
    note: note.optional(),
    position: z
      .number()
      .int()
      .min(0)
      .max(watchItemsMax - 1)
      .optional(),
    watchlistId: z.uuid().optional(),
  })
  .superRefine(checkSubject)
  .overwrite(withKnownId)
export type WatchItemChange = z.infer<typeof WatchItemChangeSchema>

export const WatchlistRequestSchema = z.strictObject({
  name: z.string().trim().min(1).max(80),
  columns: z
    .array(z.enum(watchColumns))
    .max(watchColumns.length)
    .default([...columnsDefault]),
  /** The window of gains and velocities. */
  period: z.enum(periods).default('24h'),
  /** Everything on it, in order; without it a list that is changed keeps what it has. */
  items: z.array(WatchItemRequestSchema).max(watchItemsMax).optional(),
})
export type WatchlistRequest = z.infer<typeof WatchlistRequestSchema>

const WatchItemSchema = z.object({ ...subjectFields, note: z.string(), addedAt: z.iso.datetime() })
export type WatchItem = z.infer<typeof WatchItemSchema>

const WatchlistFields = z.object({
  id: z.uuid(),
  name: z.string(),
  columns: z.array(z.enum(watchColumns)),
  period: z.enum(periods),
  /** Counts every change. */
  version: z.number().int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export const WatchlistSchema = WatchlistFields.extend({ items: z.array(WatchItemSchema) })
export type Watchlist = z.infer<typeof WatchlistSchema>

export const WatchlistsSchema = z.object({
  data: z.array(WatchlistFields.extend({ itemCount: z.number().int() })),
})

/** One item with its numbers, those of `trends`; what nothing has read has none. `key` is its type and id. */
export const WatchRowSchema = TrendRowSchema.omit({ rank: true, rankChange: true, trending: true }).extend({
  type: z.enum(trendTypes),
  id: z.string(),
  note: z.string(),
})
export type WatchRow = z.infer<typeof WatchRowSchema>

export const WatchRowsSchema = z.object({ data: z.array(WatchRowSchema), asOf: z.iso.datetime() })

export const WatchlistParamsSchema = z.strictObject({ watchlistId: z.uuid() })

/** Parameters of the live query `watchlist`: a list by its id or name, in any letters' case; without either the first by name. */
export const WatchlistQuerySchema = z.strictObject({
  watchlistId: z.uuid().optional(),
  name: z.string().max(80).optional(),
})
export type WatchlistQuery = z.infer<typeof WatchlistQuerySchema>
