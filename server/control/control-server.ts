import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { pipeline } from 'node:stream/promises'
import express, { type RequestHandler, type Response } from 'express'
import { z } from 'zod'
import { ApiKeyRequestSchema, NewApiKeySchema } from '../../contracts/api-keys.ts'
import {
  type BackupProgress,
  BackupRequestSchema,
  ControlAccountLinkSchema,
  ControlAccountNameSchema,
  ControlAccountRequestSchema,
  ControlAccountsSchema,
  ControlKeysSchema,
  ControlRevokeSchema,
  ControlStatusSchema,
  ControlTokenRequestSchema,
  ControlTokenSchema,
  ReplayRequestSchema,
  type VaultRotationProgress,
} from '../../contracts/control.ts'
import { AppError } from '../../contracts/errors.ts'
import { type ImportProgress, ImportRequestSchema } from '../../contracts/import.ts'
import { ControlQueryRequestSchema } from '../../contracts/queries.ts'
import { WorldStatusSchema } from '../../contracts/ws.ts'
import type { Log } from '../../core/log.ts'
import { queryContentTypes } from '../features/query/service.ts'
import { errorAnswer, errorBody, toAppError } from '../http/error-answer.ts'
import { parseInput } from '../http/parse-input.ts'
import { requestId, requestIdOf } from '../http/request-id.ts'
import type { ControlHandlers } from './handlers.ts'

/** A thousand file names fit. */
const bodyBytesMax = 8 * 1024 * 1024
/** Of a unix socket's address: 104 with its end on macOS, 108 on Linux. */
const pathBytesMax = 103

/**
 * Serves the control socket at `path` (a unix socket of mode 0600). The caller holds the home's lock, so a file that is
 * there is one that a killed process left, and is replaced.
 */
export async function startControlServer(
  handlers: ControlHandlers,
  options: { path: string; log: Log },
): Promise<{ close(): Promise<void> }> {
  if (Buffer.byteLength(options.path) > pathBytesMax) {
    throw new AppError(
      'BAD_REQUEST',
      `The path ${options.path} is too long for a socket (${pathBytesMax} bytes at most): use a shorter CLIPTAPE_HOME.`,
    )
  }
  const server = createServer(controlApp(handlers, options.log))
  // An import takes as long as its file.
  server.requestTimeout = 0
  await rm(options.path, { force: true })
  await listenPrivately(server, options.path)
  return {
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      await rm(options.path, { force: true })
    },
  }
}

/** The socket is made under a mask that leaves it to its owner: there is no moment in which others could connect. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  const listening = once(server, 'listening')
  const mask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
  await listening
  await chmod(path, 0o600)
}

function controlApp(handlers: ControlHandlers, log: Log): express.Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(requestId, express.json({ limit: bodyBytesMax }))
  app.get(
    '/status',
    answer(async () => ControlStatusSchema.parse(await handlers.status())),
  )
  app.get('/token', async (request, response) => {
    const asked = parseInput(ControlTokenRequestSchema, request.query)
    response.json(ControlTokenSchema.parse({ token: await handlers.token(asked) }))
  })
  app.post(
    '/import',
    lines(ImportRequestSchema, (asked, onProgress: (progress: ImportProgress) => void, signal) =>
      handlers.import(asked, onProgress, signal),
    ),
  )
  app.post(
    '/backup',
    lines(BackupRequestSchema, (asked, onProgress: (progress: BackupProgress) => void, signal) =>
      handlers.backup(asked, onProgress, signal),
    ),
  )
  app.post(
    '/vault/rotate',
    lines(z.strictObject({}), (_asked, onProgress: (progress: VaultRotationProgress) => void, signal) =>
      handlers.rotateVault(onProgress, signal),
    ),
  )
  app.get(
    '/keys',
    answer(async () => ControlKeysSchema.parse({ data: await handlers.listKeys() })),
  )
  app.post(
    '/keys',
    answer(async body => NewApiKeySchema.parse(await handlers.createKey(parseInput(ApiKeyRequestSchema, body)))),
  )
  app.post(
    '/keys/revoke',
    answer(async body => {
      await handlers.revokeKey(parseInput(ControlRevokeSchema, body).id)
      return {}
    }),
  )
  app.get(
    '/accounts',
    answer(async () => ControlAccountsSchema.parse({ data: await handlers.listAccounts() })),
  )
  app.post(
    '/accounts',
    answer(async body =>
      ControlAccountLinkSchema.parse({
        link: await handlers.addAccount(parseInput(ControlAccountRequestSchema, body)),
      }),
    ),
  )
  app.post(
    '/accounts/role',
    answer(async body => {
      await handlers.changeRole(parseInput(ControlAccountRequestSchema, body))
      return {}
    }),
  )
  app.post(
    '/accounts/link',
    answer(async body =>
      ControlAccountLinkSchema.parse({
        link: await handlers.renewLink(parseInput(ControlAccountNameSchema, body).email),
      }),
    ),
  )
  app.post(
    '/replay',
    answer(async body => WorldStatusSchema.parse(await handlers.startReplay(parseInput(ReplayRequestSchema, body)))),
  )
  app.post(
    '/replay/stop',
    answer(async () => WorldStatusSchema.parse(await handlers.stopReplay())),
  )
  app.post('/query', async (request, response) => {
    const asked = parseInput(ControlQueryRequestSchema, request.body)
    const body = await handlers.query(asked, goneSignal(response))
    response.set('Content-Type', queryContentTypes[asked.format])
    await pipeline(body, response)
  })
  app.use(() => {
    throw new AppError('NOT_FOUND', 'The running server does not know this order: it may be of another version.')
  })
  app.use(errorAnswer(log))
  return app
}

function answer(handle: (body: unknown) => Promise<unknown>): RequestHandler {
  return async (request, response) => {
    response.json(await handle(request.body))
  }
}

/** Answers with one JSON value a line while the work goes on; a failure after the first line is the last line. */
function lines<S extends z.ZodType, Progress>(
  schema: S,
  handle: (request: z.output<S>, onProgress: (progress: Progress) => void, signal: AbortSignal) => Promise<void>,
): RequestHandler {
  return async (request, response) => {
    const asked = parseInput(schema, request.body)
    const write = (line: unknown) => {
      if (!response.headersSent) response.set('Content-Type', queryContentTypes.jsonl)
      if (response.writable) response.write(`${JSON.stringify(line)}\n`)
    }
    try {
      await handle(asked, write, goneSignal(response))
    } catch (error) {
      if (!response.headersSent) throw error
      write(errorBody(toAppError(error), requestIdOf(response)))
    }
    response.end()
  }
}

function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}
