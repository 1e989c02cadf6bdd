import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { AppError, assertNever, errorTable } from '../../contracts/errors.ts'
import { type ClientMessage, ClientMessageSchema, type ServerMessage, wsLimits } from '../../contracts/ws.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator, Principal } from '../auth/authenticator.ts'
import { issueSentence } from '../http/issue-sentence.ts'
import type { LiveEngine } from '../live/engine.ts'
import type { Failure, LiveQuery } from '../live/live-query.ts'
import type { LiveQuestion, ParseQuestion } from '../live/source.ts'
import type { AskedSql, ParseSqlQuestion } from '../live/sql-questions.ts'
import type { LiveQueryRoom } from './live-query-room.ts'
import type { Sessions } from './sessions.ts'
import { type Outlet, Subscription } from './subscription.ts'

export interface ConnectionDeps {
  readonly engine: LiveEngine
  readonly sessions: Sessions
  readonly parseQuestion: ParseQuestion
  readonly parseSqlQuestion: ParseSqlQuestion
  readonly auth: Authenticator
  readonly usage: LiveQueryRoom
  readonly clock: Clock
  readonly log: Log
  readonly helloMs: number
  /** Counts the connection against its user; `false` when the user has too many. Called once, after a good hello. */
  admit(connection: Connection, principal: Principal): boolean
  /** The open connection of a session, when its old socket has not been noticed to be dead. */
  findOpen(sessionId: string): Connection | null
  onSkipped(): void
  onClosed(connection: Connection): void
}

/** Close codes of RFC 6455: the client broke a rule; the server goes away. */
const closeCodes = { policy: 1008, goingAway: 1001 } as const
/** A client that broke a rule and then behaved for this long starts afresh. */
const forgiveMs = 60_000
/** The longest that a timer counts. */
const timerMsMax = 2 ** 31 - 1
/** Beyond this the client does not even read its errors: the connection is cut. */
const bufferedBytesHardMax = 4 * wsLimits.bufferedBytesMax

type Live = { readonly query: LiveQuery; readonly subscription: Subscription }

/** One WebSocket client: hello, then subscriptions. Everything that it can make us hold is bounded by `wsLimits`. */
export class Connection implements Outlet {
  readonly sessionId = randomUUID()
  principal: Principal | null = null
  /** Real time of the last sign of life, in ms of a monotonic clock. */
  heardAtMs = performance.now()
  readonly #ws: WebSocket
  readonly #deps: ConnectionDeps
  readonly #live = new Map<string, Live>()
  /** Subscriptions to SQL that is being looked at, by their ids. */
  readonly #coming = new Map<string, AskedSql>()
  readonly #helloTimer: NodeJS.Timeout
  #endTimer: NodeJS.Timeout | undefined
  #isGreeting = false
  #isEnded = false
  #hasBrokenRules = false
  #strikes = 0
  #struckAtMs = 0
  #second = { startMs: 0, count: 0 }

  constructor(ws: WebSocket, socket: Duplex, deps: ConnectionDeps) {
    this.#ws = ws
    this.#deps = deps
    this.#helloTimer = setTimeout(() => this.#refuseHello('Say hello first: no hello came in time.'), deps.helloMs)
    ws.on('message', (data, isBinary) => this.#receive(() => this.#onMessage(data.toString(), isBinary)))
    ws.on('ping', data => this.#receive(() => void (this.isBacklogged() || ws.pong(data))))
    ws.on('pong', () => {
      this.heardAtMs = performance.now()
    })
    ws.on('close', () => this.#end())
    ws.on('error', error => deps.log.debug({ err: error }, 'A WebSocket client broke the protocol or went away.'))
    socket.on('drain', () => this.#catchUp())
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount
  }

  isBacklogged(): boolean {
    return this.#ws.bufferedAmount > wsLimits.bufferedBytesMax
  }

  send(bytes: Buffer): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(bytes, { binary: false })
  }

  sendError(error: { id?: string } & Failure): void {
    this.#say({ type: 'error', ...error })
  }

  sendEvent(topic: string, payload: unknown): void {
    if (this.principal && !this.isBacklogged()) this.#say({ type: 'event', topic, payload })
  }

  onSkipped(): void {
    this.#deps.onSkipped()
  }

  /** Asks for a sign of life; it comes as a pong. */
  probe(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping()
  }

  /** Cuts the connection without a word; its session may be resumed. */
  cut(): void {
    this.#end()
    this.#ws.terminate()
  }

  /** The session of its token has ended: says so, and keeps nothing for a return. */
  signOut(): void {
    this.#close('AUTH_REQUIRED', 'The session is over: sign in again.')
  }

  /** Says goodbye: the server stops. */
  leave(): void {
    this.#ws.close(closeCodes.goingAway, 'The server is stopping.')
  }

  #say(message: ServerMessage): void {
    if (this.#ws.bufferedAmount > bufferedBytesHardMax) this.cut()
    else this.send(Buffer.from(JSON.stringify(message)))
  }

  /** The door for everything that a client sends: counted first, so that a flood costs us a comparison. */
  #receive(handle: () => void): void {
    if (this.#isEnded) return
    const nowMs = performance.now()
    this.heardAtMs = nowMs
    if (nowMs - this.#second.startMs >= 1000) this.#second = { startMs: nowMs, count: 0 }
    this.#second.count += 1
    if (this.#second.count <= wsLimits.messagesPerSecondMax) return handle()
    // One strike for each full measure above the limit, so that a burst is told once and a flood is closed.
    if (this.#second.count % wsLimits.messagesPerSecondMax !== 1) return
    this.#strike('RATE_LIMITED', `At most ${wsLimits.messagesPerSecondMax} messages a second are read: wait a moment.`)
  }

  #onMessage(text: string, isBinary: boolean): void {
    if (isBinary) return this.#strike('BAD_REQUEST', 'Binary frames are not read: send JSON in text frames.')
    const message = parseMessage(text)
    if (typeof message === 'string') return this.#strike('BAD_REQUEST', message)
    if (message.type === 'hello') return void this.#onHello(message)
    if (!this.principal)
      return this.#strike('AUTH_REQUIRED', 'Say hello first, with a token, and wait for the welcome.')
    this.#onOrder(message, this.principal)
  }

  async #onHello(hello: Extract<ClientMessage, { type: 'hello' }>): Promise<void> {
    if (this.#isGreeting) return this.#strike('BAD_REQUEST', 'You have said hello already.')
    this.#isGreeting = true
    try {
      const principal = await this.#deps.auth.authenticate(hello.token, ['jwt', 'connectorToken'])
      if (!principal) return this.#isEnded ? undefined : this.#refuseHello('The token is not valid.')
      await this.#deps.usage.prepare(principal.userId)
      if (this.#isEnded) return
      if (!this.#deps.admit(this, principal)) {
        return this.#close('RATE_LIMITED', 'Too many connections of one user are open: close some first.')
      }
      this.principal = principal
      clearTimeout(this.#helloTimer)
      if (principal.endsAtMs !== undefined) this.#signOutAt(principal.endsAtMs)
      this.#welcome(principal, hello.resume)
    } catch (error) {
      this.#deps.log.error({ err: error }, 'A hello could not be answered.')
      this.#close('UNAVAILABLE', errorTable.UNAVAILABLE.message)
    }
  }

  #signOutAt(atMs: number): void {
    const leftMs = Math.min(timerMsMax, Math.max(0, atMs - this.#deps.clock.nowMs()))
    this.#endTimer = setTimeout(() => this.signOut(), leftMs).unref()
  }

  #welcome(principal: Principal, resume: Extract<ClientMessage, { type: 'hello' }>['resume']): void {
    const resumed: { live: Live; version: number }[] = []
    if (resume) {
      const previous = this.#deps.findOpen(resume.sessionId)
      if (previous !== this && previous?.principal?.userId === principal.userId) previous.cut()
      this.#deps.sessions.resume(resume.sessionId, principal.userId, queries => {
        for (const [id, version] of Object.entries(resume.seqs)) {
          const query = queries.get(id)
          if (!query || this.#live.size >= wsLimits.subscriptionsMax) continue
          if (!this.#deps.usage.openLiveQuery(principal.userId).isOpen) continue
          const live = { query, subscription: new Subscription(id, this) }
          this.#live.set(id, live)
          resumed.push({ live, version })
        }
        this.#say({
          type: 'welcome',
          sessionId: this.sessionId,
          serverTime: new Date(this.#deps.clock.nowMs()).toISOString(),
          resumed: [...this.#live.keys()],
        })
        for (const { live, version } of resumed) {
          this.#deps.engine.watchKept(live.query, live.subscription)
          live.subscription.resume(live.query, version)
        }
      })
      return
    }
    this.#say({
      type: 'welcome',
      sessionId: this.sessionId,
      serverTime: new Date(this.#deps.clock.nowMs()).toISOString(),
      resumed: [],
    })
  }

  #onOrder(message: Exclude<ClientMessage, { type: 'hello' }>, principal: Principal): void {
    switch (message.type) {
      case 'ping':
        if (!this.isBacklogged()) this.#say({ type: 'pong' })
        return
      case 'unsubscribe':
        return this.#onUnsubscribe(message.id)
      case 'subscribe':
        return this.#onSubscribe(message, principal)
      default:
        assertNever(message)
    }
  }

  #onUnsubscribe(id: string): void {
    // Whoever looks at its SQL then finds that it is no longer wanted.
    if (this.#coming.delete(id)) return
    const live = this.#live.get(id)
    if (!live) return this.sendError({ id, code: 'NOT_FOUND', message: 'There is no subscription by that id.' })
    this.#live.delete(id)
    this.#forget(live)
  }

  #onSubscribe(message: Extract<ClientMessage, { type: 'subscribe' }>, principal: Principal): void {
    const { id, query: asked } = message
    if (this.#live.has(id) || this.#coming.has(id)) {
      return this.sendError({ id, code: 'CONFLICT', message: 'This subscription id is in use: unsubscribe it first.' })
    }
    if (this.#live.size + this.#coming.size >= wsLimits.subscriptionsMax) {
      return this.#strike('RATE_LIMITED', `At most ${wsLimits.subscriptionsMax} subscriptions are open at a time.`, id)
    }
    const room = this.#deps.usage.openLiveQuery(principal.userId)
    if (!room.isOpen) {
      const message = `Your plan has room for ${room.limit} live queries at a time: close some, or choose a larger plan.`
      return this.sendError({ id, code: 'FORBIDDEN', message })
    }
    if (!('name' in asked)) return void this.#onSubscribeSql(id, asked, principal)
    this.#watch(id, principal, () => this.#deps.parseQuestion(asked.name, asked.params, principal))
  }

  /** Looking at SQL takes a moment, in which the client may think better of it. */
  async #onSubscribeSql(id: string, asked: AskedSql, principal: Principal): Promise<void> {
    this.#coming.set(id, asked)
    const found = await this.#deps.parseSqlQuestion(asked, principal.userId).then(
      question => () => question,
      (error: unknown) => () => {
        throw error instanceof AppError ? error : this.#unexpected(error)
      },
    )
    const isWanted = this.#coming.get(id) === asked
    if (isWanted) this.#coming.delete(id)
    if (isWanted && !this.#isEnded) this.#watch(id, principal, found)
    else this.#deps.usage.closeLiveQuery(principal.userId)
  }

  #unexpected(error: unknown): AppError {
    this.#deps.log.error({ err: error }, 'A subscription to SQL could not be begun.')
    return new AppError('INTERNAL')
  }

  /** Begins a subscription for which there is room. */
  #watch(id: string, principal: Principal, questionOf: () => LiveQuestion): void {
    try {
      const subscription = new Subscription(id, this)
      const query = this.#deps.engine.watch(questionOf(), subscription)
      this.#live.set(id, { query, subscription })
      subscription.greet(query)
    } catch (error) {
      if (!this.#live.has(id)) this.#deps.usage.closeLiveQuery(principal.userId)
      if (!(error instanceof AppError)) throw error
      this.sendError({ id, code: error.code, message: error.message })
    }
  }

  #catchUp(): void {
    for (const { query, subscription } of this.#live.values()) subscription.catchUp(query)
  }

  #strike(code: Failure['code'], message: string, id?: string): void {
    const nowMs = performance.now()
    this.#strikes = nowMs - this.#struckAtMs > forgiveMs ? 1 : this.#strikes + 1
    this.#struckAtMs = nowMs
    if (this.#strikes >= wsLimits.malformedMax) this.#close(code, message)
    else this.sendError({ ...(id === undefined ? {} : { id }), code, message })
  }

  #refuseHello(message: string): void {
    this.#close('AUTH_REQUIRED', message)
  }

  #close(code: Failure['code'], message: string): void {
    this.sendError({ code, message })
    this.#hasBrokenRules = true
    this.#end()
    this.#ws.close(closeCodes.policy, code)
  }

  /** Once: stops watching, and leaves the session where a returning client finds it, unless it was thrown out. */
  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    clearTimeout(this.#helloTimer)
    clearTimeout(this.#endTimer)
    if (this.principal && !this.#hasBrokenRules) {
      const queries = new Map([...this.#live].map(([id, { query }]) => [id, query]))
      this.#deps.sessions.cut(this.sessionId, this.principal.userId, queries)
    }
    for (const live of this.#live.values()) this.#forget(live)
    this.#live.clear()
    this.#deps.onClosed(this)
  }

  #forget({ query, subscription }: Live): void {
    this.#deps.engine.unwatch(query, subscription)
    if (this.principal) this.#deps.usage.closeLiveQuery(this.principal.userId)
  }
}

/** The message, or the sentence that says what is wrong with it. */
function parseMessage(text: string): ClientMessage | string {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return 'The frame is not JSON.'
  }
  const parsed = ClientMessageSchema.safeParse(json)
  return parsed.success ? parsed.data : issueSentence(parsed.error, json)
}
