import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { AppError } from '../contracts/errors.ts'
import type { Principal } from './auth/authenticator.ts'
import type { ServerDeps } from './deps.ts'
import type { Caller } from './http/caller.ts'
import { errorAnswer } from './http/error-answer.ts'
import { checkRate, cors, credentialOf, hostGuard, securityHeaders } from './http/guards.ts'
import { requestId, requestIdOf } from './http/request-id.ts'
import { requestLog } from './http/request-log.ts'
import type { Answer, Route } from './http/route.ts'
import { allRoutes } from './routes.ts'
import { bodyBytesMax, settingsDefault } from './settings.ts'

/** The HTTP side as an Express app: every route of `routes.ts` behind the same guards, every error in the same form. */
export function createApp(deps: ServerDeps): Express {
  const settings = { ...settingsDefault, ...deps.settings }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.set('trust proxy', settings.trustProxyHops)
  app.use(requestId, requestLog(deps), securityHeaders, hostGuard(settings.publicHosts), cors(settings.corsOrigins))
  const limits = { keyValue: deps.keyValue, log: deps.log, rateLimit: settings.rateLimit }
  for (const [path, routes] of byPath(allRoutes)) {
    for (const route of routes)
      app[route.method](path, named(path), admit(deps, limits, route), ...bodyOf(route), answer(deps, route))
    app.all(path, named(path), refuseMethod(routes))
  }
  app.use(() => {
    throw new AppError('NOT_FOUND', 'There is no such address here: /docs lists those that are.')
  })
  app.use(errorAnswer(deps.log))
  return app
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
  return Map.groupBy(routes, route => route.path)
}

/** The declared path, for metrics: the real one has ids in it. */
function named(path: string): RequestHandler {
  return (_request, response, next) => {
    response.locals.route = path
    next()
  }
}

/** Who asks, and whether they may ask so often. Open routes are limited by address, the others by user. */
function admit(deps: ServerDeps, limits: Parameters<typeof checkRate>[0], route: Route): RequestHandler {
  return async (request, response, next) => {
    const address = `address:${request.ip ?? 'unknown'}`
    if (route.auth === 'open') {
      await checkRate(limits, address)
      return next()
    }
    const { token, schemes } = credentialOf(request, route.auth)
    const principal = token === null ? null : await deps.auth.authenticate(token, schemes)
    await checkRate(limits, principal ? `user:${principal.userId}` : address)
    if (!principal) {
      throw new AppError(
        'AUTH_REQUIRED',
        token === null
          ? 'Send a token: Authorization: Bearer <token>. `cliptape token` prints yours.'
          : 'The token is not valid here: `cliptape token` prints the present one.',
      )
    }
    if (route.scope !== null && principal.scopes !== 'all' && !principal.scopes.includes(route.scope)) {
      throw new AppError('FORBIDDEN', `This key lacks the scope ${route.scope}: make one that has it.`)
    }
    response.locals.principal = principal
    next()
  }
}

const readJson = express.json({ limit: bodyBytesMax, strict: false, type: 'application/json' })

function bodyOf(route: Route): RequestHandler[] {
  if (!route.body) return []
  const checkType: RequestHandler = (request, _response, next) => {
    if (request.is('application/json')) return next()
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as JSON, with Content-Type: application/json.')
  }
  return [checkType, readJson]
}

function answer(deps: ServerDeps, route: Route): RequestHandler {
  return async (request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const result = await route.run(
      deps,
      { params: request.params, query: request.query, body: request.body },
      { ...callerOf(request, response), header: name => request.get(name), signal: gone.signal },
    )
    await send(response, route.status, result)
  }
}

function callerOf(request: Request, response: Response): Caller {
  const principal: Principal | null = response.locals.principal ?? null
  return { principal, requestId: requestIdOf(response), address: request.ip ?? null }
}

async function send(response: Response, status: number, answer: Answer): Promise<void> {
  if ('empty' in answer) {
    response.status(204).end()
    return
  }
  if ('json' in answer) {
    if (answer.headers) response.set(answer.headers)
    response.status(answer.status ?? status).json(answer.json)
    return
  }
  response.status(status)
  response.set('Content-Type', answer.contentType)
  if (answer.headers) response.set(answer.headers)
  if (typeof answer.body === 'string') response.send(answer.body)
  else await sendStream(response, answer.body)
}

/** An error before the first byte gets the error form; later the connection is cut, so that nobody takes it for complete. */
async function sendStream(response: Response, body: Readable): Promise<void> {
  try {
    await pipeline(body, response)
  } catch (error) {
    if (!response.closed) throw error
  }
}

function refuseMethod(routes: readonly Route[]): RequestHandler {
  const allowed = routes.map(route => route.method.toUpperCase()).join(', ')
  return (request, response) => {
    response.set('Allow', allowed)
    throw new AppError(
      'METHOD_NOT_ALLOWED',
      `This address does not take ${request.method.slice(0, 20)}: use ${allowed}.`,
    )
  }
}
