import {
  WatchItemChangeSchema,
  WatchItemRequestSchema,
  type Watchlist,
  WatchlistParamsSchema,
  WatchlistRequestSchema,
  WatchlistSchema,
  WatchlistsSchema,
  WatchRowsSchema,
  WatchSubjectSchema,
} from '../../../contracts/watchlists.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { versionTag } from '../../http/version-tag.ts'
import {
  addWatchItem,
  changeWatchItem,
  changeWatchlist,
  createWatchlist,
  deleteWatchlist,
  getWatchlist,
  listWatchlists,
  removeWatchItem,
  watchlistRows,
} from './service.ts'

const auth = ['jwt', 'apiKey'] as const
const reading = { auth, scope: 'watchlists:read' } as const
const writing = { auth, scope: 'watchlists:write' } as const

/** Watchlists. The live query `watchlist` shows one with its numbers. */
export const watchlistRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/watchlists',
    summary: 'Begin a watchlist',
    description: 'With what stands on it, or empty. A user may have 50 lists of 100 rows.',
    ...writing,
    status: 201,
    body: WatchlistRequestSchema,
    errors: ['CONFLICT'],
    answer: WatchlistSchema,
    handle: async (deps, { body }, context) => tagged(await createWatchlist(deps, context, body)),
  }),
  route({
    method: 'get',
    path: '/api/watchlists',
    summary: 'Your watchlists, by name',
    ...reading,
    answer: WatchlistsSchema,
    handle: async (deps, _input, context) => ({ json: { data: await listWatchlists(deps, context) } }),
  }),
  route({
    method: 'get',
    path: '/api/watchlists/:watchlistId',
    summary: 'A watchlist with what stands on it',
    ...reading,
    params: WatchlistParamsSchema,
    answer: WatchlistSchema,
    handle: async (deps, { params }, context) => tagged(await getWatchlist(deps, context, params.watchlistId)),
  }),
  route({
    method: 'get',
    path: '/api/watchlists/:watchlistId/rows',
    summary: 'A watchlist with its numbers',
    description:
      'In the order of the list, over the window of the list. The live query `watchlist` keeps them up to date.',
    ...reading,
    params: WatchlistParamsSchema,
    answer: WatchRowsSchema,
    async handle(deps, { params }, context) {
      const { rows, asOf } = await watchlistRows(deps, ownerOf(context), params)
      return { json: { data: rows, asOf: asOf.toISOString() } }
    },
  }),
  route({
    method: 'put',
    path: '/api/watchlists/:watchlistId',
    summary: 'Change a watchlist',
    description:
      'Name, columns and window anew; `items` puts other rows, or another order, in the place of those that are there. With `If-Match` only if nobody has changed it since.',
    ...writing,
    params: WatchlistParamsSchema,
    body: WatchlistRequestSchema,
    errors: ['CONFLICT', 'PRECONDITION_FAILED'],
    answer: WatchlistSchema,
    handle: async (deps, { params, body }, context) =>
      tagged(
        await changeWatchlist(deps, context, params.watchlistId, { ...body, ifMatch: context.header('if-match') }),
      ),
  }),
  route({
    method: 'delete',
    path: '/api/watchlists/:watchlistId',
    summary: 'Delete a watchlist',
    ...writing,
    params: WatchlistParamsSchema,
    answer: null,
    async handle(deps, { params }, context) {
      await deleteWatchlist(deps, context, params.watchlistId)
      return { empty: true }
    },
  }),
  route({
    method: 'post',
    path: '/api/watchlists/:watchlistId/items',
    summary: 'Put a creator, clip or topic on a watchlist',
    description: 'At its end. What stands there already stays where it is, with the new note.',
    ...writing,
    params: WatchlistParamsSchema,
    body: WatchItemRequestSchema,
    errors: ['CONFLICT'],
    answer: WatchlistSchema,
    handle: async (deps, { params, body }, context) =>
      tagged(await addWatchItem(deps, context, params.watchlistId, body)),
  }),
  route({
    method: 'patch',
    path: '/api/watchlists/:watchlistId/items',
    summary: 'Move a row of a watchlist, or write another note',
    description: '`position` counts from 0 at the top; `watchlistId` moves it to the end of another list.',
    ...writing,
    params: WatchlistParamsSchema,
    body: WatchItemChangeSchema,
    errors: ['CONFLICT'],
    answer: WatchlistSchema,
    handle: async (deps, { params, body }, context) =>
      tagged(await changeWatchItem(deps, context, params.watchlistId, body)),
  }),
  route({
    method: 'delete',
    path: '/api/watchlists/:watchlistId/items',
    summary: 'Take a row off a watchlist',
    ...writing,
    params: WatchlistParamsSchema,
    query: WatchSubjectSchema,
    answer: WatchlistSchema,
    handle: async (deps, { params, query }, context) =>
      tagged(await removeWatchItem(deps, context, params.watchlistId, query)),
  }),
]

function tagged(list: Watchlist): Answer {
  return { json: list, headers: { ETag: versionTag(list.version) } }
}
