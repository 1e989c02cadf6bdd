import { z } from 'zod'
import { clean, cleanDeep } from '../text/clean.ts'

/** What the terminal asks of the server beside live queries. Failures are sentences, never throws. */
export interface HttpClient {
  /** Posts JSON to a path under the server's address. */
  post(path: string, body: Readonly<Record<string, unknown>>): Promise<HttpResult>
  get(path: string, query: Readonly<Record<string, string>>): Promise<HttpResult>
}
export type HttpResult = { ok: true; body: unknown } | { ok: false; message: string }

const ErrorBodySchema = z.object({ error: z.object({ message: z.string() }) })
const timeoutMs = 15_000

/** Speaks to the server at `url` (its http address, or that of its live channel) with the session's token. */
export function createHttpClient(options: { url: string; token: string }): HttpClient {
  const base = httpAddress(options.url)
  const ask = async (address: string, init: RequestInit): Promise<HttpResult> => {
    try {
      const response = await fetch(address, {
        ...init,
        headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = await response.text()
      const body: unknown = text === '' ? null : cleanDeep(JSON.parse(text))
      if (response.ok) return { ok: true, body }
      const parsed = ErrorBodySchema.safeParse(body)
      const said = parsed.success ? parsed.data.error.message : `The server answered ${response.status}.`
      return { ok: false, message: said }
    } catch (error) {
      const reason =
        error instanceof Error && error.name === 'TimeoutError' ? 'it took too long' : 'it cannot be reached'
      return { ok: false, message: clean(`The server did not answer: ${reason}.`) }
    }
  }
  return {
    post: (path, body) => ask(`${base}${path}`, { method: 'POST', body: JSON.stringify(body) }),
    get: (path, query) => ask(`${base}${path}?${new URLSearchParams(query)}`, { method: 'GET' }),
  }
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
