import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { AppError } from '../contracts/errors.ts'
import { operatorsOnly, type Principal } from './auth/authenticator.ts'
import type { ServerDeps } from './deps.ts'
import type { SharedAnswer } from './features/shared-answers.ts'
import { answerTus, describeTus, isTus, uploadsPath } from './features/uploads/tus.ts'
import type { Caller } from './http/caller.ts'
import { errorAnswer } from './http/error-answer.ts'
import { isKnownTo } from './http/etag.ts'
import { cors, credentialOf, hostGuard, securityHeaders } from './http/guards.ts'
import { createIdempotentWrites, type IdempotentWrites } from './http/idempotency.ts'
import { networkOf } from './http/network-of.ts'
import { ownerOf } from './http/owner-of.ts'
import { createRateGuard, type RateGuard, RateRefusal } from './http/rate-limit.ts'
import { requestId, requestIdOf } from './http/request-id.ts'
import { requestLog } from './http/request-log.ts'
import type { Answer, Route } from './http/route.ts'
import { allRoutes } from './routes.ts'
import { bodyBytesMax, httpTimeouts, settingsDefault } from './settings.ts'

/** The HTTP side as an Express app: every route of `routes.ts` behind the same guards, every error in the same form. */
export function createApp(deps: ServerDeps): Express {
  const settings = { ...settingsDefault, ...deps.settings }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.set('trust proxy', settings.trustProxyHops)
  app.use(requestId, requestLog(deps), securityHeaders, hostGuard(settings.publicHosts), cors(settings.corsOrigins))
  const rates = createRateGuard(deps, settings.rateLimits)
  const writes = createIdempotentWrites(deps)
  app.all(
    [uploadsPath, `${uploadsPath}/:uploadId`],
    ifTus,
    named(`${uploadsPath} (tus)`),
    admit(deps, rates, { auth: ['jwt', 'apiKey'], scope: 'clips:write', roles: null }),
    (request, response) => answerTus(deps, ownerOf(callerOf(request, response)), request, response),
  )
  for (const [path, routes] of byPath(allRoutes)) {
    for (const route of routes)
      app[route.method](path, named(path), admit(deps, rates, route), ...bodyOf(route), answer(deps, writes, route))
    app.all(path, named(path), refuseMethod(routes))
  }
  app.use(() => {
    throw new AppError('NOT_FOUND', 'There is no such address here: /docs lists those that are.')
  })
  app.use(errorAnswer(deps.log))
  return app
}

/** Uploads have a protocol of their own; what does not speak it is an ordinary request. */
const ifTus: RequestHandler = (request, response, next) => {
  if (!isTus(request)) next('route')
  else if (request.method === 'OPTIONS') describeTus(response)
  else next()
}

/** Express looks through the paths in turn: those that machines ask come first. */
function byPath(routes: readonly Route[]): Map<string, Route[]> {
  const isForMachines = ({ path }: Route) => path.startsWith('/ext-api/')
  const inTurn = [...routes.filter(isForMachines), ...routes.filter(route => !isForMachines(route))]
  return Map.groupBy(inTurn, route => route.path)
}

/** The declared path, for metrics: the real one has ids in it. */
function named(path: string): RequestHandler {
  return (_request, response, next) => {
    response.locals.route = path
    next()
  }
}

/** Who asks, and whether they may ask so often. Open routes are limited by address, the others by user and by key. */
function admit(deps: ServerDeps, rates: RateGuard, route: Pick<Route, 'auth' | 'scope' | 'roles'>): RequestHandler {
  return async (request, response, next) => {
    if (route.auth === 'open') {
      await limit(rates, response, { address: networkOf(request.ip ?? null) })
      return next()
    }
    const { token, schemes } = credentialOf(request, route.auth)
    const principal = token === null ? null : await deps.auth.authenticate(token, schemes)
    await limit(rates, response, principal ? { principal } : { address: networkOf(request.ip ?? null) })
    if (!principal) {
      throw new AppError(
        'AUTH_REQUIRED',
        token === null
          ? "Sign in (POST /api/auth/login) and send the token: Authorization: Bearer <token>. `cliptape token` prints the local owner's."
          : 'The token is not valid, or has ended: sign in again.',
      )
    }
    if (route.scope !== null && principal.scopes !== 'all' && !principal.scopes.includes(route.scope)) {
      throw new AppError('FORBIDDEN', `This key lacks the scope ${route.scope}: make one that has it.`)
    }
    if (route.roles !== null && !route.roles.includes(principal.role)) {
      throw operatorsOnly()
    }
    response.locals.principal = principal
    next()
  }
}

async function limit(rates: RateGuard, response: Response, who: Parameters<RateGuard['take']>[0]): Promise<void> {
  try {
    response.setHeaders(await rates.take(who))
  } catch (error) {
    if (error instanceof RateRefusal) response.setHeaders(error.headers)
    throw error
  }
}

const readJson = express.json({ limit: bodyBytesMax, strict: false, type: 'application/json' })
const formType = 'application/x-www-form-urlencoded'
const readForm = express.urlencoded({ limit: 16 * 1024, extended: false, parameterLimit: 20, type: formType })

function bodyOf(route: Route): RequestHandler[] {
  if (!route.body) return []
  const checkType: RequestHandler = (request, _response, next) => {
    if (route.isBodyOptional && isWithoutBody(request)) {
      request.body = {}
      return next()
    }
    if (request.is(route.isForm ? formType : 'application/json')) return next()
    if (route.isForm) throw new AppError('UNSUPPORTED_MEDIA_TYPE', `Send the body as a form, as ${formType}.`)
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as JSON, with Content-Type: application/json.')
  }
  return [checkType, arrivesInTime, route.isForm ? readForm : readJson]
}

/** Uploads may take long: whatever else has a body has a small one. */
const arrivesInTime: RequestHandler = (request, _response, next) => {
  const late = setTimeout(() => {
    if (!request.complete) request.destroy()
  }, httpTimeouts.bodyMs).unref()
  request.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late))
  next()
}

function isWithoutBody({ headers }: Request): boolean {
  return (
    headers['content-type'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    !Number(headers['content-length'])
  )
}

function answer(deps: ServerDeps, writes: IdempotentWrites, route: Route): RequestHandler {
  return async (request, response) => {
    const caller = callerOf(request, response)
    const context = {
      ...caller,
      header: (name: string) => request.get(name),
      get signal() {
        return goneSignal(response)
      },
    }
    const raw = {
      address: request.originalUrl,
      params: request.params,
      // Express takes it apart anew at each look.
      get query() {
        return request.query
      },
      body: request.body,
    }
    const run = () => route.run(deps, raw, context)
    const key = route.isRead ? undefined : request.get('idempotency-key')
    const userId = caller.principal?.userId
    const result =
      key === undefined || userId === undefined
        ? await run()
        : await writes.once(
            {
              userId,
              key,
              content: JSON.stringify([request.method, request.originalUrl, request.body ?? null]),
              hasSecretAnswer: route.hasSecretAnswer,
              status: route.status,
              requestId: caller.requestId,
            },
            run,
          )
    await send(request, response, route.status, result)
  }
}

/** Made for those who ask for it: most answers are there at once. */
function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController()
  if (response.closed) gone.abort()
  else {
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
  }
  return gone.signal
}

function callerOf(request: Request, response: Response): Caller {
  const principal: Principal | null = response.locals.principal ?? null
  return { principal, requestId: requestIdOf(response), address: request.ip ?? null }
}

async function send(request: Request, response: Response, status: number, answer: Answer): Promise<void> {
  if ('empty' in answer) {
    if (answer.headers) response.set(answer.headers)
    response.status(204).end()
    return
  }
  if ('json' in answer) {
    if (answer.headers) response.set(answer.headers)
    response.status(answer.status ?? status).json(answer.json)
    return
  }
  if ('shared' in answer) {
    sendShared(request, response, answer.shared)
    return
  }
  response.status(answer.status ?? status)
  response.set('Content-Type', answer.contentType)
  if (answer.headers) response.set(answer.headers)
  if (typeof answer.body === 'string') response.send(answer.body)
  else if (request.method === 'HEAD') {
    answer.body.destroy()
    response.end()
  } else await sendStream(response, answer.body)
}

const sharedHeaders = new Map([
  ['Cache-Control', 'private, no-cache'],
  ['Vary', 'Origin, Authorization, X-API-Key'],
  ['Content-Type', 'application/json; charset=utf-8'],
])

/** The caller may keep it, and asks each time whether it is still what we would say. */
function sendShared(request: Request, response: Response, { body, etag }: SharedAnswer): void {
  response.setHeaders(sharedHeaders).setHeader('ETag', etag)
  if (isKnownTo(request.headers['if-none-match'], etag)) {
    response.removeHeader('Content-Type')
    response.statusCode = 304
    response.end()
    return
  }
  response.setHeader('Content-Length', body.length)
  response.end(body)
}

/** What can be refused is refused before. An error in the stream cuts the connection, so that nobody takes it for complete. */
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
