import type { z } from 'zod'
import { WatchlistsSchema } from '../../contracts/watchlists.ts'
import type { ResourceQuery } from '../net/resource-client.ts'

// What WL asks the server for beside its live rows.

type Watchlists = z.output<typeof WatchlistsSchema>
export type WatchlistRow = Watchlists['data'][number]

/** Every list by name, without what stands on it. */
export const watchlistsResource: ResourceQuery<Watchlists> = {
  path: '/api/watchlists',
  query: {},
  schema: WatchlistsSchema,
  everyMs: 30_000,
}
