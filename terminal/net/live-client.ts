import { LiveSqlRowSchema, type QueryColumn } from '../../contracts/queries.ts'
import {
  applyPatch,
  type ClientMessage,
  type KeyedRow,
  type LiveQueryName,
  liveQueries,
  protocolVersion,
  type ServerMessage,
  ServerMessageSchema,
} from '../../contracts/ws.ts'
import type { SetTimer } from '../keys/decoder.ts'
import {
  type AnyLiveQuery,
  type LiveQuery,
  type LiveSnapshot,
  type LiveState,
  type LiveStatus,
  liveQueryKey,
  type SqlLiveQuery,
  type SqlSnapshot,
} from '../state/live-data.ts'
import { clean, cleanDeep } from '../text/clean.ts'
import { type AccessTokens, SignInRequired } from './access-token.ts'
import type { Connect, Transport } from './transport.ts'

// The terminal's end of protocol 1. The session says which queries it wants (`want`); this keeps one subscription for each
// of them, applies patches, and reconnects by itself: rows stay on the screen meanwhile, marked as not live. After a cut it
// asks to resume; what the server cannot resume is subscribed anew and comes as a snapshot. A hole in the sequence of
// patches is treated the same way, so rows are never built on a patch that was missed.
// A token that the server refuses is renewed once at once; without anybody signed in there is no attempt until `retryNow`.
// Every row is checked against the query's schema and cleaned of control characters here, once.

/**
 * How the connection is. `silent`: open, but nothing was heard for a while. `signedOut`: nobody is signed in, so there is no
 * attempt until `retryNow`.
 */
export interface Connection {
  status: 'connecting' | 'open' | 'silent' | 'closed' | 'signedOut'
  /** Why it is not open, as a sentence. */
  message: string
  /** When the next attempt starts, epoch milliseconds; null when none is due. */
  retryAtMs: number | null
}

export interface LiveClientDeps {
  connect: Connect
  tokens: AccessTokens
  setTimer: SetTimer
  nowMs: () => number
  /** A number in [0, 1), to spread reconnecting clients. */
  random: () => number
}

const pingEveryMs = 5_000
const silentAfterMs = 12_000
const giveUpAfterMs = 30_000
const retryMsMin = 250
const retryMsMax = 10_000

interface Snapshot extends LiveState {
  rows: readonly KeyedRow[]
  columns: readonly QueryColumn[]
}

interface Subscription {
  id: string
  query: AnyLiveQuery
  seq: number | null
  rows: KeyedRow[]
  /** Of SQL; empty for queries of the protocol, whose rows name their fields. */
  columns: readonly QueryColumn[]
  asOf: string | null
  error: string | null
  changedAtMs: Map<string, number>
  /** What `read` hands out until something changes. */
  snapshot: Snapshot | null
  statusSinceMs: number
  status: LiveStatus
}

/** Keeps live queries up to date. `onChange` is told after every change, with no coalescing of its own. */
export class LiveClient {
  readonly #deps: LiveClientDeps
  readonly #onChange: () => void
  readonly #onEvent: (topic: string, payload: unknown) => void
  readonly #subscriptions = new Map<string, Subscription>()
  #transport: Transport | null = null
  #isWelcome = false
  #sessionId: string | null = null
  #nextId = 1
  #attempt = 0
  #heardAtMs = 0
  #connection: Connection = { status: 'connecting', message: 'Connecting to the server.', retryAtMs: null }
  #lastError: string | null = null
  /** The server refused the token of this connection. */
  #isRefused = false
  #token = ''
  /** The connection before was refused too: another token will not help at once. */
  #wasRefused = false
  #stopRetry: (() => void) | null = null
  #stopPing: (() => void) | null = null
  #endAttempt = () => {}
  #isClosed = false

  /** @param onEvent hears of what happened on the server, cleaned of control characters */
  constructor(
    deps: LiveClientDeps,
    onChange: () => void,
    onEvent: (topic: string, payload: unknown) => void = () => {},
  ) {
    this.#deps = deps
    this.#onChange = onChange
    this.#onEvent = onEvent
  }

  /** Starts the first connection. */
  open(): void {
    this.#start()
  }

  /** Ends the connection for good. */
  close(): void {
    this.#isClosed = true
    this.#drop()
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Subscribes to exactly these queries: new ones start, others end. */
  want(queries: readonly AnyLiveQuery[]): void {
    const wanted = new Map(queries.map(query => [liveQueryKey(query), query]))
    for (const [key, subscription] of this.#subscriptions) {
      if (wanted.has(key)) continue
      this.#subscriptions.delete(key)
      if (this.#isWelcome) this.#send({ type: 'unsubscribe', id: subscription.id })
    }
    for (const [key, query] of wanted) {
      if (this.#subscriptions.has(key)) continue
      const subscription = this.#newSubscription(query)
      this.#subscriptions.set(key, subscription)
      if (this.#isWelcome) this.#subscribe(subscription)
    }
  }

  /** What is known of a query now; the same object until something changes. */
  read<N extends LiveQueryName>(query: LiveQuery<N>): LiveSnapshot<N> {
    // The subscription is found by the query's name, and `#parseRows` checked its rows against that name's schema.
    return this.#snapshotOf(query) as unknown as LiveSnapshot<N>
  }

  /** The same for SQL. */
  readSql(query: SqlLiveQuery): SqlSnapshot {
    // `#parseRows` checked the rows of what is no query of the protocol against the schema of SQL.
    return this.#snapshotOf(query) as unknown as SqlSnapshot
  }

  /** For those who only want to know whether something has changed. */
  readAny(query: AnyLiveQuery): LiveState {
    return this.#snapshotOf(query)
  }

  /** Tries to connect now instead of waiting for the next attempt. */
  retryNow(): void {
    const { status } = this.#connection
    if ((status === 'closed' || status === 'signedOut') && !this.#isClosed) this.#start()
  }

  /** Ends the connection because nobody is signed in any more; `retryNow` starts another one. */
  disconnect(message: string): void {
    this.#drop()
    this.#sessionId = null
    this.#setConnection({ status: 'signedOut', message, retryAtMs: null })
  }

  #snapshotOf(query: AnyLiveQuery): Snapshot {
    const subscription = this.#subscriptions.get(liveQueryKey(query))
    if (subscription === undefined) return nothingYet
    subscription.snapshot ??= {
      status: subscription.status,
      rows: subscription.rows,
      columns: subscription.columns,
      asOf: subscription.asOf,
      message: subscription.error ?? (subscription.status === 'live' ? '' : this.#connection.message),
      statusSinceMs: subscription.statusSinceMs,
      changedAtMs: subscription.changedAtMs,
    }
    return subscription.snapshot
  }

  #newSubscription(query: AnyLiveQuery): Subscription {
    return {
      id: `s${this.#nextId++}`,
      query,
      seq: null,
      rows: [],
      columns: [],
      asOf: null,
      error: null,
      changedAtMs: new Map(),
      snapshot: null,
      statusSinceMs: this.#deps.nowMs(),
      status: ['closed', 'signedOut'].includes(this.#connection.status) ? 'disconnected' : 'loading',
    }
  }

  /** A token first, then the connection: the server does not wait long for a hello. */
  #start(): void {
    this.#drop()
    this.#heardAtMs = this.#deps.nowMs()
    this.#setConnection({ ...this.#connection, status: 'connecting', retryAtMs: null })
    let isCurrent = true
    this.#endAttempt = () => {
      isCurrent = false
    }
    const guard = (run: () => void) => {
      if (isCurrent && !this.#isClosed) run()
    }
    this.#deps.tokens.get().then(
      token => guard(() => this.#connect(token, guard)),
      error => guard(() => this.#noToken(error)),
    )
  }

  #connect(token: string, guard: (run: () => void) => void): void {
    this.#heardAtMs = this.#deps.nowMs()
    this.#token = token
    this.#transport = this.#deps.connect({
      onOpen: () => guard(() => this.#hello(token)),
      onMessage: text => guard(() => this.#receive(text)),
      onClose: reason => guard(() => this.#lost(reason)),
    })
    this.#schedulePing()
  }

  #noToken(error: unknown): void {
    const message = clean(error instanceof Error ? error.message : 'The access token could not be had.')
    if (error instanceof SignInRequired) this.disconnect(message)
    else this.#lost(message)
  }

  /** Ends what is under way; nothing of it is heard any more. */
  #drop(): void {
    this.#endAttempt()
    this.#stopRetry?.()
    this.#stopRetry = null
    this.#stopPing?.()
    this.#transport?.close()
    this.#transport = null
    this.#isWelcome = false
  }

  #hello(token: string): void {
    const seqs = Object.fromEntries(
      [...this.#subscriptions.values()].flatMap(each => (each.seq === null ? [] : [[each.id, each.seq]])),
    )
    const resume = this.#sessionId === null ? {} : { resume: { sessionId: this.#sessionId, seqs } }
    this.#send({ type: 'hello', protocol: protocolVersion, token, ...resume })
  }

  #lost(reason: string): void {
    this.#drop()
    const message = this.#lastError ?? clean(reason)
    this.#lastError = null
    const isRenewable = this.#isRefused && !this.#wasRefused
    this.#wasRefused = this.#isRefused
    this.#isRefused = false
    if (isRenewable) {
      this.#setConnection({ status: 'closed', message, retryAtMs: null })
      return this.#start()
    }
    const backoffMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#attempt++)
    const waitMs = Math.round(backoffMs * (0.5 + this.#deps.random() / 2))
    this.#stopRetry = this.#deps.setTimer(waitMs, () => this.#start())
    this.#setConnection({ status: 'closed', message, retryAtMs: this.#deps.nowMs() + waitMs })
  }

  #schedulePing(): void {
    this.#stopPing?.()
    this.#stopPing = this.#deps.setTimer(pingEveryMs, () => {
      const silentMs = this.#deps.nowMs() - this.#heardAtMs
      if (silentMs >= giveUpAfterMs) {
        this.#lost('The server does not answer.')
        return
      }
      if (silentMs >= silentAfterMs && this.#connection.status === 'open')
        this.#setConnection({
          status: 'silent',
          message: 'The server has not been heard of for a while.',
          retryAtMs: null,
        })
      if (this.#isWelcome) this.#send({ type: 'ping' })
      this.#schedulePing()
    })
  }

  #receive(text: string): void {
    this.#heardAtMs = this.#deps.nowMs()
    const message = parseMessage(text)
    if (message === null) return
    if (this.#connection.status === 'silent') this.#setConnection({ status: 'open', message: '', retryAtMs: null })
    switch (message.type) {
      case 'welcome':
        this.#welcome(message)
        break
      case 'snapshot':
        this.#snapshot(message)
        break
      case 'patch':
        this.#patch(message)
        break
      case 'error':
        this.#error(message)
        break
      case 'event':
        this.#onEvent(message.topic, cleanDeep(message.payload))
        break
      case 'pong':
        break
    }
  }

  #welcome(message: Extract<ServerMessage, { type: 'welcome' }>): void {
    this.#isWelcome = true
    this.#attempt = 0
    this.#wasRefused = false
    this.#sessionId = message.sessionId
    const resumed = new Set(message.resumed)
    const known = new Set<string>()
    for (const subscription of this.#subscriptions.values()) {
      known.add(subscription.id)
      if (!resumed.has(subscription.id)) this.#subscribe(subscription)
    }
    for (const id of resumed) if (!known.has(id)) this.#send({ type: 'unsubscribe', id })
    this.#setConnection({ status: 'open', message: '', retryAtMs: null })
  }

  #subscribe(subscription: Subscription): void {
    subscription.seq = null
    this.#send({
      type: 'subscribe',
      id: subscription.id,
      query: { ...subscription.query, params: { ...subscription.query.params } },
    })
  }

  #snapshot(message: Extract<ServerMessage, { type: 'snapshot' }>): void {
    const subscription = this.#byId(message.id)
    if (subscription === undefined) return
    const before = new Map(subscription.rows.map(row => [row.key, row]))
    subscription.columns = message.columns.map((name, i) => ({
      name: clean(name),
      type: clean(message.columnTypes?.[i] ?? ''),
    }))
    subscription.rows = this.#parseRows(subscription, message.rows).map(row => {
      const known = before.get(row.key)
      return known !== undefined && isSameRow(known, row) ? known : row
    })
    this.#took(subscription, message)
  }

  #patch(message: Extract<ServerMessage, { type: 'patch' }>): void {
    const subscription = this.#byId(message.id)
    if (subscription === undefined || subscription.seq === null || message.seq <= subscription.seq) return
    if (message.seq !== subscription.seq + 1) {
      this.#send({ type: 'unsubscribe', id: subscription.id })
      subscription.id = `s${this.#nextId++}`
      this.#subscribe(subscription)
      return
    }
    const known = new Set(subscription.rows.map(row => row.key))
    const upsert = this.#parseRows(subscription, message.upsert)
    const nowMs = this.#deps.nowMs()
    for (const row of upsert) if (known.has(row.key)) subscription.changedAtMs.set(row.key, nowMs)
    for (const key of message.remove) subscription.changedAtMs.delete(key)
    subscription.rows = applyPatch(subscription.rows, { upsert, remove: message.remove, order: message.order })
    this.#took(subscription, message)
  }

  #took(subscription: Subscription, message: { seq: number; asOf: string }): void {
    subscription.seq = message.seq
    subscription.asOf = message.asOf
    subscription.error = null
    this.#setStatus(subscription)
    subscription.snapshot = null
    this.#onChange()
  }

  #error(message: Extract<ServerMessage, { type: 'error' }>): void {
    const sentence = clean(message.message)
    const subscription = message.id === undefined ? undefined : this.#byId(message.id)
    if (subscription === undefined) {
      if (message.code === 'AUTH_REQUIRED') {
        this.#isRefused = true
        this.#deps.tokens.refuse(this.#token)
      }
      this.#lastError = sentence
      this.#setConnection({ ...this.#connection, message: sentence })
      return
    }
    subscription.error = sentence
    this.#setStatus(subscription)
    subscription.snapshot = null
    this.#onChange()
  }

  #byId(id: string): Subscription | undefined {
    for (const subscription of this.#subscriptions.values()) if (subscription.id === id) return subscription
    return undefined
  }

  /** Rows that the query's schema knows, cleaned; a newer server's rows that it does not know are left out. */
  #parseRows(subscription: Subscription, rows: readonly KeyedRow[]): KeyedRow[] {
    const { query } = subscription
    const schema = 'name' in query ? liveQueries[query.name].row : LiveSqlRowSchema
    return rows.flatMap(row => {
      const parsed = schema.safeParse(cleanDeep(row))
      // The key names the row to the server, so it stays as it came.
      return parsed.success ? [{ ...parsed.data, key: row.key }] : []
    })
  }

  #setConnection(connection: Connection): void {
    this.#connection = connection
    for (const subscription of this.#subscriptions.values()) {
      this.#setStatus(subscription)
      subscription.snapshot = null
    }
    this.#onChange()
  }

  #setStatus(subscription: Subscription): void {
    const status = this.#statusOf(subscription)
    if (status === subscription.status) return
    subscription.status = status
    subscription.statusSinceMs = this.#deps.nowMs()
  }

  #statusOf(subscription: Subscription): LiveStatus {
    const { status } = this.#connection
    if (subscription.error !== null) return 'error'
    if (status === 'closed' || status === 'signedOut' || (status === 'connecting' && this.#sessionId !== null))
      return 'disconnected'
    if (subscription.asOf === null) return 'loading'
    if (status === 'silent') return 'stale'
    return 'live'
  }

  #send(message: ClientMessage): void {
    this.#transport?.send(JSON.stringify(message))
  }
}

const nothingYet: Snapshot = {
  status: 'loading',
  rows: [],
  columns: [],
  asOf: null,
  message: '',
  statusSinceMs: 0,
  changedAtMs: new Map(),
}

function parseMessage(text: string): ServerMessage | null {
  try {
    const parsed = ServerMessageSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

function isSameRow(a: KeyedRow, b: KeyedRow): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
