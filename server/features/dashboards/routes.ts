import { z } from 'zod'
import {
  BoardChangeSchema,
  BoardIdSchema,
  BoardListSchema,
  BoardRequestSchema,
  SavedBoardSchema,
} from '../../../contracts/dashboards.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { versionTag } from '../../http/version-tag.ts'
import {
  changeDashboard,
  createDashboard,
  dashboardFile,
  deleteDashboard,
  getDashboard,
  listDashboards,
} from './service.ts'

const auth = ['jwt', 'apiKey'] as const
const path = '/api/dashboards'
const one = `${path}/:dashboardId`
const params = z.strictObject({ dashboardId: BoardIdSchema })
const errors = ['QUERY_REFUSED', 'QUERY_FAILED'] as const

const tagged = (saved: z.infer<typeof SavedBoardSchema>): Answer => ({
  json: saved,
  headers: { ETag: versionTag(saved.version) },
})

/** Dashboards; `docs/dashboards.md` says what one consists of. */
export const dashboardRoutes: readonly Route[] = [
  route({
    method: 'get',
    path,
    summary: 'Dashboards',
    description: 'Your own, those that others made public, and those that come with Cliptape.',
    auth,
    scope: 'queries:run',
    answer: BoardListSchema,
    handle: async (deps, _input, context) => ({ json: { data: await listDashboards(deps, context) } }),
  }),
  route({
    method: 'post',
    path,
    summary: 'Save a dashboard',
    description:
      'Takes `file`, the text of a YAML file, whose comments are kept; or `board`, as `GET` gives it; or `copyOf`, another board, with a `name`. What is wrong is said with the panel and the field, of a file with line and column.',
    auth,
    scope: 'queries:write',
    status: 201,
    body: BoardRequestSchema,
    errors: [...errors, 'NOT_FOUND'],
    answer: SavedBoardSchema,
    handle: async (deps, { body }, context) => tagged(await createDashboard(deps, context, body)),
  }),
  route({
    method: 'get',
    path: one,
    summary: 'A dashboard',
    description: 'By its id, or by the name of one that comes with Cliptape. The entity tag is its version.',
    auth,
    scope: 'queries:run',
    params,
    answer: SavedBoardSchema,
    handle: async (deps, { params }, context) => tagged(await getDashboard(deps, context, params.dashboardId)),
  }),
  route({
    method: 'get',
    path: `${one}/file`,
    summary: 'A dashboard as a file',
    description: 'YAML with the comments of its author: what `POST /api/dashboards` takes as `file`.',
    auth,
    scope: 'queries:run',
    params,
    answer: { contentType: 'application/yaml; charset=utf-8' },
    handle: async (deps, { params }, context) => ({
      body: await dashboardFile(deps, context, params.dashboardId),
      contentType: 'application/yaml; charset=utf-8',
    }),
  }),
  route({
    method: 'put',
    path: one,
    summary: 'Change a dashboard of yours',
    description:
      'With `If-Match`, only when it is still the version that the tag names. What is left out stays; `board` keeps the comments of the file.',
    auth,
    scope: 'queries:write',
    params,
    body: BoardChangeSchema,
    errors: [...errors, 'PRECONDITION_FAILED'],
    answer: SavedBoardSchema,
    handle: async (deps, { params, body }, context) =>
      tagged(
        await changeDashboard(deps, context, {
          id: params.dashboardId,
          change: body,
          ifMatch: context.header('if-match'),
        }),
      ),
  }),
  route({
    method: 'delete',
    path: one,
    summary: 'Delete a dashboard of yours',
    auth,
    scope: 'queries:write',
    params,
    errors: ['PRECONDITION_FAILED'],
    answer: null,
    async handle(deps, { params }, context) {
      await deleteDashboard(deps, context, { id: params.dashboardId, ifMatch: context.header('if-match') })
      return { empty: true }
    },
  }),
]
