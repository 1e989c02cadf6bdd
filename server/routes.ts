import { z } from 'zod'
import { wholeAccountRoutes } from './features/account/routes.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { alertRoutes } from './features/alerts/routes.ts'
import { analyticsRoutes } from './features/analytics/routes.ts'
import { auditRoutes } from './features/audit/routes.ts'
import { billingRoutes } from './features/billing/routes.ts'
import { clipRoutes } from './features/clips/routes.ts'
import { copyRoutes } from './features/copies/routes.ts'
import { creatorRoutes } from './features/creators/routes.ts'
import { credentialRoutes } from './features/credentials/routes.ts'
import { crmRoutes } from './features/crm/routes.ts'
import { dashboardRoutes } from './features/dashboards/routes.ts'
import { extRoutes } from './features/ext/routes.ts'
import { keyRoutes } from './features/keys/routes.ts'
import { linkRoutes } from './features/links/routes.ts'
import { mediaRoutes } from './features/media-jobs/routes.ts'
import { monitoringRoutes } from './features/monitoring/routes.ts'
import { opsRoutes } from './features/ops/routes.ts'
import { pictureRoutes } from './features/pictures/routes.ts'
import { savedQueryRoutes } from './features/queries/routes.ts'
import { queryRoutes } from './features/query/routes.ts'
import { quotaRoutes } from './features/quota/routes.ts'
import { docsPage, docsPolicy } from './features/system/docs-page.ts'
import { systemRoutes } from './features/system/routes.ts'
import { uploadRoutes } from './features/uploads/routes.ts'
import { videoRoutes } from './features/videos/routes.ts'
import { vodRoutes } from './features/vods/routes.ts'
import { watchlistRoutes } from './features/watchlists/routes.ts'
import { webhookRoutes } from './features/webhooks/routes.ts'
import { type Route, route } from './http/route.ts'
import { openapiDocument } from './openapi.ts'

/** Every address, in the order in which the documentation lists them. */
export const allRoutes: readonly Route[] = [
  ...systemRoutes,
  ...accountRoutes,
  ...credentialRoutes,
  ...linkRoutes,
  ...quotaRoutes,
  ...crmRoutes,
  ...analyticsRoutes,
  // Before the addresses of creators: `monitor` would be the id of one.
  ...monitoringRoutes,
  ...creatorRoutes,
  ...videoRoutes,
  ...vodRoutes,
  ...copyRoutes,
  ...pictureRoutes,
  ...uploadRoutes,
  ...clipRoutes,
  ...mediaRoutes,
  ...queryRoutes,
  ...savedQueryRoutes,
  ...dashboardRoutes,
  ...opsRoutes,
  ...keyRoutes,
  ...extRoutes,
  ...webhookRoutes,
  ...alertRoutes,
  ...watchlistRoutes,
  ...billingRoutes,
  ...auditRoutes,
  ...wholeAccountRoutes,
  route({
    method: 'get',
    path: '/openapi.json',
    summary: 'This contract as OpenAPI 3.1',
    auth: 'open',
    answer: z.record(z.string(), z.unknown()),
    handle: async deps => ({ json: contract(deps.version) }),
  }),
  route({
    method: 'get',
    path: '/docs',
    summary: 'This contract as a page',
    auth: 'open',
    answer: { contentType: 'text/html; charset=utf-8' },
    handle: async deps => ({
      body: page(deps.version),
      contentType: 'text/html; charset=utf-8',
      headers: { 'Content-Security-Policy': docsPolicy },
    }),
  }),
]

// Of the routes and the version alone: made when somebody first asks. Whoever asks need not sign in, so it must cost little.
const contract = lastOf(version => openapiDocument(allRoutes, version))
const page = lastOf(version => docsPage(allRoutes, version))

function lastOf<T>(make: (version: string) => T): (version: string) => T {
  let last: { version: string; made: T } | null = null
  return version => {
    if (last?.version !== version) last = { version, made: make(version) }
    return last.made
  }
}
