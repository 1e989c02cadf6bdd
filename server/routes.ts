import { z } from 'zod'
import type { ServerDeps } from './deps.ts'
import { analyticsRoutes } from './features/analytics/routes.ts'
import { creatorRoutes } from './features/creators/routes.ts'
import { opsRoutes } from './features/ops/routes.ts'
import { queryRoutes } from './features/query/routes.ts'
import { docsPage, docsPolicy } from './features/system/docs-page.ts'
import { systemRoutes } from './features/system/routes.ts'
import { videoRoutes } from './features/videos/routes.ts'
import { type Route, route } from './http/route.ts'
import { openapiDocument } from './openapi.ts'

/** Every address, in the order in which the documentation lists them. */
export function allRoutes(deps: ServerDeps): Route[] {
  const routes = [
    ...systemRoutes(deps),
    ...analyticsRoutes(deps),
    ...creatorRoutes(deps),
    ...videoRoutes(deps),
    ...queryRoutes(deps),
    ...opsRoutes(deps),
  ]
  const about = aboutRoutes(() => [...routes, ...about], deps.version)
  return [...routes, ...about]
}

/** The addresses that describe the others. */
function aboutRoutes(all: () => Route[], version: string): Route[] {
  return [
    route({
      method: 'get',
      path: '/openapi.json',
      summary: 'This contract as OpenAPI 3.1',
      auth: 'open',
      answer: z.record(z.string(), z.unknown()),
      handle: async () => ({ json: openapiDocument(all(), version) }),
    }),
    route({
      method: 'get',
      path: '/docs',
      summary: 'This contract as a page',
      auth: 'open',
      answer: { contentType: 'text/html; charset=utf-8' },
      handle: async () => ({
        body: docsPage(all(), version),
        contentType: 'text/html; charset=utf-8',
        headers: { 'Content-Security-Policy': docsPolicy },
      }),
    }),
  ]
}
