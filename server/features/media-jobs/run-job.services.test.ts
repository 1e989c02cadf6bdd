import { copyFile, mkdir, mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMediaEngine } from '../../../media/engine/open-engine.ts'
import type { MediaEngine } from '../../../media/engine/port.ts'
import { createJobFolder } from '../../../media/job-folder.ts'
import { sampleFile } from '../../../test/media-desk.ts'
import { openServerRig, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import type { ServerDeps } from '../../deps.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { discardFiles, runJob } from './run-job.ts'
import { MediaWorker } from './worker.ts'

// Needs ffmpeg: what is asked for is decoded.

let folder: string
let rig: ServerRig
let engine: MediaEngine
let deps: ServerDeps
let server: RunningServer
let worker: MediaWorker

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-run-'))
  await mkdir(join(folder, 'media'))
  rig = await openServerRig()
  const plain = await rig.deps()
  deps = { ...plain, media: { ...plain.media, roots: [...plain.media.roots, join(folder, 'media')] } }
  const opened = await openMediaEngine({ ffmpegPath: 'ffmpeg', searchPath: process.env.PATH ?? '', log: null })
  if (!opened) throw new Error('This test needs ffmpeg: run test/services/install.mjs.')
  engine = opened
  server = await startServer(deps, { host: '127.0.0.1', port: 0 })
  const run = { ...deps, engine, openFolder: () => createJobFolder(join(folder, 'work')) }
  worker = new MediaWorker(
    { ...deps, work: (job, o) => runJob(run, job, o), discard: (job, files) => discardFiles(run, job, files) },
    { concurrentMax: 1 },
  )
})
afterAll(async () => {
  await worker.close()
  await Promise.all([server.close(1000), engine.close()])
  await rig.close()
  await rm(folder, { recursive: true, force: true })
})

const call = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${rigToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}
const register = async (source: string): Promise<string> => (await call('POST', '/api/vods', { source })).body.vodId

/** Has work done, and gives what came of it. */
async function done(type: string, vodId: string, params: Record<string, unknown>) {
  const { body: job } = await call('POST', '/api/media/jobs', { type, input: { vodId }, params })
  await worker.drain()
  const { body: outputs } = await call('GET', `/api/media/jobs/${job.jobId}/outputs`)
  return {
    credits: job.credits,
    result: outputs.result,
    files: outputs.files.map((file: { name: string }) => file.name),
  }
}

describe('work on media with a decoder', () => {
  it('makes one timeline, of which everything else is read for nothing, until the media goes', async () => {
    const vodId = await register(sampleFile)
    const analysis = await done('timeline/analyze', vodId, { level: 'full' })
    expect(analysis).toMatchObject({ credits: 1, files: ['thumbnails.png', 'timeline.json', 'waveform.bin'] })
    expect(analysis.result.cuts.map((cut: { atSec: number }) => cut.atSec)).toEqual([12, 20, 30, 40, 50])
    const silence = await done('audio/silence', vodId, {})
    expect(silence.credits).toBe(0)
    expect(silence.result.silences.map((span: { startSec: number }) => span.startSec)).toEqual([11, 26, 41, 56])
    const weighed = await done('timeline/analyze', vodId, { level: 'audio', weights: { cuts: 1, loudness: 0 } })
    expect(weighed.credits).toBe(0)
    expect(weighed.result.moments).not.toEqual(analysis.result.moments)
    // Another VOD of the same file.
    expect((await done('video/scenes', await register(sampleFile), { level: 'full' })).credits).toBe(0)

    expect(await deps.media.blobs.list('media/', 100)).toHaveLength(12)
    expect((await call('DELETE', `/api/vods/${vodId}`)).status).toBe(204)
    expect(await deps.media.blobs.list('media/', 100)).toHaveLength(3)
  })

  it('gives the pictures that were asked for', async () => {
    const frames = await done('video/frames', await register(sampleFile), { times: [1, 21.5], widthPx: 160 })
    expect(frames).toMatchObject({
      result: { widthPx: 160, heightPx: 90 },
      files: ['frame-0h00m01s.png', 'frame-0h00m21.500s.png'],
    })
  })

  it('fails in words, costs nothing and leaves nothing when the file is no longer what it was', async () => {
    const path = join(folder, 'media', 'short.mp4')
    await copyFile(sampleFile, path)
    const vodId = await register(path)
    await truncate(path, 400_000)
    const asked = await call('POST', '/api/clips/request', { vodId, startTime: 50, endTime: 58 })
    await worker.drain()
    const { body: clip } = await call('GET', `/api/clips/status/${asked.body.requestId}`)
    expect(clip).toMatchObject({ status: 'error', reason: expect.stringMatching(/^[A-Z].+\.$/) })
    const { body: credits } = await call('GET', '/api/credits?limit=2')
    expect(credits.data.map((line: { entry: string }) => line.entry)).toEqual(['release', 'reserve'])
    expect(await readdir(join(folder, 'work'))).toEqual([])
    const { body: other } = await call('POST', '/api/clips/request', {
      vodId: await register(sampleFile),
      startTime: 1.3,
      endTime: 3.1,
    })
    await worker.drain()
    expect((await call('GET', `/api/clips/status/${other.requestId}`)).body).toMatchObject({
      status: 'ready',
      result: { tier: 'smart', frameCount: 54 },
    })
  })
})
