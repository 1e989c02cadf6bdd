import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { DataStore, MemoryLocker, Metadata, Server, Upload } from '@tus/server'
import type { Request, Response } from 'express'
import { AppError, type ErrorCode } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import { uploadLimits } from '../../../contracts/uploads.ts'
import { toAppError } from '../../http/error-answer.ts'
import { removeUpload, type VodDeps } from '../vods/service.ts'
import { beginUpload, finishUpload, receivePart, type UploadRow, uploadOf } from './service.ts'

export const uploadsPath = '/api/uploads'
const version = '1.0.0'
/** A sender that is silent for so long is gone, in ms. */
const silentMsMax = 60_000
/** How long one may go on sending what was refused. */
const lateMsMax = 2_000

/** Two requests of one process never write to one upload at once; for those of two, see `receivePart`. */
const locker = new MemoryLocker()

/** Whether a request to the address of uploads speaks tus; others are ordinary ones. */
export function isTus(request: Request): boolean {
  return ['POST', 'PATCH', 'OPTIONS'].includes(request.method) || request.get('tus-resumable') !== undefined
}

/** What a tus client asks before anything else; nobody has to sign in for it. */
export function describeTus(response: Response): void {
  response
    .set({
      'Tus-Resumable': version,
      'Tus-Version': version,
      'Tus-Extension': extensions.join(','),
      'Tus-Max-Size': String(uploadLimits.bytesMax),
    })
    .status(204)
    .end()
}

/** Answers one tus request of a user. @throws AppError what the verbs of `service.ts` throw; BAD_REQUEST against the protocol */
export async function answerTus(deps: VodDeps, userId: UserId, request: Request, response: Response): Promise<void> {
  const failure: { error: AppError | null } = { error: null }
  const server = new Server({
    path: uploadsPath,
    datastore: new UploadStore(deps, userId),
    locker,
    relativeLocation: true,
    allowedOrigins: () => false,
    maxSize: uploadLimits.bytesMax,
    namingFunction: () => randomUUID(),
    async onUploadFinish(_request, upload) {
      await finishUpload(deps, userId, upload.id)
      return {}
    },
    onResponseError(_request, error) {
      if (error instanceof AppError || !('status_code' in error)) failure.error = toAppError(error)
      return undefined
    },
  })
  request.setTimeout(silentMsMax, () => request.destroy())
  // From then on it is we who work.
  request.once('end', () => request.setTimeout(0))
  const answer = await server.handleWeb(asWebRequest(request))
  if (answer.status >= 400) {
    leaveRest(request, response)
    throw failure.error ?? new AppError(codeOf(answer.status), sentenceOf(await answer.text()))
  }
  for (const [name, value] of answer.headers) {
    if (!name.startsWith('access-control-') && name !== 'content-type') response.setHeader(name, value)
  }
  response.status(answer.status).end()
}

const extensions = ['creation', 'creation-with-upload', 'termination']

/** One user's uploads, as the protocol's library asks for them. */
class UploadStore extends DataStore {
  override extensions = extensions
  readonly #deps: VodDeps
  readonly #userId: UserId

  constructor(deps: VodDeps, userId: UserId) {
    super()
    this.#deps = deps
    this.#userId = userId
  }

  override async create(upload: Upload): Promise<Upload> {
    const metadata = upload.metadata ?? {}
    const row = await beginUpload(this.#deps, this.#userId, {
      id: upload.id,
      bytes: upload.size ?? 0,
      fileName: metadata.filename ?? metadata.name ?? '',
      metadata: Metadata.stringify(metadata),
    })
    return toTus(row)
  }

  override async getUpload(id: string): Promise<Upload> {
    return toTus(await uploadOf(this.#deps, this.#userId, id))
  }

  override async write(body: Readable, id: string, offset: number): Promise<number> {
    return await receivePart(this.#deps, this.#userId, { id, offset, body })
  }

  override async remove(id: string): Promise<void> {
    await removeUpload(this.#deps, this.#userId, id)
  }
}

function toTus(row: UploadRow): Upload {
  return new Upload({
    id: row.id,
    size: Number(row.declared_bytes),
    offset: Number(row.received_bytes),
    metadata: Metadata.parse(row.metadata),
    creation_date: row.created_at.toISOString(),
  })
}

/** A sender reads no answer while it still sends: what comes is read and forgotten for a moment, then cut off. */
function leaveRest(request: Request, response: Response): void {
  if (request.complete) return
  response.set('Connection', 'close')
  request.removeAllListeners('data').resume()
  const late = setTimeout(() => request.destroy(), lateMsMax).unref()
  request.once('close', () => clearTimeout(late))
}

/** The body stays a stream. */
function asWebRequest(request: Request): globalThis.Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  const hasBody = request.method === 'POST' || request.method === 'PATCH'
  return new globalThis.Request(new URL(request.originalUrl, 'http://localhost'), {
    method: request.method,
    headers,
    ...(hasBody ? { body: Readable.toWeb(request), duplex: 'half' } : {}),
  })
}

const codes: Readonly<Record<number, ErrorCode>> = {
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'GONE',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
}

/** Whoever speaks the protocol wrongly has sent a bad request. */
function codeOf(status: number): ErrorCode {
  return codes[status] ?? 'BAD_REQUEST'
}

function sentenceOf(text: string): string {
  const said = text.trim().slice(0, 200)
  return `This is not how the tus protocol goes${said === '' ? '' : ` (${said})`}: use a tus client.`
}
