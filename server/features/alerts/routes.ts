import { z } from 'zod'
import {
  AlertMuteSchema,
  AlertRequestSchema,
  AlertSchema,
  AlertsSchema,
  BacktestRequestSchema,
  BacktestSchema,
  FiringSchema,
  SeenSchema,
} from '../../../contracts/alerts.ts'
import { IdPageSchema } from '../../http/id-cursor.ts'
import { nextInstantCursor, readInstantCursor } from '../../http/instant-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { versionTag } from '../../http/version-tag.ts'
import { measureContext } from '../measure-context.ts'
import { backtest } from './backtest.ts'
import { listFirings, markSeen } from './firings.ts'
import { savedQueriesOf } from './saved-queries.ts'
import { changeAlert, createAlert, deleteAlert, getAlert, listAlerts, muteAlert } from './service.ts'

const ParamsSchema = z.strictObject({ alertId: z.uuid() })
const PageSchema = IdPageSchema.extend({
  cursor: z.string().min(1).max(600).optional(),
  unseen: z.enum(['true', 'false']).default('false'),
})
const FiringsSchema = z.object({ data: z.array(FiringSchema), nextCursor: z.string().optional() })

const auth = ['jwt', 'apiKey'] as const
const scope = 'alerts:read'

/** Alerts: rules over measures and saved queries. `docs/alerts.md` says what they look at and when they fire. */
export const alertRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/alerts',
    summary: 'Make an alert',
    description:
      'It is looked at as soon as it is there, when readings that it is about are written, and once a minute. A condition that holds already fires at once; new entrants are told from the second look on.',
    auth,
    scope: 'alerts:write',
    status: 201,
    body: AlertRequestSchema,
    errors: ['CONFLICT', 'NOT_FOUND'],
    answer: AlertSchema,
    async handle(deps, { body }, context) {
      const alert = await createAlert(deps, context, body)
      return { json: alert, headers: { ETag: versionTag(alert.version) } }
    },
  }),
  route({
    method: 'get',
    path: '/api/alerts',
    summary: 'Your alerts, with their states',
    description: 'The newest first; `limit` is how many your plan allows.',
    auth,
    scope,
    answer: AlertsSchema,
    handle: async (deps, _input, context) => ({ json: await listAlerts(deps, context) }),
  }),
  route({
    method: 'post',
    path: '/api/alerts/backtest',
    summary: 'Try a rule on past readings',
    description:
      'The same evaluation as live, at even steps of data time, from fresh memory. Nothing is kept and nobody is told. At most 400 steps and half a minute of work: `isCut` says that it ended early. Without `stepSeconds` the span is divided into about 168 steps. Closing the connection ends it.',
    auth,
    scope,
    isRead: true,
    body: BacktestRequestSchema,
    errors: ['NOT_FOUND'],
    answer: BacktestSchema,
    async handle(deps, { body }, context) {
      const ctx = measureContext(deps)
      const userId = ownerOf(context)
      return { json: await backtest({ ctx, queries: savedQueriesOf(deps), userId, signal: context.signal }, body) }
    },
  }),
  route({
    method: 'get',
    path: '/api/alerts/firings',
    summary: 'What your alerts have told, newest first',
    description:
      'With the rows that caused each, and where it was told. `unseen=true`: only what nobody has looked at.',
    auth,
    scope,
    query: PageSchema,
    answer: FiringsSchema,
    handle: async (deps, { query }, context) => ({ json: await firingsPage(deps, context, query) }),
  }),
  route({
    method: 'post',
    path: '/api/alerts/firings/seen',
    summary: 'Say that firings were looked at',
    description: 'Of one alert, or of all.',
    auth,
    scope: 'alerts:write',
    body: SeenSchema,
    errors: ['NOT_FOUND'],
    answer: null,
    async handle(deps, { body }, context) {
      await markSeen(deps, context, body.alertId)
      return { empty: true }
    },
  }),
  route({
    method: 'get',
    path: '/api/alerts/:alertId',
    summary: 'One alert',
    auth,
    scope,
    params: ParamsSchema,
    answer: AlertSchema,
    async handle(deps, { params }, context) {
      const alert = await getAlert(deps, context, params.alertId)
      return { json: alert, headers: { ETag: versionTag(alert.version) } }
    },
  }),
  route({
    method: 'put',
    path: '/api/alerts/:alertId',
    summary: 'Change an alert',
    description:
      'The whole of it anew. Another rule, and switching on, forget what was seen before. With `If-Match` only if nobody has changed it since.',
    auth,
    scope: 'alerts:write',
    params: ParamsSchema,
    body: AlertRequestSchema,
    errors: ['PRECONDITION_FAILED'],
    answer: AlertSchema,
    async handle(deps, { params, body }, context) {
      const request = { ...body, ifMatch: context.header('if-match') }
      const alert = await changeAlert(deps, context, params.alertId, request)
      return { json: alert, headers: { ETag: versionTag(alert.version) } }
    },
  }),
  route({
    method: 'delete',
    path: '/api/alerts/:alertId',
    summary: 'Delete an alert',
    description: 'Its firings go with it.',
    auth,
    scope: 'alerts:write',
    params: ParamsSchema,
    answer: null,
    async handle(deps, { params }, context) {
      await deleteAlert(deps, context, params.alertId)
      return { empty: true }
    },
  }),
  route({
    method: 'post',
    path: '/api/alerts/:alertId/mute',
    summary: 'Mute an alert until an instant',
    description: 'It goes on firing, and nobody is told. `until` null ends the silence.',
    auth,
    scope: 'alerts:write',
    params: ParamsSchema,
    body: AlertMuteSchema,
    answer: AlertSchema,
    handle: async (deps, { params, body }, context) => ({
      json: await muteAlert(deps, context, params.alertId, body.until),
    }),
  }),
  route({
    method: 'get',
    path: '/api/alerts/:alertId/firings',
    summary: 'What one alert has told, newest first',
    auth,
    scope,
    params: ParamsSchema,
    query: PageSchema,
    answer: FiringsSchema,
    handle: async (deps, { params, query }, context) => ({
      json: await firingsPage(deps, context, { ...query, alertId: params.alertId }),
    }),
  }),
]

async function firingsPage(
  deps: Parameters<typeof listFirings>[0],
  caller: Parameters<typeof listFirings>[1],
  { alertId, ...query }: z.output<typeof PageSchema> & { readonly alertId?: string },
): Promise<z.input<typeof FiringsSchema>> {
  const found = await listFirings(deps, caller, {
    ...(alertId === undefined ? {} : { alertId }),
    isUnseen: query.unseen === 'true',
    limit: query.limit,
    before: readInstantCursor(query.cursor),
  })
  const keyed = { ...found, rows: found.rows.map(row => ({ ...row, createdAt: row.firedAt })) }
  return { data: found.rows, ...nextInstantCursor(keyed, row => row.id) }
}
