import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { LiveLists } from '../analytics/live-lists.ts'
import { AppError } from '../contracts/errors.ts'
import { createApp } from './app.ts'
import { endedAmong } from './auth/session-states.ts'
import { startControlServer } from './control/control-server.ts'
import type { ControlHandlers } from './control/handlers.ts'
import type { ServerDeps } from './deps.ts'
import { listQuota } from './features/quota/service.ts'
import { watchlistRows } from './features/watchlists/service.ts'
import { rawRefusal } from './http/error-answer.ts'
import { LiveEngine } from './live/engine.ts'
import { liveOpsRows, registerLiveMetrics } from './live/live-metrics.ts'
import { liveQuestions } from './live/questions.ts'
import { liveSqlQuestions } from './live/sql-questions.ts'
import { httpTimeouts, settingsDefault } from './settings.ts'
import type { LiveQueryRoom } from './ws/live-query-room.ts'
import { attachSockets } from './ws/socket-server.ts'

export interface RunningServer {
  /** e.g. `http://127.0.0.1:4400`; `/ws` lies under it. */
  readonly url: string
  readonly port: number
  /** Takes nothing new, lets requests under way finish for `deadlineMs`, then cuts them. */
  close(deadlineMs: number): Promise<void>
}

/**
 * Starts HTTP, WebSockets and, where a path is given, the control socket.
 *
 * @param options.port 0 picks a free one
 * @throws AppError CONFLICT when the port is taken
 */
export async function startServer(
  deps: ServerDeps,
  options: { host: string; port: number; control?: { socketPath: string; handlers: ControlHandlers } },
): Promise<RunningServer> {
  const settings = { ...settingsDefault, ...deps.settings }
  const lists = new LiveLists()
  const engine = await LiveEngine.start(
    {
      ...deps,
      lists: {
        note(change) {
          lists.note(change)
          deps.answers.note(change)
          deps.clippers.note(change)
        },
      },
    },
    settings.live,
  )
  const opsRows = liveOpsRows(engine)
  const full = { ...deps, ops: async () => [...(await deps.ops()), ...opsRows()] }
  const server = createServer({ requireHostHeader: false }, createApp(full))
  server.headersTimeout = httpTimeouts.headersMs
  server.requestTimeout = httpTimeouts.requestMs
  server.keepAliveTimeout = httpTimeouts.keepAliveMs
  server.on('clientError', refuseUnreadable)
  registerLiveMetrics(deps.metrics, engine)
  const sockets = await attachSockets(
    server,
    {
      ...deps,
      engine,
      usage: roomOf(deps),
      parseQuestion: liveQuestions({
        ...full,
        lists,
        watchlist: (userId, asked) => watchlistRows(full, userId, asked),
        quotaLines: userId => listQuota(full, userId),
      }),
      parseSqlQuestion: liveSqlQuestions(full),
      endedSessions: sessions => endedAmong(deps.db, sessions),
    },
    settings,
  )
  const control = await startOrUndo(
    async () => {
      await listen(server, options)
      return options.control
        ? await startControlServer(options.control.handlers, { path: options.control.socketPath, log: deps.log })
        : null
    },
    async () => {
      server.close()
      await sockets.close()
      await engine.close()
    },
  )
  const { port } = addressOf(server)
  const host = options.host.includes(':') ? `[${options.host.replace(/^\[|\]$/g, '')}]` : options.host
  return {
    url: `http://${host}:${port}`,
    port,
    async close(deadlineMs) {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      await control?.close()
      await sockets.close()
      await engine.close()
      await Promise.race([closed, delay(deadlineMs, undefined, { ref: false })])
      server.closeAllConnections()
      sockets.cutAll()
      await closed
    },
  }
}

/** A user's room for live queries; who is let in is one of whom is known what answers tell them. */
function roomOf({ usage, clippers }: Pick<ServerDeps, 'usage' | 'clippers'>): LiveQueryRoom {
  return {
    prepare: async userId => {
      await Promise.all([usage.prepare(userId), clippers.learn(userId)])
    },
    openLiveQuery: userId => usage.openLiveQuery(userId),
    closeLiveQuery: userId => usage.closeLiveQuery(userId),
  }
}

/** What cannot be read as HTTP never reaches the app; it gets the same form of error. */
function refuseUnreadable(error: Error, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy()
  const code = 'code' in error ? error.code : ''
  const message =
    code === 'HPE_HEADER_OVERFLOW'
      ? 'The request headers are too large.'
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'The request took too long to arrive.'
        : 'The request could not be read as HTTP.'
  socket.end(rawRefusal(new AppError('BAD_REQUEST', message)))
}

/** A start that fails leaves nothing running. */
async function startOrUndo<T>(start: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    await undo()
    throw error
  }
}

async function listen(server: Server, address: { host: string; port: number }): Promise<void> {
  try {
    const listening = once(server, 'listening')
    server.listen(address.port, address.host.replace(/^\[|\]$/g, ''))
    await listening
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EADDRINUSE') {
      throw new AppError('CONFLICT', `Port ${address.port} is in use: stop what uses it, or set PORT to another.`, {
        cause,
      })
    }
    if (code === 'EACCES') {
      throw new AppError('FORBIDDEN', `Port ${address.port} may not be used by this user: set PORT to another.`, {
        cause,
      })
    }
    throw cause
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.')
  return address
}
