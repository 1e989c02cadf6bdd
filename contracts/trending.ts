import { z } from 'zod'

/**
 * What stands out about a video now: one sign (`rising`), several (`hot`), or a breakout as `docs/metrics.md` defines it.
 * Each sentence of `why` names a number.
 */
export const TrendingSchema = z.object({ level: z.enum(['rising', 'hot', 'breakout']), why: z.array(z.string()) })
export type Trending = z.infer<typeof TrendingSchema>
