import type { RequestHandler } from 'express'
import type { Log } from '../../core/log.ts'
import type { Metrics } from '../metrics/registry.ts'
import { requestIdOf } from './request-id.ts'

/** One log line and one observation per request. Neither has headers, query or body: those can hold secrets. */
export function requestLog(deps: { log: Log; metrics: Metrics }): RequestHandler {
  const seconds = deps.metrics.histogram(
    'cliptape_http_request_seconds',
    'Time from a request to the end of its answer.',
    [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10],
  )
  return (request, response, next) => {
    const startMs = performance.now()
    response.once('close', () => {
      const tookMs = Math.round(performance.now() - startMs)
      const status = response.statusCode
      const route = typeof response.locals.route === 'string' ? response.locals.route : 'unknown'
      seconds.observe(tookMs / 1000, { method: knownMethod(request.method), route, status: String(status) })
      if (status < 500 && !deps.log.isLevelEnabled('debug')) return
      const line = {
        requestId: requestIdOf(response),
        method: request.method,
        path: request.path.slice(0, 300),
        status,
        tookMs,
        isCut: !response.writableFinished,
      }
      if (status >= 500) deps.log.warn(line, 'request')
      else deps.log.debug(line, 'request')
    })
    next()
  }
}

function knownMethod(method: string): string {
  return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].includes(method) ? method : 'other'
}
