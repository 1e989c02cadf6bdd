import { type Session, SessionSchema } from '../../contracts/accounts.ts'
import { SignInRequired, type TokenSource } from './access-token.ts'
import { startGoogleSignIn } from './google-sign-in.ts'
import { createHttpClient, type HttpClient, type HttpResult, type JsonBody } from './http-client.ts'

// Who is signed in to a remote server. The access token lives in memory and ends soon; the refresh token is kept by the
// store, is good once, and each refresh brings the next one. One that is used twice looks stolen to the server, so only one
// refresh runs at a time, also among the terminals of one user on one machine: each reads what the last one wrote.

/** What is kept between runs. */
export interface StoredSession {
  refreshToken: string
  email: string
}

/** Keeps one server's session: a keychain or a file. */
export interface SessionStore {
  /** Null when there is none. */
  load(): Promise<StoredSession | null>
  save(session: StoredSession): Promise<void>
  clear(): Promise<void>
  /** Runs the work while no other terminal of this user runs its own. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
}

/** The system's browser and a way back from it, where there is one. */
export interface BrowserPort {
  /** Opens an address; false when there is no browser here (over SSH, without a screen). */
  open(url: string): Promise<boolean>
  /** Listens on the loopback for one redirect. */
  listen(): Promise<LoopbackListener>
}

export interface LoopbackListener {
  /** `http://127.0.0.1:<port>/…` */
  redirectUri: string
  /** The query of the redirect; rejects when the listener was closed before. */
  redirected: Promise<URLSearchParams>
  close(): void
}

/** `unknown` until the first token was asked for. `message` says why nobody is signed in. */
export type AccountState =
  | { status: 'unknown' }
  | { status: 'signedIn'; email: string }
  | { status: 'signedOut'; message: string }

/** A sign-in through Google that is under way. */
export interface GoogleAttempt {
  /** What the browser has to open. */
  url: string
  /** Whether a browser was opened with it. */
  isBrowserOpen: boolean
  /** Resolves when the browser has come back and the server has answered. */
  done: Promise<HttpResult>
  /** Takes the address that a browser elsewhere ended on. */
  paste(address: string): string | null
  cancel(): void
}

/** Signs in to a server, keeps the session alive, signs out. Failures are results with a sentence, never throws, but for `token`. */
export interface Account {
  readonly state: AccountState
  /** Is told after every change of the state. Returns what ends it. */
  subscribe(listener: () => void): () => void
  /** A fresh access token. @throws SignInRequired, or an Error with a sentence when the server cannot be asked */
  readonly token: TokenSource
  signIn(credentials: { email: string; password: string }): Promise<HttpResult>
  register(credentials: { email: string; password: string }): Promise<HttpResult>
  /** Asks for a mail with a link that sets another password. */
  forgotPassword(email: string): Promise<HttpResult>
  google(clientId: string): Promise<GoogleAttempt>
  signOut(): Promise<void>
}

export interface AccountOptions {
  /** The server's address. */
  url: string
  store: SessionStore
  browser: BrowserPort
}

const signInText = 'Sign in to use this server.'
const endedText = 'Your session has ended: sign in again.'

/** The account of this user on one server. */
export function createAccount({ url, store, browser }: AccountOptions): Account {
  const http: HttpClient['open'] = createHttpClient({ url, tokens: null }).open
  const listeners = new Set<() => void>()
  let state: AccountState = { status: 'unknown' }
  /** An access token that nobody has been given yet: signing in brings one. */
  let fresh: string | null = null
  /** The one in use, which signing out ends. */
  let current: string | null = null

  const setState = (next: AccountState) => {
    state = next
    for (const listener of listeners) listener()
  }

  async function take(session: Session): Promise<void> {
    await store.exclusively(() => store.save({ refreshToken: session.refresh_token, email: session.user.email }))
    fresh = session.access_token
    current = session.access_token
    setState({ status: 'signedIn', email: session.user.email })
  }

  /** Asks for a session, and is signed in when the answer holds one. */
  async function enter(path: string, body: JsonBody): Promise<HttpResult> {
    const result = await http.post(path, body)
    if (!result.ok) return result
    const session = SessionSchema.safeParse(result.body)
    if (!session.success) return notUnderstood
    await take(session.data)
    return { ok: true, body: null }
  }

  async function refresh(): Promise<string> {
    const stored = await store.load()
    if (stored === null) return signedOut(signInText)
    const result = await http.post('/api/auth/refresh', { refresh_token: stored.refreshToken })
    if (!result.ok) {
      if (result.status !== 401 && result.status !== 400) throw new Error(result.message)
      await store.clear()
      return signedOut(endedText)
    }
    const session = SessionSchema.safeParse(result.body)
    if (!session.success) throw new Error(notUnderstood.message)
    await store.save({ refreshToken: session.data.refresh_token, email: session.data.user.email })
    current = session.data.access_token
    if (state.status !== 'signedIn') setState({ status: 'signedIn', email: session.data.user.email })
    return session.data.access_token
  }

  function signedOut(message: string): never {
    current = null
    // The reason of an earlier end is better than that nobody has signed in since.
    if (state.status !== 'signedOut') setState({ status: 'signedOut', message })
    throw new SignInRequired(message)
  }

  return {
    get state() {
      return state
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async token() {
      const given = fresh
      fresh = null
      return given ?? (await store.exclusively(refresh))
    },
    signIn: credentials => enter('/api/auth/login', credentials),
    register: credentials => enter('/api/auth/register', credentials),
    forgotPassword: email => http.post('/api/auth/password/forgot', { email }),
    google: clientId =>
      startGoogleSignIn({ clientId, browser, exchange: body => enter('/api/auth/google/exchange', body) }),
    async signOut() {
      const ending = current
      await store.exclusively(() => store.clear())
      fresh = null
      current = null
      setState({ status: 'signedOut', message: 'You have signed out.' })
      if (ending === null) return
      // Here it is over already; a server that cannot be reached lets the session run out.
      const tokens = { get: async () => ending, refuse() {}, forget() {} }
      await createHttpClient({ url, tokens }).post('/api/auth/logout', {})
    },
  }
}

const notUnderstood = {
  ok: false,
  message: "The server's answer was not understood: it may run another version.",
  status: 0,
  code: '',
} as const
