import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { AppError } from '../../contracts/errors.ts'
import { wsLimits } from '../../contracts/ws.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator, Principal } from '../auth/authenticator.ts'
import { rawRefusal } from '../http/error-answer.ts'
import { isAllowedOrigin, isOwnHost } from '../http/hosts.ts'
import { clientAddress, networkOf } from '../http/network-of.ts'
import type { LiveEngine } from '../live/engine.ts'
import type { ParseQuestion } from '../live/source.ts'
import type { ParseSqlQuestion } from '../live/sql-questions.ts'
import type { Metrics } from '../metrics/registry.ts'
import { Connection } from './connection.ts'
import type { LiveQueryRoom } from './live-query-room.ts'
import { Sessions } from './sessions.ts'

/** Every so often each client is asked for a sign of life; one that gave none for `silentMs` is cut. */
const keepalive = { probeMs: 30_000, silentMs: 150_000 } as const
/** Open sockets of everybody, those before their hello included. */
const connectionsMax = 5000

export interface SocketDeps {
  readonly engine: LiveEngine
  readonly parseQuestion: ParseQuestion
  readonly parseSqlQuestion: ParseSqlQuestion
  readonly auth: Authenticator
  /** Which of these sessions somebody has ended, by their ids. */
  readonly endedSessions: (sessions: readonly { sessionId: string; userId: string }[]) => Promise<ReadonlySet<string>>
  readonly usage: LiveQueryRoom
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

export interface SocketSettings {
  readonly corsOrigins: readonly string[]
  readonly publicHosts: readonly string[]
  readonly trustProxyHops: number
  readonly userConnectionsMax: number
  readonly strangerConnectionsMax: number
  readonly helloMs: number
}

/** The WebSocket side of a server: `/ws`, protocol 1. */
export interface SocketServer {
  /** Sockets that are open, and the bytes that wait in us for all of them to read. */
  stats(): { connections: number; bufferedBytes: number; cutSessions: number }
  /** Says goodbye to everybody; who does not answer is cut by `cutAll`. */
  close(): Promise<void>
  cutAll(): void
}

/** Takes the upgrades of `server` to `/ws`; every other upgrade is refused. */
export async function attachSockets(server: Server, deps: SocketDeps, settings: SocketSettings): Promise<SocketServer> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: wsLimits.frameBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
    // Pings are counted like messages and answered by the connection: a flood of them must not fill its buffer.
    autoPong: false,
  })
  const open = new Set<Connection>()
  const networks = new WeakMap<Connection, string>()
  const sessions = new Sessions(deps.engine)
  const skipped = deps.metrics.counter('cliptape_ws_skipped_total', 'Updates that slow clients skipped.')
  const connectionDeps = {
    ...deps,
    sessions,
    helloMs: settings.helloMs,
    admit(_connection: Connection, principal: Principal) {
      const own = [...open].filter(one => one.principal?.userId === principal.userId)
      return own.length < settings.userConnectionsMax
    },
    findOpen: (sessionId: string) => [...open].find(one => one.sessionId === sessionId) ?? null,
    onSkipped: () => skipped.add(),
    onClosed: (connection: Connection) => void open.delete(connection),
  }
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', error => deps.log.debug({ err: error }, 'A socket failed.'))
    const network = networkOf(clientAddress(request, settings.trustProxyHops))
    const isStranger = (one: Connection) => one.principal === null && networks.get(one) === network
    const refusal = refusalOf(request, settings) ?? fullness(open, isStranger, settings)
    if (refusal) return void socket.end(rawRefusal(refusal))
    sockets.handleUpgrade(request, socket, head, ws => {
      const connection = new Connection(ws, socket, connectionDeps)
      networks.set(connection, network)
      open.add(connection)
    })
  }
  server.on('upgrade', onUpgrade)
  const probing = setInterval(() => {
    probe(open)
    signOutEnded(open, deps).catch(error =>
      deps.log.warn({ err: error }, 'Which sessions have ended could not be read: asked again at the next turn.'),
    )
  }, keepalive.probeMs)
  probing.unref()
  const stopListening = await deps.bus.subscribe('world.changed', status => {
    for (const connection of open) connection.sendEvent('world.changed', status)
  })
  const stopTelling = await deps.bus.subscribe('media.changed', ({ userId, change }) => {
    for (const connection of open) {
      if (connection.principal?.userId === userId) connection.sendEvent('media.changed', change)
    }
  })
  const stopAlerts = await deps.bus.subscribe('alert.fired', ({ userId, fired }) => {
    for (const connection of open) {
      if (connection.principal?.userId === userId) connection.sendEvent('alert.fired', fired)
    }
  })
  const stopWatching = await deps.bus.subscribe('session.ended', ({ userId, sessionId }) => {
    for (const connection of [...open]) {
      const { principal } = connection
      if (principal?.userId !== userId || principal.scheme !== 'jwt') continue
      if (sessionId === null || principal.credentialId === sessionId) connection.signOut()
    }
  })
  const stats = () => ({
    connections: open.size,
    bufferedBytes: [...open].reduce((sum, connection) => sum + connection.bufferedBytes, 0),
    cutSessions: sessions.count,
  })
  deps.metrics.gauge('cliptape_ws_connections', 'Open WebSocket connections.', () => stats().connections)
  deps.metrics.gauge(
    'cliptape_ws_buffered_bytes',
    'Bytes waiting for WebSocket clients to read.',
    () => stats().bufferedBytes,
  )
  deps.metrics.gauge('cliptape_ws_cut_sessions', 'Sessions that may be resumed.', () => stats().cutSessions)
  return {
    stats,
    async close() {
      clearInterval(probing)
      server.off('upgrade', onUpgrade)
      await stopListening()
      await stopTelling()
      await stopAlerts()
      await stopWatching()
      for (const connection of open) connection.leave()
      sessions.close()
    },
    cutAll() {
      for (const connection of [...open]) connection.cut()
    },
  }
}

function probe(open: ReadonlySet<Connection>): void {
  const nowMs = performance.now()
  for (const connection of [...open]) {
    if (nowMs - connection.heardAtMs > keepalive.silentMs) connection.cut()
    else connection.probe()
  }
}

/** For a message of the bus that was lost: nobody stays connected whose session has ended. */
async function signOutEnded(open: ReadonlySet<Connection>, deps: Pick<SocketDeps, 'endedSessions'>): Promise<void> {
  const sessions = [...open].flatMap(({ principal }) =>
    principal?.scheme === 'jwt' && principal.credentialId !== null
      ? { sessionId: principal.credentialId, userId: principal.userId }
      : [],
  )
  if (sessions.length === 0) return
  const ended = await deps.endedSessions(sessions)
  for (const connection of [...open]) {
    const id = connection.principal?.credentialId
    if (id && ended.has(id)) connection.signOut()
  }
}

function refusalOf(request: IncomingMessage, settings: SocketSettings): AppError | null {
  const { host, origin } = request.headers
  const path = (request.url ?? '').split('?', 1)[0]
  if (path !== '/ws') return new AppError('NOT_FOUND', 'WebSockets are at /ws.')
  if (!isOwnHost(host, settings.publicHosts)) return new AppError('FORBIDDEN', 'The Host header names another server.')
  if (origin !== undefined && !isAllowedOrigin(origin, host, settings.corsOrigins)) {
    return new AppError('FORBIDDEN', 'Pages of this origin may not connect: add the origin to CORS_ORIGINS.')
  }
  return null
}

function fullness(
  open: ReadonlySet<Connection>,
  isStranger: (one: Connection) => boolean,
  { strangerConnectionsMax }: SocketSettings,
): AppError | null {
  if (open.size >= connectionsMax) return new AppError('UNAVAILABLE', 'Too many connections are open: try again.')
  let count = 0
  for (const one of open) if (isStranger(one)) count += 1
  if (count < strangerConnectionsMax) return null
  return new AppError('RATE_LIMITED', 'Too many connections from here wait for their hello: say it, or close some.')
}
