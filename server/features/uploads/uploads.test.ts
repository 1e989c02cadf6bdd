import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Upload as TusUpload } from 'tus-js-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../../sql/read.ts'
import { openServerRig, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'

let rig: ServerRig
let server: RunningServer
let media: Buffer

beforeAll(async () => {
  media = await readFile(join(packageRoot, 'media', 'sample', 'sample.mp4'))
  rig = await openServerRig()
  server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

const authorization = `Bearer ${rigToken}`
const call = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}
const tus = (method: string, path: string, headers: Record<string, string>, body?: Buffer | string) =>
  fetch(new URL(path, server.url), {
    method,
    headers: { authorization, 'tus-resumable': '1.0.0', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  })
const patch = (path: string, offset: number, body: Buffer | string) =>
  tus('PATCH', path, { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }, body)

async function begin(bytes: number): Promise<string> {
  const made = await tus('POST', '/api/uploads', {
    'upload-length': String(bytes),
    'upload-metadata': `filename ${Buffer.from('my stream.mp4').toString('base64')}`,
  })
  expect([made.status, await made.text()]).toEqual([201, ''])
  return made.headers.get('location') ?? ''
}

describe('an upload', () => {
  it('arrives through a client of the protocol in pieces, and becomes the media of a VOD', async () => {
    const url = await new Promise<string>((resolve, reject) => {
      const upload: TusUpload = new TusUpload(media, {
        endpoint: `${server.url}/api/uploads`,
        headers: { authorization },
        chunkSize: 300_000,
        metadata: { filename: 'my stream.mp4' },
        onError: reject,
        onSuccess: () => resolve(upload.url ?? ''),
      })
      upload.start()
    })
    const uploadId = url.split('/').at(-1)
    expect((await call('GET', `/api/uploads/${uploadId}`)).body).toMatchObject({
      fileName: 'my stream.mp4',
      bytes: media.length,
      receivedBytes: media.length,
      status: 'ready',
      expiresAt: '2026-02-07T12:00:00.000Z',
    })
    const vod = await call('POST', '/api/vods', { source: `upload:${uploadId}`, title: 'Mine' })
    expect(vod).toMatchObject({
      status: 201,
      body: { title: 'Mine', sourceKind: 'upload', sourceLabel: 'my stream.mp4', duration: 60, bytes: media.length },
    })
    expect((await call('POST', '/api/vods', { source: `upload:${uploadId}` })).status).toBe(409)
    expect((await call('DELETE', `/api/uploads/${uploadId}`)).status).toBe(204)
    expect((await call('GET', `/api/uploads/${uploadId}`)).status).toBe(404)
    expect((await call('GET', `/api/vods/${vod.body.vodId}`)).status).toBe(404)
    const { media: desk } = await rig.deps()
    expect(await desk.blobs.list('', 10)).toEqual([])
  })

  it('goes on where it broke off, and not where it did not', async () => {
    const path = await begin(media.length)
    const half = Math.floor(media.length / 2)
    expect((await patch(path, 0, media.subarray(0, half))).headers.get('upload-offset')).toBe(String(half))
    expect((await patch(path, 0, media.subarray(0, half))).status).toBe(409)
    const head = await tus('HEAD', path, {})
    expect(head.headers.get('upload-offset')).toBe(String(half))
    expect((await call('POST', '/api/vods', { source: `upload:${path.split('/').at(-1)}` })).body.error).toMatchObject({
      code: 'NOT_READY',
    })
    expect((await patch(path, half, media.subarray(half))).status).toBe(204)
    expect((await call('GET', path)).body).toMatchObject({ status: 'ready' })
    expect((await tus('DELETE', path, {})).status).toBe(204)
  })

  it('keeps what had arrived when the connection breaks', async () => {
    const path = await begin(media.length)
    const half = Math.floor(media.length / 2)
    const socket = connect(server.port, '127.0.0.1')
    const head = [
      `PATCH ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${server.port}`,
      `Authorization: ${authorization}`,
      'Tus-Resumable: 1.0.0',
      'Upload-Offset: 0',
      'Content-Type: application/offset+octet-stream',
      `Content-Length: ${media.length}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    await new Promise(sent => socket.write(media.subarray(0, half), sent))
    socket.destroy()
    await once(socket, 'close')
    let offset = 0
    while (offset === 0) offset = Number((await tus('HEAD', path, {})).headers.get('upload-offset'))
    // What the break took with it was never there.
    expect(offset).toBeLessThanOrEqual(half)
    expect((await patch(path, offset, media.subarray(offset))).status).toBe(204)
    expect((await call('GET', path)).body).toMatchObject({ status: 'ready' })
  })

  it('is refused at its first bytes when it is no media, and at its last when it cannot be read', async () => {
    const text = '<!doctype html><title>Not found</title>'
    const page = await begin(text.length)
    const refused = await patch(page, 0, text)
    expect([refused.status, await refused.json()]).toMatchObject([415, { error: { code: 'UNSUPPORTED_MEDIA_TYPE' } }])
    expect((await call('GET', page)).body).toMatchObject({ status: 'refused', receivedBytes: 0 })
    const truncated = media.subarray(0, 5000)
    const broken = await begin(truncated.length)
    const answer = await patch(broken, 0, truncated)
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'BAD_REQUEST' } }])
    expect((await call('GET', broken)).body).toMatchObject({ status: 'refused', reason: expect.stringContaining('.') })
  })

  it('is refused before a byte is sent when it is too large, and without a credential', async () => {
    const huge = await tus('POST', '/api/uploads', { 'upload-length': String(21 * 1024 ** 3) })
    expect([huge.status, await huge.json()]).toMatchObject([413, { error: { code: 'PAYLOAD_TOO_LARGE' } }])
    const stranger = await fetch(`${server.url}/api/uploads`, {
      method: 'POST',
      headers: { 'tus-resumable': '1.0.0', 'upload-length': '10' },
    })
    expect(stranger.status).toBe(401)
    const options = await fetch(`${server.url}/api/uploads`, { method: 'OPTIONS' })
    expect(options.headers.get('tus-extension')).toBe('creation,creation-with-upload,termination')
    const odd = await tus('POST', '/api/uploads', { 'upload-length': 'many' })
    expect([odd.status, await odd.json()]).toMatchObject([400, { error: { code: 'BAD_REQUEST' } }])
  })
})
