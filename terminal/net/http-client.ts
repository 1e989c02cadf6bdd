import { z } from 'zod'
import { clean, cleanDeep } from '../text/clean.ts'
import { type AccessTokens, SignInRequired } from './access-token.ts'

/** What the terminal asks of the server beside live queries. Failures are sentences, never throws. */
export interface HttpClient {
  /** The server's http address, without a slash at the end. */
  readonly base: string
  get(path: string, query: Readonly<Record<string, string>>): Promise<HttpResult>
  /** Posts JSON to a path under the server's address. */
  post(path: string, body: JsonBody): Promise<HttpResult>
  delete(path: string): Promise<HttpResult>
  /** Like `get` and `post`, for addresses that take no token. */
  readonly open: {
    get(path: string, query: Readonly<Record<string, string>>): Promise<HttpResult>
    post(path: string, body: JsonBody): Promise<HttpResult>
  }
}
export type JsonBody = Readonly<Record<string, unknown>>

/** `status` is 0 where the server gave no answer; `code` is that of the error, or '' where it named none. */
export type HttpResult = { ok: true; body: unknown } | { ok: false; message: string; status: number; code: string }

const ErrorBodySchema = z.object({ error: z.object({ code: z.string().catch(''), message: z.string() }) })
const timeoutMs = 15_000

/**
 * Speaks to the server at `url` (its http address, or that of its live channel). A token that the server refuses is renewed
 * once, and the request sent again. `tokens` null: nothing but the open addresses can be asked.
 */
export function createHttpClient(options: { url: string; tokens: AccessTokens | null }): HttpClient {
  const base = httpAddress(options.url)
  const { tokens } = options

  async function askWithToken(address: string, init: RequestInit, mayRenew = true): Promise<HttpResult> {
    if (tokens === null) return failure('Sign in first.', 401, 'AUTH_REQUIRED')
    let token: string
    try {
      token = await tokens.get()
    } catch (error) {
      return tokenFailure(error)
    }
    const result = await ask(address, init, token)
    if (result.ok || result.status !== 401) return result
    tokens.refuse(token)
    return mayRenew ? await askWithToken(address, init, false) : result
  }

  return {
    base,
    get: (path, query) => askWithToken(addressOf(base, path, query), { method: 'GET' }),
    post: (path, body) => askWithToken(`${base}${path}`, posting(body)),
    delete: path => askWithToken(`${base}${path}`, { method: 'DELETE' }),
    open: {
      get: (path, query) => ask(addressOf(base, path, query), { method: 'GET' }, null),
      post: (path, body) => ask(`${base}${path}`, posting(body), null),
    },
  }
}

async function ask(address: string, init: RequestInit, token: string | null): Promise<HttpResult> {
  try {
    const response = await fetch(address, {
      ...init,
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    const body: unknown = text === '' ? null : cleanDeep(JSON.parse(text))
    if (response.ok) return { ok: true, body }
    const parsed = ErrorBodySchema.safeParse(body)
    return parsed.success
      ? failure(parsed.data.error.message, response.status, parsed.data.error.code)
      : failure(`The server answered ${response.status}.`, response.status)
  } catch (error) {
    const reason = error instanceof Error && error.name === 'TimeoutError' ? 'it took too long' : 'it cannot be reached'
    return failure(`The server did not answer: ${reason}.`)
  }
}

/** Why there was no token. */
function tokenFailure(error: unknown): HttpResult {
  const message = error instanceof Error ? error.message : 'The access token could not be had.'
  return error instanceof SignInRequired ? failure(message, 401, 'AUTH_REQUIRED') : failure(message)
}

function failure(message: string, status = 0, code = ''): HttpResult {
  return { ok: false, message: clean(message), status, code }
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
