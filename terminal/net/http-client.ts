import { z } from 'zod'
import { clean, cleanDeep } from '../text/clean.ts'
import { type AccessTokens, SignInRequired } from './access-token.ts'

/** What the terminal asks of the server beside live queries. Failures are sentences, never throws. */
export interface HttpClient {
  /** The server's http address, without a slash at the end. */
  readonly base: string
  get(path: string, query: Readonly<Record<string, string>>, options?: ReadOptions): Promise<HttpResult>
  /** Posts JSON to a path under the server's address. */
  post(path: string, body: JsonBody, options?: ReadOptions): Promise<HttpResult>
  patch(path: string, body: JsonBody): Promise<HttpResult>
  /** Puts JSON in the place of what has this entity tag; another one by now is refused with 412. */
  put(path: string, body: JsonBody, entityTag: string, options?: ReadOptions): Promise<HttpResult>
  delete(path: string): Promise<HttpResult>
  /** An answer of raw bytes, piece by piece as they come; `signal` ends it. Reading the pieces may throw. */
  bytes(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpBytes>
  /** The same of an answer to posted JSON. */
  stream(path: string, body: JsonBody, signal: AbortSignal): Promise<HttpBytes>
  /** Like `get` and `post`, for addresses that take no token. */
  readonly open: {
    get(path: string, query: Readonly<Record<string, string>>): Promise<HttpResult>
    post(path: string, body: JsonBody): Promise<HttpResult>
    /** As `bytes` above, of a whole address, which may be another server's. */
    bytes(address: string, signal: AbortSignal): Promise<HttpBytes>
  }
}
export type JsonBody = Readonly<Record<string, unknown>>
export interface ReadOptions {
  /** Fields of the answer whose texts keep their lines, e.g. `sql`; all others come as one line. */
  lineFields?: readonly string[]
  /** For work that takes the server longer than an answer should. */
  timeoutMs?: number
  /** Gives the question up. */
  signal?: AbortSignal
}

/** `status` is 0 where the server gave no answer; `code` is that of the error, or '' where it named none, as are `details`. */
export type HttpResult = { ok: true; body: unknown } | HttpFailure
export interface HttpFailure {
  ok: false
  message: string
  status: number
  code: string
  details?: unknown
}

export type HttpBytes = { ok: true; pieces: AsyncIterable<Uint8Array> } | HttpFailure

const ErrorBodySchema = z.object({
  error: z.object({ code: z.string().catch(''), message: z.string(), details: z.unknown().optional() }),
})
const timeoutMs = 15_000

/**
 * Speaks to the server at `url` (its http address, or that of its live channel). A token that the server refuses is renewed
 * once, and the request sent again. `tokens` null: nothing but the open addresses can be asked.
 */
export function createHttpClient(options: { url: string; tokens: AccessTokens | null }): HttpClient {
  const base = httpAddress(options.url)
  const { tokens } = options

  /** Asks with the session's token, and with a new one when the server refuses that. */
  async function withToken<T extends { ok: true }>(
    asking: (token: string) => Promise<T | HttpFailure>,
    mayRenew = true,
  ): Promise<T | HttpFailure> {
    if (tokens === null) return failure('Sign in first.', 401, { code: 'AUTH_REQUIRED' })
    let token: string
    try {
      token = await tokens.get()
    } catch (error) {
      return tokenFailure(error)
    }
    const result = await asking(token)
    if (result.ok || result.status !== 401) return result
    tokens.refuse(token)
    return mayRenew ? await withToken(asking, false) : result
  }
  const askWithToken = (address: string, init: RequestInit, options?: ReadOptions) =>
    withToken(token => ask(address, init, { token, ...options }))

  return {
    base,
    get: (path, query, options) => askWithToken(addressOf(base, path, query), { method: 'GET' }, options),
    post: (path, body, options) => askWithToken(`${base}${path}`, posting(body), options),
    patch: (path, body) => askWithToken(`${base}${path}`, { ...posting(body), method: 'PATCH' }),
    put: (path, body, entityTag, options) =>
      askWithToken(`${base}${path}`, { ...posting(body), method: 'PUT', headers: { 'if-match': entityTag } }, options),
    delete: path => askWithToken(`${base}${path}`, { method: 'DELETE' }),
    bytes: (path, query, signal) =>
      withToken(token => askForBytes(addressOf(base, path, query), { method: 'GET' }, { token, signal })),
    stream: (path, body, signal) => withToken(token => askForBytes(`${base}${path}`, posting(body), { token, signal })),
    open: {
      get: (path, query) => ask(addressOf(base, path, query), { method: 'GET' }, { token: null }),
      post: (path, body) => ask(`${base}${path}`, posting(body), { token: null }),
      bytes: (address, signal) => askForBytes(address, { method: 'GET' }, { token: null, signal }),
    },
  }
}

async function ask(
  address: string,
  init: RequestInit,
  { token, lineFields, signal, timeoutMs: ms = timeoutMs }: ReadOptions & { token: string | null },
): Promise<{ ok: true; body: unknown } | HttpFailure> {
  try {
    const timeout = AbortSignal.timeout(ms)
    const response = await send(address, init, { token, signal: signal ? AbortSignal.any([signal, timeout]) : timeout })
    return readAnswer(response, await response.text(), lineFields)
  } catch (error) {
    return noAnswer(error)
  }
}

/** However long it takes: whoever asked may go away. */
async function askForBytes(
  address: string,
  init: RequestInit,
  as: { token: string | null; signal: AbortSignal },
): Promise<{ ok: true; pieces: AsyncIterable<Uint8Array> } | HttpFailure> {
  try {
    const response = await send(address, init, as)
    if (response.ok && response.body !== null) return { ok: true, pieces: response.body }
    const refused = readAnswer(response, await response.text())
    return refused.ok ? failure('The server answered without bytes.', response.status) : refused
  } catch (error) {
    return noAnswer(error)
  }
}

async function send(
  address: string,
  init: RequestInit,
  { token, signal }: { token: string | null; signal: AbortSignal },
): Promise<Response> {
  return await fetch(address, {
    ...init,
    headers: {
      ...Object.fromEntries(new Headers(init.headers)),
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    // A token must not follow to wherever an answer points.
    redirect: 'manual',
    signal,
  })
}

function noAnswer(error: unknown): HttpFailure {
  const reason = error instanceof Error && error.name === 'TimeoutError' ? 'it took too long' : 'it cannot be reached'
  return failure(`The server did not answer: ${reason}.`)
}

function readAnswer(
  response: Response,
  text: string,
  lineFields?: readonly string[],
): { ok: true; body: unknown } | HttpFailure {
  const { status } = response
  if (status >= 300 && status < 400) {
    const elsewhere = response.headers.get('location') ?? 'another address'
    return failure(`This server has moved to ${elsewhere}: open the terminal with that address.`, status)
  }
  const body = parseJson(text)
  if (response.ok && body !== undefined) return { ok: true, body: cleanDeep(body, lineFields) }
  const said = ErrorBodySchema.safeParse(body)
  if (said.success) return failure(said.data.error.message, status, said.data.error)
  return failure(`The server answered ${status}, but not what was asked for.`, status)
}

/** Undefined for what is no JSON; null for an empty body. */
function parseJson(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Why there was no token. */
function tokenFailure(error: unknown): HttpFailure {
  const message = error instanceof Error ? error.message : 'The access token could not be had.'
  return error instanceof SignInRequired ? failure(message, 401, { code: 'AUTH_REQUIRED' }) : failure(message)
}

function failure(message: string, status = 0, said: { code: string; details?: unknown } = { code: '' }): HttpFailure {
  const { code, details } = said
  return { ok: false, message: clean(message), status, code, ...(details === undefined ? {} : { details }) }
}

function posting(body: JsonBody): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) }
}

function addressOf(base: string, path: string, query: Readonly<Record<string, string>>): string {
  const search = new URLSearchParams(query).toString()
  return search === '' ? `${base}${path}` : `${base}${path}?${search}`
}

/** `ws://host/ws` → `http://host`; without a slash at the end. */
function httpAddress(url: string): string {
  const address = new URL(url)
  if (address.protocol === 'ws:' || address.protocol === 'wss:') {
    address.protocol = address.protocol === 'wss:' ? 'https:' : 'http:'
    address.pathname = address.pathname.replace(/\/ws$/, '')
  }
  return `${address.origin}${address.pathname}`.replace(/\/$/, '')
}
