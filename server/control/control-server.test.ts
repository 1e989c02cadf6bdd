import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ApiKey } from '../../contracts/api-keys.ts'
import { AppError } from '../../contracts/errors.ts'
import type { ImportRequest } from '../../contracts/import.ts'
import type { WorldStatus } from '../../contracts/ws.ts'
import { startControlServer } from './control-server.ts'
import type { ControlHandlers } from './handlers.ts'

const log = pino({ level: 'silent' })
const world: WorldStatus = { mode: 'empty', notice: 'Nothing yet.', now: '2026-01-01T00:00:00Z', speed: 1, sources: [] }
const key: ApiKey = {
  id: '00000000-0000-4000-8000-000000000001',
  name: 'k',
  prefix: 'cl_live_00000000',
  scopes: ['trends:read'],
  isService: false,
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
}
const handlers: ControlHandlers = {
  status: async () => ({ pid: 1, version: '0', home: '/h', url: null, startedAt: '2026-01-01T00:00:00Z', world }),
  token: async () => 'the-token',
  async import(asked, onProgress) {
    onProgress({ type: 'done', files: asked.files.length, failed: 0 })
  },
  query: async () => Readable.from(['{"n":1}\n', '{"n":2}\n']),
  startReplay: async () => ({ ...world, mode: 'replay' }),
  stopReplay: async () => world,
  async backup(asked, onProgress) {
    onProgress({ type: 'progress', step: 'analytics', bytes: 10 })
    onProgress({ type: 'done', path: asked.path, bytes: 20 })
  },
  listKeys: async () => [],
  createKey: async asked => ({ ...key, name: asked.name, key: 'cl_live_x' }),
  revokeKey: async () => undefined,
  listAccounts: async () => [],
  addAccount: async asked => `https://here/${asked.role}`,
  changeRole: async () => undefined,
  renewLink: async () => 'https://here/again',
  async rotateVault(onProgress) {
    onProgress({ type: 'done', rewrapped: 3, unreadable: 0 })
  },
}

let folder: string
let path: string
let stop: () => Promise<void>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-'))
  path = join(folder, 'control.sock')
  stop = async () => {}
})
afterEach(async () => {
  await stop()
  await rm(folder, { recursive: true })
})

describe('the control socket', () => {
  it('belongs to its owner alone and is gone afterwards', async () => {
    await start(handlers)
    const { mode } = await stat(path)
    expect((mode & 0o777).toString(8)).toBe('600')
    await stop()
    stop = async () => {}
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })

  it('replaces the socket that a killed process left', async () => {
    await writeFile(path, '')
    await start(handlers)
    expect((await call('GET', '/status')).status).toBe(200)
  })

  it('refuses a path that no socket can have', async () => {
    await expect(startControlServer(handlers, { path: join(folder, 'x'.repeat(120)), log })).rejects.toThrow('too long')
  })

  it('answers each order', async () => {
    await start(handlers)
    expect(JSON.parse((await call('GET', '/status')).body)).toMatchObject({ pid: 1, world })
    expect(JSON.parse((await call('GET', '/token')).body)).toEqual({ token: 'the-token' })
    expect((await call('POST', '/query', { sql: 'select 1', format: 'jsonl' })).body).toBe('{"n":1}\n{"n":2}\n')
    expect(JSON.parse((await call('POST', '/replay', { file: '/f', speed: 10 })).body).mode).toBe('replay')
    expect(JSON.parse((await call('POST', '/replay/stop', {})).body).mode).toBe('empty')
    expect(JSON.parse((await call('GET', '/keys')).body)).toEqual({ data: [] })
    const made = await call('POST', '/keys', { name: 'new', scopes: ['trends:read'] })
    expect(JSON.parse(made.body)).toMatchObject({ name: 'new', key: 'cl_live_x' })
    expect((await call('POST', '/keys', { name: 'new', scopes: ['all'] })).status).toBe(400)
    expect((await call('POST', '/keys/revoke', { id: key.id })).status).toBe(200)
    const backup = await call('POST', '/backup', { path: '/b' })
    expect(
      backup.body
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).type),
    ).toEqual(['progress', 'done'])
    expect((await call('POST', '/import', { files: ['/a', '/b'] })).body).toBe('{"type":"done","files":2,"failed":0}\n')
  })

  it('names the field of a bad order', async () => {
    await start(handlers)
    const bad = await call('POST', '/replay', { file: '/f', speed: 0 })
    expect(bad.status).toBe(400)
    expect(JSON.parse(bad.body).error).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('"speed"'),
    })
    expect((await call('POST', '/unknown', {})).status).toBe(404)
  })

  it('refuses with the status before the first line, and with a last line after it', async () => {
    await start({
      ...handlers,
      async import(asked, onProgress) {
        if (asked.dryRun) throw new AppError('CONFLICT', 'Another import runs.')
        onProgress({ type: 'file', file: '/a', format: 'csv', bytesTotal: 1 })
        throw new AppError('UNAVAILABLE', 'The engine went away.')
      },
    })
    expect((await call('POST', '/import', { files: ['/a'], dryRun: true })).status).toBe(409)
    const lines = (await call('POST', '/import', { files: ['/a'] })).body.trim().split('\n')
    expect(lines).toHaveLength(2)
    expect(JSON.parse(lines[1] ?? '').error).toMatchObject({ code: 'UNAVAILABLE', message: 'The engine went away.' })
  })

  it('tells an import that its caller has gone', async () => {
    const started = Promise.withResolvers<ImportRequest>()
    const aborted = Promise.withResolvers<void>()
    await start({
      ...handlers,
      async import(asked, onProgress, signal) {
        onProgress({ type: 'file', file: '/a', format: 'csv', bytesTotal: 1 })
        signal.addEventListener('abort', () => aborted.resolve())
        started.resolve(asked)
        await aborted.promise
      },
    })
    const gone = new AbortController()
    const calling = call('POST', '/import', { files: ['/a'] }, gone.signal)
    calling.catch(() => {})
    await started.promise
    gone.abort()
    await aborted.promise
    await expect(calling).rejects.toThrow()
  })
})

async function start(served: ControlHandlers): Promise<void> {
  const server = await startControlServer(served, { path, log })
  stop = () => server.close()
}

async function call(method: string, address: string, body?: object, signal?: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const headers = body ? { 'content-type': 'application/json' } : {}
  const sent = request(
    { socketPath: path, method, path: address, headers, ...(signal ? { signal } : {}) },
    response => {
      text(response).then(answer => resolve({ status: response.statusCode ?? 0, body: answer }), reject)
    },
  )
  sent.on('error', reject)
  sent.end(body ? JSON.stringify(body) : undefined)
  return await promise
}
