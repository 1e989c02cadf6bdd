import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import express, { type Express, type Request, type Response, Router } from 'express'
import type { Answer, Ask, Endpoint, Shape } from './exchange.ts'
import { Refusal } from './exchange.ts'
import type { Fault } from './faults.ts'
import { failureName, rateName, refusalOf } from './refusals.ts'
import type { SandboxState } from './state.ts'
import { sendVideo, videoPath } from './videos.ts'

/** A request as it was answered. */
export interface SeenRequest {
  readonly endpoint: string
  readonly status: number
  readonly atMs: number
  /** The kind of fault that struck, or null. */
  readonly fault: Fault['kind'] | null
}

const bodyBytesMax = 1024 * 1024
const requestsMax = 10_000

/** The endpoints as an Express app: hosts are the first part of the path, slashes at the end and letters' case matter. */
export function createSandboxApp(state: SandboxState, seen: SeenRequest[], endpoints: readonly Endpoint[]): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  /** What each endpoint sent last to each caller, for pages that come twice. */
  const lastSent = new Map<string, Answer>()
  for (const [host, own] of Map.groupBy(endpoints, endpoint => endpoint.host)) {
    const router = Router({ strict: true, caseSensitive: true })
    for (const endpoint of own) {
      router[endpoint.method](endpoint.path, async (request, response) => {
        const ask = await readAsk(state, host, request)
        const fault = await serve(state, { endpoint, ask, response, lastSent })
        if (seen.length >= requestsMax) seen.splice(0, requestsMax / 10)
        seen.push({ endpoint: endpoint.name, status: response.statusCode, atMs: ask.nowMs, fault })
      })
    }
    app.use(`/${host}`, router)
  }
  app.get(videoPath, (request, response) => sendVideo(state, request, response))
  app.use((_request: Request, response: Response) => {
    response.status(404).type('html').send('<!doctype html><title>404</title>There is no such address in the sandbox.')
  })
  return app
}

async function readAsk(state: SandboxState, host: string, request: Request): Promise<Ask> {
  const contentType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const bytes = await readBody(request)
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.params)) if (typeof value === 'string') params[name] = value
  const query = request.originalUrl.indexOf('?')
  return {
    method: request.method,
    path: request.path,
    params,
    query: new URLSearchParams(query < 0 ? '' : request.originalUrl.slice(query + 1)),
    form: await formOf(bytes, contentType, request.headers['content-type'] ?? ''),
    body: bytes.toString('utf8'),
    contentType,
    header(name) {
      const value = request.headers[name]
      return typeof value === 'string' ? value : null
    },
    nowMs: state.clock.nowMs(),
    baseUrl: `http://${request.headers.host}/${host}`,
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (request.method === 'GET') return Buffer.alloc(0)
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) {
    request.destroy()
    return Buffer.alloc(0)
  }
  return await buffer(request)
}

async function formOf(bytes: Buffer, contentType: string, header: string): Promise<URLSearchParams> {
  if (contentType === 'application/x-www-form-urlencoded') return new URLSearchParams(bytes.toString('utf8'))
  if (contentType !== 'multipart/form-data') return new URLSearchParams()
  const data = await new globalThis.Response(new Uint8Array(bytes), { headers: { 'content-type': header } })
    .formData()
    .catch(() => new FormData())
  const form = new URLSearchParams()
  for (const [name, value] of data.entries()) if (typeof value === 'string') form.append(name, value)
  return form
}

/** Answers, broken or not. @returns the fault that struck */
async function serve(
  state: SandboxState,
  one: { endpoint: Endpoint; ask: Ask; response: Response; lastSent: Map<string, Answer> },
): Promise<Fault['kind'] | null> {
  const { endpoint, ask, response, lastSent } = one
  const refusal = attempt(() => endpoint.admit?.(ask) ?? null)
  if (refusal !== null) {
    send(response, refusal)
    return null
  }
  const fault = endpoint.shape === 'page' ? null : state.faults.next(endpoint.name)
  if (fault?.kind === 'reset') {
    response.destroy()
    return fault.kind
  }
  if (fault?.kind === 'latency') await delay(fault.ms)
  const instead = fault === null ? null : inPlaceOf(endpoint.shape, fault)
  const made = instead ?? attempt(() => endpoint.handle(ask)) ?? { status: 204 }
  const whose = `${endpoint.name} ${ask.header('authorization') ?? ask.query.get('key') ?? ask.query.get('access_token')}`
  const before = lastSent.get(whose)
  if (made.status === 200) lastSent.set(whose, made)
  const answer = fault === null ? made : changed(made, before ?? made, fault)
  if (fault?.kind === 'cut') cut(response, answer)
  else send(response, answer)
  return fault?.kind ?? null
}

function attempt(work: () => Answer | null | undefined): Answer | null {
  try {
    return work() ?? null
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

/** The answer of a fault under which nothing is done. */
function inPlaceOf(shape: Shape, fault: Fault): Answer | null {
  switch (fault.kind) {
    case 'status': {
      const name = failureName[shape]
      if (fault.html || name === null)
        return { status: fault.status, html: '<html><title>Error</title>Server Error</html>' }
      return { ...refusalOf(shape, name), status: fault.status }
    }
    case 'rate': {
      const name = rateName[shape]
      const answer = name === null ? { json: { error: 'rate_limited' } } : refusalOf(shape, name)
      const headers: Record<string, string> = fault.retryAfter === null ? {} : { 'retry-after': fault.retryAfter }
      return { ...answer, status: 429, headers }
    }
    case 'error': {
      const answer = refusalOf(shape, fault.name)
      return fault.status === undefined ? answer : { ...answer, status: fault.status }
    }
    default:
      return null
  }
}

/** A good answer made bad. */
function changed(answer: Answer, before: Answer, fault: Fault): Answer {
  switch (fault.kind) {
    case 'truncate': {
      const text = bodyOf(answer)
      return {
        status: answer.status,
        headers: { ...answer.headers, 'content-type': 'application/json' },
        text: text.slice(0, text.length / 2),
      }
    }
    case 'duplicate':
      return before
    case 'counters':
      return { ...answer, json: withCounters(answer.json, value => String(Math.floor(value * fault.factor))) }
    case 'odd':
      return { ...answer, json: withCounters(answer.json, () => fault.value) }
    case 'empty':
      return { ...answer, json: emptied(answer.json) }
    default:
      return answer
  }
}

const counterName = /(Count|_count|^value|^views)$/

/** Another text in the place of every counter; a number where there was one. */
function withCounters(json: unknown, change: (value: number) => string): unknown {
  if (Array.isArray(json)) return json.map(one => withCounters(one, change))
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      if (!counterName.test(name)) return [name, withCounters(value, change)]
      if (typeof value === 'number') return [name, Number(change(value))]
      return [name, typeof value === 'string' && /^\d+$/.test(value) ? change(Number(value)) : value]
    }),
  )
}

/** Every list in it without what it holds. */
function emptied(json: unknown): unknown {
  if (Array.isArray(json)) return []
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, emptied(value)]))
}

function bodyOf({ json, text, html }: Answer): string {
  return json === undefined ? (text ?? html ?? '') : JSON.stringify(json)
}

function send(response: Response, answer: Answer): void {
  response.status(answer.status).set({ ...answer.headers })
  const type =
    answer.json !== undefined
      ? 'application/json; charset=UTF-8'
      : answer.html !== undefined
        ? 'text/html; charset=utf-8'
        : null
  if (type !== null) response.setHeader('content-type', type)
  else if (answer.text && !response.hasHeader('content-type')) response.setHeader('content-type', 'application/json')
  response.end(bodyOf(answer))
}

/** Promises the whole and sends half of it. */
function cut(response: Response, answer: Answer): void {
  const bytes = Buffer.from(bodyOf(answer))
  response.status(answer.status).set({ 'content-type': 'application/json', 'content-length': String(bytes.length) })
  response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy())
}
