import type { Request, RequestHandler } from 'express'
import { AppError } from '../../contracts/errors.ts'
import type { AuthScheme } from '../auth/authenticator.ts'
import { isAllowedOrigin, isOwnHost } from './hosts.ts'

const careful = new Map([
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cache-Control', 'no-store'],
])

/** Headers that keep a browser from misreading an answer. Pages that need more say so themselves. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeaders(careful)
  next()
}

/** Refuses requests that came under a stranger's name (see `isOwnHost`). */
export function hostGuard(publicHosts: readonly string[]): RequestHandler {
  /** The last name that was ours: most requests come under the same one. */
  let known: string | undefined
  return (request, _response, next) => {
    const { host } = request.headers
    if (known !== undefined && host === known) return next()
    if (isOwnHost(host, publicHosts)) {
      known = host
      return next()
    }
    throw new AppError('FORBIDDEN', 'The Host header names another server: use localhost, or set PUBLIC_URL.')
  }
}

/** Cross-origin reading for the origins that the operator listed, and nobody else. Credentials are tokens, never cookies. */
export function cors(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    const { origin } = request.headers
    response.setHeader('Vary', 'Origin')
    if (origin === undefined) return next()
    if (!isAllowedOrigin(origin, request.headers.host, origins)) {
      throw new AppError('FORBIDDEN', 'Pages of this origin may not call Cliptape: add the origin to CORS_ORIGINS.')
    }
    response.set({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Expose-Headers':
        'Content-Range, ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, Tus-Resumable, Upload-Length, Upload-Offset, X-Request-Id',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    })
    if (request.method !== 'OPTIONS') return next()
    response.set({
      'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'Access-Control-Allow-Headers':
        'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Range, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset, X-API-Key, X-Request-Id',
      'Access-Control-Max-Age': '600',
    })
    response.status(204).end()
  }
}

/**
 * The credential that came with a request: `Authorization: Bearer …`, of any scheme, else `X-API-Key`, which is a key and
 * nothing else.
 */
export function credentialOf(
  request: Request,
  accepted: readonly AuthScheme[],
): { token: string | null; schemes: readonly AuthScheme[] } {
  const bearer = /^Bearer +([\x21-\x7e]{1,4096})$/i.exec(request.get('authorization') ?? '')?.[1]
  if (bearer !== undefined) return { token: bearer, schemes: accepted }
  const key = /^[\x21-\x7e]{1,200}$/.exec(request.get('x-api-key') ?? '')?.[0]
  return { token: key ?? null, schemes: accepted.filter(scheme => scheme === 'apiKey') }
}
