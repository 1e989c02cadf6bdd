import { Agent, request as httpRequest } from 'node:http'

export interface RawRequest {
  readonly method: string
  /** As it goes over the wire: nothing is resolved or encoded on the way. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | null
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** A client that sends requests as they are; `fetch` would tidy `..` and the like away first. */
export interface RawClient {
  /** Rejects when nothing came for ten seconds: a long answer may take longer than that. */
  send(request: RawRequest): Promise<RawAnswer>
  close(): void
}

const silentMsMax = 10_000

export function rawClient(port: number): RawClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  return {
    send: ({ method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }
        const options = { host: '127.0.0.1', port, method, path, agent, headers: { ...headers, ...length } }
        const late = setTimeout(() => request.destroy(new Error(`Nothing came for ${silentMsMax} ms.`)), silentMsMax)
        const request = httpRequest(options, response => {
          const chunks: Buffer[] = []
          response.on('data', chunk => {
            late.refresh()
            chunks.push(chunk)
          })
          response.on('error', reject)
          response.on('end', () => {
            clearTimeout(late)
            const headers = new Headers()
            for (const [name, value] of Object.entries(response.headersDistinct)) {
              for (const one of value ?? []) headers.append(name, one)
            }
            resolve({ status: response.statusCode ?? 0, headers, text: Buffer.concat(chunks).toString('utf8') })
          })
        })
        request.on('error', error => {
          clearTimeout(late)
          reject(error)
        })
        request.end(body ?? undefined)
      }),
    close: () => agent.destroy(),
  }
}
