import { once } from 'node:events'
import { createServer } from 'node:http'
import { text as bodyOf } from 'node:stream/consumers'
import { manualClock } from '../core/clock.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import type { ClientDeps } from './http.ts'

/** An answer that the scripted host gives. */
export interface ScriptedAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** In place of `json`, as it is. */
  readonly text?: string
}

/** A request as it came. */
export interface ScriptedRequest {
  readonly method: string
  /** The first part says which host was meant, by its name in `PlatformUrls`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly form: Readonly<Record<string, string>>
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** For tests: a server that stands for all platforms and says what it is told, one answer a request, in order. */
export async function scriptedHost(nowMs = Date.UTC(2026, 10, 21, 12)) {
  const answers: ScriptedAnswer[] = []
  const requests: ScriptedRequest[] = []
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const body = await bodyOf(request)
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded'
    requests.push({
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      form: isForm ? Object.fromEntries(new URLSearchParams(body)) : {},
      body,
      headers: request.headers,
    })
    const { status = 200, headers = {}, json, text } = answers.shift() ?? { status: 500, text: 'nothing scripted' }
    response.writeHead(status, headers).end(json === undefined ? text : JSON.stringify(json))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.')
  const base = `http://127.0.0.1:${address.port}`
  const outbound = openOutbound({ configuredOrigins: [base] })
  const clock = manualClock(nowMs)
  const deps: ClientDeps = {
    outbound,
    clock,
    urls: {
      googleAuthorize: `${base}/googleAuthorize`,
      googleToken: `${base}/googleToken`,
      youtubeData: `${base}/youtubeData`,
      youtubeAnalytics: `${base}/youtubeAnalytics`,
      tiktokAuthorize: `${base}/tiktokAuthorize`,
      tiktokApi: `${base}/tiktokApi`,
      instagramAuthorize: `${base}/instagramAuthorize`,
      instagramToken: `${base}/instagramToken`,
      instagramGraph: `${base}/instagramGraph`,
      facebookAuthorize: `${base}/facebookAuthorize`,
      facebookGraph: `${base}/facebookGraph`,
      graphVersion: 'v25.0',
    },
  }
  return {
    deps,
    clock,
    nowMs,
    requests,
    /** What the next requests are answered with. Whatever waited before is forgotten. */
    script(...next: ScriptedAnswer[]) {
      answers.splice(0, answers.length, ...next)
      requests.length = 0
    },
    async close() {
      await outbound.close()
      server.closeAllConnections()
      server.close()
    },
  }
}
