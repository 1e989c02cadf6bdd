import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LoopbackListener, SessionStore, StoredSession } from '../terminal/net/account.ts'
import { type Account, createAccount } from '../terminal/net/account.ts'

// A server's HTTP side for the terminal's tests, that answers as the test says, and an account on it whose session is kept in
// memory.

/** One request as it came. */
export interface Asked {
  method: string
  path: string
  query: Readonly<Record<string, string>>
  token: string | null
  body: unknown
}

/** A status and a body, as JSON or of raw bytes; a body alone is a 200. */
export interface Reply {
  status?: number
  body: unknown
  location?: string
}

export interface HttpRig {
  url: string
  /** Every request, in order. */
  asked: Asked[]
  /** By `METHOD /path`; what is not here is a 404. */
  replies: Record<string, Reply | ((asked: Asked) => Reply | Promise<Reply>)>
  /** The requests of one address. */
  askedFor(address: string): Asked[]
  close(): Promise<void>
}

/** Starts a server that knows `replies`. */
export async function openHttpRig(replies: HttpRig['replies']): Promise<HttpRig> {
  const asked: Asked[] = []
  const http = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://rig')
    const one: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      token: request.headers.authorization?.replace('Bearer ', '') ?? null,
      body: await bodyOf(request),
    }
    asked.push(one)
    const reply = rig.replies[`${one.method} ${one.path}`] ?? refusal(404, 'NOT_FOUND', 'There is nothing here.')
    const { status = 200, body, location } = typeof reply === 'function' ? await reply(one) : reply
    response.statusCode = status
    if (location !== undefined) response.setHeader('location', location)
    response.end(body === null ? '' : body instanceof Uint8Array ? body : JSON.stringify(body))
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const rig: HttpRig = {
    url: `http://127.0.0.1:${port}`,
    asked,
    replies,
    askedFor: address => asked.filter(one => `${one.method} ${one.path}` === address),
    async close() {
      http.closeAllConnections()
      await new Promise(resolve => http.close(resolve))
    },
  }
  return rig
}

/** An answer in the form of every refusal. */
export function refusal(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message, requestId: 'rig' } } }
}

/** The answer to signing in. */
export function sessionReply(email: string, number = 1): Reply {
  return {
    body: {
      access_token: `access ${number}`,
      refresh_token: `refresh ${number}`,
      token_type: 'Bearer',
      expires_in: 900,
      user: { id: '018f0000-0000-7000-8000-00000000000a', email },
    },
  }
}

/** Keeps a session in memory. */
export function memorySessionStore(stored: StoredSession | null = null): SessionStore & { kept: StoredSession | null } {
  let last: Promise<unknown> = Promise.resolve()
  const store = {
    kept: stored,
    load: async () => store.kept,
    async save(session: StoredSession) {
      store.kept = session
    },
    async clear() {
      store.kept = null
    },
    exclusively<T>(work: () => Promise<T>): Promise<T> {
      const done = last.then(work)
      last = done.catch(() => {})
      return done
    },
  }
  return store
}

export interface AccountRig {
  account: Account
  store: ReturnType<typeof memorySessionStore>
  /** What the browser was asked to open. */
  opened: string[]
  /** Comes back from the browser with these parameters. */
  redirect(query: Readonly<Record<string, string>>): void
}

/** An account on the server at `url`; `hasBrowser` false is a shell over SSH. */
export function openAccountRig(
  url: string,
  options: { stored?: StoredSession; hasBrowser?: boolean } = {},
): AccountRig {
  const store = memorySessionStore(options.stored ?? null)
  const opened: string[] = []
  let redirected = Promise.withResolvers<URLSearchParams>()
  const listener: LoopbackListener = {
    redirectUri: 'http://127.0.0.1:65000/signed-in',
    get redirected() {
      return redirected.promise
    },
    close: () => redirected.reject(new Error('The listener was closed.')),
  }
  const account = createAccount({
    url,
    store,
    browser: {
      async open(address) {
        opened.push(address)
        return options.hasBrowser ?? true
      },
      async listen() {
        redirected = Promise.withResolvers<URLSearchParams>()
        redirected.promise.catch(() => {})
        return listener
      },
    },
  })
  return { account, store, opened, redirect: query => redirected.resolve(new URLSearchParams(query)) }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text === '' ? null : JSON.parse(text)
}
