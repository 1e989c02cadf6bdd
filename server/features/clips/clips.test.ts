import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { UserId } from '../../../contracts/ids.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import { type ClipRig, openClipRig } from '../../../test/clip-rig.ts'
import { fillAccount, filledVodId } from '../../../test/fill-account.ts'
import { LiveClient } from '../../../test/live-client.ts'
import { sampleFile, testMediaDesk } from '../../../test/media-desk.ts'
import { rigNow, rigToken } from '../../../test/server-rig.ts'
import type { Caller } from '../../http/caller.ts'
import { outputKey } from '../media-jobs/files.ts'
import { sweepMedia } from '../media-jobs/retention.ts'
import { registerVod } from '../vods/service.ts'

// Copies at keyframes need no decoder: the way of a clip from a file to a download is the same without one.
const keyframes = { mode: 'keyframe' } as const

let rig: ClipRig
let vodId: string

beforeAll(async () => {
  rig = await openClipRig()
  await rig.rig.write([
    { platform: 'youtube', videoId: 'v1', creatorId: 'c1', observedAtMs: rigNow.getTime() - 60_000, views: 500 },
  ])
  await rig.rig.store.insert('cliptape.videos_v1', [
    {
      platform: 'youtube',
      video_id: 'v1',
      creator_id: 'c1',
      kind: 'vod',
      title: 'A stream',
      url: 'https://example.com/v1',
      thumbnail_url: '',
      published_at: '2026-01-30 12:00:00.000',
      duration_seconds: 60,
      category: '',
      tags: [],
      regions: [],
      topics: [],
      source: 'import:test',
      observed_at: '2026-01-31 11:59:00.000',
    },
  ])
  vodId = (await rig.call('POST', '/api/vods', { source: 'sample', title: 'The sample' })).body.vodId
})
afterAll(() => rig.close())

const request = (startTime: number, endTime: number, of = vodId) =>
  rig.call('POST', '/api/clips/request', { vodId: of, startTime, endTime, ...keyframes })

function callerOf(userId: UserId): Caller {
  const principal = { userId, scheme: 'jwt', role: 'owner', scopes: 'all', credentialId: null } as const
  return { principal, requestId: 'r', address: '127.0.0.1' }
}

describe('a clip', () => {
  it('goes from a file to a download that may resume anywhere, and is cut once', async () => {
    const asked = await request(4, 10)
    expect(asked).toMatchObject({ status: 202, body: { status: 'pending', credits: 1 } })
    const { requestId } = asked.body
    expect(asked.body.estimatedCompletion).toMatch(/^2026-01-31T12:00:0/)
    expect((await rig.call('GET', `/api/clips/download/${requestId}`)).body.error).toMatchObject({ code: 'NOT_READY' })

    const live = await LiveClient.open(rig.server.url, rigToken)
    await rig.worker.drain()
    const told = { jobId: requestId, type: 'clip', vodId }
    expect(await live.next('event')).toMatchObject({ topic: 'media.changed', payload: { ...told, status: 'running' } })
    expect(await live.next('event')).toMatchObject({ payload: { ...told, status: 'done', progress: 1 } })
    await live.end()

    const { body: clip } = await rig.call('GET', `/api/clips/status/${requestId}`)
    expect(clip).toMatchObject({
      status: 'ready',
      progress: 1,
      estimatedCompletion: null,
      result: { tier: 'preview', requested: { startSec: 4, endSec: 10 }, actual: { startSec: 4 }, container: 'mp4' },
    })
    const again = await request(4, 10)
    expect(again.body).toMatchObject({ requestId, status: 'ready' })

    const link = await rig.call('GET', `/api/clips/download/${requestId}`)
    expect(link.body).toMatchObject({ bytes: clip.bytes, expiresAt: '2026-01-31T12:15:00.000Z' })
    const whole = await fetch(link.body.url)
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'no-store',
      'content-disposition': 'attachment; filename="clip-0h00m04s-0h00m10s.mp4"',
      'content-length': String(clip.bytes),
      'content-type': 'video/mp4',
      'x-content-type-options': 'nosniff',
    })
    const bytes = Buffer.from(await whole.arrayBuffer())
    expect(bytes.length).toBe(clip.bytes)
    const etag = whole.headers.get('etag') ?? ''
    for (const [range, from, to] of [
      ['bytes=0-', 0, bytes.length],
      ['bytes=1000-1999', 1000, 2000],
      [`bytes=${bytes.length - 1}-`, bytes.length - 1, bytes.length],
      ['bytes=-500', bytes.length - 500, bytes.length],
    ] as const) {
      const part = await fetch(link.body.url, { headers: { range, 'if-range': etag } })
      expect([range, part.status, part.headers.get('content-range')]).toEqual([
        range,
        206,
        `bytes ${from}-${to - 1}/${bytes.length}`,
      ])
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(from, to))).toBe(true)
    }
    const beyond = await fetch(link.body.url, { headers: { range: `bytes=${bytes.length}-` } })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`])
    const head = await fetch(link.body.url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), (await head.arrayBuffer()).byteLength]).toEqual([
      200,
      String(bytes.length),
      0,
    ])
    const changed = await fetch(link.body.url, { headers: { range: 'bytes=5-', 'if-range': '"another"' } })
    expect([changed.status, (await changed.arrayBuffer()).byteLength]).toEqual([200, bytes.length])
    expect((await fetch(link.body.url.replace(/signature=./, 'signature=_'))).status).toBe(403)

    const { body: usage } = await rig.call('GET', '/api/usage')
    expect(usage.data).toContainEqual(expect.objectContaining({ metric: 'downloads', used: 1 }))
  })

  it('is refused for times that are not in the media, and for a video without media until some is attached', async () => {
    for (const [start, end, words] of [
      [5, 5, 'after its start'],
      [5, 2, 'after its start'],
      [59, 70, '60.000 s long'],
      [1, 1.2, 'at least 0.5 s'],
    ] as const) {
      const refused = await request(start, end)
      expect([start, end, refused.status, refused.body.error.message]).toEqual([
        start,
        end,
        400,
        expect.stringContaining(words),
      ])
    }
    expect(await request(1, 5, 'youtube:v1')).toMatchObject({
      status: 409,
      body: { error: { code: 'SOURCE_REQUIRED' } },
    })
    const attached = await rig.call('POST', '/api/vods/youtube:v1/source', { source: sampleFile })
    expect(attached).toMatchObject({
      status: 201,
      body: { vodId: 'youtube:v1', source: 'attached', creatorId: 'youtube:c1' },
    })
    expect((await rig.call('GET', '/api/creators/youtube:c1/vods')).body.data).toMatchObject([
      { vodId: 'youtube:v1', source: 'attached', trending: null },
    ])
    expect((await request(1, 5, 'youtube:v1')).status).toBe(202)
    expect((await rig.call('DELETE', '/api/vods/youtube:v1')).status).toBe(204)
    expect((await rig.call('GET', '/api/creators/youtube:c1/vods')).body.data[0].source).toBe('attachable')
    await rig.worker.drain()
  })

  it('is cancelled, deleted, and gone when its time is over', async () => {
    const waiting = (await request(10, 16)).body.requestId
    expect((await rig.call('DELETE', `/api/clips/requests/${waiting}`)).status).toBe(204)
    await rig.worker.drain()
    expect((await rig.call('GET', `/api/clips/status/${waiting}`)).body).toMatchObject({
      status: 'error',
      reason: 'You cancelled this request.',
    })
    const made = (await request(20, 26)).body.requestId
    await rig.worker.drain()
    // The rig's clock stands still: requests of one instant have no order.
    const later = new Date(rigNow.getTime() + 1)
    await rig.rig.db.system.updateTable('media_jobs').set({ created_at: later }).where('id', '=', made).execute()
    const { body: list } = await rig.call('GET', '/api/clips/requests?status=ready&limit=1')
    expect(list).toMatchObject({ data: [{ requestId: made }], nextCursor: expect.any(String) })
    expect(list.storage.usedBytes).toBeGreaterThan(list.data[0].bytes)

    const past = new Date(rigNow.getTime() - 1)
    await rig.rig.db.system.updateTable('media_jobs').set({ expires_at: past }).where('id', '=', made).execute()
    expect((await rig.call('GET', `/api/clips/download/${made}`)).body.error).toMatchObject({ code: 'GONE' })
    await sweepMedia(rig.deps)
    expect((await rig.call('GET', `/api/clips/status/${made}`)).body.status).toBe('ready')
    expect((await rig.call('GET', `/api/clips/download/${made}`)).status).toBe(410)
    expect(await rig.deps.media.blobs.list(`media/${rig.rig.userId}/jobs/${made}`, 10)).toEqual([])
    const anew = (await request(20, 26)).body.requestId
    expect(anew).not.toBe(made)
    await rig.worker.drain()
    expect((await rig.call('DELETE', `/api/clips/requests/${anew}`)).status).toBe(204)
    expect((await rig.call('GET', `/api/clips/status/${anew}`)).status).toBe(404)
    expect(await rig.deps.media.blobs.list(`media/${rig.rig.userId}/jobs/${anew}`, 10)).toEqual([])
  })
})

describe('media', () => {
  it('is read from declared folders alone, by the owner alone, and never from inside the network', async () => {
    for (const [source, code] of [
      ['/etc/passwd', 'FORBIDDEN'],
      [join(sampleFile, '..', '..', '..', 'package.json'), 'FORBIDDEN'],
      [`${sampleFile}.gone`, 'NOT_FOUND'],
      [join(sampleFile, '..', 'README.md'), 'BAD_REQUEST'],
      ['http://169.254.169.254/latest/meta-data', 'FORBIDDEN'],
      ['http://localhost:4400/x.mp4', 'FORBIDDEN'],
      ['https://user:password@media.example.com/x.mp4', 'BAD_REQUEST'],
      ['s3://bucket/key', 'NOT_CONFIGURED'],
      ['ftp://media.example.com/x.mp4', 'BAD_REQUEST'],
      ['concat:/etc/passwd', 'BAD_REQUEST'],
    ] as const) {
      const refused = await rig.call('POST', '/api/vods', { source })
      expect([source, refused.body.error.code]).toEqual([source, code])
    }
    const other = await fillAccount(rig.rig, 'ada@example.com')
    const claims = { userId: other.userId, sessionId: other.ids.session, role: 'user' as const }
    const token = await rig.rig.accounts.accounts.tokens.signAccess(claims, 900_000)
    const theirs = await rig.call('POST', '/api/vods', { source: sampleFile }, token)
    expect(theirs.body.error).toMatchObject({ code: 'FORBIDDEN' })
    // What trends is for plans that have it.
    await rig.rig.db.system.updateTable('users').set({ plan: 'free' }).where('id', '=', other.userId).execute()
    const { body } = await rig.call('GET', `/api/vods/${filledVodId(other.ids)}`, undefined, token)
    expect(body).not.toHaveProperty('trending')
  })

  it('comes from an address that holds a secret, which nothing but the vault keeps', async () => {
    const bytes = await readFile(sampleFile)
    const asked: string[] = []
    const host = createServer((request, response) => {
      asked.push(request.url ?? '')
      const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
      const end = Math.min(bytes.length - 1, to === '' ? bytes.length - 1 : Number(to))
      const part = bytes.subarray(Number(from), end + 1)
      response.writeHead(206, {
        'content-type': 'video/mp4',
        'content-length': part.length,
        'content-range': `bytes ${from}-${end}/${bytes.length}`,
        etag: '"one"',
      })
      response.end(part)
    }).listen(0, '127.0.0.1')
    await once(host, 'listening')
    const { port } = z.object({ port: z.number() }).parse(host.address())
    const outbound = openOutbound({
      configuredOrigins: [],
      mayReach: () => true,
      resolve: async () => ['127.0.0.1'],
    })
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: line => void lines.push(line) })
    const desk = {
      ...rig.deps.media,
      probe: testMediaDesk({ folder: rig.mediaFolder, clock: rig.deps.clock, outbound }).probe,
    }
    const open = { ...rig.deps, outbound, log, media: desk }
    const caller = callerOf(rig.rig.userId)
    const source = `http://media.example.com:${port}/stream.mp4?token=very-secret`
    const vod = await registerVod(open, caller, { source })
    expect(vod).toMatchObject({ sourceKind: 'url', sourceLabel: `media.example.com:${port}`, duration: 60 })
    expect(asked[0]).toBe('/stream.mp4?token=very-secret')

    const { requestId } = (await request(30, 34, vod.vodId)).body
    const reader = rig.openWorker(open)
    await reader.drain()
    await reader.close()
    const { body: clip } = await rig.call('GET', `/api/clips/status/${requestId}`)
    expect(clip).toMatchObject({ status: 'ready' })
    const rows = await Promise.all(
      (['vods', 'media_jobs', 'vault_secrets', 'audit_log'] as const).map(table =>
        rig.rig.db.system.selectFrom(table).selectAll().execute(),
      ),
    )
    expect(JSON.stringify(rows)).not.toContain('very-secret')
    expect(lines.join('')).not.toContain('very-secret')
    host.close()
    host.closeAllConnections()
    await outbound.close()
  })

  it('goes with the account that it belongs to', async () => {
    const leaving = await fillAccount(rig.rig, 'leaving@example.com')
    const key = outputKey({ ownerId: leaving.userId, jobId: leaving.ids.clip, fileId: leaving.ids.output })
    await rig.deps.media.blobs.put(key, Buffer.from('a clip'))
    await rig.rig.db.system
      .updateTable('sessions')
      .set({ created_at: rigNow })
      .where('id', '=', leaving.ids.session)
      .execute()
    const claims = { userId: leaving.userId, sessionId: leaving.ids.session, role: 'user' as const }
    const token = await rig.rig.accounts.accounts.tokens.signAccess(claims, 900_000)
    expect((await rig.call('DELETE', '/api/account', undefined, token)).status).toBe(204)
    expect(await rig.deps.media.blobs.stat(key)).toBeNull()
  })

  it('says nothing of where it lies but a name, and needs a decoder for what has to be decoded', async () => {
    const { body: vod } = await rig.call('GET', `/api/vods/${vodId}`)
    expect(JSON.stringify(vod)).not.toContain(sampleFile)
    expect(vod).toMatchObject({
      title: 'The sample',
      sourceLabel: 'sample.mp4',
      trending: null,
      media: { container: 'mp4' },
    })
    const work = { type: 'audio/silence', input: { vodId }, params: {}, idempotencyKey: 'once' }
    const estimate = await rig.call('POST', '/api/media/estimate', work)
    expect(estimate.body).toMatchObject({ credits: 1, isStored: false })
    const job = await rig.call('POST', '/api/media/jobs', work)
    expect(job).toMatchObject({ status: 202, body: { type: 'audio/silence', status: 'queued' } })
    await rig.worker.drain()
    expect((await rig.call('GET', `/api/media/jobs/${job.body.jobId}`)).body).toMatchObject({
      status: 'failed',
      error: { code: 'NOT_CONFIGURED', message: expect.stringContaining('ffmpeg') },
    })
    expect((await rig.call('GET', `/api/media/jobs/${job.body.jobId}/outputs`)).status).toBe(409)
  })
})
