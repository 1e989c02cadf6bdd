import { randomUUID } from 'node:crypto'
import type { RequestHandler, Response } from 'express'

const header = 'X-Request-Id'

/** Every answer has an id, in its header and in an error's body: the caller's own where it is a plain one, else a new one. */
export const requestId: RequestHandler = (request, response, next) => {
  const given = request.get(header)
  response.setHeader(header, given && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID())
  next()
}

export function requestIdOf(response: Response): string {
  return response.get(header) ?? ''
}
