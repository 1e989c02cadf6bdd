import { copyFile, readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MediaEngine } from '../../../media/engine/port.ts'
import { type ClipRig, openClipRig } from '../../../test/clip-rig.ts'
import { sampleFile } from '../../../test/media-desk.ts'
import { openTestEngine } from '../../../test/media-engine.ts'

// Needs ffmpeg: what is asked for is decoded.

let engine: MediaEngine
let rig: ClipRig

beforeAll(async () => {
  engine = await openTestEngine('ffmpeg')
  rig = await openClipRig({ engine })
})
afterAll(async () => {
  await rig.close()
  await engine.close()
})

const register = async (source: string): Promise<string> => (await rig.call('POST', '/api/vods', { source })).body.vodId

/** Has work done, and gives what came of it. */
async function done(type: string, vodId: string, params: Record<string, unknown>) {
  const { body: job } = await rig.call('POST', '/api/media/jobs', { type, input: { vodId }, params })
  await rig.worker.drain()
  const { body: outputs } = await rig.call('GET', `/api/media/jobs/${job.jobId}/outputs`)
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

    expect(await rig.deps.media.blobs.list('media/', 100)).toHaveLength(12)
    expect((await rig.call('DELETE', `/api/vods/${vodId}`)).status).toBe(204)
    expect(await rig.deps.media.blobs.list('media/', 100)).toHaveLength(3)
  })

  it('gives the pictures that were asked for', async () => {
    const frames = await done('video/frames', await register(sampleFile), { times: [1, 21.5], widthPx: 160 })
    expect(frames).toMatchObject({
      result: { widthPx: 160, heightPx: 90 },
      files: ['frame-0h00m01s.png', 'frame-0h00m21.500s.png'],
    })
  })

  it('fails in words, costs nothing and leaves nothing when the file is no longer what it was', async () => {
    const path = join(rig.mediaFolder, 'short.mp4')
    await copyFile(sampleFile, path)
    const vodId = await register(path)
    await truncate(path, 400_000)
    const asked = await rig.call('POST', '/api/clips/request', { vodId, startTime: 50, endTime: 58 })
    await rig.worker.drain()
    const { body: clip } = await rig.call('GET', `/api/clips/status/${asked.body.requestId}`)
    expect(clip).toMatchObject({ status: 'error', reason: expect.stringMatching(/^[A-Z].+\.$/) })
    const { body: credits } = await rig.call('GET', '/api/credits?limit=2')
    expect(credits.data.map((line: { entry: string }) => line.entry)).toEqual(['release', 'reserve'])
    expect(await readdir(rig.workFolder)).toEqual([])
    const { body: other } = await rig.call('POST', '/api/clips/request', {
      vodId: await register(sampleFile),
      startTime: 1.3,
      endTime: 3.1,
    })
    await rig.worker.drain()
    expect((await rig.call('GET', `/api/clips/status/${other.requestId}`)).body).toMatchObject({
      status: 'ready',
      result: { tier: 'smart', frameCount: 54 },
    })
  })
})
