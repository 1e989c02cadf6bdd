import { z } from 'zod'
import {
  buckets,
  SeriesParamsSchema,
  SeriesPointSchema,
  TrendRowSchema,
  TrendsParamsSchema,
} from '../../../contracts/measures.ts'
import type { Route } from '../../http/route.ts'
import { sharedRoute } from '../../http/shared-route.ts'
import { seriesQuestion, trendsQuestion } from '../shared-questions.ts'

export const TrendsAnswerSchema = z.object({
  data: z.array(TrendRowSchema),
  /** Present when only the rows with the largest gains, so many, were put in order (`sort=outlier`). */
  rankedAmong: z.number().int().optional(),
  generatedAt: z.string(),
  asOf: z.string(),
  nextCursor: z.string().optional(),
})
export const SeriesAnswerSchema = z.object({
  data: z.array(SeriesPointSchema),
  bucket: z.enum(buckets),
  generatedAt: z.string(),
  asOf: z.string(),
})

/** What moves, ranked; and one measure of one subject over time. `docs/metrics.md` defines the numbers. */
export const analyticsRoutes: readonly Route[] = [
  sharedRoute({
    path: '/api/analytics/trends',
    summary: 'Ranked clips, creators or topics over a window',
    description:
      'The window is 24h unless `period`, or `from` and `to`, say otherwise. `sort=outlier` orders the clips with the largest gains only: `rankedAmong` says how many. `clippers` of clips and creators counts copies among your own media.',
    auth: ['jwt', 'apiKey'],
    scope: 'trends:read',
    query: TrendsParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: TrendsAnswerSchema,
    mayIndicate: true,
    countsClippers: true,
    question: trendsQuestion,
  }),
  sharedRoute({
    path: '/api/analytics/series',
    summary: 'One measure of one clip, creator or topic over time',
    description:
      'A point without a value says why in `state`. Without `bucket` one is chosen that fits the window. `metric=clippers` of a clip or creator counts copies among your own media; `id` may then be a VOD of yours, `own:<uuid>`.',
    auth: ['jwt', 'apiKey'],
    scope: 'trends:read',
    query: SeriesParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: SeriesAnswerSchema,
    countsClippers: true,
    question: seriesQuestion,
  }),
]
