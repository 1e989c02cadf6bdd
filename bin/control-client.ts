import { existsSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import type { z } from 'zod'
import type { GivenRole, User } from '../contracts/accounts.ts'
import { NewApiKeySchema } from '../contracts/api-keys.ts'
import {
  type BackupProgress,
  BackupProgressSchema,
  type BackupRequest,
  ControlAccountLinkSchema,
  ControlAccountsSchema,
  ControlFailureSchema,
  ControlKeysSchema,
  type ControlStatus,
  ControlStatusSchema,
  ControlTokenSchema,
  type ReplayRequest,
  type VaultRotationProgress,
  VaultRotationProgressSchema,
} from '../contracts/control.ts'
import { AppError, type ErrorCode, errorTable } from '../contracts/errors.ts'
import { type ImportProgress, ImportProgressSchema, type ImportRequest } from '../contracts/import.ts'
import type { ControlQueryRequest } from '../contracts/queries.ts'
import { type WorldStatus, WorldStatusSchema } from '../contracts/ws.ts'
import type { HomePaths } from '../core/home.ts'
import type { OwnerKeys } from './owner-keys.ts'

/** The running server of a home, asked over its control socket. Methods reject with the server's own `AppError`. */
export interface ControlClient {
  readonly status: ControlStatus
  /** An access token of the local owner. @param hours how long it lives; a quarter of an hour unless told */
  token(hours?: number): Promise<string>
  /** Closing early (the signal) ends the import in the server. */
  import(request: ImportRequest, onProgress: (progress: ImportProgress) => void, signal: AbortSignal): Promise<void>
  query(request: ControlQueryRequest): Promise<Readable>
  startReplay(request: ReplayRequest): Promise<WorldStatus>
  stopReplay(): Promise<WorldStatus>
  backup(request: BackupRequest, onProgress: (progress: BackupProgress) => void): Promise<void>
  /** API keys of the local owner. */
  readonly keys: OwnerKeys
  readonly accounts: {
    list(): Promise<User[]>
    /** Resolves to the link under which the person sets a password. */
    add(email: string, role: GivenRole): Promise<string>
    setRole(email: string, role: GivenRole): Promise<void>
    link(email: string): Promise<string>
  }
  /** Resolves to the sums at its end. */
  rotateVault(onProgress: (progress: VaultRotationProgress) => void): Promise<VaultRotationProgress>
}

/** Finds the server that runs on a home; null when none answers there. */
export async function findServer(paths: HomePaths): Promise<ControlClient | null> {
  if (!existsSync(paths.controlSocket)) return null
  const call = (method: 'GET' | 'POST', path: string, body?: object, signal?: AbortSignal) =>
    send({ socketPath: paths.controlSocket, method, path, body, signal })
  let status: ControlStatus
  try {
    status = ControlStatusSchema.parse(await json(await call('GET', '/status')))
  } catch (error) {
    // A socket that a killed server left behind.
    if (error instanceof AppError && error.code === 'UNAVAILABLE') return null
    throw error
  }
  return {
    status,
    token: async hours => {
      const path = hours === undefined ? '/token' : `/token?hours=${hours}`
      return ControlTokenSchema.parse(await json(await call('GET', path))).token
    },
    import: async (request, onProgress, signal) =>
      readLines(await call('POST', '/import', request, signal), ImportProgressSchema, onProgress),
    query: request => call('POST', '/query', request),
    startReplay: async request => WorldStatusSchema.parse(await json(await call('POST', '/replay', request))),
    stopReplay: async () => WorldStatusSchema.parse(await json(await call('POST', '/replay/stop', {}))),
    backup: async (request, onProgress) =>
      readLines(await call('POST', '/backup', request), BackupProgressSchema, onProgress),
    keys: {
      list: async () => ControlKeysSchema.parse(await json(await call('GET', '/keys'))).data,
      create: async request => NewApiKeySchema.parse(await json(await call('POST', '/keys', request))),
      revoke: async id => void (await text(await call('POST', '/keys/revoke', { id }))),
    },
    accounts: {
      list: async () => ControlAccountsSchema.parse(await json(await call('GET', '/accounts'))).data,
      add: async (email, role) => linkOf(await call('POST', '/accounts', { email, role })),
      setRole: async (email, role) => void (await text(await call('POST', '/accounts/role', { email, role }))),
      link: async email => linkOf(await call('POST', '/accounts/link', { email })),
    },
    async rotateVault(onProgress) {
      let last: VaultRotationProgress | null = null
      await readLines(await call('POST', '/vault/rotate', {}), VaultRotationProgressSchema, line => {
        last = line
        if (line.type === 'progress') onProgress(line)
      })
      return VaultRotationProgressSchema.parse(last)
    },
  }
}

async function linkOf(answer: Readable): Promise<string> {
  return ControlAccountLinkSchema.parse(await json(answer)).link
}

function send(call: {
  socketPath: string
  method: 'GET' | 'POST'
  path: string
  body?: object | undefined
  signal?: AbortSignal | undefined
}): Promise<IncomingMessage> {
  const body = call.body === undefined ? undefined : JSON.stringify(call.body)
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath: call.socketPath,
      method: call.method,
      path: call.path,
      headers: { host: 'localhost', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(call.signal ? { signal: call.signal } : {}),
    })
    request.on('error', cause => reject(new AppError('UNAVAILABLE', 'The running server does not answer.', { cause })))
    request.on('response', response => {
      if (response.statusCode === 200) resolve(response)
      else text(response).then(answer => reject(failureOf(answer)), reject)
    })
    request.end(body)
  })
}

async function readLines<T>(stream: Readable, schema: z.ZodType<T>, onLine: (line: T) => void): Promise<void> {
  try {
    for await (const line of createInterface({ input: stream })) {
      const value: unknown = JSON.parse(line)
      const failure = ControlFailureSchema.safeParse(value)
      if (failure.success) throw failureOf(line)
      onLine(schema.parse(value))
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('UNAVAILABLE', 'The running server ended the connection before it was done.', { cause })
  }
}

/** The refusal that an answer holds, in the form of every error of the server. */
export function failureOf(answer: string): AppError {
  const parsed = ControlFailureSchema.safeParse(parseJson(answer))
  if (!parsed.success)
    return new AppError('INTERNAL', 'The running server answered with something that is not understood.')
  const { code, message, details } = parsed.data.error
  return new AppError(isErrorCode(code) ? code : 'INTERNAL', message, { details })
}

/** Whether the code of an error from a server is one that this version knows. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}

function parseJson(answer: string): unknown {
  try {
    return JSON.parse(answer)
  } catch {
    return null
  }
}
