import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EncodedPacketSink, FilePathSource, Input, type InputVideoTrack, MP4, WAVE } from 'mediabunny'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AvcConfig, annexB, avcConfigOf, parseSequenceSet } from '../source/h264.ts'
import type { DecodedFrame, DecodeRequest, EngineTask, MediaEngine } from './port.ts'

/** A minute, 30 frames a second, a keyframe every two seconds, a cut at 12 s. */
const sample = { kind: 'file', path: fileURLToPath(new URL('../sample/sample.mp4', import.meta.url)) } as const
const task: EngineTask = { cpuSecEstimate: 10 }
const small = { widthPx: 32, heightPx: 18, pixels: 'gray', which: 'all', framesMax: 1000 } as const

/**
 * What every engine must do.
 * @param open the engine to test, the same one at every call
 */
export function mediaEngineSuite(open: () => MediaEngine): void {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cliptape-engine-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function decoded(request: DecodeRequest): Promise<{ frames: DecodedFrame[]; sampleCount: number }> {
    const frames: DecodedFrame[] = []
    let sampleCount = 0
    await open().decode(
      request,
      {
        onFrame: frame => void frames.push(frame),
        onSound: samples => {
          sampleCount += samples.length
        },
      },
      task,
    )
    return { frames, sampleCount }
  }

  it('gives the keyframes with their times, and the sound at the rate asked for, in one pass', async () => {
    const picture = { ...small, pixels: 'rgb24', which: 'keyframes' } as const
    const { frames, sampleCount } = await decoded({ input: sample, picture, sound: { rateHz: 8000 } })
    expect(frames.map(frame => Math.round(frame.atSec ?? -1))).toEqual(
      Array.from({ length: 30 }, (_, index) => index * 2),
    )
    expect(frames[0]?.pixels).toHaveLength(32 * 18 * 3)
    expect(Math.abs(sampleCount - 60 * 8000)).toBeLessThan(400)
  })

  it('gives every frame and sample of a span, on the clock of the file, and no other', async () => {
    const { frames, sampleCount } = await decoded({
      input: sample,
      picture: small,
      sound: { rateHz: 8000 },
      startSec: 11.5,
      durationSec: 1,
    })
    expect(frames).toHaveLength(30)
    expect(frames[0]?.atSec).toBeCloseTo(11.5, 3)
    expect(frames[29]?.atSec).toBeCloseTo(11.5 + 29 / 30, 3)
    expect(sampleCount).toBe(8000)
  })

  it('gives the pictures of a bare stream, in the order in which they are fed', async () => {
    const file = await openSample(sample.path)
    const sink = new EncodedPacketSink(file.track)
    const chunks = async function* () {
      for (const atSec of [40, 0, 20]) {
        const packet = await sink.getKeyPacket(atSec)
        if (packet) yield annexB(packet.data, file.config, true)
      }
    }
    const { frames } = await decoded({ input: { kind: 'h264', chunks: chunks() }, picture: small, sound: null })
    const byTime = await decoded({ input: sample, picture: { ...small, which: 'keyframes' }, sound: null })
    expect(frames.map(frame => frame.atSec)).toEqual([null, null, null])
    const unlike = frames.map((frame, index) => difference(frame, byTime.frames[[20, 0, 10][index] ?? 0]))
    expect(Math.max(...unlike)).toBeLessThan(1)
    file.close()
  })

  it('encodes just the frames of a span, with parameter sets of the id asked for, without sound', async () => {
    const outputPath = join(folder, 'part.mp4')
    await open().encodeVideo(
      {
        ...{ input: sample, startSec: 3 + 1 / 30, endSec: 3 + 18 / 30, outputPath, frameCount: 17 },
        ...{ rotation: 'keep', profile: 'main', rateFactor: 18, parameterSetId: 7 },
      },
      task,
    )
    const file = await openSample(outputPath)
    const [set] = file.config.sequenceSets
    expect((await file.track.computePacketStats()).packetCount).toBe(17)
    expect(set && parseSequenceSet(set)).toMatchObject({ id: 7, profileIdc: 77, isProgressive: true })
    file.close()
    const silent = { kind: 'file', path: outputPath } as const
    const both = await decoded({ input: silent, picture: small, sound: { rateHz: 8000 } })
    expect([both.frames.length, both.sampleCount]).toEqual([17, 0])
    expect((await decoded({ input: silent, picture: null, sound: { rateHz: 8000 } })).sampleCount).toBe(0)
  })

  it('crops and scales, in that order', async () => {
    const outputPath = join(folder, 'crop.mp4')
    await open().encodeVideo(
      {
        ...{ input: sample, startSec: 0, endSec: 0.1, outputPath, frameCount: 3, rotation: 'apply' },
        ...{ profile: 'high', rateFactor: 20, parameterSetId: 0 },
        crop: { widthPx: 202, heightPx: 360, xPx: 218, yPx: 0 },
        scale: { widthPx: 90, heightPx: 160 },
      },
      task,
    )
    const file = await openSample(outputPath)
    expect([await file.track.getDisplayWidth(), await file.track.getDisplayHeight()]).toEqual([90, 160])
    file.close()
  })

  it('encodes sound to the very sample', async () => {
    const outputPath = join(folder, 'part.wav')
    await open().encodeAudio(
      {
        input: sample,
        startSec: 1.25,
        endSec: 2.5,
        outputPath,
        codec: 'pcm-s16',
        rateHz: 48_000,
        channelCount: 2,
        bitsPerSec: 0,
      },
      task,
    )
    const input = new Input({ formats: [WAVE], source: new FilePathSource(outputPath) })
    const track = await input.getPrimaryAudioTrack()
    expect(await track?.computeDuration()).toBe(1.25)
    input.dispose()
  })

  it('makes the fingerprint of a sound', async () => {
    const words = await open().soundFingerprint({ input: sample, startSec: 2, durationSec: 10 }, task)
    // 10 s less the 2.6 s that the first word takes, one each 0.1238 s.
    expect(words.length).toBeGreaterThan(55)
    expect(words.length).toBeLessThan(65)
  })

  it('stops when it is told to, with the reason that was given', async () => {
    const stopping = new AbortController()
    const reason = new Error('The job was cancelled.')
    const decoding = open().decode(
      { input: sample, picture: small, sound: null },
      { onFrame: () => stopping.abort(reason) },
      { ...task, signal: stopping.signal },
    )
    await expect(decoding).rejects.toBe(reason)
  })

  it('passes on what a sink throws', async () => {
    const failure = new Error('The sink is full.')
    const decoding = open().decode(
      { input: sample, picture: small, sound: { rateHz: 8000 } },
      { onFrame: () => Promise.reject(failure) },
      task,
    )
    await expect(decoding).rejects.toBe(failure)
  })

  it.each([
    ['nothing', ''],
    ['a page of the web', '<html><body>Not found</body></html>'.repeat(100)],
    [
      'a playlist that names a file of this machine',
      '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n',
    ],
    ['a list of files to join', `ffconcat version 1.0\nfile '${sample.path}'\n`],
    [
      'a description of a stream',
      'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    ],
  ])('refuses %s, whatever it is named', async (_what, text) => {
    const path = join(folder, 'in.mp4')
    writeFileSync(path, text)
    const decoding = open().decode({ input: { kind: 'file', path }, picture: small, sound: null }, {}, task)
    await expect(decoding).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('cannot be decoded'),
    })
  })

  it('does not decode pictures of more pixels than it may', async () => {
    const frames: DecodedFrame[] = []
    const decoding = open().decode(
      { input: sample, picture: small, sound: null, durationSec: 1 },
      { onFrame: frame => void frames.push(frame) },
      { ...task, pixelsMax: 1000 },
    )
    await expect(decoding).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(frames).toEqual([])
  })
}

async function openSample(path: string): Promise<{ track: InputVideoTrack; config: AvcConfig; close(): void }> {
  const input = new Input({ formats: [MP4], source: new FilePathSource(path) })
  const track = await input.getPrimaryVideoTrack()
  const config = track && (await avcConfigOf(track))
  if (!track || !config) throw new Error('The file has H.264.')
  return { track, config, close: () => input.dispose() }
}

/** The mean difference of the pixels, of 255. */
function difference(one: DecodedFrame, other: DecodedFrame | undefined): number {
  const sum = one.pixels.reduce((total, value, index) => total + Math.abs(value - (other?.pixels[index] ?? 255)), 0)
  return sum / one.pixels.length
}
